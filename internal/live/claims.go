package live

import (
	"slices"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// Which observed link an intended one is. A link that was once found in its
// place is remembered, and followed under other names. The end of a veth is
// followed into other namespaces too: the other end tells who it is.

// claim finds out which intended link an observed one is, if that is not known
// yet: the one of its place, if it fits, or else the other end of the one that
// its peer is. While an operation is at work nothing is found out.
func (l *Live) claim(x *link, o *topology.Link) {
	if x.is != nil && !l.intent.HasLink(*x.is) {
		l.disclaim(x)
	}
	if x.is != nil || l.runs(o.Namespace) {
		return
	}
	is := topology.LinkRef{Namespace: o.Namespace, Name: o.Name}
	if l.drift.claims[is] != nil || !l.intent.Fits(o, &l.drift.view) {
		if x.peer == nil || x.peer.is == nil {
			return
		}
		end, ok := l.intent.Peer(*x.peer.is)
		if !ok || l.drift.claims[end] != nil || l.runs(end.Namespace) {
			return
		}
		is = end
	}
	l.claimAs(x, is)
}

func (l *Live) claimAs(x *link, is topology.LinkRef) {
	x.is = &is
	l.drift.claims[is] = x
	l.mark(is.Namespace, 0)
}

// disclaim forgets which intended link one is.
func (l *Live) disclaim(x *link) {
	if x.is == nil {
		return
	}
	delete(l.drift.claims, *x.is)
	l.mark(x.is.Namespace, 0)
	x.is = nil
	l.place(x, topology.LinkRef{})
}

// place notes where a link is, if that is not where it is intended.
func (l *Live) place(x *link, at topology.LinkRef) {
	d := &l.drift
	if d.astray[x.at] == x {
		delete(d.astray, x.at)
		delete(d.view.Astray, x.at)
	}
	if x.is != nil && *x.is != at {
		x.at = at
		d.astray[at], d.view.Astray[at] = x, *x.is
	}
}

// disclaimPlain forgets the links of namespaces that an operation is about to
// change: what is in its place then is found there again. What is not is
// remembered, for names tell nothing of it.
func (l *Live) disclaimPlain(namespaces []string) {
	var plain []*link
	for _, name := range namespaces {
		for is := range l.intent.Links(name) {
			x := l.drift.claims[is]
			if x == nil || x.space.name != is.Namespace || x.facts.Name != is.Name {
				continue
			}
			if end, ok := l.intent.Peer(is); !ok || x.peer != nil && x.peer.is != nil && *x.peer.is == end {
				plain = append(plain, x)
			}
		}
	}
	for _, x := range plain {
		l.disclaim(x)
	}
}

// departure is a link that has left a namespace and was not yet seen in the one
// it went to.
type departure struct {
	from *space
	to   netops.LinkFacts // what the kernel said
	is   *topology.LinkRef
	peer *link
}

// maxDepartures bounds how many are remembered: they arrive at once, or in a
// namespace that is not watched.
const maxDepartures = 256

// depart drops a link, and takes note if it was moved: the kernel says where to.
func (l *Live) depart(x *link, f netops.LinkFacts) {
	d := departure{x.space, f, x.is, x.peer}
	l.dropLink(x)
	if f.MovedIndex == 0 {
		return
	}
	for _, s := range l.spaces {
		if y := s.links[f.MovedIndex]; y != nil && (y.peer == nil || d.peer == nil) && l.arrived(y, d) {
			return // it was seen there first
		}
	}
	l.departures = append(l.departures[max(0, len(l.departures)-maxDepartures+1):], d)
}

// arrive looks for a new link among those that have left.
func (l *Live) arrive(y *link) {
	for i, d := range l.departures {
		if d.to.MovedIndex == y.facts.Ifindex && l.arrived(y, d) {
			l.departures = slices.Delete(l.departures, i, i+1)
			return
		}
	}
}

// arrived gives a link the peer and the claim of the one that left, if it is
// that one.
func (l *Live) arrived(y *link, d departure) bool {
	if y.space == d.from || y.facts.Kind != d.to.Kind || y.is != nil {
		return false
	}
	if to := d.from.nsids[d.to.MovedNSID]; to != y.space && (to != nil || !l.stands(d.from, d.to.MovedNSID, y.space)) {
		return false
	}
	if d.peer != nil && d.peer.peer == nil && y.peer == nil && d.peer.space.links[d.peer.facts.Ifindex] == d.peer {
		l.pair(y, d.peer)
	}
	if d.is != nil && l.drift.claims[*d.is] == nil && l.intent.HasLink(*d.is) {
		l.claimAs(y, *d.is)
	}
	if y.object != nil {
		l.show(y)
		l.showPeer(y)
	}
	return true
}
