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
	was := x.is
	o := l.deriveLink(x)
	found := x.is != nil && x.is != was
	if x.object != nil && !found && reflect.DeepEqual(x.object, o) {
		return
	}
	kind := "link.changed"
	if x.object == nil {
		kind = "link.added"
	}
	x.object = o
	l.publish(x.space, kind, func(e *topology.Event) { e.Link = o })
	if x.is != nil {
		l.mark(x.is.Namespace, 0)
	}
	if found {
		l.showPeer(x)
		if o.Intended != nil { // what refers to it means the intended one
			l.deriveAll(x.space)
			l.mark(o.Intended.Namespace, allParts)
		}
	}
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
	l.judge(x, &o)
	return &o
}

// judge tells whether a link is managed and in what it is not as intended. While
// an operation is at work in its namespace nothing there has drifted yet.
func (l *Live) judge(x *link, o *topology.Link) {
	l.claim(x, o)
	at := topology.LinkRef{Namespace: o.Namespace, Name: o.Name}
	l.place(x, at)
	runs := l.runs(o.Namespace) || x.is != nil && l.runs(x.is.Namespace)
	judged := !runs && x.space.incomplete == "" && (x.is == nil || !l.drift.view.Blind[x.is.Namespace])
	switch {
	case x.is != nil:
		o.Managed = true
		if *x.is != at {
			o.Intended = x.is
		}
		if judged {
			o.Differences = append(l.intent.Link(*x.is, o, &l.drift.view), x.space.lacks.entries[x.is.Name]...)
		}
	case l.intent.HasLink(at): // somebody else's has its place
		o.Managed = runs
		if itself := l.drift.claims[at]; judged && itself != nil {
			o.Differences = []topology.Difference{topology.Taken(at, itself.facts.Ifindex, o.Ifindex)}
		} else if judged {
			o.Differences = l.intent.Link(at, o, &l.drift.view)
		}
	default:
		o.Managed = runs && l.running.target.HasLink(at)
	}
	switch {
	case len(o.Differences) > 0:
		o.Sync = topology.Drifted
	case o.Managed:
		o.Sync = topology.InSync
	default:
		o.Sync = topology.Foreign
	}
}

func (l *Live) showRoute(s *space, r *shown[netops.RouteFacts, topology.RouteState]) {
	o := r.facts.RouteState
	o.Namespace, o.Link, o.Sync = s.name, s.linkName(r.facts.Ifindex), topology.Foreign
	if o.Link == "" && r.facts.Ifindex != 0 {
		return // until the link is known
	}
	if l.intent.Route(&o, &l.drift.view) || l.runs(s.name) && l.running.target.Route(&o, &l.drift.view) {
		o.Managed, o.Sync = true, topology.InSync
	} else if s.lacks.instead[keyOfRoute(r.facts)] {
		o.Managed, o.Sync = true, topology.Drifted
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

// showFDB derives an entry anew and publishes it if it differs, as what is told.
func (l *Live) showFDB(s *space, e *fdbShown, as string) {
	o := l.deriveFDB(s, e.facts)
	if o.Bridge == "" || o.Port == "" {
		return // until the links are known
	}
	if was := e.object; was != nil && (was.Namespace != o.Namespace || was.Bridge != o.Bridge) {
		e.object = nil
		l.publish(s, "fdb.removed", func(ev *topology.Event) { ev.FDB = was })
	}
	switch was := e.object; {
	case was == nil:
		as = "fdb.added"
	case reflect.DeepEqual(was, o):
		return
	}
	e.object = o
	l.publish(s, as, func(ev *topology.Event) { ev.FDB = o })
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
		sync := l.intent.Entry(&e, &l.drift.view)
		if l.runs(s.name) && (sync == topology.Drifted || l.running.target.Entry(&e, &l.drift.view) == topology.InSync) {
			sync = topology.InSync
		}
		e.Managed = sync != topology.Foreign
		if e.Managed || e.State == "static" {
			e.Sync = sync
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
			l.showFDB(s, e, "fdb.changed")
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
		l.showFDB(s, e, "fdb.changed")
	}
}
