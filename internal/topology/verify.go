package topology

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Obstacle tells what in the observed topology keeps a Plan from being carried
// out: a name that something netdash does not manage has already, be it one that
// the Plan would give or one whose link it would change.
func Obstacle(p Plan, observed *Snapshot) error {
	freed, made := map[linkKey]bool{}, map[linkKey]bool{}
	taken := func(namespace, name string) error {
		k := linkKey{namespace, name}
		n := observed.Namespace(namespace)
		made[k] = true
		if n == nil || n.Sync == Missing || freed[k] {
			return nil
		}
		if l := n.Link(name); l != nil && l.Sync != Missing && !l.Managed {
			return nameTaken(namespace, name)
		}
		return nil
	}
	changed := func(namespace, name string) error {
		if made[linkKey{namespace, name}] {
			return nil
		}
		return taken(namespace, name)
	}
	for _, c := range p {
		var err error
		switch c := c.(type) {
		case CreateNamespace:
			if n := observed.Namespace(c.Name); n != nil && n.Sync != Missing {
				err = Errorf(CodeConflict, c.Name, "there is a namespace %s that netdash does not manage", c.Name).
					WithHint("choose another name, or adopt it: %s", AdoptCall(c.Name))
			}
		case CreateBridge:
			err = taken(c.Namespace, c.Name)
		case CreateVeth:
			if err = taken(c.A.Namespace, c.A.Name); err == nil {
				err = taken(c.B.Namespace, c.B.Name)
			}
		case Rename:
			if err = changed(c.Namespace, c.Name); err == nil {
				freed[linkKey{c.Namespace, c.Name}] = true
				err = taken(c.Namespace, c.To)
			}
		case Move:
			if err = changed(c.Namespace, c.Name); err == nil {
				freed[linkKey{c.Namespace, c.Name}] = true
				err = taken(c.ToNamespace, cmp.Or(c.To, c.Name))
			}
		case DeleteLink:
			err = changed(c.Namespace, c.Name)
			freed[linkKey{c.Namespace, c.Name}] = true
		case DeleteNamespace, AddRoute, DeleteRoute:
		default:
			k := changes(c)
			err = changed(k.namespace, k.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nameTaken is the error about a link that has a name netdash needs.
func nameTaken(namespace, name string) error {
	return Errorf(CodeConflict, linkKey{namespace, name}.String(), "there is a link %s in %s that netdash does not manage", name, namespace).
		WithHint("choose another name, or remove it with: %slink delete %s", ip(namespace), dev(name))
}

// changes gives the link that a Change of one is about.
func changes(c Change) linkKey {
	namespace, rest, _ := strings.Cut(c.Subject(), "/")
	name, _, _ := strings.Cut(rest, " ")
	return linkKey{namespace, name}
}

// Unmet lists, as sentences, in what the observed topology is not what a Plan
// from before to after was to bring about. Differences that were known before
// do not count, nor do those of objects the Plan has nothing to do with.
func Unmet(before, after *Intent, p Plan, known []Difference, observed *Snapshot) []string {
	t := touched(p)
	t.spread(before.state)
	known = p.carry(known)
	var out []string
	for _, d := range after.Differences(observed, p.Namespaces()...) {
		if t.concerns(p, d.Subject) && !slices.ContainsFunc(known, func(k Difference) bool { return reflect.DeepEqual(k, d) }) {
			out = append(out, d.String())
		}
	}
	there := observed.byName()
	for name := range t.namespaces {
		if n := there[name]; n != nil && n.Sync != Missing && before.Namespace(name) && !after.Namespace(name) {
			out = append(out, name+" is still there")
		}
	}
	for k := range t.links {
		if before.state.link(k) == nil || after.state.link(k) != nil {
			continue
		}
		if n := there[k.namespace]; n != nil {
			if l := n.Link(k.name); l != nil && l.Sync != Missing {
				out = append(out, k.String()+" is still there")
			}
		}
	}
	slices.Sort(out)
	return out
}

// carry gives differences as they are called after a Plan, which takes those of
// the links that it renames and moves along.
func (p Plan) carry(differences []Difference) []Difference {
	out := slices.Clone(differences)
	for _, c := range p {
		var from, to linkKey
		switch c := c.(type) {
		case Rename:
			from, to = linkKey{c.Namespace, c.Name}, linkKey{c.Namespace, c.To}
		case Move:
			from, to = linkKey{c.Namespace, c.Name}, linkKey{c.ToNamespace, cmp.Or(c.To, c.Name)}
		default:
			continue
		}
		for i, d := range out {
			if object, part, _ := strings.Cut(d.Subject, " "); object == from.String() {
				out[i].Subject = strings.TrimSuffix(to.String()+" "+part, " ")
			}
		}
	}
	return out
}

// concerns tells whether an object, written as a Difference's subject, is one
// the Plan has to do with.
func (t *touchedSet) concerns(p Plan, subject string) bool {
	namespace, rest, isLink := strings.Cut(subject, "/")
	if isLink {
		name, _, _ := strings.Cut(rest, " ")
		if t.has(linkKey{namespace, name}) {
			return true
		}
	}
	if namespace, _, isRoute := strings.Cut(subject, " "); isRoute && !t.namespaces[namespace] {
		return slices.ContainsFunc(p, func(c Change) bool {
			add, ok := c.(AddRoute)
			return ok && add.Subject() == subject
		})
	}
	return t.namespaces[namespace]
}

// NoteMACs records the MACs the kernel chose for veth ends, so that an end that
// has to be made again can have the one its neighbours know.
func NoteMACs(s *Spec, observed *Snapshot) {
	there := observed.byName()
	for i := range s.Veths {
		for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
			noteMAC(&e.Identity, e.MAC, there[e.Namespace], e.Name)
		}
	}
}

// NoteBridgeMACs records the MACs bridges have at the moment. It is for an undo
// only: a bridge's MAC follows its ports, and is not to be remembered longer.
func NoteBridgeMACs(s *Spec, observed *Snapshot) {
	there := observed.byName()
	for i := range s.Bridges {
		b := &s.Bridges[i]
		noteMAC(&b.Identity, b.MAC, there[b.Namespace], b.Name)
	}
}

func noteMAC(id *Identity, asked string, in *NamespaceState, name string) {
	if asked != "" || id.MAC != "" || in == nil {
		return
	}
	// A bridge has all zeros when its last port has left, and nobody can give it
	// those back (br_stp_recalculate_bridge_id, br_set_mac_address).
	if l := in.Link(name); l != nil && macProblem(l.MAC) == "" {
		id.MAC = l.MAC
	}
}

// Equal tells whether two Specs say the same; what is remembered beside the
// document (Identity) does not count.
func Equal(a, b *Spec) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
