package viewer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"netdash/internal/topology"
)

// Picture is the topology as a client of the event stream knows it, changed by
// nothing but events.
type Picture struct {
	namespaces map[string]*topology.NamespaceState // by id, a missing one by name; their lists are not used
	links      map[string]*topology.Link           // by key
	routes     map[string]*topology.RouteState
	neighbours map[string]*topology.Neighbour
	fdb        map[string]*topology.FDBEntry
	drift      map[string][]topology.Difference // by namespace
}

func routeID(r *topology.RouteState) string {
	return fmt.Sprint(r.Namespace, " ", r.Family, " ", r.Destination, " ", r.Gateway, " ", r.Link, " ", r.Metric, " ", r.Sync == topology.Missing)
}

func neighbourID(n *topology.Neighbour) string {
	return fmt.Sprint(n.Namespace, " ", n.Link, " ", n.Address)
}

func fdbID(e *topology.FDBEntry) string {
	return fmt.Sprint(e.Namespace, " ", e.Bridge, " ", e.MAC, " ", e.VLAN, " ", e.Sync == topology.Missing)
}

func namespaceID(n *topology.NamespaceState) string {
	if n.ID == "" {
		return n.Name
	}
	return n.ID
}

// NewPicture begins with a Snapshot.
func NewPicture(s *topology.Snapshot) *Picture {
	p := &Picture{
		map[string]*topology.NamespaceState{},
		map[string]*topology.Link{},
		map[string]*topology.RouteState{},
		map[string]*topology.Neighbour{},
		map[string]*topology.FDBEntry{},
		map[string][]topology.Difference{},
	}
	for _, n := range s.Namespaces {
		p.setNamespace(n)
	}
	for _, d := range s.Differences() {
		p.drift[d.Namespace()] = append(p.drift[d.Namespace()], d)
	}
	return p
}

// setNamespace takes a namespace with the lists it comes with. A missing one
// always comes with all of them.
func (p *Picture) setNamespace(n *topology.NamespaceState) {
	if n.ID == "" {
		p.removeNamespace(n)
	}
	p.namespaces[namespaceID(n)] = n
	for _, l := range n.Links {
		p.links[l.Key] = l
	}
	for _, r := range n.Routes {
		p.routes[routeID(r)] = r
	}
	for _, x := range n.Neighbours {
		p.neighbours[neighbourID(x)] = x
	}
	for _, e := range n.FDB {
		p.fdb[fdbID(e)] = e
	}
}

// Take applies an event, or begins anew with a Snapshot.
func (p *Picture) Take(m *Message) {
	removed := strings.HasSuffix(m.Type, ".removed")
	switch {
	case m.Topology != nil:
		*p = *NewPicture(m.Topology)
	case m.Namespace != nil:
		if removed {
			p.removeNamespace(m.Namespace)
		} else {
			p.setNamespace(m.Namespace)
		}
	case m.Link != nil:
		put(p.links, m.Link.Key, m.Link, removed)
	case m.Address != nil:
		if old := p.links[m.Address.Key]; old != nil {
			l := *old
			l.Addresses = slices.DeleteFunc(slices.Clone(l.Addresses), func(a topology.Address) bool { return a.CIDR == m.Address.CIDR })
			if !removed {
				l.Addresses = append(l.Addresses, m.Address.Address)
			}
			p.links[l.Key] = &l
		}
	case m.Route != nil:
		put(p.routes, routeID(m.Route), m.Route, removed)
	case m.Neighbour != nil:
		put(p.neighbours, neighbourID(m.Neighbour), m.Neighbour, removed)
	case m.FDB != nil:
		put(p.fdb, fdbID(m.FDB), m.FDB, removed)
	case m.Drift != nil:
		if delete(p.drift, m.Drift.Namespace); len(m.Drift.Differences) > 0 {
			p.drift[m.Drift.Namespace] = m.Drift.Differences
		}
	}
}

// removeNamespace forgets a namespace with everything in it.
func (p *Picture) removeNamespace(n *topology.NamespaceState) {
	old := p.namespaces[namespaceID(n)]
	if old == nil {
		return
	}
	delete(p.namespaces, namespaceID(n))
	here := func(namespace string) bool { return namespace == old.Name }
	maps.DeleteFunc(p.links, func(_ string, l *topology.Link) bool { return here(l.Namespace) })
	maps.DeleteFunc(p.routes, func(_ string, r *topology.RouteState) bool { return here(r.Namespace) })
	maps.DeleteFunc(p.neighbours, func(_ string, n *topology.Neighbour) bool { return here(n.Namespace) })
	maps.DeleteFunc(p.fdb, func(_ string, e *topology.FDBEntry) bool { return here(e.Namespace) })
}

func put[T any](in map[string]T, id string, v T, removed bool) {
	if removed {
		delete(in, id)
	} else {
		in[id] = v
	}
}

// Lines writes everything down, in order.
func (p *Picture) Lines() []string {
	var out []string
	add := func(what, id string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(err.Error())
		}
		out = append(out, what+" "+id+" "+string(text))
	}
	for id, n := range p.namespaces {
		head := *n
		head.Links, head.Routes, head.Neighbours, head.FDB = nil, nil, nil, nil
		add("namespace", id, head)
	}
	for id, l := range p.links {
		sorted := *l
		sorted.Addresses = slices.Clone(l.Addresses)
		slices.SortFunc(sorted.Addresses, func(a, b topology.Address) int { return strings.Compare(a.CIDR, b.CIDR) })
		add("link", id, sorted)
	}
	for name, list := range p.drift {
		for _, d := range list {
			add("drift", name, d)
		}
	}
	for id, r := range p.routes {
		add("route", id, r)
	}
	for id, n := range p.neighbours {
		add("neighbour", id, n)
	}
	for id, e := range p.fdb {
		add("fdb", id, e)
	}
	slices.Sort(out)
	return out
}
