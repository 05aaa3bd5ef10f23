package live

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// space is what is known of one namespace.
type space struct {
	id         topology.NamespaceID
	name       string
	names      []string
	incomplete string
	who        topology.Inhabitants

	links      map[int]*link // by ifindex
	routes     map[routeKey]*shown[netops.RouteFacts, topology.RouteState]
	neighbours map[neighbourKey]*shown[netops.NeighbourFacts, topology.Neighbour]
	fdb        map[fdbKey]*fdbShown
	nsids      map[int32]*space // confirmed by the kernel
	knownBy    map[*space]int32 // whose nsids name this one

	lacks     lacks
	headShown *topology.NamespaceState // as published last
	cached    *topology.NamespaceState // nil after a change
}

// link is a link's facts and what is shown of it.
type link struct {
	space     *space
	facts     netops.LinkFacts
	addresses []topology.Address
	peer      *link
	lost      bool           // its peer has just gone
	object    *topology.Link // as published; nil before

	is *topology.LinkRef // which intended link it is; nil: none that is known
	at topology.LinkRef  // where it is, if that is elsewhere
}

// shown is a fact with the object published for it.
type shown[F, O any] struct {
	facts  F
	object *O
}

type fdbShown = shown[netops.FDBFacts, topology.FDBEntry]

type routeKey struct {
	family, destination, gateway string
	metric, ifindex              int
}

type neighbourKey struct {
	ifindex int
	address string
}

type fdbKey struct {
	bridge int
	mac    string
	vlan   int
}

func keyOfRoute(f netops.RouteFacts) routeKey {
	return routeKey{f.Family, f.Destination, f.Gateway, f.Metric, f.Ifindex}
}

func keyOfNeighbour(f netops.NeighbourFacts) neighbourKey {
	return neighbourKey{f.Ifindex, f.Address}
}

func keyOfFDB(f netops.FDBFacts) fdbKey { return fdbKey{f.BridgeIndex, f.MAC, f.VLAN} }

func newSpace(ref netops.NamespaceRef) *space {
	return &space{
		id: ref.ID, name: ref.Name, names: ref.Names,
		links:      map[int]*link{},
		routes:     map[routeKey]*shown[netops.RouteFacts, topology.RouteState]{},
		neighbours: map[neighbourKey]*shown[netops.NeighbourFacts, topology.Neighbour]{},
		fdb:        map[fdbKey]*fdbShown{},
		nsids:      map[int32]*space{},
		knownBy:    map[*space]int32{},
		lacks: lacks{
			ghostLinks: map[string]*topology.Link{}, ghostRoutes: map[string]*topology.RouteState{}, ghostFDB: map[string]*topology.FDBEntry{},
		},
	}
}

// is tells whether the space has that name or id.
func (s *space) is(nameOrID string) bool {
	if nameOrID == topology.HostName { // a file may be called so too
		return s.name == nameOrID
	}
	return s.name == nameOrID || slices.Contains(s.names, nameOrID) || s.id.String() == nameOrID
}

func (s *space) linkName(ifindex int) string {
	if l := s.links[ifindex]; l != nil {
		return l.facts.Name
	}
	return ""
}

// head is what is shown of the namespace itself.
func (l *Live) head(s *space) topology.NamespaceState {
	n := topology.NamespaceState{ID: s.id.String(), Name: s.name, Names: s.names, Incomplete: s.incomplete, Inhabitants: s.who, Sync: topology.Foreign}
	if n.Names == nil {
		n.Names = []string{}
	}
	if l.intends(s.name) {
		n.Managed, n.Sync = true, topology.InSync
	}
	if s.name == topology.HostName {
		n.Sync = topology.InSync // nobody can ask for it, and it is always there
	}
	if n.Sync == topology.InSync && l.drift.found[s.name] != nil {
		n.Sync, n.Differences = topology.Drifted, s.lacks.own
	}
	return n
}

// runs tells whether an operation is at work in a namespace.
func (l *Live) runs(namespace string) bool {
	return l.running != nil && l.running.target != nil && l.running.namespaces[namespace]
}

// state gives the namespace with everything in it.
func (l *Live) state(s *space) *topology.NamespaceState {
	if s.cached != nil {
		return s.cached
	}
	n := l.head(s)
	n.Links = make([]*topology.Link, 0, len(s.links)+len(s.lacks.ghostLinks))
	for _, x := range s.links {
		n.Links = append(n.Links, x.object)
	}
	n.Links = slices.AppendSeq(n.Links, maps.Values(s.lacks.ghostLinks))
	slices.SortFunc(n.Links, func(a, b *topology.Link) int {
		if (a.Sync == topology.Missing) != (b.Sync == topology.Missing) {
			if b.Sync == topology.Missing {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Ifindex, b.Ifindex), strings.Compare(a.Name, b.Name))
	})
	n.Routes = slices.AppendSeq(objects(s.routes), maps.Values(s.lacks.ghostRoutes))
	slices.SortFunc(n.Routes, func(a, b *topology.RouteState) int {
		return cmp.Or(strings.Compare(a.Family, b.Family), strings.Compare(b.Destination, a.Destination), cmp.Compare(a.Metric, b.Metric),
			strings.Compare(a.Link, b.Link), strings.Compare(a.Gateway, b.Gateway), strings.Compare(string(a.Sync), string(b.Sync)))
	})
	n.Neighbours = objects(s.neighbours)
	slices.SortFunc(n.Neighbours, func(a, b *topology.Neighbour) int {
		return cmp.Or(strings.Compare(a.Link, b.Link), strings.Compare(a.Address, b.Address))
	})
	n.FDB = slices.AppendSeq(objects(s.fdb), maps.Values(s.lacks.ghostFDB))
	sortFDB(n.FDB)
	s.cached = &n
	return s.cached
}

func sortFDB(list []*topology.FDBEntry) {
	slices.SortFunc(list, func(a, b *topology.FDBEntry) int {
		return cmp.Or(strings.Compare(a.Bridge, b.Bridge), strings.Compare(a.Port, b.Port), strings.Compare(a.MAC, b.MAC), cmp.Compare(a.VLAN, b.VLAN),
			strings.Compare(string(a.Sync), string(b.Sync)))
	})
}

func objects[K comparable, F, O any](m map[K]*shown[F, O]) []*O {
	out := make([]*O, 0, len(m))
	for _, x := range m {
		if x.object != nil {
			out = append(out, x.object)
		}
	}
	return out
}
