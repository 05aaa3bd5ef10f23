package topology

import "slices"

func newMender(x *Intent, observed *Snapshot) *mender {
	want := x.state.clone()
	want.number()
	m := &mender{
		want: want, have: see(observed, nil, want),
		objects: touchedSet{namespaces: map[string]bool{}, links: map[linkKey]bool{}}, parts: map[string]bool{},
		seen: map[*link]*link{}, wanted: map[*link]*link{}, held: map[*link]bool{}, obstacles: map[*link]error{}, taken: map[Route]error{},
	}
	index := indexSnapshot(observed)
	byUID := m.have.byUID()
	for _, w := range m.want.links {
		if o := index.links[w.linkKey]; o != nil && foreignTo(w, o) {
			m.held[w], m.obstacles[w] = true, nameTaken(w.namespace, w.name)
			continue
		}
		if n := index.namespaces[w.namespace]; n != nil && n.Incomplete != "" {
			m.held[w] = true
		}
		h := byUID[w.uid]
		if at := m.have.link(w.linkKey); h == nil && at != nil && (at.uid == 0 || at.uid == w.uid) {
			h = at
		}
		if h != nil {
			m.seen[w], m.wanted[h] = h, w
		}
	}
	for _, w := range m.want.links {
		// A pair is made as one, or not at all; what has the name of its other end
		// may be an end of another pair.
		h := m.seen[w]
		if w.peer != nil && m.held[w.peer] && !m.held[w] && (h == nil || m.wanted[h.peer] != nil) {
			m.held[w], m.obstacles[w] = true, m.obstacles[w.peer]
		}
	}
	m.routesTaken(index)
	return m
}

// routesTaken finds the intended routes that cannot be added because of one that
// is not netdash's: one by a link that is not intended, or one from a router's
// advertisement. One that the kernel has made by an intended link goes with the
// address it was made for.
func (m *mender) routesTaken(index *snapshotIndex) {
	for _, r := range m.want.routes {
		is := r
		if h := m.seen[m.want.link(linkKey{r.Namespace, r.Link})]; h != nil {
			is.Link = h.name
		}
		there := index.routes[r.key()]
		if slices.ContainsFunc(there, func(o *RouteState) bool { return seeRoute(o, r, nil) == is }) {
			continue
		}
		if slices.ContainsFunc(there, func(o *RouteState) bool {
			return m.have.link(linkKey{o.Namespace, o.Link}) == nil || o.Protocol == "ra"
		}) {
			m.taken[r] = Errorf(CodeConflict, r.subject(), "there is a route to %s in %s that netdash does not manage", r.Destination, r.Namespace)
		}
	}
}

// obstaclesOf lists what stands in the way of what it is about.
func (m *mender) obstaclesOf() []error {
	var out []error
	for _, w := range m.want.links {
		if err := m.obstacles[w]; err != nil && m.about(w) {
			out = append(out, err)
		}
	}
	for _, r := range m.want.routes {
		if err := m.taken[r]; err != nil && m.aboutRoute(r) {
			out = append(out, err)
		}
	}
	return out
}

// foreignTo tells whether an observed link has an intended one's name without
// being it, or another intended one that has only strayed there.
func foreignTo(w *link, o *Link) bool {
	strayed := o.Managed && o.Intended != nil && *o.Intended != (LinkRef{w.namespace, w.name})
	return !strayed && (!o.Managed || o.Kind != w.kind)
}
