package live

import (
	"netdash/internal/netops"
	"netdash/internal/topology"
)

// Routes, neighbours and MAC tables: what refers to links.

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
