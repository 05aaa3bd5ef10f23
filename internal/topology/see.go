package topology

import (
	"slices"
	"strings"
)

// see reduces a Snapshot to the objects of the given states (the first of which
// is the goal) and to the fields these care about. What is not touched, or lies
// in an incomplete namespace, is taken to be as the goal has it.
//
// A repair (t is set) goes by names: it knows what was done to them. Without t a
// link is the intended one that the Snapshot says it is, wherever it is, and what
// is not managed is not seen.
func see(observed *Snapshot, t *touchedSet, goals ...*state) *state {
	f := &sight{
		state: newState(len(goals[0].links)), index: indexSnapshot(observed), touched: t, goals: goals,
		observed: map[*link]*Link{}, of: map[linkKey]*link{}, uids: map[int64]bool{},
	}
	for _, g := range goals {
		for _, name := range g.namespaces {
			// Untouched is as the goal has it, which for a namespace of another
			// state means: none of ours.
			untouched := t != nil && !t.namespaces[name]
			there := f.index.namespaces[name] != nil
			if g == goals[0] && (there || untouched) || there && !untouched && !f.named[name] {
				f.addNamespace(name)
			}
		}
	}
	for _, g := range goals {
		for _, l := range g.links {
			f.seeLink(l)
		}
	}
	f.pairUp()
	f.seeRoutes()
	f.seeFDB()
	return f.state
}

// sight is a state in the making.
type sight struct {
	*state
	index    *snapshotIndex
	touched  *touchedSet
	goals    []*state
	observed map[*link]*Link   // what a link of the state was made from
	of       map[linkKey]*link // links of the state, by what is intended
	uids     map[int64]bool    // of these
}

// looks tells whether what is observed of a link counts.
func (f *sight) looks(k linkKey) bool { return f.index.trusted(k.namespace) && f.touched.has(k) }

// find gives the observed link that an intended one is.
func (f *sight) find(want *link) *Link {
	o := f.index.links[want.linkKey]
	if f.touched != nil {
		return o
	}
	if elsewhere := f.index.elsewhere[want.linkKey]; elsewhere != nil {
		o = elsewhere
	} else if o == nil || o.Intended != nil {
		return nil
	}
	if !o.Managed || o.Kind != want.kind {
		return nil
	}
	return o
}

func (f *sight) seeLink(want *link) {
	o := f.find(want)
	place := want.linkKey
	if o != nil {
		place = linkKey{o.Namespace, o.Name}
	}
	if f.link(place) != nil || !f.hasNamespace(want.namespace) && place == want.linkKey {
		return
	}
	if !f.looks(want.linkKey) || !f.index.trusted(place.namespace) {
		if goal := f.goals[0].link(want.linkKey); goal != nil {
			twin := *goal
			f.of[want.linkKey] = &twin
			f.add(&twin)
		}
		return
	}
	if o == nil {
		return
	}
	wants := inAll(f.goals, want.linkKey)
	uid, ours := f.identity(want.linkKey, wants)
	if !ours || uid != 0 && f.uids[uid] {
		return
	}
	l := seeLink(o, wants...)
	l.uid, f.uids[uid] = uid, true
	if f.touched != nil {
		// Of a repair's links only the addresses that are netdash's.
		l.addresses = slices.DeleteFunc(l.addresses, func(a string) bool {
			return !slices.ContainsFunc(wants, func(w *link) bool { return slices.Contains(w.addresses, a) })
		})
	}
	f.of[want.linkKey], f.observed[l] = l, o
	f.add(l)
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
func (f *sight) pairUp() {
	for _, l := range f.links {
		l.peer = nil
		if o := f.observed[l]; o != nil && o.Kind == kindVeth && o.Peer != nil && o.Peer.Known {
			l.peer = f.link(linkKey{o.Peer.Namespace, o.Peer.Name})
			if p := f.index.links[linkKey{o.Peer.Namespace, o.Peer.Name}]; f.touched == nil && p != nil && p.Intended != nil {
				l.peer = f.of[p.Intended.key()]
			}
		}
	}
	for _, l := range f.links {
		if f.observed[l] != nil || l.kind != kindVeth {
			continue
		}
		l.peer = f.of[f.goals[0].link(l.linkKey).peer.linkKey]
		if l.peer == nil {
			continue
		}
		if o := f.observed[l.peer]; o != nil && (o.Peer == nil || !o.Peer.Known) {
			l.peer.peer = l // who it leads to cannot be seen, so nothing speaks against it
		}
	}
}

// place gives where the link is that an intended one is.
func (f *sight) place(k linkKey) linkKey {
	if l := f.of[k]; l != nil {
		return l.linkKey
	}
	return k
}

func (f *sight) seeRoutes() {
	for _, r := range f.goals[0].routes {
		if f.of[linkKey{r.Namespace, r.Link}] != nil && !f.looks(linkKey{r.Namespace, r.Link}) {
			f.routes = append(f.routes, r)
		}
	}
	for _, g := range f.goals {
		for _, want := range g.routes {
			out := linkKey{want.Namespace, want.Link}
			if !f.looks(out) {
				continue
			}
			is := want
			is.Link = f.place(out).name
			there := f.index.routes[want.key()]
			if slices.ContainsFunc(there, func(o *RouteState) bool { return seeRoute(o, want, nil) == is }) {
				// What else has its key hinders nobody then.
				there = slices.DeleteFunc(slices.Clone(there), func(o *RouteState) bool { return f.touched == nil && seeRoute(o, want, nil) != is })
			}
			for _, have := range there {
				r := seeRoute(have, want, nil)
				if f.touched == nil && r != is && !replaceable(have) {
					continue
				}
				if f.link(linkKey{r.Namespace, r.Link}) != nil && !slices.Contains(f.routes, r) {
					f.routes = append(f.routes, r)
				}
			}
		}
	}
}

func (f *sight) seeFDB() {
	for _, e := range f.goals[0].fdb {
		at, port := linkKey{e.namespace, e.bridge}, linkKey{e.namespace, e.Port}
		if f.of[at] != nil && !f.looks(at) && !f.looks(port) {
			f.fdb = append(f.fdb, e)
		}
	}
	for _, g := range f.goals {
		for _, want := range g.fdb {
			at, port := linkKey{want.namespace, want.bridge}, linkKey{want.namespace, want.Port}
			if !f.looks(at) && !f.looks(port) {
				continue
			}
			bridge := f.place(at)
			for _, have := range f.index.fdb[bridge.String()+" "+want.key()] {
				e := fdbItem{bridge.namespace, bridge.name, FDBSpec{MAC: want.MAC, Port: have.Port, VLAN: want.VLAN}}
				if f.touched == nil && have.State != "static" && have.Port != f.place(port).name {
					continue // a port's own MAC
				}
				if f.link(bridge) != nil && !slices.Contains(f.fdb, e) {
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
			l.quiet = w.quiet || w.mtu != 0 && tooSmall(o.MTU)
		}
		if w.mac != "" {
			l.mac = strings.ToLower(o.MAC)
		}
		if w.mtu != 0 || tooSmall(o.MTU) && slices.ContainsFunc(w.addresses, is6) {
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
func seeRoute(o *RouteState, want Route, v *View) Route {
	link := v.name(o.Namespace, o.Link)
	return Route{Namespace: want.Namespace, Destination: want.Destination, Gateway: o.Gateway, Link: link, Metric: want.Metric}
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
	links      map[linkKey]*Link // by where they are
	elsewhere  map[linkKey]*Link // by what they are, if that is not where they are
	routes     map[routeKey][]*RouteState
	fdb        map[string][]*FDBEntry
}

// trusted tells whether what is observed of a namespace can be relied on.
func (x *snapshotIndex) trusted(namespace string) bool {
	n := x.namespaces[namespace]
	return n == nil || n.Incomplete == ""
}

func indexSnapshot(s *Snapshot) *snapshotIndex {
	x := &snapshotIndex{
		map[string]*NamespaceState{},
		map[linkKey]*Link{},
		map[linkKey]*Link{},
		map[routeKey][]*RouteState{},
		map[string][]*FDBEntry{},
	}
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
		if l.Sync == Missing {
			continue
		}
		x.links[linkKey{l.Namespace, l.Name}] = l
		if l.Intended != nil {
			x.elsewhere[l.Intended.key()] = l
		}
	}
	for _, r := range n.Routes {
		if r.Sync != Missing {
			k := r.spec().key()
			x.routes[k] = append(x.routes[k], r)
		}
	}
	for _, e := range n.FDB {
		if e.State != "learned" && e.Sync != Missing {
			k := linkKey{e.Namespace, e.Bridge}.String() + " " + FDBSpec{MAC: e.MAC, VLAN: e.VLAN}.key()
			x.fdb[k] = append(x.fdb[k], e)
		}
	}
}
