package live

import (
	"context"
	"time"

	"netdash/internal/netops"
)

// settleAfter is how long nothing must happen before peers that were not found
// are looked for the slow way, and settleAtLatest is how long that may take where
// something always happens.
const (
	settleAfter    = 50 * time.Millisecond
	settleAtLatest = 500 * time.Millisecond
)

// findPeer pairs a veth end with the link it names, if that one is known, names
// it too, and lives where the nsid says.
func (l *Live) findPeer(x *link) {
	f := x.facts
	if f.PeerIndex == 0 || f.Kind != "veth" {
		return
	}
	if f.PeerNSID == netops.SameNamespace {
		if p := x.space.links[f.PeerIndex]; p != nil && p != x {
			l.pair(x, p)
			return
		}
	} else if p := l.mutual(x); p != nil {
		l.pair(x, p)
		return
	}
	l.unpaired[x] = true
}

// mutual finds the link in another namespace that x names and that names x.
func (l *Live) mutual(x *link) *link {
	f := x.facts
	if s := x.space.nsids[f.PeerNSID]; s != nil {
		if p := s.links[f.PeerIndex]; namesBack(p, x) {
			return p
		}
		return nil
	}
	for p := range l.byPair[indexPair{f.PeerIndex, f.Ifindex}] {
		if p.space != x.space && namesBack(p, x) && l.stands(x.space, f.PeerNSID, p.space) {
			return p
		}
	}
	return nil
}

// indexPair is a link's own index and its peer's.
type indexPair struct{ own, peer int }

func pairOf(f netops.LinkFacts) indexPair { return indexPair{f.Ifindex, f.PeerIndex} }

// namesBack tells whether p says that its peer has x's index, elsewhere.
func namesBack(p, x *link) bool {
	return p != nil && p.facts.Kind == "veth" && p.facts.PeerIndex == x.facts.Ifindex && p.facts.PeerNSID != netops.SameNamespace
}

// stands asks the kernel whether in one namespace that nsid means the other,
// and remembers a yes.
func (l *Live) stands(in *space, nsid int32, of *space) bool {
	got, known, err := l.kernel.NSID(in.id, of.id)
	if err != nil {
		l.log.Debug("look a namespace up by nsid", "in", in.name, "of", of.name, "error", err)
		return false
	}
	if known {
		forgetNSID(in, got)
		in.nsids[got], of.knownBy[in] = of, got
	}
	return known && got == nsid
}

// forgetNSID forgets which namespace an nsid means in another.
func forgetNSID(in *space, nsid int32) {
	if of := in.nsids[nsid]; of != nil {
		delete(of.knownBy, in)
		delete(in.nsids, nsid)
	}
}

func (l *Live) pair(x, p *link) {
	if x.peer == p {
		return
	}
	l.unpair(x)
	l.unpair(p)
	x.peer, p.peer = p, x
	delete(l.unpaired, x)
	delete(l.unpaired, p)
}

// unpair takes a pair apart. Both ends look for their peers again.
func (l *Live) unpair(x *link) {
	p := x.peer
	if p == nil {
		return
	}
	x.peer, p.peer = nil, nil
	l.unpaired[x], l.unpaired[p] = true, true
}

func (l *Live) showPeer(x *link) {
	if x.peer != nil && x.peer.object != nil {
		l.show(x.peer)
	}
}

// settlePeers looks once, the slow way, for the peers of the ends that are
// still without. Of a new pair the kernel announces the second end before it is
// plugged into the first (veth_newlink in drivers/net/veth.c), so it names no peer:
// it is what the first one names. When an end has moved to another namespace the
// kernel does not announce that its peer names it otherwise now, so a namespace that
// turns out to hold the peer is read anew.
func (l *Live) settlePeers() {
	l.mu.Lock()
	var stale []string
	l.departures = nil
	for x := range l.unpaired {
		delete(l.unpaired, x)
		if x.space.links[x.facts.Ifindex] != x {
			continue
		}
		l.findPeer(x)
		if x.peer != nil {
			l.show(x)
			l.showPeer(x)
			continue
		}
		delete(l.unpaired, x)
		if x.lost {
			x.lost = false
			stale = append(stale, x.space.name)
			continue
		}
		for _, s := range l.spaces {
			p := s.links[x.facts.PeerIndex]
			if s == x.space || p == nil || p.facts.Kind != "veth" || p.peer != nil || !l.stands(x.space, x.facts.PeerNSID, s) {
				continue
			}
			if p.facts.PeerIndex == 0 {
				l.pair(x, p)
				l.show(x)
				l.show(p)
			} else {
				stale = append(stale, s.name)
			}
			break
		}
	}
	l.mu.Unlock()
	if len(stale) == 0 {
		return
	}
	// Refresh waits until what it read has been taken, by the goroutine that is
	// here now.
	go func() {
		if err := l.watcher.Refresh(context.Background(), stale...); err != nil {
			l.log.Debug("read namespaces anew", "error", err)
		}
	}()
}
