package topology

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Intent is a Spec made ready to plan with, and to judge observed objects one
// by one as they change. It is never written to after NewIntent.
type Intent struct {
	state *state
	parts map[string]*part // by namespace; host is there as well
	// Static FDB entries: by fdbItem.id, and without their ports by fdbItem.place.
	ports, places map[string]bool
}

// part is what is intended in one namespace.
type part struct {
	links  []*link
	routes []Route
	fdb    []fdbItem
}

// NewIntent prepares a valid Spec.
func NewIntent(s *Spec) *Intent {
	x := &Intent{state: flatten(s), ports: map[string]bool{}, places: map[string]bool{}}
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
		x.ports[e.id()], x.places[e.place()] = true, true
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

// Links gives the links that are intended in a namespace.
func (x *Intent) Links(namespace string) iter.Seq[LinkRef] {
	return func(yield func(LinkRef) bool) {
		for _, l := range x.in(namespace).links {
			if !yield(l.ref()) {
				return
			}
		}
	}
}

// HasLink tells whether a link is intended.
func (x *Intent) HasLink(r LinkRef) bool { return x.state.link(r.key()) != nil }

// Peer gives the other end of an intended veth.
func (x *Intent) Peer(r LinkRef) (LinkRef, bool) {
	if l := x.state.link(r.key()); l != nil && l.peer != nil {
		return l.peer.ref(), true
	}
	return LinkRef{}, false
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

// MissingNamespace gives an intended namespace as it is shown where there is
// none, with everything in it but the links that have(name) finds elsewhere.
func (x *Intent) MissingNamespace(name string, have func(link string) bool) *NamespaceState {
	n := &NamespaceState{
		Name: name, Names: []string{}, Managed: true, Sync: Missing, Links: x.MissingLinks(name, have),
		Differences: []Difference{missing(name)}, Neighbours: []*Neighbour{},
	}
	_, n.Routes, _ = x.Routes(name, nil, nil)
	_, n.FDB = x.FDB(name, nil, nil)
	n.Links, n.Routes, n.FDB = orEmpty(n.Links), orEmpty(n.Routes), orEmpty(n.FDB)
	return n
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Namespaces gives the names of the intended namespaces.
func (x *Intent) Namespaces() iter.Seq[string] { return slices.Values(x.state.namespaces) }

// Differences lists in what the observed topology is not the intended one, in
// the given namespaces or, without any, everywhere. A link that went elsewhere
// (Link.Intended) is judged with the namespace it is missing from. Objects in
// incomplete namespaces are not judged.
func (x *Intent) Differences(s *Snapshot, namespaces ...string) []Difference {
	if len(namespaces) == 0 {
		namespaces = append([]string{HostName}, x.state.namespaces...)
	}
	look := x.lookAt(s, namespaces)
	out := []Difference{}
	for _, name := range namespaces {
		n := look.namespaces[name]
		switch {
		case n == nil:
			if x.Namespace(name) {
				out = append(append(out, missing(name)), x.differencesOfLinks(name, nil, look)...)
			}
		case n.Incomplete == "":
			out = append(out, x.differencesOfLinks(name, n, look)...)
			d, _, _ := x.Routes(name, n.Routes, look.view)
			out = append(out, d...)
			byBridge, _ := x.FDB(name, n.FDB, look.view)
			for _, l := range x.in(name).links {
				out = append(out, byBridge[l.name]...)
			}
		}
	}
	return out
}

// look is a Snapshot prepared for Differences.
type look struct {
	namespaces map[string]*NamespaceState // those asked for that are there
	view       *View
	elsewhere  map[LinkRef]*Link // links that went elsewhere, by what they are
}

func (x *Intent) lookAt(s *Snapshot, namespaces []string) *look {
	k := &look{make(map[string]*NamespaceState, len(namespaces)), &View{map[LinkRef]LinkRef{}, map[string]bool{}}, map[LinkRef]*Link{}}
	asked := make(map[string]bool, len(namespaces))
	for _, name := range namespaces {
		asked[name] = true
	}
	for _, n := range s.Namespaces {
		if n.Sync == Missing {
			continue
		}
		if asked[n.Name] {
			k.namespaces[n.Name] = n
		}
		if n.Incomplete != "" {
			k.view.Blind[n.Name] = true
		}
		for _, l := range n.Links {
			if l.Intended != nil && x.HasLink(*l.Intended) {
				k.view.Astray[LinkRef{l.Namespace, l.Name}] = *l.Intended
				k.elsewhere[*l.Intended] = l
			}
		}
	}
	return k
}

// differencesOfLinks judges the links of a namespace, which is nil where it is
// missing: then only those that went elsewhere are there.
func (x *Intent) differencesOfLinks(name string, n *NamespaceState, look *look) (out []Difference) {
	at := map[string]*Link{}
	if n != nil {
		for _, l := range n.Links {
			if l.Sync != Missing {
				at[l.Name] = l
			}
		}
	}
	for _, want := range x.in(name).links {
		is := want.ref()
		itself, here := look.elsewhere[is], at[want.name]
		if itself != nil && !look.view.Blind[itself.Namespace] {
			out = append(out, x.Link(is, itself, look.view)...)
		}
		switch other := here == nil || look.view.is(is) != is; {
		case !other && itself != nil:
			out = append(out, Taken(is, itself.Ifindex, here.Ifindex))
		case !other:
			out = append(out, x.Link(is, here, look.view)...)
		case itself == nil && n != nil:
			out = append(out, MissingLink(is))
		}
	}
	return out
}

// Differences lists those of all objects, by subject. These are what Intent's
// Differences gives, unless an operation is at work.
func (s *Snapshot) Differences() []Difference {
	out := []Difference{}
	for _, n := range s.Namespaces {
		out = append(out, n.Differences...)
		for _, l := range n.Links {
			out = append(out, l.Differences...)
		}
	}
	slices.SortStableFunc(out, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.Subject, b.Subject), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Field, b.Field))
	})
	return out
}

func missing(subject string) Difference { return Difference{Subject: subject, Kind: DifferenceMissing} }

// MissingLink is the difference of an intended link that is not there.
func MissingLink(is LinkRef) Difference { return missing(is.key().String()) }

// Namespace gives the namespace a difference belongs to: the one in which its
// subject is intended.
func (d Difference) Namespace() string {
	if i := strings.IndexAny(d.Subject, "/ "); i >= 0 {
		return d.Subject[:i]
	}
	return d.Subject
}
