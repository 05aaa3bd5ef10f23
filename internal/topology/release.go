package topology

import (
	"fmt"
	"slices"
	"strings"
)

// Release gives the Spec without managed objects, which become foreign as they
// are: "B" is a namespace with everything in it, "B/eth0" a bridge, or a veth
// pair by either end. What could not stay in the Spec without them is released
// too, each with a Warning: the far ends of veth pairs, the ports of a bridge,
// the routes that leave by a link. s is not changed.
func Release(s *Spec, observed *Snapshot, subjects []string) (*Spec, *Adoption, error) {
	r := &releaser{
		spec: s.Clone(), observed: observed, Adoption: &Adoption{Subjects: []string{}, Warnings: []Warning{}},
		namespaces: map[string]bool{}, links: map[linkKey]string{},
	}
	for i, subject := range subjects {
		r.name(i, subject)
	}
	if r.first != nil {
		r.first.Fields = r.fields
		return nil, nil, r.first
	}
	r.spread()
	r.remove()
	if err := Validate(r.spec); err != nil {
		return nil, nil, err
	}
	return r.spec, r.Adoption, nil
}

type releaser struct {
	*Adoption
	spec       *Spec
	observed   *Snapshot
	namespaces map[string]bool
	links      map[linkKey]string // with the reason, empty for those that were asked for

	fields []FieldError
	first  *Error
}

func (r *releaser) fail(i int, e *Error) {
	r.fields = append(r.fields, FieldError{Pointer: fmt.Sprintf("/subjects/%d", i), Detail: e.Detail})
	if r.first == nil {
		r.first = e
	}
}

// name notes what a subject stands for.
func (r *releaser) name(i int, subject string) {
	namespace, name, isLink := strings.Cut(subject, "/")
	n := r.observed.Namespace(namespace)
	if n != nil {
		namespace = n.Name // it may have been named otherwise
	}
	if n != nil && isLink {
		if o := n.Link(name); o != nil && o.Intended != nil { // it is intended elsewhere
			namespace, name = o.Intended.Namespace, o.Intended.Name
		}
	}
	object := linkKey{namespace, name}
	switch {
	case subject == "" || strings.Contains(subject, " ") || isLink && name == "":
		r.fail(i, Errorf(CodeInvalid, subject, "a subject is a namespace or a link, as in B or B/eth0"))
	case !isLink && namespace == HostName:
		r.fail(i, Errorf(CodeInvalid, HostName, "the host is not managed, only links of it are").WithHint("name them, as in host/br0"))
	case !isLink && r.spec.FindNamespace(namespace) != nil:
		r.namespaces[namespace] = true
	case isLink && name == LoopbackName && r.spec.hasLink(namespace, name):
		r.fail(i, Errorf(CodeInvalid, subject, "the loopback link is released with its namespace"))
	case isLink && r.spec.hasLink(namespace, name):
		r.links[object] = ""
	case n != nil && !isLink:
		r.warn(namespace, "is not managed")
	case n != nil && n.Link(name) != nil:
		r.warn(object.String(), "is not managed")
	case !isLink:
		r.fail(i, Errorf(CodeNotFound, subject, "there is no namespace %s", namespace))
	default:
		r.fail(i, Errorf(CodeNotFound, subject, "there is no link %s in %s", name, namespace))
	}
}

// spread notes what goes along, until nothing more does.
func (r *releaser) spread() {
	for n := -1; n < len(r.links); {
		n = len(r.links)
		for i := range r.spec.Bridges {
			b := &r.spec.Bridges[i]
			if r.namespaces[b.Namespace] {
				r.along(linkKey{b.Namespace, b.Name}, "")
			}
		}
		for i := range r.spec.Veths {
			a, b := &r.spec.Veths[i].A, &r.spec.Veths[i].B
			for _, e := range [][2]*End{{a, b}, {b, a}} {
				r.end(e[0], e[1])
			}
		}
	}
}

// end notes an end that goes along with its namespace, its bridge or the other
// end: a port left in the Spec without its bridge would be one to unplug.
func (r *releaser) end(e, other *End) {
	k, far := linkKey{e.Namespace, e.Name}, linkKey{other.Namespace, other.Name}
	if r.namespaces[e.Namespace] {
		r.along(k, "")
	}
	if _, gone := r.links[linkKey{e.Namespace, e.Master}]; gone && e.Master != "" {
		r.along(k, "it is a port of "+e.Namespace+"/"+e.Master)
	}
	if _, gone := r.links[far]; gone {
		r.along(k, "it is the other end of "+far.String())
	}
}

func (r *releaser) along(k linkKey, reason string) {
	if _, known := r.links[k]; !known {
		r.links[k] = reason
	}
}

// remove takes what was noted out of the Spec.
func (r *releaser) remove() {
	take := func(subject, reason string) {
		r.Subjects = append(r.Subjects, subject)
		if reason != "" {
			r.warn(subject, "is released too: %s", reason)
		}
	}
	gone := func(namespace, name string) bool {
		reason, gone := r.links[linkKey{namespace, name}]
		if gone {
			take(namespace+"/"+name, reason)
		}
		return gone
	}
	find := newLookup(r.spec) // before anything is removed: routes would find other links
	routes := slices.DeleteFunc(slices.Clone(r.spec.Routes), func(x Route) bool {
		out, _ := find.egress(x)
		_, lost := r.links[linkKey{x.Namespace, out}]
		switch {
		case r.namespaces[x.Namespace]:
			take(x.subject(), "")
		case lost:
			take(x.subject(), "it leaves by "+x.Namespace+"/"+out)
		}
		return lost || r.namespaces[x.Namespace]
	})
	r.spec.Routes = routes
	r.spec.Namespaces = slices.DeleteFunc(r.spec.Namespaces, func(n Namespace) bool {
		if r.namespaces[n.Name] {
			take(n.Name, "")
		}
		return r.namespaces[n.Name]
	})
	r.spec.Bridges = slices.DeleteFunc(r.spec.Bridges, func(b Bridge) bool {
		if !gone(b.Namespace, b.Name) {
			return false
		}
		for _, f := range b.FDB {
			take(b.Namespace+"/"+b.Name+" "+f.MAC, "")
		}
		return true
	})
	r.spec.Veths = slices.DeleteFunc(r.spec.Veths, func(v Veth) bool {
		a, b := gone(v.A.Namespace, v.A.Name), gone(v.B.Namespace, v.B.Name)
		return a || b
	})
	for i := range r.spec.Bridges {
		b := &r.spec.Bridges[i]
		b.FDB = slices.DeleteFunc(b.FDB, func(f FDBSpec) bool {
			_, lost := r.links[linkKey{b.Namespace, f.Port}]
			if lost {
				take(b.Namespace+"/"+b.Name+" "+f.MAC, "its port "+f.Port+" is")
			}
			return lost
		})
	}
	slices.Sort(r.Subjects)
}
