package live

import (
	"reflect"
	"slices"
	"strings"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// see notes a namespace that is new or has other names.
func (l *Live) see(ref netops.NamespaceRef) {
	// Of several names the intended one counts: under it the namespace is managed.
	if ref.Name != topology.HostName {
		if i := slices.IndexFunc(ref.Names, l.intends); i >= 0 {
			ref.Name = ref.Names[i]
		}
	}
	s := l.spaces[ref.ID]
	if s == nil {
		s = newSpace(ref)
		l.spaces[ref.ID] = s
		l.settleGhost(s.name)
		l.publishNamespace(s, "namespace.added")
		return
	}
	if s.name == ref.Name && slices.Equal(s.names, ref.Names) {
		return
	}
	old := s.name
	s.name, s.names = ref.Name, ref.Names
	l.publishNamespace(s, "namespace.changed")
	if s.name != old {
		l.deriveAll(s)
		for _, x := range s.links {
			l.showPeer(x)
		}
		l.settleGhost(old)
		l.settleGhost(s.name)
	}
}

func (l *Live) intends(namespace string) bool {
	return l.intent.Namespace(namespace) || l.running != nil && l.running.target != nil && l.running.target.Namespace(namespace)
}

// lose forgets a namespace with everything in it.
func (l *Live) lose(s *space) {
	for _, x := range s.links {
		l.dropLink(x)
	}
	delete(l.spaces, s.id)
	for _, other := range l.spaces {
		for nsid, id := range other.nsids {
			if id == s.id {
				delete(other.nsids, nsid)
			}
		}
	}
	l.publishNamespace(s, "namespace.removed")
	l.settleGhost(s.name)
}

func (l *Live) publishNamespace(s *space, kind string) {
	s.cached = nil
	n := l.head(s)
	s.headShown = &n
	l.publish(s, kind, func(e *topology.Event) { e.Namespace = &n })
}

// replace makes a dump what is known of a namespace.
func (l *Live) replace(s *space, d netops.Dump) {
	was := s.incomplete
	s.incomplete = ""
	if d.Err != nil {
		s.incomplete = d.Err.Error()
	}
	if s.incomplete != was {
		l.publishNamespace(s, "namespace.changed")
	}
	if d.Err != nil {
		return
	}
	c := d.Contents
	present := map[int]bool{}
	for _, f := range c.Links {
		present[f.Ifindex] = true
	}
	for i, x := range s.links {
		if !present[i] {
			l.dropLink(x)
		}
	}
	addresses := map[int][]topology.Address{}
	for _, a := range c.Addresses {
		addresses[a.Ifindex] = append(addresses[a.Ifindex], a.Address)
	}
	for _, f := range c.Links {
		l.setLink(s, f)
		l.setAddresses(s.links[f.Ifindex], addresses[f.Ifindex])
	}
	keepOnly(s.routes, c.Routes, keyOfRoute, func(f netops.RouteFacts) { l.dropRoute(s, f) })
	for _, f := range c.Routes {
		l.setRoute(s, f)
	}
	keepOnly(s.neighbours, c.Neighbours, keyOfNeighbour, func(f netops.NeighbourFacts) { l.dropNeighbour(s, f) })
	for _, f := range c.Neighbours {
		if f.State != "" {
			l.setNeighbour(s, f)
		}
	}
	keepOnly(s.fdb, c.FDB, keyOfFDB, func(f netops.FDBFacts) { l.dropFDB(s, f) })
	for _, f := range c.FDB {
		l.setFDB(s, f)
	}
	l.settleLinkGhosts(s)
}

// keepOnly drops what a dump does not list.
func keepOnly[K comparable, F, O any](m map[K]*shown[F, O], list []F, key func(F) K, drop func(F)) {
	present := make(map[K]bool, len(list))
	for _, f := range list {
		present[key(f)] = true
	}
	for k, x := range m {
		if !present[k] {
			drop(x.facts)
		}
	}
}

// apply takes one fact in.
func (l *Live) apply(s *space, fact any) {
	switch f := fact.(type) {
	case netops.LinkFacts:
		l.setLink(s, f)
		l.settleLinkGhosts(s)
	case netops.PortFacts:
		if x := s.links[f.Ifindex]; x != nil {
			x.facts.BridgePort = f.Port
			if f.Port == nil {
				x.facts.MasterIndex = 0
			}
			l.show(x)
		}
	case netops.AddressFacts:
		if x := s.links[f.Ifindex]; x != nil {
			l.setAddress(x, f.Address)
		}
	case netops.RouteFacts:
		l.setRoute(s, f)
	case netops.NeighbourFacts:
		l.setNeighbour(s, f)
	case netops.FDBFacts:
		l.setFDB(s, f)
	case netops.NSIDGone:
		delete(s.nsids, f.NSID)
	case netops.Gone:
		l.remove(s, f.Facts)
	}
}

func (l *Live) remove(s *space, fact any) {
	switch f := fact.(type) {
	case netops.LinkFacts:
		if x := s.links[f.Ifindex]; x != nil {
			l.dropLink(x)
			l.settleLinkGhosts(s)
		}
	case netops.AddressFacts:
		if x := s.links[f.Ifindex]; x != nil {
			l.dropAddress(x, f.Address)
		}
	case netops.RouteFacts:
		l.dropRoute(s, f)
	case netops.NeighbourFacts:
		l.dropNeighbour(s, f)
	case netops.FDBFacts:
		l.dropFDB(s, f)
	}
}

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
	if old.MAC != f.MAC {
		l.index(x, old.MAC, f.MAC)
	}
	if isNew || old.PeerIndex != f.PeerIndex || old.PeerNSID != f.PeerNSID {
		l.unpair(x)
		l.findPeer(x)
	}
	if old.AdminUp && !f.AdminUp {
		l.flushRoutes(s, func(r netops.RouteFacts) bool { return r.Ifindex == f.Ifindex })
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
			l.showFDB(s, e)
		}
	}
}

func (l *Live) dropLink(x *link) {
	s := x.space
	index := x.facts.Ifindex
	for _, e := range s.fdb {
		if e.facts.BridgeIndex == index || e.facts.PortIndex == index {
			l.dropFDB(s, e.facts)
		}
	}
	for _, n := range s.neighbours {
		if n.facts.Ifindex == index {
			l.dropNeighbour(s, n.facts)
		}
	}
	l.flushRoutes(s, func(r netops.RouteFacts) bool { return r.Ifindex == index })
	peer := x.peer
	l.unpair(x)
	delete(l.unpaired, x)
	delete(s.links, index)
	l.index(x, x.facts.MAC, "")
	s.cached = nil
	if x.object != nil {
		l.publish(s, "link.removed", func(e *topology.Event) { e.Link = x.object })
	}
	if peer != nil {
		peer.lost = true
		l.show(peer)
	}
	l.showOwned(x.facts.MAC)
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
	if i < 0 {
		return
	}
	x.addresses = slices.Delete(slices.Clone(x.addresses), i, i+1)
	l.publishAddress(x, "address.removed", a)
	l.show(x)
	// The kernel does not announce the IPv4 routes that go with an address: those
	// that prefer it as source, and all of the link with the last one.
	source, _, _ := strings.Cut(a.CIDR, "/")
	last := !slices.ContainsFunc(x.addresses, func(a topology.Address) bool { return !strings.Contains(a.CIDR, ":") })
	l.flushRoutes(x.space, func(r netops.RouteFacts) bool {
		return r.Family == "inet" && (r.Source == source || last && r.Ifindex == x.facts.Ifindex)
	})
}

func (l *Live) publishAddress(x *link, kind string, a topology.Address) {
	x.space.cached = nil
	event := &topology.AddressEvent{Namespace: x.space.name, Link: x.facts.Name, Key: key(x), Address: a}
	l.publish(x.space, kind, func(e *topology.Event) { e.Address = event })
}

func sameAddress(a, b topology.Address) bool {
	return a.CIDR == b.CIDR && a.Scope == b.Scope && a.Proto == b.Proto && slices.Equal(a.Flags, b.Flags)
}

func (l *Live) setRoute(s *space, f netops.RouteFacts) {
	if f.Replaces {
		l.flushRoutes(s, func(r netops.RouteFacts) bool {
			return r.Family == f.Family && r.Destination == f.Destination && r.Metric == f.Metric && keyOfRoute(r) != keyOfRoute(f)
		})
	}
	if s.routes[keyOfRoute(f)] == nil {
		s.routes[keyOfRoute(f)] = &shown[netops.RouteFacts, topology.RouteState]{}
	}
	s.routes[keyOfRoute(f)].facts = f
	l.showRoute(s, s.routes[keyOfRoute(f)])
}

func (l *Live) dropRoute(s *space, f netops.RouteFacts) {
	if r := s.routes[keyOfRoute(f)]; r != nil {
		delete(s.routes, keyOfRoute(f))
		if r.object == nil {
			return
		}
		s.cached = nil
		l.publish(s, "route.removed", func(e *topology.Event) { e.Route = r.object })
	}
}

// flushRoutes drops routes the kernel drops without a word: IPv4's when a link
// goes down (fib_disable_ip) or a route is replaced. IPv6 routes that are
// announced as well are already gone then, or will not be found.
func (l *Live) flushRoutes(s *space, doomed func(netops.RouteFacts) bool) {
	for _, r := range s.routes {
		if doomed(r.facts) {
			l.dropRoute(s, r.facts)
		}
	}
}

func (l *Live) setNeighbour(s *space, f netops.NeighbourFacts) {
	k := keyOfNeighbour(f)
	if s.neighbours[k] == nil {
		s.neighbours[k] = &shown[netops.NeighbourFacts, topology.Neighbour]{}
	}
	s.neighbours[k].facts = f
	l.showNeighbour(s, s.neighbours[k])
}

func (l *Live) dropNeighbour(s *space, f netops.NeighbourFacts) {
	if n := s.neighbours[keyOfNeighbour(f)]; n != nil {
		delete(s.neighbours, keyOfNeighbour(f))
		if n.object == nil {
			return
		}
		s.cached = nil
		l.publish(s, "neighbour.removed", func(e *topology.Event) { e.Neighbour = n.object })
	}
}

func (l *Live) setFDB(s *space, f netops.FDBFacts) {
	k := keyOfFDB(f)
	if s.fdb[k] == nil {
		s.fdb[k] = &shown[netops.FDBFacts, topology.FDBEntry]{}
	}
	s.fdb[k].facts = f
	l.showFDB(s, s.fdb[k])
}

// dropFDB goes by MAC and VLAN alone: a local entry can pass from a port to the
// bridge itself without a word (fdb_delete_local in net/bridge/br_fdb.c), and is
// then announced as removed from there.
func (l *Live) dropFDB(s *space, f netops.FDBFacts) {
	k := keyOfFDB(f)
	e := s.fdb[k]
	if e == nil {
		return
	}
	delete(s.fdb, k)
	if e.object == nil {
		return
	}
	s.cached = nil
	l.publish(s, "fdb.removed", func(ev *topology.Event) { ev.FDB = e.object })
}
