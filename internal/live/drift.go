package live

import (
	"reflect"
	"slices"
	"time"

	"netdash/internal/topology"
)

// settleDelay is how long changes are gathered before the namespaces they are
// in are judged. When that took long it is not done again before settleRest times
// as long has passed, so that it takes a small share of the time whatever
// happens, but never later than after settleLimit.
const (
	settleDelay = 5 * time.Millisecond
	settleRest  = 5
	settleLimit = 25 * time.Millisecond
)

// drift is what is known of the differences between intended and observed.
// Links are judged one by one, as they are derived. What is missing, and what
// the differences of a namespace come to, is found out a moment later, for those
// namespaces in which something has happened (settle). Live.mu guards it.
type drift struct {
	view   topology.View
	claims map[topology.LinkRef]*link       // which observed link an intended one is
	astray map[topology.LinkRef]*link       // links that are not in their place, by where they are
	found  map[string][]topology.Difference // by namespace, as published; in none that is in sync
	total  int                              // of found
	dirty  map[string]parts                 // namespaces to settle
	named  map[string]*space                // by name
	rested time.Time                        // when to go on
}

func newDrift() drift {
	return drift{
		view:   topology.View{Astray: map[topology.LinkRef]topology.LinkRef{}, Blind: map[string]bool{}},
		claims: map[topology.LinkRef]*link{}, astray: map[topology.LinkRef]*link{}, found: map[string][]topology.Difference{},
		dirty: map[string]parts{}, named: map[string]*space{},
	}
}

// parts are what there is to settle in a namespace beside its links.
type parts uint8

const (
	routePart parts = 1 << iota
	fdbPart
	allParts = routePart | fdbPart
)

// lacks is what of a namespace's intentions is not there as it should be.
type lacks struct {
	own     []topology.Difference            // what belongs to no link that is there
	entries map[string][]topology.Difference // of each bridge's MAC table, by its intended name
	routes  []topology.Difference
	instead map[routeKey]bool // routes that have the place of an intended one

	// What is missing as it is shown.
	ghostLinks  map[string]*topology.Link
	ghostRoutes map[string]*topology.RouteState
	ghostFDB    map[string]*topology.FDBEntry
}

// mark notes that there is something to settle in a namespace.
func (l *Live) mark(namespace string, what parts) {
	if namespace == topology.HostName || l.intent.Namespace(namespace) || l.drift.found[namespace] != nil {
		l.drift.dirty[namespace] |= what
	}
}

// partsOf tells what an event makes necessary to settle.
func partsOf(e *topology.Event) parts {
	switch {
	case e.Route != nil:
		return routePart
	case e.FDB != nil:
		return fdbPart
	case e.Namespace != nil:
		return allParts
	}
	return 0
}

// settleIn gives how long to wait before settle is called, false if there is no
// need to.
func (l *Live) settleIn() (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ready || len(l.drift.dirty) == 0 {
		return 0, false
	}
	return max(settleDelay, time.Until(l.drift.rested)), true
}

// settle judges the namespaces in which something has happened. Where an
// operation is at work that is left to its End.
func (l *Live) settle() {
	if !l.ready || len(l.drift.dirty) == 0 {
		return
	}
	began := time.Now()
	for len(l.drift.dirty) > 0 { // what is shown anew may change others
		dirty := l.drift.dirty
		l.drift.dirty = map[string]parts{}
		for name, what := range dirty {
			if !l.runs(name) {
				l.settleNamespace(name, what)
			}
		}
	}
	now := time.Now()
	l.drift.rested = now.Add(min(settleRest*now.Sub(began), settleLimit))
}

func (l *Live) settleNamespace(name string, what parts) {
	l.settleGhost(name)
	s := l.drift.named[name]
	var found []topology.Difference
	switch {
	case s == nil:
		s = &space{name: name}
		if g := l.ghosts[name]; g != nil {
			found = append(found, g.Differences...)
		}
		for is := range l.intent.Links(name) {
			if x := l.drift.claims[is]; x != nil {
				found = append(found, x.object.Differences...)
			}
		}
	case s.incomplete == "":
		l.settleTables(s, what)
		found = l.settleLinks(s)
	default: // what seems to be missing may be there
		s.lacks.own, s.lacks.routes, s.lacks.entries = nil, nil, nil
		l.showMissingLinks(s, nil)
		l.showMissingRoutes(s, nil)
		l.showMissingFDB(s, nil)
	}
	l.publishDrift(s, found)
}

// settleLinks finds what is missing of a namespace's links, and gives all that
// it differs in.
func (l *Live) settleLinks(s *space) (found []topology.Difference) {
	d := &s.lacks
	d.own = nil
	at := make(map[string]*link, len(s.links))
	for _, x := range s.links {
		at[x.facts.Name] = x
	}
	for is := range l.intent.Links(s.name) {
		here := at[is.Name]
		if here != nil && here.is == nil {
			l.show(here) // which it may be, now that the one that was is gone
		}
		itself := l.drift.claims[is]
		if itself != nil {
			found = append(found, itself.object.Differences...)
		}
		switch {
		case here != nil && here.is == nil:
			found = append(found, here.object.Differences...)
		case itself == nil:
			d.own = append(d.own, topology.MissingLink(is))
		}
		if itself == nil {
			d.own = append(d.own, d.entries[is.Name]...) // shown with its bridge otherwise
		}
	}
	d.own = append(d.own, d.routes...)
	l.showMissingLinks(s, l.intent.MissingLinks(s.name, func(name string) bool {
		return at[name] != nil || l.drift.claims[topology.LinkRef{Namespace: s.name, Name: name}] != nil
	}))
	return append(found, d.own...)
}

// settleTables judges the routes and the MAC tables of a namespace.
func (l *Live) settleTables(s *space, what parts) {
	d := &s.lacks
	if what&routePart != 0 {
		routes, missing, instead := l.intent.Routes(s.name, objects(s.routes), &l.drift.view)
		was := d.instead
		d.routes, d.instead = routes, map[routeKey]bool{}
		for k, r := range s.routes {
			if r.object != nil && slices.Contains(instead, r.object) {
				d.instead[k] = true
			}
			if d.instead[k] != was[k] {
				l.showRoute(s, r)
			}
		}
		l.showMissingRoutes(s, missing)
	}
	if what&fdbPart != 0 {
		byBridge, missing := l.intent.FDB(s.name, objects(s.fdb), &l.drift.view)
		was := d.entries
		d.entries = byBridge
		for is := range l.intent.Links(s.name) {
			if x := l.drift.claims[is]; x != nil && !reflect.DeepEqual(was[is.Name], byBridge[is.Name]) {
				l.show(x)
			}
		}
		l.showMissingFDB(s, missing)
	}
}

// publishDrift publishes what a namespace differs in, if that is not what it
// was.
func (l *Live) publishDrift(s *space, found []topology.Difference) {
	d := &l.drift
	old := d.found[s.name]
	d.total += len(found) - len(old)
	if delete(d.found, s.name); len(found) > 0 {
		d.found[s.name] = found
	}
	if s.headShown != nil {
		if n := l.head(s); !reflect.DeepEqual(*s.headShown, n) {
			s.headShown = &n
			l.announce(s, &topology.Event{Type: "namespace.changed", Namespace: &n})
		}
	}
	if len(old) == 0 && len(found) == 0 || reflect.DeepEqual(old, found) {
		return
	}
	if found == nil {
		found = []topology.Difference{} // for JSON
	}
	l.announce(s, &topology.Event{Type: "drift.changed", Drift: &topology.DriftEvent{
		Namespace: s.name, Differences: found, InSync: d.total == 0, Total: d.total,
	}})
}

// settleAll settles everything, once the first look is finished.
func (l *Live) settleAll() {
	l.mark(topology.HostName, allParts)
	for name := range l.intent.Namespaces() {
		l.mark(name, allParts)
	}
	l.settle()
}

// showBlind judges anew what depends on whether a namespace is incomplete: its
// links, and the peers of those that are intended there.
func (l *Live) showBlind(s *space) {
	delete(l.drift.view.Blind, s.name)
	if s.incomplete != "" {
		l.drift.view.Blind[s.name] = true
	}
	l.deriveAll(s)
	for is := range l.intent.Links(s.name) {
		if end, ok := l.intent.Peer(is); ok && l.drift.claims[end] != nil {
			l.show(l.drift.claims[end])
		}
	}
}

// unname forgets what a namespace was called.
func (l *Live) unname(s *space, name string) {
	if l.drift.named[name] == s {
		delete(l.drift.named, name)
		delete(l.drift.view.Blind, name)
		l.mark(name, allParts)
	}
}
