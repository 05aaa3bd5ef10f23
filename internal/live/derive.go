package live

import (
	"reflect"
	"strconv"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

func key(x *link) string { return x.space.id.String() + ":" + strconv.Itoa(x.facts.Ifindex) }

// show derives a link anew and publishes it if it differs.
func (l *Live) show(x *link) {
	o := l.deriveLink(x)
	if x.object != nil && reflect.DeepEqual(x.object, o) {
		return
	}
	kind := "link.changed"
	if x.object == nil {
		kind = "link.added"
	}
	x.object = o
	l.publish(x.space, kind, func(e *topology.Event) { e.Link = o })
}

func (l *Live) deriveLink(x *link) *topology.Link {
	s := x.space
	o := x.facts.Link
	o.Key, o.Namespace = key(x), s.name
	if x.facts.MasterIndex != 0 {
		o.Master = s.linkName(x.facts.MasterIndex)
	} else {
		o.BridgePort = nil
	}
	if x.facts.PeerIndex != 0 {
		o.Peer = &topology.Peer{Ifindex: x.facts.PeerIndex}
	}
	if p := x.peer; p != nil {
		o.Peer = &topology.Peer{Known: true, Namespace: p.space.name, Name: p.facts.Name, Ifindex: p.facts.Ifindex, Key: key(p)}
	}
	o.Addresses = x.addresses
	if o.Addresses == nil {
		o.Addresses = []topology.Address{}
	}
	o.Managed, o.Sync = l.judge(&o)
	return &o
}

// judge tells whether a link is managed and how it stands. While an operation
// is at work in its namespace nothing there has drifted yet.
func (l *Live) judge(o *topology.Link) (bool, topology.Sync) {
	managed, differences := l.intent.Link(o)
	if l.runs(o.Namespace) {
		target, _ := l.running.target.Link(o)
		managed, differences = managed || target, nil
	}
	switch {
	case !managed:
		return false, topology.Foreign
	case len(differences) > 0:
		return true, topology.Drifted
	}
	return true, topology.InSync
}

func (l *Live) showRoute(s *space, r *shown[netops.RouteFacts, topology.RouteState]) {
	o := r.facts.RouteState
	o.Namespace, o.Link, o.Sync = s.name, s.linkName(r.facts.Ifindex), topology.Foreign
	if o.Link == "" && r.facts.Ifindex != 0 {
		return // until the link is known
	}
	if l.intent.Route(&o) || l.runs(s.name) && l.running.target.Route(&o) {
		o.Managed, o.Sync = true, topology.InSync
	}
	if r.object != nil && reflect.DeepEqual(*r.object, o) {
		return
	}
	if r.object != nil {
		was := r.object
		l.publish(s, "route.removed", func(e *topology.Event) { e.Route = was })
	}
	r.object = &o
	l.publish(s, "route.added", func(e *topology.Event) { e.Route = &o })
}

func (l *Live) showNeighbour(s *space, n *shown[netops.NeighbourFacts, topology.Neighbour]) {
	o := n.facts.Neighbour
	o.Namespace, o.Link = s.name, s.linkName(n.facts.Ifindex)
	if o.Link == "" {
		return // until the link is known
	}
	if was := n.object; was != nil && (was.Namespace != o.Namespace || was.Link != o.Link) {
		// These are what it is known by, so under new names it is another.
		n.object = nil
		l.publish(s, "neighbour.removed", func(e *topology.Event) { e.Neighbour = was })
	}
	kind := "neighbour.changed"
	switch {
	case n.object == nil:
		kind = "neighbour.added"
	case *n.object == o:
		return
	}
	n.object = &o
	l.publish(s, kind, func(e *topology.Event) { e.Neighbour = &o })
}

func (l *Live) showFDB(s *space, e *fdbShown) {
	o := l.deriveFDB(s, e.facts)
	if o.Bridge == "" || o.Port == "" {
		return // until the links are known
	}
	if was := e.object; was != nil && (was.Namespace != o.Namespace || was.Bridge != o.Bridge) {
		e.object = nil
		l.publish(s, "fdb.removed", func(ev *topology.Event) { ev.FDB = was })
	}
	kind := "fdb.added"
	switch was := e.object; {
	case was == nil:
	case reflect.DeepEqual(was, o):
		return
	case was.Port != o.Port:
		kind = "fdb.moved"
	}
	e.object = o
	l.publish(s, kind, func(ev *topology.Event) { ev.FDB = o })
}

// deriveFDB names an entry's bridge, port and owner. The age is left out: it is
// true only at the moment of a dump.
func (l *Live) deriveFDB(s *space, f netops.FDBFacts) *topology.FDBEntry {
	e := f.FDBEntry
	e.Namespace, e.Bridge, e.Port, e.AgeSeconds = s.name, s.linkName(f.BridgeIndex), s.linkName(f.PortIndex), nil
	if x := l.owner(s, f); x != nil {
		e.Owner = &topology.LinkRef{Namespace: x.space.name, Name: x.facts.Name}
	}
	if e.State == "static" || e.State == "local" {
		e.Managed = l.intent.FDB(&e) || l.runs(s.name) && l.running.target.FDB(&e)
		if e.Managed {
			e.Sync = topology.InSync
		} else if e.State == "static" {
			e.Sync = topology.Foreign
		}
	}
	return &e
}

// owner finds whose MAC an entry is: the port itself, the other end of its
// cable, or the only other link that has it. With several and none of these,
// nobody is named: a guess would teach something false.
func (l *Live) owner(s *space, f netops.FDBFacts) *link {
	have := l.byMAC[f.MAC]
	port := s.links[f.PortIndex]
	if port != nil && f.State == "local" && have[port] {
		return port
	}
	if port != nil && port.peer != nil && have[port.peer] {
		return port.peer
	}
	var only *link
	for x := range have {
		if x.space == s && (x.facts.MasterIndex == f.BridgeIndex || x.facts.Ifindex == f.BridgeIndex) && f.State != "local" {
			continue // the bridge's own MACs are never learned from outside
		}
		if only != nil {
			return nil
		}
		only = x
	}
	return only
}

// showOwned derives the FDB entries of a MAC anew, whose owner may be another
// now.
func (l *Live) showOwned(mac string) {
	if mac == "" || mac == "00:00:00:00:00:00" {
		return
	}
	for e, s := range l.entries[mac] {
		if e.object != nil {
			l.showFDB(s, e)
		}
	}
}

// deriveAll derives everything in a namespace anew.
func (l *Live) deriveAll(s *space) {
	if n := l.head(s); s.headShown == nil || !reflect.DeepEqual(*s.headShown, n) {
		l.publishNamespace(s, "namespace.changed")
	}
	for _, x := range s.links {
		l.show(x)
	}
	for _, r := range s.routes {
		l.showRoute(s, r)
	}
	for _, n := range s.neighbours {
		l.showNeighbour(s, n)
	}
	for _, e := range s.fdb {
		l.showFDB(s, e)
	}
	l.settleLinkGhosts(s)
}

// settleLinkGhosts shows the intended links of a namespace that are missing.
func (l *Live) settleLinkGhosts(s *space) {
	if !l.ready || l.runs(s.name) || s.incomplete != "" {
		return
	}
	missing := l.intent.MissingLinks(s.name, s.hasLink)
	keep := map[string]bool{}
	for _, m := range missing {
		keep[m.Name] = true
		if old := s.ghosts[m.Name]; old != nil && reflect.DeepEqual(old, m) {
			continue
		}
		s.ghosts[m.Name] = m
		l.publish(s, "link.added", func(e *topology.Event) { e.Link = m })
	}
	for name, g := range s.ghosts {
		if !keep[name] {
			delete(s.ghosts, name)
			l.publish(s, "link.removed", func(e *topology.Event) { e.Link = g })
		}
	}
}

// settleAll shows everything that is missing, once the first look is finished.
func (l *Live) settleAll() {
	have := map[string]bool{}
	for _, s := range l.spaces {
		have[s.name] = true
		l.settleLinkGhosts(s)
	}
	for _, name := range l.intent.MissingNamespaces(func(n string) bool { return have[n] }) {
		l.settleGhost(name)
	}
}

// settleGhost shows an intended namespace that is missing, or shows it no
// longer.
func (l *Live) settleGhost(name string) {
	if !l.ready {
		return
	}
	there := false
	for _, s := range l.spaces {
		there = there || s.name == name
	}
	missing := l.intent.Namespace(name) && !there && !l.runs(name)
	old := l.ghosts[name]
	switch {
	case missing && old == nil:
		g := &topology.NamespaceState{
			Name: name, Names: []string{}, Managed: true, Sync: topology.Missing, Links: []*topology.Link{},
			Routes: []*topology.RouteState{}, Neighbours: []*topology.Neighbour{}, FDB: []*topology.FDBEntry{},
		}
		g.Links = append(g.Links, l.intent.MissingLinks(name, func(string) bool { return false })...)
		l.ghosts[name] = g
		l.publish(&space{name: name}, "namespace.added", func(e *topology.Event) { e.Namespace = g })
	case !missing && old != nil:
		delete(l.ghosts, name)
		l.publish(&space{name: name}, "namespace.removed", func(e *topology.Event) { e.Namespace = old })
	}
}
