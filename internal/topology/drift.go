package topology

import (
	"fmt"
	"slices"
)

// Difference is one way in which the observed topology is not the intended
// one. Without a Field the whole object differs.
type Difference struct {
	// Subject is where the object is intended, wherever it is now.
	Subject  string `json:"subject" doc:"The intended object: A, A/eth0, A/eth0 10.1.0.1/24, a route A 10.0.0.0/8, a MAC table entry A/br0 02:…."`
	Kind     string `json:"kind" enum:"missing,changed,unexpected" doc:"unexpected: on a managed link, but not intended."`
	Field    string `json:"field,omitempty" doc:"What of it, as its field is called; absent where the whole object differs."`
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
		return d.Subject + " is not intended"
	}
	return fmt.Sprintf("%s: %s is %v, intended is %v", d.Subject, d.Field, d.Observed, d.Intended)
}

// Drift gives the Plan that makes the observed topology the intended one. It
// touches managed objects only, and nothing in a namespace whose observation is
// incomplete. A link that went elsewhere (Link.Intended) is brought back. What
// is not managed but has an intended name is left alone: Obstacle tells of it.
func Drift(intended *Spec, observed *Snapshot) Plan {
	want := flatten(intended)
	want.number()
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
	t.occupants = occupy(want, other, done)
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
	*occupants // of a repair: who is where
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
	t := &touchedSet{namespaces: map[string]bool{}, links: map[linkKey]bool{}}
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
			k := changes(c)
			add(k.namespace, k.name)
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
