package topology

import (
	"maps"
	"slices"
	"strings"
)

// mender works out what to plan from: what is observed of the objects it is
// about, and what is intended of all others.
type mender struct {
	want, have *state
	// What it is about: namespaces with all in them and links with all on them,
	// and single addresses, routes and entries, by subject.
	objects touchedSet
	parts   map[string]bool

	seen   map[*link]*link // intended → observed
	wanted map[*link]*link // observed → intended
	// held are intended links that cannot be touched: something else has their
	// name, or nothing is known of their namespace. They are planned around.
	held      map[*link]bool
	obstacles map[*link]error
	taken     map[Route]error // routes of which another has the place
}

func (f fdbItem) subject() string {
	return linkKey{f.namespace, f.bridge}.String() + " " + strings.ToLower(f.MAC)
}

func (m *mender) about(w *link) bool { return w != nil && m.objects.has(w.linkKey) }

// aboutAddress tells whether a link's address was named by itself.
func (m *mender) aboutAddress(w *link, cidr string) bool {
	return len(m.parts) > 0 && m.parts[w.linkKey.String()+" "+cidr]
}

// aboutSomeAddress tells whether one of a link's addresses was named by itself.
func (m *mender) aboutSomeAddress(w *link) bool {
	about := func(a string) bool { return m.aboutAddress(w, a) }
	h := m.seen[w]
	return slices.ContainsFunc(w.addresses, about) || h != nil && slices.ContainsFunc(h.addresses, about)
}

func (m *mender) aboutRoute(r Route) bool {
	return m.parts[r.subject()] || m.about(m.want.link(linkKey{r.Namespace, r.Link}))
}

func (m *mender) aboutFDB(e fdbItem) bool {
	return m.parts[e.subject()] || m.about(m.want.link(linkKey{e.namespace, e.bridge})) || m.about(m.want.link(linkKey{e.namespace, e.Port}))
}

func (m *mender) heldRoute(r Route) bool {
	return m.held[m.want.link(linkKey{r.Namespace, r.Link})] || m.taken[r] != nil
}

// heldMaster tells whether a port's bridge is held.
func (m *mender) heldMaster(w *link) bool {
	return w.master != "" && m.held[m.want.link(linkKey{w.namespace, w.master})]
}

func (m *mender) heldFDB(e fdbItem) bool {
	return m.held[m.want.link(linkKey{e.namespace, e.bridge})] || m.held[m.want.link(linkKey{e.namespace, e.Port})]
}

// joined tells whether both ends of an intended pair are those of one pair.
func (m *mender) joined(w *link) bool {
	a, b := m.seen[w], m.seen[w.peer]
	return a != nil && b != nil && a.peer == b
}

// placed tells whether an intended link is there, in its place.
func (m *mender) placed(w *link) bool { return m.seen[w] != nil && m.seen[w].linkKey == w.linkKey }

// reach takes along what is needed, and what that needs.
func (m *mender) reach() {
	for changed := true; changed; {
		changed = false
		need := func(w *link) {
			if w != nil && !m.about(w) {
				m.objects.links[w.linkKey] = true
				changed = true
			}
		}
		for _, w := range m.want.links {
			if !m.placed(w) && m.aboutSomeAddress(w) {
				need(w)
			}
			if !m.about(w) || m.held[w] {
				continue
			}
			if ns := w.namespace; !m.have.hasNamespace(ns) && !m.objects.namespaces[ns] {
				m.objects.namespaces[ns] = true
				changed = true
			}
			m.needs(w, need)
		}
		m.partsNeed(need)
	}
}

// needs tells which other links a link needs.
func (m *mender) needs(w *link, need func(*link)) {
	h := m.seen[w]
	if w.peer != nil && !m.joined(w) {
		need(w.peer)
		if h != nil { // goes, and what it is joined to goes with it
			need(m.wanted[h.peer])
		}
	}
	if w.kind == kindBridge && h == nil {
		for _, port := range m.want.links {
			if port.namespace == w.namespace && port.master == w.name {
				need(port)
			}
		}
	}
	if w.master != "" {
		if bridge := m.want.link(linkKey{w.namespace, w.master}); !m.placed(bridge) {
			need(bridge)
		}
	}
	// Links that have strayed to each other's places move together.
	if at := m.have.link(w.linkKey); at != nil && at != h {
		need(m.wanted[at])
	}
	if h != nil && h.linkKey != w.linkKey {
		need(m.want.link(h.linkKey))
	}
}

// partsNeed tells which links single routes and entries need.
func (m *mender) partsNeed(need func(*link)) {
	for _, r := range m.want.routes {
		w := m.want.link(linkKey{r.Namespace, r.Link})
		if !m.aboutRoute(r) || w == nil {
			continue
		}
		h := m.seen[w]
		if !m.placed(w) || !h.up || slices.ContainsFunc(w.addresses, func(a string) bool { return !slices.Contains(h.addresses, a) }) {
			need(w)
		}
	}
	for _, e := range m.want.fdb {
		if !m.aboutFDB(e) {
			continue
		}
		bridge, port := m.want.link(linkKey{e.namespace, e.bridge}), m.want.link(linkKey{e.namespace, e.Port})
		if !m.placed(bridge) {
			need(bridge)
		}
		if port != bridge && (!m.placed(port) || m.seen[port].master != e.bridge) {
			need(port)
		}
	}
}

// from is the state to plan from: as observed in what it is about, and as
// intended in all else. What is neither there nor can be made is in neither.
func (m *mender) from() *state {
	f := newState(len(m.want.links))
	for _, ns := range m.want.namespaces {
		if m.have.hasNamespace(ns) || !m.objects.namespaces[ns] {
			f.addNamespace(ns)
		}
	}
	made, asIntended := map[*link]*link{}, map[*link]bool{}
	for _, w := range m.want.links {
		h := m.seen[w]
		switch {
		case m.omitted(w) || m.about(w) && h == nil:
			continue
		case !m.about(w) || m.held[w]:
			made[w], asIntended[w] = m.pretend(w), true
		default:
			l := *h
			made[w] = &l
		}
		if m.heldMaster(w) {
			made[w].master, made[w].port = "", PortAttributes{}
		}
		f.add(made[w])
	}
	for w, l := range made {
		switch {
		case w.peer == nil:
		case m.omitted(w.peer):
			l.peer = nil
		case asIntended[w] || asIntended[w.peer]:
			l.peer = made[w.peer]
		default:
			l.peer = nil
			if other := m.wanted[m.seen[w].peer]; !asIntended[other] {
				l.peer = made[other]
			}
		}
	}
	m.tables(f)
	return f
}

// to is the state to plan to: as intended, without what is held and what hangs
// on it.
func (m *mender) to() *state {
	f := m.want.clone()
	for i, w := range m.want.links {
		l := f.links[i]
		if m.heldMaster(w) {
			l.master, l.port = "", PortAttributes{}
		}
		if w.peer != nil && m.omitted(w.peer) {
			l.peer = nil
		}
		if m.omitted(w) {
			delete(f.index, w.linkKey)
		}
	}
	f.links = slices.DeleteFunc(f.links, func(l *link) bool { return f.index[l.linkKey] == nil })
	f.routes = slices.DeleteFunc(f.routes, m.heldRoute)
	f.fdb = slices.DeleteFunc(f.fdb, m.heldFDB)
	return f
}

// omitted tells whether a link is neither there nor can be made.
func (m *mender) omitted(w *link) bool { return m.held[w] && m.seen[w] == nil }

// pretend gives a link as intended, but for those of its addresses that it is
// about: they are as observed.
func (m *mender) pretend(w *link) *link {
	l := *w
	h := m.seen[w]
	if h == nil || m.held[w] || len(m.parts) == 0 {
		return &l
	}
	l.addresses = nil // in the kernel's order: some go with others
	for _, a := range h.addresses {
		if slices.Contains(w.addresses, a) || m.aboutAddress(w, a) {
			l.addresses = append(l.addresses, a)
		}
	}
	for _, a := range w.addresses {
		if !slices.Contains(h.addresses, a) && !m.aboutAddress(w, a) {
			l.addresses = append(l.addresses, a)
		}
	}
	return &l
}

// tables fills in routes and static entries.
func (m *mender) tables(f *state) {
	for _, r := range m.want.routes {
		if m.heldRoute(r) {
			continue
		}
		if !m.aboutRoute(r) {
			f.routes = append(f.routes, r)
			continue
		}
		for _, have := range m.have.routes {
			if have.key() == r.key() && f.link(linkKey{have.Namespace, have.Link}) != nil {
				f.routes = append(f.routes, have)
			}
		}
	}
	for _, e := range m.want.fdb {
		bridge := m.seen[m.want.link(linkKey{e.namespace, e.bridge})]
		if m.heldFDB(e) {
			continue
		}
		if !m.aboutFDB(e) {
			f.fdb = append(f.fdb, e)
			continue
		}
		for _, have := range m.have.fdb {
			if bridge != nil && have.key() == e.key() && (linkKey{have.namespace, have.bridge}) == bridge.linkKey {
				f.fdb = append(f.fdb, have)
			}
		}
	}
}

// mends tells whether the Plan is to mend a difference.
func (m *mender) mends(d Difference) bool {
	s, problem := parseSubject(d.Subject)
	if problem != "" {
		return false
	}
	w := m.want.link(s.key())
	switch {
	case s.link == "" && s.part == "":
		return m.objects.namespaces[s.namespace]
	case s.link == "": // stands for several that differ in their metric
		return !slices.ContainsFunc(m.want.routes, func(r Route) bool {
			return r.subject() == d.Subject && (!m.aboutRoute(r) || m.heldRoute(r))
		})
	case w == nil || m.held[w]:
		return false
	case s.part != "" && !strings.Contains(s.part, "/"): // several, in their VLAN
		return !slices.ContainsFunc(m.want.fdb, func(e fdbItem) bool {
			return e.subject() == s.String() && (!m.aboutFDB(e) || m.heldFDB(e))
		})
	case s.part != "":
		return m.about(w) || m.parts[s.String()]
	}
	switch {
	case d.Field == "peer" && m.held[w.peer]:
		return false
	case (d.Field == "master" || strings.HasPrefix(d.Field, "bridge_port.")) && m.heldMaster(w):
		return false
	}
	return m.about(w)
}

// concerned lists the namespaces whose observation decides.
func (m *mender) concerned() []string {
	names := map[string]bool{}
	for n := range m.objects.namespaces {
		names[n] = true
	}
	for _, w := range m.want.links {
		if m.about(w) {
			names[w.namespace] = true
			if w.peer != nil {
				names[w.peer.namespace] = true
			}
		}
	}
	for part := range m.parts {
		s, _ := parseSubject(part)
		names[s.namespace] = true
	}
	return slices.Sorted(maps.Keys(names))
}
