package store

import (
	"iter"
	"slices"

	"netdash/internal/topology"
)

// linkName is what a link is called by in a Spec.
type linkName struct {
	namespace, name string
}

// link is what identification needs of a bridge or of an end of a pair.
type link struct {
	*topology.Identity
	linkName
	peer   *link // nil for a bridge
	stored *link // of a new Spec's link: the stored link it is
	taken  bool  // of a stored link: it is one of the new Spec's
}

// links gives a Spec's links: the bridges, then ends a and b of each pair.
func links(s *topology.Spec) iter.Seq[*link] {
	return func(yield func(*link) bool) {
		for i := range s.Bridges {
			b := &s.Bridges[i]
			if !yield(&link{Identity: &b.Identity, linkName: linkName{b.Namespace, b.Name}}) {
				return
			}
		}
		for i := range s.Veths {
			a, b := endLink(&s.Veths[i].A), endLink(&s.Veths[i].B)
			a.peer, b.peer = b, a
			if !yield(a) || !yield(b) {
				return
			}
		}
	}
}

func endLink(e *topology.End) *link {
	return &link{Identity: &e.Identity, linkName: linkName{e.Namespace, e.Name}}
}

// is makes l the stored link, unless there is none, it is of another kind, or
// another link is it already.
func (l *link) is(stored *link) bool {
	if stored == nil || stored.taken || (stored.peer == nil) != (l.peer == nil) {
		return false
	}
	stored.taken = true
	l.stored, l.ID = stored, stored.ID
	return true
}

// identify gives each link in after its id: the one it comes with, if a stored
// link of its kind has it; else that of the stored link it goes by the name of;
// else a new one. Two ends are taken for stored ones by their names only both
// together: a veth with another peer is another veth. before and after are the
// parts in which the stored Spec and its successor differ. It answers the
// highest id given so far.
func (m image) identify(before, after *topology.Spec) int64 {
	byID, byName := map[int64]*link{}, map[linkName]*link{}
	for l := range links(before) {
		byID[l.ID], byName[l.linkName] = l, l
	}
	wanted := slices.Collect(links(after))
	for _, l := range wanted {
		if l.ID != 0 {
			l.is(byID[l.ID])
		}
	}
	var unknown []*link
	for _, l := range wanted {
		switch {
		case l.stored != nil:
		case l.peer == nil:
			l.is(byName[l.linkName])
		case l.peer.stored != nil: // a pair keeps its peers, whatever they are called
			l.is(l.peer.stored.peer)
		default:
			a, b := byName[l.linkName], byName[l.peer.linkName]
			if a != nil && b != nil && a.peer == b && !b.taken && l.is(a) {
				l.peer.is(b)
			}
		}
		if l.stored == nil {
			unknown = append(unknown, l)
		}
	}
	return m.issue(unknown)
}

// issue gives ids to links that are not stored. One that comes with an id, as
// from a Spec of former times, gets that back unless it is taken.
func (m image) issue(links []*link) int64 {
	last := m.lastLink
	fresh := links
	if slices.ContainsFunc(links, func(l *link) bool { return l.ID != 0 }) {
		fresh = nil
		taken := m.ids()
		for _, l := range links {
			if l.ID == 0 || taken[l.ID] {
				fresh = append(fresh, l)
				continue
			}
			taken[l.ID] = true
			last = max(last, l.ID)
		}
	}
	for _, l := range fresh {
		last++
		l.ID = last
	}
	return last
}

func (m image) ids() map[int64]bool {
	ids := map[int64]bool{}
	for l := range links(m.spec) {
		ids[l.ID] = true
	}
	return ids
}
