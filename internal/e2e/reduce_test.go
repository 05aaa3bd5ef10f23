package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"netdash/internal/topology"
)

// picture is the topology as a client of the event stream knows it, changed by
// nothing but events.
type picture struct {
	namespaces map[string]*topology.NamespaceState // by id, a missing one by name; their lists are not used
	links      map[string]*topology.Link           // by key
	routes     map[string]*topology.RouteState
	neighbours map[string]*topology.Neighbour
	fdb        map[string]*topology.FDBEntry
}

func routeID(r *topology.RouteState) string {
	return fmt.Sprint(r.Namespace, " ", r.Family, " ", r.Destination, " ", r.Gateway, " ", r.Link, " ", r.Metric)
}

func neighbourID(n *topology.Neighbour) string {
	return fmt.Sprint(n.Namespace, " ", n.Link, " ", n.Address)
}

func fdbID(e *topology.FDBEntry) string {
	return fmt.Sprint(e.Namespace, " ", e.Bridge, " ", e.MAC, " ", e.VLAN)
}

func namespaceID(n *topology.NamespaceState) string {
	if n.ID == "" {
		return n.Name
	}
	return n.ID
}

// pictureOf begins with a snapshot.
func pictureOf(s *topology.Snapshot) *picture {
	p := &picture{
		map[string]*topology.NamespaceState{},
		map[string]*topology.Link{},
		map[string]*topology.RouteState{},
		map[string]*topology.Neighbour{},
		map[string]*topology.FDBEntry{},
	}
	for _, n := range s.Namespaces {
		p.setNamespace(n)
	}
	return p
}

// setNamespace takes a namespace with the lists it comes with.
func (p *picture) setNamespace(n *topology.NamespaceState) {
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

// take applies an event.
func (p *picture) take(m message) {
	removed := strings.HasSuffix(m.Type, ".removed")
	switch {
	case m.Namespace != nil:
		if removed {
			delete(p.namespaces, namespaceID(m.Namespace))
			for _, l := range m.Namespace.Links {
				delete(p.links, l.Key)
			}
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
	}
}

func put[T any](in map[string]T, id string, v T, removed bool) {
	if removed {
		delete(in, id)
	} else {
		in[id] = v
	}
}

// lines writes everything down, in order.
func (p *picture) lines() []string {
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
