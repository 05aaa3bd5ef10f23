package topology

import (
	"reflect"
	"slices"
)

// Intent is a Spec made ready to plan with, and to judge observed objects one
// by one as they change. It is never written to after NewIntent.
type Intent struct {
	state *state
	parts map[string]*part // by namespace; host is there as well
	ports map[string]bool  // static FDB entries, by fdbItem.id
}

// part is what is intended in one namespace.
type part struct {
	links  []*link
	routes []Route
	fdb    []fdbItem
}

// NewIntent prepares a valid Spec.
func NewIntent(s *Spec) *Intent {
	x := &Intent{state: flatten(s), ports: map[string]bool{}}
	x.parts = make(map[string]*part, len(x.state.namespaces)+1)
	x.parts[HostName] = &part{}
	for _, n := range x.state.namespaces {
		x.parts[n] = &part{}
	}
	for _, l := range x.state.links {
		p := x.parts[l.namespace]
		p.links = append(p.links, l)
	}
	for _, r := range x.state.routes {
		p := x.parts[r.Namespace]
		p.routes = append(p.routes, r)
	}
	for _, e := range x.state.fdb {
		p := x.parts[e.namespace]
		p.fdb = append(p.fdb, e)
		x.ports[e.id()] = true
	}
	return x
}

// Namespace tells whether a namespace of that name is intended.
func (x *Intent) Namespace(name string) bool {
	return name != HostName && x.parts[name] != nil
}

// in gives what is intended in a namespace.
func (x *Intent) in(namespace string) *part {
	if p := x.parts[namespace]; p != nil {
		return p
	}
	return &part{}
}

// Link tells whether an observed link is intended, and in what it differs.
func (x *Intent) Link(o *Link) (managed bool, differences []Difference) {
	want := x.state.link(linkKey{o.Namespace, o.Name})
	if want == nil {
		return false, nil
	}
	subject := want.linkKey.String()
	changed := func(field string, intended, observed any) {
		if intended != observed { // strings, numbers and bools only
			differences = append(differences, Difference{subject, DifferenceChanged, field, intended, observed})
		}
	}
	if want.kind != o.Kind {
		changed("kind", want.kind, o.Kind)
		return true, differences
	}
	have := seeLink(o, want)
	if want.mac != "" {
		changed("mac", want.mac, have.mac)
	}
	if want.mtu != 0 {
		changed("mtu", want.mtu, have.mtu)
	}
	changed("alias", want.alias, have.alias)
	changed("admin_up", want.up, have.up)
	changed("master", want.master, have.master)
	if o.AddressGeneration != "" && want.kind != kindLoopback {
		changed("addr_gen_mode", generation(want.quiet), generation(have.quiet))
	}
	if want.peer != nil {
		changed("peer", want.peer.linkKey.String(), peerName(o.Peer))
	}
	differences = append(differences, attributeDifferences(subject, "bridge.", want.bridge, have.bridge)...)
	differences = append(differences, attributeDifferences(subject, "bridge_port.", want.port, have.port)...)
	return true, append(differences, addressDifferences(subject, want, have)...)
}

func generation(quiet bool) string {
	if quiet {
		return "none"
	}
	return "eui64"
}

func peerName(p *Peer) string {
	if p == nil || !p.Known {
		return ""
	}
	return linkKey{p.Namespace, p.Name}.String()
}

func addressDifferences(subject string, want, have *link) []Difference {
	var out []Difference
	for _, a := range want.addresses {
		if !slices.Contains(have.addresses, a) && (want.up || !is6(a)) {
			out = append(out, Difference{Subject: subject + " " + a, Kind: DifferenceMissing})
		}
	}
	for _, a := range have.addresses {
		if !slices.Contains(want.addresses, a) {
			out = append(out, Difference{subject, DifferenceUnexpected, "address", nil, a})
		}
	}
	return out
}

func attributeDifferences[T comparable](subject, prefix string, want, have T) []Difference {
	var none T
	if want == none {
		return nil
	}
	var out []Difference
	h := fields(have)
	w := fields(want)
	for i := range reflect.TypeOf(want).NumField() {
		name := jsonName(reflect.TypeOf(want).Field(i))
		if v, asked := w[name]; asked && v != h[name] {
			out = append(out, Difference{subject, DifferenceChanged, prefix + name, v, h[name]})
		}
	}
	return out
}

// Route tells whether an observed route is intended.
func (x *Intent) Route(o *RouteState) bool {
	key := o.spec().key()
	return slices.ContainsFunc(x.in(o.Namespace).routes, func(r Route) bool {
		return r.key() == key && r == seeRoute(o, r)
	})
}

// FDB tells whether an observed FDB entry is an intended static one.
func (x *Intent) FDB(e *FDBEntry) bool {
	return e.State != "learned" && x.ports[fdbItem{e.Namespace, e.Bridge, FDBSpec{e.MAC, e.Port, e.VLAN}}.id()]
}

// MissingLinks gives the intended links of a namespace that have(name) does
// not find, as they are shown: marked Missing, with what was intended.
func (x *Intent) MissingLinks(namespace string, have func(name string) bool) []*Link {
	var out []*Link
	for _, l := range x.in(namespace).links {
		if have(l.name) {
			continue
		}
		m := &Link{
			Key: l.linkKey.String(), Namespace: l.namespace, Name: l.name, Kind: l.kind, MAC: l.mac, MTU: l.mtu, OperState: "notpresent",
			Flags: []string{}, Alias: l.alias, Master: l.master, Addresses: []Address{}, Managed: true, Sync: Missing,
		}
		for _, a := range l.addresses {
			m.Addresses = append(m.Addresses, Address{CIDR: a, Scope: "global"})
		}
		if l.peer != nil {
			m.Peer = &Peer{Known: true, Namespace: l.peer.namespace, Name: l.peer.name}
		}
		out = append(out, m)
	}
	return out
}

// MissingNamespaces gives the names of intended namespaces have does not find.
func (x *Intent) MissingNamespaces(have func(name string) bool) []string {
	var out []string
	for _, n := range x.state.namespaces {
		if !have(n) {
			out = append(out, n)
		}
	}
	return out
}

// Differences lists in what the observed topology is not the intended one, in
// the given namespaces or, without any, everywhere. Objects in incomplete
// namespaces are not judged.
func (x *Intent) Differences(s *Snapshot, namespaces ...string) []Difference {
	if len(namespaces) == 0 {
		namespaces = append([]string{HostName}, x.state.namespaces...)
	}
	out := []Difference{}
	byName := s.byName()
	for _, name := range namespaces {
		n := byName[name]
		switch {
		case n == nil || n.Sync == Missing:
			if x.Namespace(name) {
				out = append(out, Difference{Subject: name, Kind: DifferenceMissing})
			}
		case n.Incomplete == "":
			out = append(out, x.differencesIn(name, n)...)
		}
	}
	return out
}

func (x *Intent) differencesIn(name string, n *NamespaceState) []Difference {
	want := x.in(name)
	var out []Difference
	index := newIndex()
	index.add(n)
	for _, l := range want.links {
		if o := index.links[l.linkKey]; o != nil {
			_, d := x.Link(o)
			out = append(out, d...)
		} else {
			out = append(out, Difference{Subject: l.linkKey.String(), Kind: DifferenceMissing})
		}
	}
	for _, r := range want.routes {
		if !slices.ContainsFunc(index.routes[r.key()], func(o *RouteState) bool { return r == seeRoute(o, r) }) {
			out = append(out, Difference{Subject: r.subject(), Kind: DifferenceMissing})
		}
	}
	for _, e := range want.fdb {
		entries := index.fdb[linkKey{e.namespace, e.bridge}.String()+" "+e.key()]
		if !slices.ContainsFunc(entries, func(o *FDBEntry) bool { return o.Port == e.Port }) {
			out = append(out, Difference{Subject: e.namespace + "/" + e.bridge + " " + e.MAC, Kind: DifferenceMissing})
		}
	}
	return out
}
