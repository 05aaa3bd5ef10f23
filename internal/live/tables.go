package live

import (
	"netdash/internal/netops"
	"netdash/internal/topology"
)

// Routes, neighbours and MAC tables: what refers to links.

// put notes a fact, new or in place of an older one.
func put[K comparable, F, O any](m map[K]*shown[F, O], k K, f F) *shown[F, O] {
	if m[k] == nil {
		m[k] = &shown[F, O]{}
	}
	m[k].facts = f
	return m[k]
}

// take forgets a fact and gives the object that was published for it, nil if
// there was none.
func take[K comparable, F, O any](m map[K]*shown[F, O], k K) *O {
	x := m[k]
	delete(m, k)
	if x == nil {
		return nil
	}
	return x.object
}

func (l *Live) setRoute(s *space, f netops.RouteFacts) {
	if f.Replaces {
		l.flushRoutes(s, func(r netops.RouteFacts) bool {
			return r.Family == f.Family && r.Destination == f.Destination && r.Metric == f.Metric && keyOfRoute(r) != keyOfRoute(f)
		})
	}
	l.showRoute(s, put(s.routes, keyOfRoute(f), f))
}

func (l *Live) dropRoute(s *space, f netops.RouteFacts) {
	if r := take(s.routes, keyOfRoute(f)); r != nil {
		l.publish(s, "route.removed", func(e *topology.Event) { e.Route = r })
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

// flushLinkRoutes drops the routes over a link. It is asked for with each message
// of a link that is down, not only when it goes down: a Dump may have told of that
// before an older message of a route came.
func (l *Live) flushLinkRoutes(s *space, index int) {
	l.flushRoutes(s, func(r netops.RouteFacts) bool { return r.Ifindex == index })
}

func (l *Live) setNeighbour(s *space, f netops.NeighbourFacts) {
	l.showNeighbour(s, put(s.neighbours, keyOfNeighbour(f), f))
}

func (l *Live) dropNeighbour(s *space, f netops.NeighbourFacts) {
	if n := take(s.neighbours, keyOfNeighbour(f)); n != nil {
		l.publish(s, "neighbour.removed", func(e *topology.Event) { e.Neighbour = n })
	}
}

func (l *Live) setFDB(s *space, f netops.FDBFacts) {
	as := "fdb.changed"
	if old := s.fdb[keyOfFDB(f)]; old != nil && old.facts.PortIndex != f.PortIndex {
		as = "fdb.moved"
	}
	e := put(s.fdb, keyOfFDB(f), f)
	if l.entries[f.MAC] == nil {
		l.entries[f.MAC] = map[*fdbShown]*space{}
	}
	l.entries[f.MAC][e] = s
	l.showFDB(s, e, as)
}

// dropFDB goes by MAC and VLAN alone: a local entry can pass from a port to the
// bridge itself without a word (fdb_delete_local in net/bridge/br_fdb.c), and is
// then announced as removed from there. The reason is empty where it is not known.
func (l *Live) dropFDB(s *space, f netops.FDBFacts, why topology.RemovalReason) {
	delete(l.entries[f.MAC], s.fdb[keyOfFDB(f)])
	if len(l.entries[f.MAC]) == 0 {
		delete(l.entries, f.MAC)
	}
	if e := take(s.fdb, keyOfFDB(f)); e != nil {
		l.publish(s, "fdb.removed", func(ev *topology.Event) { ev.FDB, ev.Reason = e, why })
	}
}

// whyGone tells why a bridge has forgotten a MAC. The message brings the entry's
// age: what is as old as the bridge lets it become has expired (br_fdb_cleanup in
// net/bridge/br_fdb.c). Flushed, deleted by hand and gone with its port all look
// alike.
func (s *space) whyGone(f netops.FDBFacts) topology.RemovalReason {
	bridge := s.links[f.BridgeIndex]
	switch {
	case f.State != "learned":
		return topology.Deleted
	case bridge == nil || f.AgeSeconds == nil:
		return ""
	case *f.AgeSeconds >= bridge.facts.HoldSeconds:
		return topology.Expired
	}
	return topology.Flushed
}

// goneWithLink is whyGone of an entry whose port or bridge is no more.
func goneWithLink(f netops.FDBFacts) topology.RemovalReason {
	if f.State == "learned" {
		return topology.Flushed
	}
	return topology.Deleted
}
