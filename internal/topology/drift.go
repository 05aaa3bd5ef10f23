package topology

import (
	"fmt"
	"slices"
	"strings"
)

// Difference is one way in which the observed topology is not the intended
// one. Without a Field the whole object differs.
type Difference struct {
	Subject  string `json:"subject"`
	Kind     string `json:"kind" enum:"missing,changed,unexpected"`
	Field    string `json:"field,omitempty"`
	Intended any    `json:"intended,omitempty"`
	Observed any    `json:"observed,omitempty"`
}

// The kinds of Difference.
const (
	DifferenceMissing    = "missing"    // intended, not there
	DifferenceChanged    = "changed"    // there, but otherwise
	DifferenceUnexpected = "unexpected" // on a managed object, but not intended
)

// String writes the difference as a sentence.
func (d Difference) String() string {
	switch {
	case d.Kind == DifferenceMissing && d.Field == "":
		return d.Subject + " is missing"
	case d.Kind == DifferenceUnexpected:
		return fmt.Sprintf("%s has %s %v, which is not intended", d.Subject, d.Field, d.Observed)
	}
	return fmt.Sprintf("%s: %s is %v, intended is %v", d.Subject, d.Field, d.Observed, d.Intended)
}

// Drift gives the Plan that makes the observed topology the intended one. It
// touches managed objects only, and nothing in a namespace whose observation is
// incomplete.
func Drift(intended *Spec, observed *Snapshot) Plan {
	want := flatten(intended)
	return plan(see(observed, nil, want), want)
}

// Repair gives the Plan that undoes what a half-done Plan from before to after
// left behind: done is what was carried out of it, rest is what was not. Only
// objects that done touches are repaired; what had drifted elsewhere stays as it
// is. What only after holds is taken for done's own and deleted, but for what
// rest was to add: that somebody else has put there.
func Repair(before, after *Spec, done, rest Plan, observed *Snapshot) Plan {
	want, other, t := flatten(before), flatten(after), touched(done)
	t.spread(want, other)
	other.forget(rest)
	return plan(see(observed, t, want, other), want)
}

// forget takes out what a Plan was to add to things that are there without it.
func (f *state) forget(p Plan) {
	for _, c := range p {
		switch c := c.(type) {
		case AddAddress:
			if l := f.link(linkKey{c.Namespace, c.Link}); l != nil {
				l.addresses = slices.DeleteFunc(l.addresses, func(a string) bool { return a == c.CIDR })
			}
		case AddRoute:
			f.routes = slices.DeleteFunc(f.routes, func(r Route) bool { return r == c.Route })
		case AddFDB:
			f.fdb = slices.DeleteFunc(f.fdb, func(e fdbItem) bool { return e == fdbItem{c.Namespace, c.Bridge, c.Entry} })
		}
	}
}

// touchedSet holds the namespaces and links a Plan has to do with.
type touchedSet struct {
	namespaces map[string]bool
	links      map[linkKey]bool
}

// Namespaces lists the namespaces a Plan has to do with, in order.
func (p Plan) Namespaces() []string {
	t := touched(p)
	names := map[string]bool{}
	for n := range t.namespaces {
		names[n] = true
	}
	for k := range t.links {
		names[k.namespace] = true
	}
	out := make([]string, 0, len(names))
	for n := range names {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func touched(p Plan) *touchedSet {
	t := &touchedSet{map[string]bool{}, map[linkKey]bool{}}
	add := func(namespace, name string) { t.links[linkKey{namespace, name}] = true }
	for _, c := range p {
		switch c := c.(type) {
		case CreateNamespace:
			t.namespaces[c.Name] = true
			add(c.Name, LoopbackName)
		case DeleteNamespace:
			t.namespaces[c.Name] = true
			add(c.Name, LoopbackName)
		case CreateVeth:
			add(c.A.Namespace, c.A.Name)
			add(c.B.Namespace, c.B.Name)
		case Rename:
			add(c.Namespace, c.Name)
			add(c.Namespace, c.To)
		case Move:
			add(c.Namespace, c.Name)
			to := c.To
			if to == "" {
				to = c.Name
			}
			add(c.ToNamespace, to)
		case AddRoute:
			add(c.Route.Namespace, c.Route.Link)
		case DeleteRoute:
			add(c.Route.Namespace, c.Route.Link)
		default:
			namespace, rest, _ := strings.Cut(c.Subject(), "/")
			name, _, _ := strings.Cut(rest, " ")
			add(namespace, name)
		}
	}
	return t
}

// spread adds what a touched link takes along: its other end, and the ports of
// a bridge.
func (t *touchedSet) spread(states ...*state) {
	if t == nil {
		return
	}
	for _, f := range states {
		for _, l := range f.links {
			if l.peer != nil && t.has(l.peer.linkKey) {
				t.links[l.linkKey] = true
			}
		}
		for _, l := range f.links {
			if l.master != "" && t.has(linkKey{l.namespace, l.master}) {
				t.links[l.linkKey] = true
			}
		}
	}
}

// has tells whether a link is touched, by itself or with its namespace. A nil
// set touches everything.
func (t *touchedSet) has(k linkKey) bool {
	return t == nil || t.links[k] || t.namespaces[k.namespace]
}

// see reduces a Snapshot to the objects of the given states (the first of which
// is the goal) and to the fields these care about. What is not touched, or lies
// in an incomplete namespace, is taken to be as the goal has it.
func see(observed *Snapshot, t *touchedSet, goals ...*state) *state {
	f := &state{index: map[linkKey]*link{}}
	index := indexSnapshot(observed)
	trusted := func(namespace string) bool {
		n := index.namespaces[namespace]
		return n == nil || n.Incomplete == ""
	}
	for _, g := range goals {
		for _, name := range g.namespaces {
			// Untouched is as the goal has it, which for a namespace of another
			// state means: none of ours.
			untouched := t != nil && !t.namespaces[name]
			there := index.namespaces[name] != nil
			if g == goals[0] && (there || untouched) || there && !untouched && !slices.Contains(f.namespaces, name) {
				f.namespaces = append(f.namespaces, name)
			}
		}
	}
	for _, g := range goals {
		for _, l := range g.links {
			if f.link(l.linkKey) != nil || !f.hasNamespace(l.namespace) {
				continue
			}
			wants := inAll(goals, l.linkKey)
			if !trusted(l.namespace) || !t.has(l.linkKey) {
				if goal := goals[0].link(l.linkKey); goal != nil {
					twin := *goal
					f.add(&twin)
				}
				continue
			}
			if o := index.links[l.linkKey]; o != nil {
				l := seeLink(o, wants...)
				if t != nil {
					// Of a repair's links only the addresses that are netdash's.
					l.addresses = slices.DeleteFunc(l.addresses, func(a string) bool {
						return !slices.ContainsFunc(wants, func(w *link) bool { return slices.Contains(w.addresses, a) })
					})
				}
				f.add(l)
			}
		}
	}
	f.pairUp(index, goals)
	f.seeRoutes(index, t, trusted, goals)
	f.seeFDB(index, t, trusted, goals)
	return f
}

func inAll(goals []*state, k linkKey) []*link {
	var out []*link
	for _, g := range goals {
		if l := g.link(k); l != nil {
			out = append(out, l)
		}
	}
	return out
}

// pairUp sets the peers of what was seen: as observed, or as the goal has them
// for links that were taken from it.
func (f *state) pairUp(index *snapshotIndex, goals []*state) {
	for _, l := range f.links {
		if l.kind != kindVeth {
			continue
		}
		l.peer = nil
		if o := index.links[l.linkKey]; o != nil {
			if o.Peer != nil && o.Peer.Known {
				l.peer = f.link(linkKey{o.Peer.Namespace, o.Peer.Name})
			}
		} else if goal := goals[0].link(l.linkKey); goal != nil && goal.peer != nil {
			l.peer = f.link(goal.peer.linkKey)
		}
	}
}

func (f *state) seeRoutes(index *snapshotIndex, t *touchedSet, trusted func(string) bool, goals []*state) {
	for _, r := range goals[0].routes {
		if f.link(linkKey{r.Namespace, r.Link}) != nil && (!trusted(r.Namespace) || !t.has(linkKey{r.Namespace, r.Link})) {
			f.routes = append(f.routes, r)
		}
	}
	for _, g := range goals {
		for _, want := range g.routes {
			if !trusted(want.Namespace) || !t.has(linkKey{want.Namespace, want.Link}) {
				continue
			}
			for _, have := range index.routes[want.key()] {
				r := seeRoute(have, want)
				if f.link(linkKey{r.Namespace, r.Link}) != nil && !slices.Contains(f.routes, r) {
					f.routes = append(f.routes, r)
				}
			}
		}
	}
}

func (f *state) seeFDB(index *snapshotIndex, t *touchedSet, trusted func(string) bool, goals []*state) {
	for _, e := range goals[0].fdb {
		at := linkKey{e.namespace, e.bridge}
		if f.link(at) != nil && (!trusted(e.namespace) || !t.has(at) && !t.has(linkKey{e.namespace, e.Port})) {
			f.fdb = append(f.fdb, e)
		}
	}
	for _, g := range goals {
		for _, want := range g.fdb {
			at := linkKey{want.namespace, want.bridge}
			if !trusted(want.namespace) || !t.has(at) && !t.has(linkKey{want.namespace, want.Port}) {
				continue
			}
			for _, have := range index.fdb[at.String()+" "+want.key()] {
				e := fdbItem{want.namespace, want.bridge, FDBSpec{MAC: want.MAC, Port: have.Port, VLAN: want.VLAN}}
				if f.link(linkKey{e.namespace, e.bridge}) != nil && !slices.Contains(f.fdb, e) {
					f.fdb = append(f.fdb, e)
				}
			}
		}
	}
}

// seeLink reduces an observed link to what the intentions about it name.
func seeLink(o *Link, wants ...*link) *link {
	l := &link{
		linkKey: linkKey{o.Namespace, o.Name}, kind: o.Kind, alias: o.Alias, up: o.AdminUp,
		quiet: o.AddressGeneration == "none", master: o.Master,
	}
	if o.Kind == kindLoopback {
		l.alias, l.quiet = "", false
	}
	var intended []string
	var bridges []BridgeAttributes
	var ports []PortAttributes
	for _, w := range wants {
		if l.uid == 0 {
			l.uid = w.uid
		}
		if o.AddressGeneration == "" { // IPv6 is off here, or the MTU too small for it
			l.quiet = w.quiet
		}
		if w.mac != "" {
			l.mac = strings.ToLower(o.MAC)
		}
		if w.mtu != 0 {
			l.mtu = o.MTU
		}
		intended = append(intended, w.addresses...)
		bridges, ports = append(bridges, w.bridge), append(ports, w.port)
	}
	if o.Bridge != nil {
		l.bridge = project(o.Bridge.BridgeAttributes, bridges...)
	}
	if o.BridgePort != nil {
		l.port = project(o.BridgePort.PortAttributes, ports...)
	}
	for _, a := range o.Addresses {
		if slices.Contains(intended, a.CIDR) || !madeByKernel(o, a) {
			l.addresses = append(l.addresses, a.CIDR)
		}
	}
	return l
}

// madeByKernel tells the addresses nobody asks for: the loopback's own, link
// local ones, and those from router advertisements.
func madeByKernel(o *Link, a Address) bool {
	return o.Kind == kindLoopback && (a.CIDR == "127.0.0.1/8" || a.CIDR == "::1/128") ||
		a.Scope == "link" && is6(a.CIDR) || slices.Contains(a.Flags, "dynamic")
}

// seeRoute writes an observed route as the intended one it has the key of
// would be written.
func seeRoute(o *RouteState, want Route) Route {
	return Route{Namespace: want.Namespace, Destination: want.Destination, Gateway: o.Gateway, Link: o.Link, Metric: want.Metric}
}

// spec writes an observed route as an intended one.
func (o *RouteState) spec() Route {
	r := Route{Namespace: o.Namespace, Destination: o.Destination, Gateway: o.Gateway, Link: o.Link, Metric: o.Metric}
	if r.Destination == "default" && o.Family == "inet6" {
		r.Destination = "::/0"
	}
	return r
}

// snapshotIndex finds observed objects by what intentions call them.
type snapshotIndex struct {
	namespaces map[string]*NamespaceState
	links      map[linkKey]*Link
	routes     map[routeKey][]*RouteState
	fdb        map[string][]*FDBEntry
}

func newIndex() *snapshotIndex {
	return &snapshotIndex{map[string]*NamespaceState{}, map[linkKey]*Link{}, map[routeKey][]*RouteState{}, map[string][]*FDBEntry{}}
}

func indexSnapshot(s *Snapshot) *snapshotIndex {
	x := newIndex()
	for _, n := range s.Namespaces {
		if n.Sync != Missing {
			x.add(n)
		}
	}
	return x
}

func (x *snapshotIndex) add(n *NamespaceState) {
	x.namespaces[n.Name] = n
	for _, l := range n.Links {
		if l.Sync != Missing {
			x.links[linkKey{l.Namespace, l.Name}] = l
		}
	}
	for _, r := range n.Routes {
		k := r.spec().key()
		x.routes[k] = append(x.routes[k], r)
	}
	for _, e := range n.FDB {
		if e.State != "learned" {
			k := linkKey{e.Namespace, e.Bridge}.String() + " " + FDBSpec{MAC: e.MAC, VLAN: e.VLAN}.key()
			x.fdb[k] = append(x.fdb[k], e)
		}
	}
}
