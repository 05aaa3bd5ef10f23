package live

import (
	"fmt"
	"reflect"

	"netdash/internal/topology"
)

// What is intended and not there is shown as well: as ghosts, marked missing.

// settleGhost shows an intended namespace that is missing, or shows it no
// longer.
func (l *Live) settleGhost(name string) {
	if !l.ready {
		return
	}
	old := l.ghosts[name]
	var g *topology.NamespaceState
	if l.intent.Namespace(name) && l.drift.named[name] == nil && !l.runs(name) {
		g = l.intent.MissingNamespace(name, func(link string) bool {
			return l.drift.claims[topology.LinkRef{Namespace: name, Name: link}] != nil
		})
	}
	if reflect.DeepEqual(old, g) {
		return
	}
	e := &topology.Event{Type: "namespace.changed", Namespace: g}
	if old == nil {
		e.Type = "namespace.added"
	}
	l.ghosts[name] = g
	if g == nil {
		delete(l.ghosts, name)
		e = &topology.Event{Type: "namespace.removed", Namespace: old}
	}
	l.mark(name, allParts)
	l.announce(&space{name: name}, e)
}

func (l *Live) showMissingLinks(s *space, missing []*topology.Link) {
	showMissing(s.lacks.ghostLinks, missing, func(g *topology.Link) string { return g.Name }, func(verb string, g *topology.Link) {
		l.announce(s, &topology.Event{Type: "link." + verb, Link: g})
	})
}

func (l *Live) showMissingRoutes(s *space, missing []*topology.RouteState) {
	key := func(r *topology.RouteState) string { return fmt.Sprint(r.Family, r.Destination, " ", r.Metric) }
	showMissing(s.lacks.ghostRoutes, missing, key, func(verb string, r *topology.RouteState) {
		l.announce(s, &topology.Event{Type: "route." + verb, Route: r})
	})
}

func (l *Live) showMissingFDB(s *space, missing []*topology.FDBEntry) {
	key := func(e *topology.FDBEntry) string { return fmt.Sprint(e.Bridge, " ", e.MAC, " ", e.VLAN) }
	showMissing(s.lacks.ghostFDB, missing, key, func(verb string, e *topology.FDBEntry) {
		l.announce(s, &topology.Event{Type: "fdb." + verb, FDB: e})
	})
}

// showMissing brings what is shown as missing in step with what is. One that is
// to be shown otherwise is another: who is told tells them apart by their fields.
func showMissing[O any](shown map[string]*O, missing []*O, key func(*O) string, tell func(verb string, o *O)) {
	keep := make(map[string]bool, len(missing))
	for _, o := range missing {
		k := key(o)
		keep[k] = true
		old := shown[k]
		if old != nil && reflect.DeepEqual(old, o) {
			continue
		}
		if old != nil {
			tell("removed", old)
		}
		shown[k] = o
		tell("added", o)
	}
	for k, o := range shown {
		if !keep[k] {
			delete(shown, k)
			tell("removed", o)
		}
	}
}
