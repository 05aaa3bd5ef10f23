package topology

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Obstacle tells what in the observed topology keeps a Plan from being carried
// out: a name that something netdash does not manage has already.
func Obstacle(p Plan, observed *Snapshot) error {
	freed := map[linkKey]bool{}
	taken := func(namespace, name string) error {
		k := linkKey{namespace, name}
		n := observed.Namespace(namespace)
		if n == nil || n.Sync == Missing || freed[k] {
			return nil
		}
		if l := n.Link(name); l != nil && l.Sync != Missing && !l.Managed {
			return Errorf(CodeConflict, k.String(), "there is a link %s in %s that netdash does not manage", name, namespace).
				WithHint("choose another name, or remove it with: %sip link delete dev %s", strings.TrimPrefix(ip(namespace), "ip "), name)
		}
		return nil
	}
	for _, c := range p {
		var err error
		switch c := c.(type) {
		case CreateNamespace:
			if n := observed.Namespace(c.Name); n != nil && n.Sync != Missing {
				err = Errorf(CodeConflict, c.Name, "there is a namespace %s that netdash does not manage", c.Name).
					WithHint("choose another name, or adopt it")
			}
		case CreateBridge:
			err = taken(c.Namespace, c.Name)
		case CreateVeth:
			if err = taken(c.A.Namespace, c.A.Name); err == nil {
				err = taken(c.B.Namespace, c.B.Name)
			}
		case Rename:
			freed[linkKey{c.Namespace, c.Name}] = true
			err = taken(c.Namespace, c.To)
		case Move:
			freed[linkKey{c.Namespace, c.Name}] = true
			name := c.To
			if name == "" {
				name = c.Name
			}
			err = taken(c.ToNamespace, name)
		case DeleteLink:
			freed[linkKey{c.Namespace, c.Name}] = true
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Unmet lists, as sentences, in what the observed topology is not what a Plan
// from before to after was to bring about.
func Unmet(before, after *Spec, intent *Intent, p Plan, known []Difference, observed *Snapshot) []string {
	t := touched(p)
	var out []string
	for _, d := range intent.Differences(observed) {
		namespace, rest, isLink := strings.Cut(d.Subject, "/")
		name, _, _ := strings.Cut(rest, " ")
		mine := t.namespaces[namespace]
		if isLink {
			mine = mine || t.links[linkKey{namespace, name}]
		} else if ns, _, isRoute := strings.Cut(d.Subject, " "); isRoute {
			mine = slices.ContainsFunc(p, func(c Change) bool {
				add, ok := c.(AddRoute)
				return ok && add.Route.Namespace == ns && add.Subject() == d.Subject
			})
		}
		if mine && !slices.ContainsFunc(known, func(k Difference) bool { return reflect.DeepEqual(k, d) }) {
			out = append(out, d.String())
		}
	}
	index := indexSnapshot(observed)
	for _, ns := range before.Namespaces {
		if after.FindNamespace(ns.Name) == nil && index.namespaces[ns.Name] != nil {
			out = append(out, ns.Name+" is still there")
		}
	}
	had, want := flatten(before), flatten(after)
	t.spread(had)
	for _, l := range had.links {
		if want.link(l.linkKey) == nil && t.has(l.linkKey) && index.links[l.linkKey] != nil {
			out = append(out, l.linkKey.String()+" is still there")
		}
	}
	return out
}

// NoteMACs records the MACs the kernel chose for veth ends, so that an end that
// has to be made again can have the one its neighbours know. A bridge's follows
// its ports and is not recorded.
func NoteMACs(s *Spec, observed *Snapshot) {
	index := indexSnapshot(observed)
	for i := range s.Veths {
		for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
			if l := index.links[linkKey{e.Namespace, e.Name}]; l != nil && e.MAC == "" {
				e.Identity.MAC = l.MAC
			}
		}
	}
}

// Equal tells whether two Specs say the same; what is remembered beside the
// document (Identity) does not count.
func Equal(a, b *Spec) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
