package live

import (
	"slices"
	"time"

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
		l.spaces[ref.ID], l.drift.named[s.name] = s, s
		l.settleGhost(s.name)
		l.publishNamespace(s, "namespace.added")
		return
	}
	if s.name == ref.Name && slices.Equal(s.names, ref.Names) {
		return
	}
	old := s.name
	s.name, s.names = ref.Name, ref.Names
	if s.name != old {
		l.unname(s, old)
		l.drift.named[s.name] = s
		if s.incomplete != "" {
			l.drift.view.Blind[s.name] = true
		}
	}
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
	l.unname(s, s.name)
	for other, nsid := range s.knownBy {
		forgetNSID(other, nsid)
	}
	for nsid := range s.nsids {
		forgetNSID(s, nsid)
	}
	for _, e := range s.fdb {
		l.dropFDB(s, e.facts, goneWithLink(e.facts))
	}
	l.publishNamespace(s, "namespace.removed")
	l.settleGhost(s.name)
}

// inhabit notes who lives in a namespace, which changes nothing else in it.
func (l *Live) inhabit(s *space, who topology.Inhabitants) {
	s.who = who
	n := l.head(s)
	s.headShown = &n
	l.snapshot, s.cached = nil, nil
	l.send(&topology.Event{Type: "namespace.changed", At: time.Now(), Origin: "kernel", Namespace: &n})
}

func (l *Live) publishNamespace(s *space, kind string) {
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
		l.showBlind(s)
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
	keepOnly(s.fdb, c.FDB, keyOfFDB, func(f netops.FDBFacts) { l.dropFDB(s, f, "") })
	for _, f := range c.FDB {
		l.setFDB(s, f)
	}
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
		if !f.AdminUp {
			l.flushLinkRoutes(s, f.Ifindex)
		}
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
		forgetNSID(s, f.NSID)
	case netops.Gone:
		l.remove(s, f.Facts)
	}
}

func (l *Live) remove(s *space, fact any) {
	switch f := fact.(type) {
	case netops.LinkFacts:
		if x := s.links[f.Ifindex]; x != nil {
			l.depart(x, f)
		} else {
			l.dropReferring(s, f.Ifindex)
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
		l.dropFDB(s, f, s.whyGone(f))
	}
}
