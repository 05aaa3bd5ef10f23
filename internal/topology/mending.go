package topology

import (
	"slices"
	"strconv"
)

// Mending is what leads the observed topology, or a part of it, back to the
// intended one.
type Mending struct {
	Plan Plan
	// Concerned are the namespaces, in order, whose observation decided: those of
	// all that is to be mended, and of the other ends of its veths.
	Concerned []string
	// Obstacles are Errors of code conflict: links and routes that netdash does not
	// manage and that have the name or the place of an intended one. All else is
	// mended.
	Obstacles []error

	intent   *Intent
	subjects []string
	mender   *mender
}

// DriftOf is Drift of some objects only, named as Differences name them: "A" is
// a namespace with all in it, "A/eth0" a link with its addresses, the routes that
// leave by it and the static entries that hang on it; "A/eth0 10.0.0.1/24",
// "A 10.0.0.0/8" and "A/br0 02:00:00:00:00:09" are one address (also one that is
// there and should not be), route and entry.
// "host" is all that is intended there; without subjects it is about everything.
//
// What a subject cannot be mended without is taken along: the namespace of a
// link; the other end of a veth that has to be made anew, the ports of such a
// bridge; the bridge of a port, the link of a route. Nothing else is touched, and
// nothing in a namespace whose observation is incomplete.
//
// A subject that is malformed gives an Error of code invalid, one that names
// nothing intended (or a route whose link is intended to be down) one of code
// not_found. x is of a Spec as it is stored: what is made anew gets the MAC that
// is remembered there.
func (x *Intent) DriftOf(observed *Snapshot, subjects []string) (*Mending, error) {
	m := newMender(x, observed)
	if err := m.name(subjects); err != nil {
		return nil, err
	}
	m.reach()
	return &Mending{
		Plan: plan(m.from(), m.to()), Concerned: m.concerned(), Obstacles: m.obstaclesOf(), intent: x, subjects: subjects, mender: m,
	}, nil
}

// Unmet lists, as sentences, in what the observed topology is not what the Plan
// was to bring about. What it is not about, what an obstacle stands for and what
// it had nothing to do with does not count.
func (m *Mending) Unmet(observed *Snapshot) []string {
	t := touched(m.Plan)
	t.spread(m.mender.want)
	var out []string
	for _, d := range m.intent.Differences(observed, m.Plan.Namespaces()...) {
		if t.concerns(m.Plan, d.Subject) && m.mender.mends(d) {
			out = append(out, d.String())
		}
	}
	return out
}

// Again is DriftOf of the same subjects, for what is observed now.
func (m *Mending) Again(observed *Snapshot) (*Mending, error) {
	return m.intent.DriftOf(observed, m.subjects)
}

// Mends tells whether the Plan is to mend a difference.
func (m *Mending) Mends(d Difference) bool { return m.mender.mends(d) }

// Blocks tells whether a step is about a link or a namespace that these steps
// were to make or to put in its place: had they failed, it would fail too, or be
// done to something else of that name.
func (p Plan) Blocks(c Change) bool {
	structural := slices.DeleteFunc(slices.Clone(p), func(c Change) bool {
		switch c.(type) {
		case CreateNamespace, CreateBridge, CreateVeth, DeleteLink, Rename, Move:
			return false
		}
		return true
	})
	broken, about := touched(structural), touched(Plan{c})
	if set, ok := c.(SetMaster); ok {
		about.links[linkKey{set.Namespace, set.Master}] = true
	}
	for k := range about.links {
		if broken.has(k) {
			return true
		}
	}
	return false
}

// Uses tells whether anything is intended in a namespace.
func (x *Intent) Uses(namespace string) bool {
	part := x.in(namespace)
	return x.Namespace(namespace) || len(part.links) > 0
}

// name notes what the subjects name.
func (m *mender) name(subjects []string) error {
	if len(subjects) == 0 {
		m.objects.namespaces[HostName] = true
		for _, n := range m.want.namespaces {
			m.objects.namespaces[n] = true
		}
		return nil
	}
	var malformed []FieldError
	var unknown error
	for i, text := range subjects {
		s, problem := parseSubject(text)
		switch {
		case problem != "":
			malformed = append(malformed, FieldError{Pointer: "/subjects/" + strconv.Itoa(i), Detail: problem})
		case !m.intends(s) && unknown == nil:
			unknown = Errorf(CodeNotFound, text, "there is nothing intended of that name")
		case s.part != "":
			m.parts[s.String()] = true
		case s.link != "":
			m.objects.links[s.key()] = true
		default:
			m.objects.namespaces[s.namespace] = true
		}
	}
	if malformed != nil {
		return &Error{Code: CodeInvalid, Detail: "the request is not valid", Fields: malformed}
	}
	return unknown
}

// intends tells whether a subject names something intended.
func (m *mender) intends(s subject) bool {
	switch {
	case s.link == "" && s.part == "":
		return slices.Contains(m.want.namespaces, s.namespace) ||
			slices.ContainsFunc(m.want.links, func(l *link) bool { return l.namespace == s.namespace })
	case s.link == "":
		return slices.ContainsFunc(m.want.routes, func(r Route) bool { return r.subject() == s.String() })
	}
	w := m.want.link(s.key())
	if w == nil || s.part == "" {
		return w != nil
	}
	h := m.seen[w]
	return slices.Contains(w.addresses, s.part) || h != nil && slices.Contains(h.addresses, s.part) ||
		slices.ContainsFunc(m.want.fdb, func(e fdbItem) bool { return e.subject() == s.String() })
}
