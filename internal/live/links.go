package live

import (
	"reflect"
	"slices"
	"strings"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

func (l *Live) setLink(s *space, f netops.LinkFacts) {
	x := s.links[f.Ifindex]
	isNew := x == nil
	if isNew {
		x = &link{space: s}
		s.links[f.Ifindex] = x
	}
	old := x.facts
	if f.BridgePort == nil && f.MasterIndex != 0 {
		f.BridgePort = old.BridgePort // told apart from the link
	}
	if !isNew && reflect.DeepEqual(old, f) {
		return
	}
	x.facts = f
	if old.Kind != f.Kind {
		l.disclaim(x) // another one has its index
	}
	if old.MAC != f.MAC {
		drop(l.byMAC, old.MAC, x)
		add(l.byMAC, f.MAC, x)
	}
	if was, is := pairOf(old), pairOf(f); isNew || was != is {
		drop(l.byPair, was, x)
		add(l.byPair, is, x)
	}
	if isNew || old.PeerIndex != f.PeerIndex || old.PeerNSID != f.PeerNSID {
		l.unpair(x)
		l.findPeer(x)
	}
	if isNew {
		l.arrive(x)
	}
	l.show(x)
	l.showPeer(x)
	switch {
	case !isNew && old.Name != f.Name:
		l.deriveAll(s) // ports, routes, entries may name it
		l.showOwned(f.MAC)
	case isNew:
		l.showWaiting(s, x)
	}
	if old.MAC != f.MAC {
		l.showOwned(old.MAC)
		l.showOwned(f.MAC)
	}
}

// showWaiting shows what was heard of before the link it belongs to.
func (l *Live) showWaiting(s *space, x *link) {
	i := x.facts.Ifindex
	if x.facts.Kind == "bridge" {
		for _, port := range s.links {
			if port.facts.MasterIndex == i {
				l.show(port)
			}
		}
	}
	for _, r := range s.routes {
		if r.facts.Ifindex == i {
			l.showRoute(s, r)
		}
	}
	for _, n := range s.neighbours {
		if n.facts.Ifindex == i {
			l.showNeighbour(s, n)
		}
	}
	for _, e := range s.fdb {
		if e.facts.BridgeIndex == i || e.facts.PortIndex == i {
			l.showFDB(s, e, "fdb.changed")
		}
	}
}

func (l *Live) dropLink(x *link) {
	s := x.space
	index := x.facts.Ifindex
	l.dropReferring(s, index)
	peer := x.peer
	l.unpair(x)
	delete(l.unpaired, x)
	delete(s.links, index)
	drop(l.byPair, pairOf(x.facts), x)
	drop(l.byMAC, x.facts.MAC, x)
	l.disclaim(x)
	if x.object != nil {
		l.publish(s, "link.removed", func(e *topology.Event) { e.Link = x.object })
	}
	if peer != nil {
		peer.lost = true
		l.show(peer)
	}
	l.showOwned(x.facts.MAC)
}

// dropReferring drops what refers to a link that is going, or has gone: after a
// Dump messages come that are older than it, and of what they have brought back
// the kernel says nothing more.
func (l *Live) dropReferring(s *space, index int) {
	for _, e := range s.fdb {
		if e.facts.BridgeIndex == index || e.facts.PortIndex == index {
			l.dropFDB(s, e.facts, goneWithLink(e.facts))
		}
	}
	for _, n := range s.neighbours {
		if n.facts.Ifindex == index {
			l.dropNeighbour(s, n.facts)
		}
	}
	l.flushLinkRoutes(s, index)
}

func (l *Live) setAddresses(x *link, list []topology.Address) {
	for _, old := range slices.Clone(x.addresses) {
		if !slices.ContainsFunc(list, func(a topology.Address) bool { return a.CIDR == old.CIDR }) {
			l.dropAddress(x, old)
		}
	}
	for _, a := range list {
		l.setAddress(x, a)
	}
}

func (l *Live) setAddress(x *link, a topology.Address) {
	i := slices.IndexFunc(x.addresses, func(have topology.Address) bool { return have.CIDR == a.CIDR })
	if i >= 0 && sameAddress(x.addresses[i], a) {
		return
	}
	// What was published is shared, so the list is made anew.
	x.addresses = slices.Clone(x.addresses)
	if i >= 0 {
		x.addresses[i] = a
	} else {
		x.addresses = append(x.addresses, a)
		l.publishAddress(x, "address.added", a)
	}
	l.show(x)
}

func (l *Live) dropAddress(x *link, a topology.Address) {
	i := slices.IndexFunc(x.addresses, func(have topology.Address) bool { return have.CIDR == a.CIDR })
	if i >= 0 {
		x.addresses = slices.Delete(slices.Clone(x.addresses), i, i+1)
		l.publishAddress(x, "address.removed", a)
		l.show(x)
	}
	// The kernel does not announce the IPv4 routes that go with an address: those
	// that prefer it as source, and all of the link with the last one.
	source, _, _ := strings.Cut(a.CIDR, "/")
	last := !slices.ContainsFunc(x.addresses, func(a topology.Address) bool { return !strings.Contains(a.CIDR, ":") })
	l.flushRoutes(x.space, func(r netops.RouteFacts) bool {
		return r.Family == "inet" && (r.Source == source || last && r.Ifindex == x.facts.Ifindex)
	})
}

func (l *Live) publishAddress(x *link, kind string, a topology.Address) {
	event := &topology.AddressEvent{Namespace: x.space.name, Link: x.facts.Name, Key: key(x), Address: a}
	l.publish(x.space, kind, func(e *topology.Event) { e.Address = event })
}

func sameAddress(a, b topology.Address) bool {
	return a.CIDR == b.CIDR && a.Scope == b.Scope && a.Proto == b.Proto && slices.Equal(a.Flags, b.Flags)
}
