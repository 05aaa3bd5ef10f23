package netops

import (
	"context"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// The machine has one neighbour table for all of its namespaces, of 1024 entries
// unless somebody raised that: 33 namespaces on one bridge fill it. A matrix that
// needs more than is free pings in portions, and after each removes the entries
// that were not there before it began.

// leastPortion is how many requests a portion has at least: with less room, what
// does not fit is told as an overflow.
const leastPortion = 16

// portionOf is how many requests may be sent before their entries are removed:
// each may cause one at its sender and one at its target. A quarter of what is
// free is left to others.
func (t neighbourTable) portionOf() int { return (t.limit - t.entries) * 3 / 4 / 2 }

// makeRoom waits for the replies on their way, no longer than one may hold its
// slot, and removes the entries of those that have come.
func (w *matrixWorker) makeRoom(ctx context.Context) {
	for i, p := range w.slots {
		if p == nil {
			continue
		}
		for until := p.sentAt.Add(slotTime); p.waiting && time.Now().Before(until) && ctx.Err() == nil; {
			w.wait(until)
		}
		w.slots[i] = nil
	}
	w.forget(false)
}

// forget removes the neighbour entries that the matrix has caused so far. Those
// that are still asked for stay until the end, if the kernel keeps them so long:
// that nobody answered, which is why a pair fails, is noted now.
func (m *matrix) forget(end bool) {
	for _, n := range m.nodes {
		if n.gone.Load() {
			continue
		}
		// What cannot be removed is in the way, and then told as an overflow.
		_ = m.kernel.forgetNeighbours(n.name, func(k neighbourKey, state string) bool {
			if state == "incomplete" || state == "failed" {
				n.asked[k] = state
			}
			_, before := n.had[k]
			return !before && m.addresses[k.addr] && (end || state != "incomplete")
		})
	}
}

// forgetNeighbours removes entries of a namespace, but none that somebody has set
// for good.
func (k *Kernel) forgetNeighbours(namespace string, which func(neighbourKey, string) bool) error {
	s, release, err := k.acquire(namespace)
	if err != nil {
		return err
	}
	defer release()
	states, err := s.neighbourStates(context.Background())
	if err != nil {
		return refusal(namespace, err)
	}
	var requests []*nl.NetlinkRequest
	for key, state := range states {
		if state != "permanent" && state != "noarp" && which(key, state) {
			requests = append(requests, neighbourRemoval(key.link, key.addr))
		}
	}
	for len(requests) > 0 {
		n := min(len(requests), exchangeSize)
		if _, err := s.exchange(requests[:n], nil); err != nil { // one that is refused is gone
			return refusal(namespace, err)
		}
		requests = requests[n:]
	}
	return nil
}

func neighbourRemoval(ifindex int, a netip.Addr) *nl.NetlinkRequest {
	header := &netlink.Ndmsg{Family: uint8(family(a)), Index: uint32(ifindex)}
	return request(unix.RTM_DELNEIGH, 0, header, nl.NewRtAttr(unix.NDA_DST, a.WithZone("").AsSlice()))
}

// remember notes which neighbour entries a node has, once.
func (m *matrix) remember(ctx context.Context, n *matrixNode) error {
	if n.had != nil || n.gone.Load() {
		return nil
	}
	s, release, err := m.kernel.acquire(n.name)
	if topology.CodeOf(err) == topology.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	if n.had, err = s.neighbourStates(ctx); err != nil {
		return refusal(n.name, err)
	}
	return nil
}
