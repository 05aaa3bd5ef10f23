package topology

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Conflict says why an edit cannot be taken back: something that was done later
// stands on it, or in its way.
type Conflict struct {
	Subject string // the object, as it is called now: "A/eth0"
	Detail  string // in words, the object included: "A/eth1 is in namespace A"
	// facts are what a later edit must have changed to be to blame: the first, or,
	// if none has, one of the others.
	facts []fact
}

// fact is something about the objects of one side of a Delta, in which links
// are referred to by their ids.
type fact func(*Spec) any

// Guilt is what a later edit has to do with a Conflict.
type Guilt int

// The values of Guilt. Where one edit is directly to blame, those that are
// indirectly so do not count.
const (
	Innocent   Guilt = iota
	Indirectly       // it changed what the object needs
	Directly         // it changed the object itself
)

// Blame tells what the edit that d is of has to do with each of the conflicts.
func Blame(conflicts []Conflict, d *Delta) []Guilt {
	before, after := d.sidesByID()
	out := make([]Guilt, len(conflicts))
	for i, c := range conflicts {
		for j, f := range c.facts {
			if !reflect.DeepEqual(f(before), f(after)) {
				out[i] = Indirectly
				if j == 0 {
					out[i] = Directly
				}
				break
			}
		}
	}
	return out
}

// sidesByID is sides with the ids of links in the place of their names wherever
// they are referred to.
func (d *Delta) sidesByID() (before, after *Spec) {
	before, after = d.sides()
	before, after = before.Clone(), after.Clone()
	for _, side := range []struct {
		*Spec
		ids map[string]int64
	}{{before, d.BeforeIDs}, {after, d.AfterIDs}} {
		for namespace, name := range side.references() {
			if id := side.ids[linkKey{namespace, *name}.String()]; id != 0 {
				*name = "#" + strconv.FormatInt(id, 10)
			}
		}
	}
	return before, after
}

// conflict notes that a field of an object, or the object itself, is not as the
// edit left it. refers names the link it referred to then, if it did.
func (r *reverter) conflict(o object, field, refers, detail string) {
	facts := append([]fact{o.facts(field)}, r.called(refers)...)
	r.conflicts = append(r.conflicts, Conflict{o.subject, detail, facts})
}

// called are the links of a name that the edit knew, by their ids.
func (r *reverter) called(name string) []fact {
	var facts []fact
	for _, ids := range []map[string]int64{r.delta.BeforeIDs, r.delta.AfterIDs} {
		for k, id := range ids {
			if name != "" && strings.HasSuffix(k, "/"+name) {
				facts = append(facts, linkFact(id, "namespace"), linkFact(id, "name"))
			}
		}
	}
	return facts
}

// judge makes Conflicts of what is wrong with the Spec in the end. It was right
// before, so each is about something that comes back and finds its place taken
// or what it needs gone, or about something later that loses what it needs.
func (r *reverter) judge(problem error) {
	e, ok := errors.AsType[*Error](problem)
	if !ok {
		return
	}
	before, after := r.delta.sidesByID()
	for _, f := range e.Fields {
		c := r.conflictAt(strings.Split(f.Pointer, "/")[1:], f.Detail)
		if own := c.facts[0]; !reflect.DeepEqual(own(before), own(after)) {
			c.Detail = fmt.Sprintf("%s cannot be put back: %s", c.Subject, f.Detail)
		}
		r.conflicts = append(r.conflicts, c)
	}
}

// conflictAt makes a Conflict of what Validate says of the place in s that the
// parts of a pointer lead to. Its first fact is what is there.
func (r *reverter) conflictAt(at []string, problem string) Conflict {
	s := r.spec
	i, _ := strconv.Atoi(at[1]) // Validate's own
	switch at[0] {
	case "routes":
		route := s.Routes[i]
		facts := append([]fact{
			func(s *Spec) any { return s.routeAt(route.key()) },
			namespaceFact(route.Namespace, ""), nameFact(linkKey{route.Namespace, route.Link}), carriersFact(route),
		}, r.called(route.Link)...)
		before, _ := r.delta.sides()
		for id, k := range before.linkNames() { // by which it was reached
			if k.namespace == route.Namespace {
				facts = append(facts, linkFact(id, "namespace"), linkFact(id, "addresses"))
			}
		}
		detail := fmt.Sprintf("the route %s needs it: %s", route.subject(), problem)
		if at[2] == "namespace" {
			detail = fmt.Sprintf("the route %s is in %s", route.subject(), route.Namespace)
		}
		return Conflict{route.subject(), detail, facts}
	case "bridges":
		b := &s.Bridges[i]
		c := r.linkConflict(b.Namespace, b.Name, b.ID, at[2:], problem)
		if at[2] == "fdb" {
			j, _ := strconv.Atoi(at[3])
			c.atPort(b, b.FDB[j])
			c.facts = append(c.facts, r.called(b.FDB[j].Port)...)
		}
		return c
	case "veths":
		e := &s.Veths[i].A
		if at[2] == "b" {
			e = &s.Veths[i].B
		}
		c := r.linkConflict(e.Namespace, e.Name, e.ID, at[3:], problem)
		if at[3] == "master" {
			c.atMaster(e)
			c.facts = append(c.facts, r.called(e.Master)...)
		}
		return c
	}
	n := s.Namespaces[i]
	return Conflict{n.Name, n.Name + ": " + problem, []fact{namespaceFact(n.Name, ""), namespaceFact(n.Name, at[2])}}
}

func (r *reverter) linkConflict(namespace, name string, id int64, at []string, problem string) Conflict {
	k := linkKey{namespace, name}
	c := Conflict{k.String(), k.String() + ": " + problem, []fact{linkFact(id, at[0])}}
	switch at[0] {
	case "namespace":
		c.Detail = fmt.Sprintf("%s is in %s", k, namespace)
		c.facts = append(c.facts, namespaceFact(namespace, ""))
	case "name":
		c.Detail = fmt.Sprintf("there is another %s by now", k)
		c.facts = append(c.facts, nameFact(k))
		for id, name := range r.spec.linkNames() {
			if name == k { // both of them
				c.facts = append(c.facts, linkFact(id, "namespace"), linkFact(id, "name"))
			}
		}
	case "addresses":
		c.facts = append(c.facts, linkFact(id, "mtu"))
	}
	return c
}

func (c *Conflict) atMaster(e *End) {
	k := linkKey{e.Namespace, e.Master}
	c.Detail = fmt.Sprintf("%s is a port of %s", c.Subject, k)
	c.facts = append(c.facts, nameFact(k), linkFact(e.ID, "namespace"), linkFact(e.ID, "name"), func(s *Spec) any { // a bridge takes only so many
		ports := 0
		for i := range s.Veths {
			for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
				if e.Namespace == k.namespace && e.Master != "" {
					ports++
				}
			}
		}
		return ports
	})
}

func (c *Conflict) atPort(b *Bridge, f FDBSpec) {
	c.Detail = fmt.Sprintf("the MAC table of %s has an entry for %s on %s", c.Subject, f.MAC, f.Port)
	k := linkKey{b.Namespace, f.Port}
	c.facts = append(c.facts, nameFact(k), func(s *Spec) any {
		if e := s.FindEnd(k.namespace, k.name); e != nil {
			return e.Master
		}
		return nil
	})
}

// The facts there are. What is not there is nil; with no field a fact is only
// whether something is there.

func labFact(field string) fact {
	return func(s *Spec) any { return fieldNamed(reflect.ValueOf(labFields{s.Name, s.IPv6}), field) }
}

func namespaceFact(name, field string) fact {
	return func(s *Spec) any {
		if n := s.FindNamespace(name); n != nil {
			return fieldNamed(reflect.ValueOf(*n), field)
		}
		return nil
	}
}

func routeFact(key routeKey, field string) fact {
	return func(s *Spec) any {
		if r := s.routeAt(key); r != nil {
			return fieldNamed(reflect.ValueOf(*r), field)
		}
		return nil
	}
}

func (s *Spec) routeAt(key routeKey) *Route {
	if i := slices.IndexFunc(s.Routes, func(r Route) bool { return r.key() == key }); i >= 0 {
		return &s.Routes[i]
	}
	return nil
}

func linkFact(id int64, field string) fact {
	return func(s *Spec) any {
		for i := range s.Bridges {
			if b := &s.Bridges[i]; b.ID == id {
				return fieldNamed(reflect.ValueOf(*b), field)
			}
		}
		for i := range s.Veths {
			for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
				if e.ID == id {
					return fieldNamed(reflect.ValueOf(*e), field)
				}
			}
		}
		return nil
	}
}

// nameFact is which link has a name.
func nameFact(k linkKey) fact {
	return func(s *Spec) any { return s.linkIDs()(k) }
}

// carriersFact is by which addresses a route's gateway can be reached.
func carriersFact(r Route) fact {
	gateway, _ := netip.ParseAddr(r.Gateway) // the zero one is in no network
	return func(s *Spec) any {
		var out []string
		for _, l := range newLookup(s).carriers[r.Namespace] {
			for _, p := range l.networks {
				if p.Contains(gateway) && (r.Link == "" || r.Link == l.name) {
					out = append(out, p.String())
				}
			}
		}
		return out
	}
}

// value is what a field has; it tells an unset one from an object that is not
// there.
type value struct{ of any }

// fieldNamed reads a field by its name in JSON, "bridge_port.hairpin" for one
// inside another.
func fieldNamed(v reflect.Value, name string) any {
	outer, inner, nested := strings.Cut(name, ".")
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Type == reflect.TypeFor[Identity]():
		case f.Anonymous:
			if found := fieldNamed(v.Field(i), name); found != (value{}) {
				return found
			}
		case jsonName(f) != outer:
		case !nested:
			return value{v.Field(i).Interface()}
		case v.Field(i).IsNil():
			return value{}
		default:
			return fieldNamed(v.Field(i).Elem(), inner)
		}
	}
	return value{}
}
