package topology

import (
	"fmt"
	"reflect"
	"strings"
)

// Revert takes the edit that d is of back in a later Spec, and only that edit:
// what else has changed since stays. It goes by fields, and in lists by
// elements:
//
//   - a field the edit changed is again what it was;
//   - an object the edit made goes, one it deleted comes back, with its Identity
//     and to its old place as nearly as that still is one;
//   - a link is known by its id, whatever it is called by now.
//
// What was done later on top of the edit is not taken along: each such thing is
// a Conflict, and then there is no Spec. Neither current nor d is changed.
func Revert(current *Spec, d *Delta) (*Spec, []Conflict) {
	r := &reverter{spec: current.Clone(), delta: d}
	s := r.spec
	d = r.rename(d)
	if d.Lab != nil {
		lab := labFields{s.Name, s.IPv6}
		r.object(object{"the lab", labFact}, &lab, d.Lab.Before, d.Lab.After)
		s.Name, s.IPv6 = lab.Name, lab.IPv6
	}
	s.Namespaces = revertList(s.Namespaces, d.Namespaces, namespaceKind, r.namespace)
	s.Bridges = revertList(s.Bridges, d.Bridges, bridgeKind, r.bridge)
	s.Veths = revertList(s.Veths, d.Veths, vethKind, r.veth)
	s.Routes = revertList(s.Routes, d.Routes, routeKind, r.route)
	r.judge(Validate(s))
	for i := range r.conflicts {
		r.conflicts[i].Detail = strings.ReplaceAll(r.conflicts[i].Detail, goneMark, "")
	}
	if len(r.conflicts) > 0 {
		return nil, r.conflicts
	}
	return s, nil
}

// reverter is a Revert under way.
type reverter struct {
	spec      *Spec
	delta     *Delta // as it was made
	conflicts []Conflict
}

// goneMark follows the name of a link that goes, wherever it is referred to.
const goneMark = "\x00"

// rename calls everything by the names links have in the end: in the Spec what
// refers to a link that gets an old name back, and in d what refers to one that
// was renamed since. d is left as it is; the one it gives shares with none.
func (r *reverter) rename(d *Delta) *Delta {
	before, after := d.sides()
	before, after = before.Clone(), after.Clone()
	names, olds, news := r.spec.linkNames(), before.linkNames(), after.linkNames()
	renamed := map[linkKey]string{}
	for id, made := range news {
		old, kept := olds[id]
		now, there := names[id]
		switch {
		case !there:
		case !kept: // it goes, and another link of its name is none for what is left behind
			renamed[now] = now.name + goneMark
			names[id] = linkKey{now.namespace, now.name + goneMark}
		case now == made && made != old:
			names[id] = old
			if made.namespace == old.namespace {
				renamed[made] = old.name
			}
		}
	}
	for id, old := range olds {
		if _, kept := news[id]; !kept {
			names[id] = old
		}
	}
	if len(renamed) > 0 {
		for namespace, name := range r.spec.references() {
			if to, ok := renamed[linkKey{namespace, *name}]; ok {
				*name = to
			}
		}
	}
	before.rename(d.BeforeIDs, names)
	after.rename(d.AfterIDs, names)
	return d.with(before, after)
}

// rename puts new names in the place of those that ids explains, if they are
// still names in the same namespace.
func (s *Spec) rename(ids map[string]int64, names map[int64]linkKey) {
	if len(ids) == 0 {
		return
	}
	for namespace, name := range s.references() {
		if k, ok := names[ids[linkKey{namespace, *name}.String()]]; ok && k.namespace == namespace {
			*name = k.name
		}
	}
}

// object is what is said of an object in a Conflict.
type object struct {
	subject string
	facts   func(field string) fact
}

func (r *reverter) namespace(now, before, after *Namespace) {
	is := first(now, before, after)
	r.object(object{is.Name, func(field string) fact { return namespaceFact(is.Name, field) }}, now, before, after)
}

func (r *reverter) bridge(now, before, after *Bridge) {
	is := first(now, before, after)
	r.object(linkObject(is.Namespace, is.Name, is.ID), now, before, after)
}

func (r *reverter) route(now, before, after *Route) {
	is := first(now, before, after)
	r.object(object{is.subject(), func(field string) fact { return routeFact(is.key(), field) }}, now, before, after)
}

// veth takes the ends of a pair one by one. Which is a and which b is as it was
// if the edit turned the pair round, else as it is.
func (r *reverter) veth(now, before, after *Veth) {
	if now == nil {
		r.end(nil, &before.A, &after.A)
		return
	}
	like := first(before, after)
	turned := now.A.ID != like.A.ID
	now.orient(like)
	if before != nil && after != nil {
		turned = turned && after.A.ID == before.A.ID
		after.orient(before)
	}
	sides := func(v *Veth) (a, b *End) {
		if v == nil {
			return nil, nil
		}
		return &v.A, &v.B
	}
	beforeA, beforeB := sides(before)
	afterA, afterB := sides(after)
	r.end(&now.A, beforeA, afterA)
	r.end(&now.B, beforeB, afterB)
	if turned {
		now.A, now.B = now.B, now.A
	}
}

func (r *reverter) end(now, before, after *End) {
	is := first(now, before, after)
	r.object(linkObject(is.Namespace, is.Name, is.ID), now, before, after)
}

// orient turns v round if its ends are the other way round than like's.
func (v *Veth) orient(like *Veth) {
	if v.A.ID != like.A.ID {
		v.A, v.B = v.B, v.A
	}
}

func linkObject(namespace, name string, id int64) object {
	return object{linkKey{namespace, name}.String(), func(field string) fact { return linkFact(id, field) }}
}

func first[T any](of ...*T) *T {
	for _, p := range of {
		if p != nil {
			return p
		}
	}
	return nil
}

// object merges one object; now, before and after are pointers to the same type
// of struct, nil where it is not there.
func (r *reverter) object(o object, now, before, after any) {
	x, b, a := reflect.ValueOf(now), reflect.ValueOf(before), reflect.ValueOf(after)
	if x.IsNil() {
		r.conflict(o, "", "", o.subject+" is not there any more")
		return
	}
	r.fields(o, "", x.Elem(), b.Elem(), a.Elem())
}

// fields merges the fields of a struct. before or after may be no value: the
// object came, or went and is there again.
func (r *reverter) fields(o object, prefix string, now, before, after reflect.Value) {
	in := func(v reflect.Value, i int) reflect.Value {
		if v.IsValid() {
			return v.Field(i)
		}
		return v
	}
	for i := range now.NumField() {
		f := now.Type().Field(i)
		x, b, a := now.Field(i), in(before, i), in(after, i)
		name := prefix + jsonName(f)
		whole := b.IsValid() && a.IsValid()
		switch {
		case f.Type == reflect.TypeFor[Identity]():
			// The MAC of old is one with the link; nobody asked for either.
			if whole && sameValue(x, a) {
				x.Set(b)
			}
		case f.Anonymous:
			r.fields(o, prefix, x, b, a)
		case f.Type == reflect.TypeFor[*PortAttributes]() && whole:
			r.port(o, name+".", x, b, a)
		case f.Type == reflect.TypeFor[[]string]() && whole:
			x.Set(reflect.ValueOf(elements(r, o, name, addressKind, as[[]string](x), as[[]string](b), as[[]string](a))))
		case f.Type == reflect.TypeFor[[]FDBSpec]() && whole:
			x.Set(reflect.ValueOf(elements(r, o, name, fdbKind, as[[]FDBSpec](x), as[[]FDBSpec](b), as[[]FDBSpec](a))))
		default:
			r.field(o, name, x, b, a)
		}
	}
}

// as reads a value whose type is known.
func as[T any](v reflect.Value) T {
	t, _ := v.Interface().(T)
	return t
}

// field merges one value.
func (r *reverter) field(o object, name string, now, before, after reflect.Value) {
	left := after // as the edit left it
	switch {
	case !after.IsValid():
		left = before
	case !before.IsValid():
	case sameValue(before, after) || sameValue(now, before):
		return
	case sameValue(now, after):
		now.Set(before)
		return
	}
	if !sameValue(now, left) {
		refers := ""
		if name == "master" || name == "link" {
			refers = left.String()
		}
		is, was := "is", "was"
		if strings.HasSuffix(name, "addresses") {
			is, was = "are", "were"
		}
		r.conflict(o, name, refers, fmt.Sprintf("the %s of %s %s %s now, %s %s", name, o.subject, is, valueText(now), was, valueText(left)))
	}
}

// port merges the settings of a bridge port. None at all is the same as an
// empty set of them, but for how it is written down.
func (r *reverter) port(o object, prefix string, now, before, after reflect.Value) {
	was, left, is := before.IsNil(), after.IsNil(), now.IsNil()
	set := func(v reflect.Value) *PortAttributes {
		if v.IsNil() {
			return &PortAttributes{}
		}
		return clonePtr(as[*PortAttributes](v))
	}
	result := set(now)
	r.fields(o, prefix, reflect.ValueOf(result).Elem(), reflect.ValueOf(set(before)).Elem(), reflect.ValueOf(set(after)).Elem())
	if is == left {
		is = was
	}
	if is && *result == (PortAttributes{}) {
		result = nil
	}
	now.Set(reflect.ValueOf(result))
}

var (
	addressKind = kind[string]{func(cidr *string) string { return canonicalCIDR(*cidr) }, func(a, b *string) bool { return *a == *b }}
	fdbKind     = kind[FDBSpec]{func(f *FDBSpec) string { return f.key() }, func(a, b *FDBSpec) bool { return *a == *b }}
)

// elements merges a list of a link. What is to go and is not there any more, or
// to come and there already, needs nothing.
func elements[T comparable](r *reverter, o object, field string, k kind[T], now, before, after []T) []T {
	return revertList(now, deltaOf(before, after, k), k, func(now, before, after *T) {
		switch {
		case now != nil && before != nil && after != nil && *now == *after:
			*now = *before
		case now == nil || *now != *first(before, after):
			entry, port := any(*first(before, after)), ""
			if f, ok := entry.(FDBSpec); ok {
				entry, port = f.MAC, f.Port
			}
			r.conflict(o, field, port, fmt.Sprintf("the %s of %s have another entry for %v now, or none", field, o.subject, entry))
		}
	})
}

// sameValue compares two values of a field; an empty list is an absent one.
func sameValue(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// valueText writes a field's value for a person.
func valueText(v reflect.Value) string {
	switch {
	case v.IsZero(), v.Kind() == reflect.Slice && v.Len() == 0:
		return "not set"
	case v.Kind() == reflect.Pointer:
		v = v.Elem()
	}
	switch v := v.Interface().(type) {
	case PortAttributes:
		return fmt.Sprint(fields(v))
	case []string:
		return strings.Join(v, ", ")
	case []FDBSpec:
		var entries []string
		for _, f := range v {
			entries = append(entries, f.MAC+" on "+f.Port)
		}
		return strings.Join(entries, ", ")
	default:
		return fmt.Sprint(v)
	}
}
