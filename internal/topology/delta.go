package topology

import (
	"encoding/json"
	"errors"
	"iter"
	"strconv"
)

// Delta is what an edit did to a Spec, so that it can be taken back later: each
// object it made, deleted or changed, as that was before and after. It goes
// through JSON whole, with the Identity of each link, and is as large as the
// edit, not as the Spec. What it holds is for Revert and Conflict.By to read.
type Delta struct {
	Lab        *itemEdit[labFields] `json:"lab,omitempty"`
	Namespaces listDelta[Namespace] `json:"namespaces,omitzero"`
	Bridges    listDelta[Bridge]    `json:"bridges,omitzero"`
	Veths      listDelta[Veth]      `json:"veths,omitzero"`
	Routes     listDelta[Route]     `json:"routes,omitzero"`
	// BeforeIDs and AfterIDs are the ids of the links that the objects above
	// name, as "<namespace>/<name>": by them a name is understood also when its
	// link has been renamed since.
	BeforeIDs map[string]int64 `json:"before_ids,omitempty"`
	AfterIDs  map[string]int64 `json:"after_ids,omitempty"`
	// Identities are those of the links above, in the order of identities: they
	// are no part of an object's JSON.
	Identities []identity `json:"identities,omitempty"`
}

// labFields are what a Spec says of the lab as a whole.
type labFields struct {
	Name string `json:"name,omitempty"`
	IPv6 *bool  `json:"ipv6,omitempty"`
}

type identity struct {
	ID  int64  `json:"id"`
	MAC string `json:"mac,omitempty"`
}

// The kinds of object in a Spec. A link is known by its id, a pair by both of
// them, everything else by its name.
var (
	namespaceKind = kind[Namespace]{func(n *Namespace) string { return n.Name }, SameNamespace}
	bridgeKind    = kind[Bridge]{func(b *Bridge) string { return strconv.FormatInt(b.ID, 10) }, SameBridge}
	vethKind      = kind[Veth]{
		func(v *Veth) string {
			low, high := min(v.A.ID, v.B.ID), max(v.A.ID, v.B.ID)
			return strconv.FormatInt(low, 10) + "-" + strconv.FormatInt(high, 10)
		}, SameVeth,
	}
	routeKind = kind[Route]{
		func(r *Route) string {
			k := r.key()
			return k.namespace + " " + k.destination.String() + " " + strconv.Itoa(k.metric)
		}, SameRoute,
	}
)

// DeltaOf gives in what two valid Specs differ whose links all have their
// Identity.ID. The result shares with both.
func DeltaOf(before, after *Spec) *Delta {
	d := differing(before, after)
	was, is := d.sides()
	if renamed(was, is) {
		// A name is not enough then: what says the same may mean another link,
		// and what says another may mean the same.
		before, after = before.Clone(), after.Clone()
		namesBefore, namesAfter := before.referByID(), after.referByID()
		d = differing(before, after)
		before.nameAgain(namesBefore)
		after.nameAgain(namesAfter)
		was, is = d.sides()
	}
	d.BeforeIDs, d.AfterIDs = was.named(before), is.named(after)
	for id := range d.identities() {
		d.Identities = append(d.Identities, identity{id.ID, id.MAC})
	}
	return d
}

func differing(before, after *Spec) *Delta {
	d := &Delta{
		Namespaces: deltaOf(before.Namespaces, after.Namespaces, namespaceKind),
		Bridges:    deltaOf(before.Bridges, after.Bridges, bridgeKind),
		Veths:      deltaOf(before.Veths, after.Veths, vethKind),
		Routes:     deltaOf(before.Routes, after.Routes, routeKind),
	}
	if before.Name != after.Name || !samePtr(before.IPv6, after.IPv6) {
		d.Lab = &itemEdit[labFields]{Before: &labFields{before.Name, before.IPv6}, After: &labFields{after.Name, after.IPv6}}
	}
	return d
}

// renamed tells whether a link has another name in the second Spec, or its name
// is another link's.
func renamed(before, after *Spec) bool {
	if len(before.Bridges)+len(before.Veths) == 0 || len(after.Bridges)+len(after.Veths) == 0 {
		return false
	}
	names, id := before.linkNames(), before.linkIDs()
	for n, k := range after.linkNames() {
		was, kept := names[n]
		if kept && was != k || !kept && id(k) != 0 {
			return true
		}
	}
	return false
}

// Empty tells whether the edit did nothing that could be taken back.
func (d *Delta) Empty() bool {
	none := func(edits, order int) bool { return edits == 0 && order == 0 }
	return d.Lab == nil && none(len(d.Namespaces.Edits), len(d.Namespaces.Order)) &&
		none(len(d.Bridges.Edits), len(d.Bridges.Order)) && none(len(d.Veths.Edits), len(d.Veths.Order)) &&
		none(len(d.Routes.Edits), len(d.Routes.Order))
}

// sides gives the objects as they were and as they became, as two Specs that
// have nothing else in them and share with d.
func (d *Delta) sides() (before, after *Spec) {
	before, after = &Spec{}, &Spec{}
	if d.Lab != nil {
		before.Name, before.IPv6 = d.Lab.Before.Name, d.Lab.Before.IPv6
		after.Name, after.IPv6 = d.Lab.After.Name, d.Lab.After.IPv6
	}
	before.Namespaces, after.Namespaces = sidesOf(d.Namespaces)
	before.Bridges, after.Bridges = sidesOf(d.Bridges)
	before.Veths, after.Veths = sidesOf(d.Veths)
	before.Routes, after.Routes = sidesOf(d.Routes)
	return before, after
}

func sidesOf[T any](d listDelta[T]) (before, after []T) {
	was, is := 0, 0
	for _, e := range d.Edits {
		if e.Before != nil {
			was++
		}
		if e.After != nil {
			is++
		}
	}
	before, after = make([]T, 0, was), make([]T, 0, is)
	for _, e := range d.Edits {
		if e.Before != nil {
			before = append(before, *e.Before)
		}
		if e.After != nil {
			after = append(after, *e.After)
		}
	}
	return before, after
}

// with gives a Delta like d of other versions of its sides.
func (d *Delta) with(before, after *Spec) *Delta {
	c := *d
	c.Namespaces = withSides(d.Namespaces, before.Namespaces, after.Namespaces)
	c.Bridges = withSides(d.Bridges, before.Bridges, after.Bridges)
	c.Veths = withSides(d.Veths, before.Veths, after.Veths)
	c.Routes = withSides(d.Routes, before.Routes, after.Routes)
	return &c
}

func withSides[T any](d listDelta[T], before, after []T) listDelta[T] {
	out := listDelta[T]{Order: d.Order}
	for _, e := range d.Edits {
		if e.Before != nil {
			e.Before, before = &before[0], before[1:]
		}
		if e.After != nil {
			e.After, after = &after[0], after[1:]
		}
		out.Edits = append(out.Edits, e)
	}
	return out
}

// named gives the ids that the links s refers to have in whole.
func (s *Spec) named(whole *Spec) map[string]int64 {
	id := whole.linkIDs()
	var out map[string]int64
	for namespace, name := range s.references() {
		k := linkKey{namespace, *name}
		if out[k.String()] != 0 {
			continue
		}
		if n := id(k); n != 0 {
			if out == nil {
				out = map[string]int64{}
			}
			out[k.String()] = n
		}
	}
	return out
}

// identities gives the Identity of each link: bridges first, of each object
// before and after, of each pair ends a and b.
func (d *Delta) identities() iter.Seq[*Identity] {
	return func(yield func(*Identity) bool) {
		for _, e := range d.Bridges.Edits {
			for _, b := range []*Bridge{e.Before, e.After} {
				if b != nil && !yield(&b.Identity) {
					return
				}
			}
		}
		for _, e := range d.Veths.Edits {
			for _, v := range []*Veth{e.Before, e.After} {
				if v != nil && (!yield(&v.A.Identity) || !yield(&v.B.Identity)) {
					return
				}
			}
		}
	}
}

// UnmarshalJSON reads what a Delta's JSON says, and gives the links their
// identities.
func (d *Delta) UnmarshalJSON(text []byte) error {
	type plain Delta
	if err := json.Unmarshal(text, (*plain)(d)); err != nil {
		return err
	}
	rest := d.Identities
	for id := range d.identities() {
		if len(rest) == 0 {
			return errors.New("a link of the delta has no identity")
		}
		*id, rest = Identity(rest[0]), rest[1:]
	}
	return nil
}
