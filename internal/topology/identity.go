package topology

import "iter"

// identities gives the place and the Identity of every link of a Spec that has
// one.
func (s *Spec) identities() iter.Seq2[linkKey, *Identity] {
	return func(yield func(linkKey, *Identity) bool) {
		for i := range s.Bridges {
			if b := &s.Bridges[i]; !yield(linkKey{b.Namespace, b.Name}, &b.Identity) {
				return
			}
		}
		for i := range s.Veths {
			for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
				if !yield(linkKey{e.Namespace, e.Name}, &e.Identity) {
					return
				}
			}
		}
	}
}

// Inherit makes s, a valid Spec that comes from a document and so knows nothing
// of its links' past, the successor of from: each link that a Plan from one to
// the other keeps gets its Identity back. That is the one of the same name and
// kind, and a veth end that was renamed or moved while its other end stayed.
func (s *Spec) Inherit(from *Spec) {
	before, after := flatten(from), flatten(s)
	identify(before, after)
	known := make(map[int64]*Identity, len(before.links))
	for key, id := range from.identities() {
		known[before.link(key).uid] = id
	}
	for key, id := range s.identities() {
		if was := known[after.link(key).uid]; was != nil {
			*id = *was
		}
	}
}

// WithMACs gives a copy of s that asks for the MACs which the kernel once chose
// for veth ends. A bridge is left to follow its ports, as it does.
func (s *Spec) WithMACs() *Spec {
	c := s.Clone()
	for i := range c.Veths {
		for _, e := range []*End{&c.Veths[i].A, &c.Veths[i].B} {
			if e.MAC == "" {
				e.MAC = e.Identity.MAC
			}
		}
	}
	return c
}
