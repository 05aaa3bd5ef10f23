package diagnose

import (
	"slices"

	"netdash/internal/topology"
)

// The links of a Snapshot as a graph: frames go from one end of a veth to the
// other, and between a bridge and its ports.

const (
	kindVeth     = "veth"
	kindBridge   = "bridge"
	kindLoopback = "loopback"
)

func ref(l *topology.Link) topology.LinkRef {
	return topology.LinkRef{Namespace: l.Namespace, Name: l.Name}
}

func name(r topology.LinkRef) string { return r.Namespace + "/" + r.Name }

func subject(l *topology.Link) string { return name(ref(l)) }

// linkAt finds a link that is there by where it is; nil if there is none.
func (t *trace) linkAt(r topology.LinkRef) *topology.Link {
	if n := t.snapshot.Namespace(r.Namespace); n != nil && n.Sync != topology.Missing {
		if l := n.Link(r.Name); l != nil && l.Sync != topology.Missing {
			return l
		}
	}
	return nil
}

// linkOf finds the link that an intended one is, wherever it is now; nil if it is
// nowhere to be seen.
func (t *trace) linkOf(r topology.LinkRef) *topology.Link {
	if l := t.linkAt(r); l != nil && (l.Intended == nil || *l.Intended == r) {
		return l
	}
	for _, n := range t.snapshot.Namespaces {
		for _, l := range n.Links {
			if l.Intended != nil && *l.Intended == r && l.Sync != topology.Missing {
				return l
			}
		}
	}
	return nil
}

// peerOf gives the other end of a veth, nil where it cannot be seen.
func (t *trace) peerOf(l *topology.Link) *topology.Link {
	if l.Kind != kindVeth || l.Peer == nil || !l.Peer.Known {
		return nil
	}
	return t.linkAt(topology.LinkRef{Namespace: l.Peer.Namespace, Name: l.Peer.Name})
}

// bridgeOf gives the bridge a link is a port of.
func (t *trace) bridgeOf(l *topology.Link) *topology.Link {
	if l.Master == "" {
		return nil
	}
	return t.linkAt(topology.LinkRef{Namespace: l.Namespace, Name: l.Master})
}

// beside lists the links a frame can go to from a link.
func (t *trace) beside(l *topology.Link) []*topology.Link {
	var out []*topology.Link
	for _, other := range []*topology.Link{t.peerOf(l), t.bridgeOf(l)} {
		if other != nil {
			out = append(out, other)
		}
	}
	if n := t.snapshot.Namespace(l.Namespace); l.Kind == kindBridge && n != nil {
		for _, p := range n.Links {
			if p.Master == l.Name && p.Sync != topology.Missing {
				out = append(out, p)
			}
		}
	}
	return out
}

// reached is all that is on one network with a link, whatever state it is in,
// with the link each was reached from.
type reached struct {
	links []*topology.Link
	from  map[*topology.Link]*topology.Link
}

// search walks the graph from a link; passes says whether a frame can go from one
// link to the next, which it reaches by prev.
func (t *trace) search(from *topology.Link, passes func(prev, at, next *topology.Link) bool) reached {
	r := reached{links: []*topology.Link{from}, from: map[*topology.Link]*topology.Link{from: nil}}
	for i := 0; i < len(r.links); i++ {
		at := r.links[i]
		for _, next := range t.beside(at) {
			if _, seen := r.from[next]; !seen && passes(r.from[at], at, next) {
				r.from[next] = at
				r.links = append(r.links, next)
			}
		}
	}
	return r
}

// segment is the network a link is on.
func (t *trace) segment(l *topology.Link) reached {
	return t.search(l, func(_, _, _ *topology.Link) bool { return true })
}

// has tells whether a link is among them.
func (r reached) has(l *topology.Link) bool { _, ok := r.from[l]; return ok }

// way lists the links from where the search began to one of them.
func (r reached) way(to *topology.Link) []*topology.Link {
	var out []*topology.Link
	for l := to; l != nil; l = r.from[l] {
		out = append(out, l)
	}
	slices.Reverse(out)
	return out
}

// endsUnseen gives a link of the network behind which it goes on out of sight;
// nil if all of it can be seen.
func (r reached) endsUnseen(t *trace) *topology.Link {
	for _, l := range r.links {
		switch l.Kind {
		case kindBridge:
		case kindVeth:
			if t.peerOf(l) == nil {
				return l
			}
		default:
			return l
		}
	}
	return nil
}

// crossing is where a path goes through a bridge: in by one port, out by another.
// A path that begins or ends at the bridge itself has no in, or no out.
type crossing struct{ in, bridge, out *topology.Link }

func crossings(path []*topology.Link) []crossing {
	var out []crossing
	for i, l := range path {
		if l.Kind != kindBridge {
			continue
		}
		c := crossing{bridge: l}
		if i > 0 {
			c.in = path[i-1]
		}
		if i+1 < len(path) {
			c.out = path[i+1]
		}
		out = append(out, c)
	}
	return out
}
