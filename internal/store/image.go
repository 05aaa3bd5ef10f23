package store

import (
	"netdash/internal/topology"
)

// image is what a commit needs to know of the rows without reading them.
// A published image is never changed; a commit puts another in its place.
type image struct {
	spec   *topology.Spec // as last committed, every link with its Identity
	places places
	// lastLink is the highest link id ever given.
	lastLink int64
}

// places are the position columns of the items of a Spec's lists. Along a list
// they grow, but not always by one.
type places struct {
	namespaces, bridges, veths, routes []int64
}

// step is the way from one image to the next.
type step struct {
	from, to image
	// spans is what has to be looked at: everything outside has the same rows
	// in both.
	spans spans
}

// plan works out the image that target leads to and gives every link in it an
// identity. Target is not changed and nothing of it is kept.
func (m image) plan(target *topology.Spec) step {
	st := step{from: m, to: m, spans: compare(m.spec, target)}
	sp := &st.spans
	before, after := sp.cut(m.spec), sp.cut(target).Clone()
	st.to.lastLink = m.identify(before, after)
	st.to.spec = sp.paste(m.spec, after)
	bridges, ends := renamed(before, after)
	if bridges { // masters
		sp.Bridges, sp.Veths = span{}, span{}
	}
	if ends { // ports in MAC tables
		sp.Bridges = span{}
	}
	st.to.places = places{
		namespaces: place(m.spec.Namespaces, st.to.spec.Namespaces, m.places.namespaces, &sp.Namespaces,
			func(n *topology.Namespace) string { return n.Name }),
		bridges: place(m.spec.Bridges, st.to.spec.Bridges, m.places.bridges, &sp.Bridges,
			func(b *topology.Bridge) int64 { return b.ID }),
		veths: place(m.spec.Veths, st.to.spec.Veths, m.places.veths, &sp.Veths,
			func(v *topology.Veth) int64 { return v.A.ID }),
		routes: place(m.spec.Routes, st.to.spec.Routes, m.places.routes, &sp.Routes,
			func(r *topology.Route) topology.Route { return *r }),
	}
	return st
}

// renamed tells whether a bridge, or an end, goes by another name now, or its
// name by another link. Only then can an item that did not change itself, say a
// port with master br0, mean another row than before, or none. That a link is
// gone needs no such care: a reference left behind fails the transaction.
func renamed(before, after *topology.Spec) (bridges, ends bool) {
	byID, byName := map[int64]*link{}, map[linkName]*link{}
	for l := range links(before) {
		byID[l.ID], byName[l.linkName] = l, l
	}
	for l := range links(after) {
		for _, was := range []*link{byID[l.ID], byName[l.linkName]} {
			if was != nil && (was.ID != l.ID || was.linkName != l.linkName) {
				bridges = bridges || was.peer == nil
				ends = ends || was.peer != nil
			}
		}
	}
	return bridges, ends
}

// place gives the items of to their positions. One that was in from keeps its
// position if it still comes after its predecessor, so that an insertion or a
// deletion writes few other rows. Where the items of the span leave no room
// before the tail, the span grows to the end of the list.
func place[T any, K comparable](from, to []T, at []int64, s *span, key func(*T) K) []int64 {
	if s.Head+s.Tail == len(from) && len(from) == len(to) {
		return at
	}
	old := make(map[K]int64, len(from)-s.Head-s.Tail)
	for i := s.Head; i < len(from)-s.Tail; i++ {
		old[key(&from[i])] = at[i]
	}
	out := make([]int64, 0, len(to))
	out = append(out, at[:s.Head]...)
	var last int64
	if s.Head > 0 {
		last = at[s.Head-1]
	}
	for i := s.Head; i < len(to)-s.Tail; i++ {
		last++
		if was, ok := old[key(&to[i])]; ok && was > last {
			last = was
		}
		out = append(out, last)
	}
	tail := at[len(at)-s.Tail:]
	if len(tail) > 0 && last >= tail[0] {
		s.Tail = 0
		return place(from, to, at, s, key)
	}
	return append(out, tail...)
}
