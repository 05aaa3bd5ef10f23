package netops

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// matrixNode is a namespace of a matrix.
type matrixNode struct {
	index   int
	name    string
	used    *usedAddresses // empty if it is gone
	gone    atomic.Bool    // it was deleted
	leave   func()         // ends the attendance to that
	sockets map[families]*matrixSocket
	pairs   []*matrixPair // to each node, by its index; nil to itself
	// Its neighbour entries before the matrix began; known when there is not room for all.
	had   map[neighbourKey]string
	asked map[neighbourKey]string // entries of whom had not answered when some were removed
}

// What a request of a matrix is like.
const (
	matrixSize = 56 // payload bytes, as ping(8) has
	matrixTTL  = 64
)

// matrixSocket is a raw socket of a node. Only one goroutine uses it.
type matrixSocket struct {
	fd      int
	match   *echoMatch
	waiting int // pairs that wait for a reply to it
}

// open finds out about the namespaces, pairs them and opens their sockets.
func (m *matrix) open(ctx context.Context, names []string) error {
	found := make([]*matrixNode, len(names))
	errs := make([]error, len(names))
	share(matrixWorkers, len(names), func(i int) (more bool) {
		found[i], errs[i] = m.kernel.matrixNode(ctx, names[i])
		return errs[i] == nil
	})
	known := map[topology.NamespaceID]bool{}
	for _, n := range found {
		switch {
		case n == nil: // there is an error
		case !n.used.id.IsZero() && known[n.used.id]:
			n.leave()
		default:
			known[n.used.id] = true
			n.index = len(m.nodes)
			m.nodes = append(m.nodes, n)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if len(m.nodes) < 2 {
		return pingFieldError("/namespaces", "these are names of one namespace")
	}
	for _, n := range m.nodes {
		n.pairs = make([]*matrixPair, len(m.nodes))
		for _, to := range m.nodes {
			if to != n {
				n.pairs[to.index] = m.pair(n, to)
			}
		}
	}
	share(matrixWorkers, len(m.nodes), func(i int) (more bool) {
		errs[i] = m.nodes[i].open(m.kernel)
		return errs[i] == nil
	})
	return errors.Join(errs...)
}

// matrixNode finds a namespace. One that is gone by now is a node all the same.
func (k *Kernel) matrixNode(ctx context.Context, name string) (*matrixNode, error) {
	n := &matrixNode{name: name, sockets: map[families]*matrixSocket{}, leave: func() {}, used: &usedAddresses{}}
	used, err := k.addresses(ctx, name)
	if topology.CodeOf(err) == topology.CodeNotFound {
		n.gone.Store(true)
		return n, nil
	}
	if err != nil {
		return nil, err
	}
	n.used = used
	n.leave = pings.attend(used.id, func(error) { n.gone.Store(true) })
	return n, nil
}

// pair chooses the address of one node to ping it by from another, or says why
// there is none.
func (m *matrix) pair(from, to *matrixNode) *matrixPair {
	p := &matrixPair{from: from, to: to}
	c, found := from.used.best(to.used, m.of)
	here, there := from.used.families(m.of), to.used.families(m.of)
	switch {
	case p.isGone():
	case there == 0:
		p.fail(topology.PingNoAddress, "%s has no %s address by which it can be reached", to.name, m.of)
	case here == 0:
		p.fail(topology.PingNoAddress, "%s has no %s address to send from", from.name, m.of)
	case here&there == 0:
		p.fail(topology.PingNoCommonFamily, "%s has %s, %s has %s", from.name, here, to.name, there)
	case !found:
		p.fail(topology.PingOwnAddress, "%s has the address of %s too: a request would not leave it", from.name, to.name)
	default:
		p.addr, p.link = c.addr, c.link
	}
	return p
}

// isGone fails a pair of which one is gone.
func (p *matrixPair) isGone() bool {
	for _, n := range []*matrixNode{p.from, p.to} {
		if n.gone.Load() {
			p.fail(topology.PingNamespaceGone, "%s was deleted", n.name)
			return true
		}
	}
	return false
}

// open opens a node's sockets, one for each family it sends in.
func (n *matrixNode) open(k *Kernel) error {
	var wanted families
	for _, p := range n.pairs {
		if p != nil && p.addr.IsValid() {
			wanted |= familyOf(p.addr)
		}
	}
	if wanted == 0 {
		return nil
	}
	err := k.Do(n.name, func() error {
		for family, anybody := range map[families]netip.Addr{family4: netip.IPv4Unspecified(), family6: netip.IPv6Unspecified()} {
			if wanted&family == 0 {
				continue
			}
			match := newEchoMatch(anybody, matrixSize)
			// Without filterID: attaching it would take longer than looking at the
			// replies to other pings.
			fd, err := rawSocket(anybody, matrixTTL)
			if err != nil {
				return err
			}
			n.sockets[family] = &matrixSocket{fd: fd, match: match}
		}
		return nil
	})
	if topology.CodeOf(err) == topology.CodeNotFound {
		n.gone.Store(true)
		err = nil
	}
	if err != nil {
		return refusal(n.name, err)
	}
	for _, p := range n.pairs {
		if p != nil && p.addr.IsValid() {
			p.socket = n.sockets[familyOf(p.addr)]
			p.target, _ = sendTo(p.socket.fd, p.addr) // fails only for zones
		}
	}
	return nil
}

// close closes the node's sockets.
func (n *matrixNode) close() {
	for family, s := range n.sockets {
		_ = unix.Close(s.fd)
		s.fd = -1 // its pairs may still try
		delete(n.sockets, family)
	}
}

// close releases what the matrix holds.
func (m *matrix) close() {
	for _, n := range m.nodes {
		n.leave()
		n.close()
	}
}
