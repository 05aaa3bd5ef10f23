package topology

import (
	"fmt"
	"slices"
)

// Remove removes several objects at once: namespaces ("A"), bridges and veth
// pairs by either end ("A/eth0"), as RemoveNamespace and RemoveLink do one by
// one. What goes with one of them may be named as well.
func (s *Spec) Remove(subjects []string) error {
	namespaces, links := map[string]bool{}, map[linkKey]bool{}
	for i, text := range subjects {
		subject, problem := parseSubject(text)
		if problem == "" && subject.part != "" {
			problem = fmt.Sprintf("%q is part of an object, not one", text)
		}
		if problem != "" {
			return invalidField(text, fmt.Sprintf("/subjects/%d", i), problem)
		}
		if err := s.removable(subject); err != nil {
			return err
		}
		if subject.link == "" {
			namespaces[subject.namespace] = true
		} else {
			links[subject.key()] = true
		}
	}
	goes := func(namespace, name string) bool { return namespaces[namespace] || links[linkKey{namespace, name}] }
	s.Namespaces = slices.DeleteFunc(s.Namespaces, func(n Namespace) bool { return namespaces[n.Name] })
	s.Bridges = slices.DeleteFunc(s.Bridges, func(b Bridge) bool { return goes(b.Namespace, b.Name) })
	s.Veths = slices.DeleteFunc(s.Veths, func(v Veth) bool { return goes(v.A.Namespace, v.A.Name) || goes(v.B.Namespace, v.B.Name) })
	s.prune()
	return nil
}

// removable gives an error when a subject is nothing that can be removed.
func (s *Spec) removable(o subject) error {
	switch {
	case o.link == "" && o.namespace == HostName:
		return Errorf(CodeConflict, o.namespace, "host is the namespace netdash itself runs in and is never deleted")
	case o.link == "" && s.FindNamespace(o.namespace) == nil:
		return Errorf(CodeNotFound, o.namespace, "there is no namespace %s", o.namespace)
	case o.link == LoopbackName:
		return Errorf(CodeInvalid, o.String(), "the loopback link lives as long as its namespace")
	case o.link != "" && s.FindBridge(o.namespace, o.link) == nil && s.FindEnd(o.namespace, o.link) == nil:
		return noLink(o.namespace, o.link)
	}
	return nil
}
