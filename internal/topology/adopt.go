package topology

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Adoption is what an adoption takes into the Spec, or a release out of it.
type Adoption struct {
	Subjects []string  `json:"subjects" doc:"All that is taken: namespaces, bridges, veth ends, static MAC table entries, routes."`
	Warnings []Warning `json:"warnings" doc:"What is not taken, or not whole, and why."`
}

// Warning is a remark on an object.
type Warning struct {
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// Namespaces lists the namespaces that what is taken lies in.
func (a *Adoption) Namespaces() []string {
	var out []string
	for _, s := range a.Subjects {
		object, _, _ := strings.Cut(s, " ")
		namespace, _, _ := strings.Cut(object, "/")
		out = append(out, namespace)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (a *Adoption) warn(subject, format string, args ...any) {
	a.Warnings = append(a.Warnings, Warning{subject, fmt.Sprintf(format, args...)})
}

// Adopt gives the Spec with foreign objects taken into it, as they are observed:
// "B" is a namespace with everything in it, "B/eth0" a bridge, or a veth pair by
// either end, with the routes that leave by it. What it gives differs in nothing from what is observed, so that
// nothing has to be done to make it true. s is not changed.
//
// What a Spec cannot hold stays foreign, with a Warning, or with an error if it
// was named itself. An error of code not_managed names, in its hint, what has to
// be adopted together with it.
func Adopt(s *Spec, observed *Snapshot, subjects []string) (*Spec, *Adoption, error) {
	a := &adopter{
		spec: s.Clone(), observed: observed, Adoption: &Adoption{Subjects: []string{}, Warnings: []Warning{}},
		find: newLookup(s), links: map[linkKey]bool{}, adopted: map[linkKey]bool{}, named: map[linkKey]int{},
	}
	for i, subject := range subjects {
		a.name(i, subject)
	}
	for _, c := range a.candidates {
		if c.link.Kind == kindBridge {
			a.bridge(c)
		}
	}
	for _, c := range a.candidates {
		if c.link.Kind == kindVeth {
			a.veth(c)
		}
	}
	for _, c := range a.candidates {
		if c.link.Kind == kindBridge && a.took(c.link) {
			a.ports(c)
		}
	}
	a.find = newLookup(a.spec)
	for _, n := range observed.Namespaces {
		a.routes(n)
	}
	if err := a.problem(subjects); err != nil {
		return nil, nil, err
	}
	for _, subject := range subjects {
		a.managedAlready(subject)
	}
	if err := Validate(a.spec); err != nil {
		return nil, nil, err
	}
	return a.spec, a.Adoption, nil
}

// AdoptCall writes the API call that adopts something, for hints.
func AdoptCall(subjects ...string) string {
	return `POST /api/v1/topology/adopt {"subjects": ["` + strings.Join(subjects, `", "`) + `"]}`
}

// adopter collects what an adoption comes to.
type adopter struct {
	*Adoption
	spec     *Spec // with what has been adopted so far
	observed *Snapshot
	find     *lookup // of spec before, or after all links are adopted

	whole      []*NamespaceState // adopted with everything in them
	candidates []candidate
	links      map[linkKey]bool // that are candidates
	adopted    map[linkKey]bool // that have been
	named      map[linkKey]int  // candidates that are subjects, by their place there

	fields []FieldError // what is wrong with the subjects
	first  *Error       // of these
	needs  []string     // subjects that are lacking
}

// candidate is an observed link that may be adopted.
type candidate struct {
	space *NamespaceState
	link  *Link
}

func (o *Link) key() linkKey { return linkKey{o.Namespace, o.Name} }

// took tells whether an observed link is in the Spec, if under another name.
func (a *adopter) took(o *Link) bool {
	return o.Intended != nil || a.spec.hasLink(o.Namespace, o.Name)
}

func (a *adopter) take(o *Link) {
	a.adopted[o.key()] = true
	a.Subjects = append(a.Subjects, o.key().String())
}

func (a *adopter) fail(i int, e *Error) {
	a.fields = append(a.fields, FieldError{Pointer: fmt.Sprintf("/subjects/%d", i), Detail: e.Detail})
	if a.first == nil {
		a.first = e
	}
}

// need notes that something else has to be adopted too.
func (a *adopter) need(subject, of, format string, args ...any) {
	f := FieldError{Pointer: "/subjects", Detail: of + " " + fmt.Sprintf(format, args...)}
	if !slices.Contains(a.fields, f) {
		a.fields = append(a.fields, f)
	}
	if !slices.Contains(a.needs, subject) {
		a.needs = append(a.needs, subject)
	}
	if a.first == nil {
		a.first = Errorf(CodeNotManaged, subject, "%s is not managed, but has to be", subject)
	}
}

// problem is the error that all that was wrong makes together, nil if nothing
// was.
func (a *adopter) problem(subjects []string) error {
	if a.first == nil {
		return nil
	}
	e := *a.first
	e.Fields = a.fields
	if e.Code == CodeNotManaged {
		e.Hint = "adopt them together: " + AdoptCall(append(slices.Clone(subjects), a.needs...)...)
	}
	return &e
}

// name notes what a subject stands for.
func (a *adopter) name(i int, subject string) {
	namespace, name, isLink := strings.Cut(subject, "/")
	n := a.observed.Namespace(namespace)
	switch {
	case subject == "" || strings.Contains(subject, " ") || isLink && name == "":
		a.fail(i, Errorf(CodeInvalid, subject, "a subject is a namespace or a link, as in B or B/eth0"))
	case n == nil || n.Sync == Missing:
		a.fail(i, Errorf(CodeNotFound, subject, "there is no namespace %s", namespace).
			WithHint("netdash sees those that have a name, a process or a mount; one of a process gets a name with: ip netns attach NAME PID"))
	case n.Incomplete != "":
		a.fail(i, incompleteSubject(subject, n))
	case isLink:
		a.nameLink(i, n, name)
	case n.Name == HostName:
		a.fail(i, Errorf(CodeInvalid, HostName, "the host cannot be adopted, only links of it").WithHint("name them, as in host/br0"))
	default:
		a.namespace(i, n)
	}
}

func incompleteSubject(subject string, n *NamespaceState) *Error {
	return Errorf(CodeIncomplete, subject, "not all of %s could be read: %s", n.Name, n.Incomplete)
}

func (a *adopter) nameLink(i int, n *NamespaceState, name string) {
	o := n.Link(name)
	subject := n.Name + "/" + name
	switch {
	case o == nil || o.Sync == Missing:
		a.fail(i, Errorf(CodeNotFound, subject, "there is no link %s in %s", name, n.Name))
	case o.Kind == kindLoopback && n.Name == HostName:
		a.fail(i, Errorf(CodeInvalid, subject, "the host's loopback link cannot be adopted"))
	case o.Kind == kindLoopback:
		a.fail(i, Errorf(CodeInvalid, subject, "the loopback link is adopted with its namespace"))
	case o.Intended == nil && !o.Managed && a.took(o):
		a.fail(i, Errorf(CodeConflict, subject, "%s has the name of an intended link, and is another", subject).
			WithHint("rename it, or release the intended one"))
	case !a.took(o):
		if _, twice := a.named[o.key()]; !twice {
			a.named[o.key()] = i
		}
		a.candidate(n, o)
	}
}

// namespace adopts a namespace, and makes what is foreign in it candidates.
func (a *adopter) namespace(i int, n *NamespaceState) {
	if slices.Contains(a.whole, n) {
		return
	}
	if problem := n.nameProblem(); problem != "" {
		a.fail(i, Errorf(CodeInvalid, n.Name, "the namespace cannot be managed: %s", problem).WithHint("%s", n.attachHint()))
		return
	}
	if a.spec.FindNamespace(n.Name) == nil && !a.addNamespace(i, n) {
		return
	}
	a.whole = append(a.whole, n)
	for _, o := range n.Links {
		if o.Kind != kindLoopback && o.Sync != Missing && !a.took(o) {
			a.candidate(n, o)
		}
	}
}

// nameProblem tells why a namespace cannot be managed by what it is called, empty
// if it can.
func (n *NamespaceState) nameProblem() string {
	if n.Name == n.ID {
		return "it has no name it could be managed by"
	}
	if problem := NamespaceNameProblem(n.Name); problem != "" {
		return "its name " + problem
	}
	return ""
}

// attachHint says how to give a namespace a name.
func (n *NamespaceState) attachHint() string {
	pid := "PID, with the number of a process in it"
	if len(n.Processes) > 0 {
		pid = strconv.Itoa(n.Processes[0].PID)
	}
	return "give it one under /run/netns: ip netns attach NAME " + pid
}

func (a *adopter) addNamespace(i int, n *NamespaceState) bool {
	space := Namespace{Name: n.Name}
	if lo := n.Link(LoopbackName); lo != nil {
		space.LoopbackAddresses = a.addresses(lo)
		if !lo.AdminUp {
			space.LoopbackUp = ptr(false)
		}
	}
	if problem := refused(&Spec{Namespaces: []Namespace{space}}); problem != "" {
		a.fail(i, Errorf(CodeInvalid, n.Name+"/"+LoopbackName, "a Spec cannot hold its loopback link: %s", problem))
		return false
	}
	a.spec.Namespaces = append(a.spec.Namespaces, space)
	a.Subjects = append(a.Subjects, n.Name)
	for _, other := range n.Names {
		if other != n.Name {
			a.warn(n.Name, "is also called %s, a name that netdash leaves alone", other)
		}
	}
	return true
}

// candidate notes a link, and says of one that no Spec can hold that it stays.
func (a *adopter) candidate(n *NamespaceState, o *Link) {
	if a.links[o.key()] {
		return
	}
	a.links[o.key()] = true
	if o.Kind == kindBridge || o.Kind == kindVeth {
		a.candidates = append(a.candidates, candidate{n, o})
		return
	}
	a.stays(o, "it is of kind %s; a Spec holds bridges and veth pairs", o.Kind)
}

// stays says why a link cannot be adopted: with an error if it was named.
func (a *adopter) stays(o *Link, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if i, named := a.named[o.key()]; named {
		a.fail(i, Errorf(CodeInvalid, o.key().String(), "%s cannot be adopted: %s", o.key(), reason))
		return
	}
	a.warn(o.key().String(), "stays foreign: %s", reason)
}

// managedAlready notes that a subject was in the Spec before.
func (a *adopter) managedAlready(subject string) {
	namespace, name, _ := strings.Cut(subject, "/")
	n := a.observed.Namespace(namespace)
	if name != "" {
		if o := n.Link(name); !a.links[o.key()] {
			a.warn(o.key().String(), "is managed already")
		}
		return
	}
	inside := func(taken string) bool {
		return taken == n.Name || strings.HasPrefix(taken, n.Name+"/") || strings.HasPrefix(taken, n.Name+" ")
	}
	if !slices.ContainsFunc(a.Subjects, inside) {
		a.warn(n.Name, "is managed already, with everything in it that can be")
	}
}
