package topology

import (
	"iter"
	"strconv"
)

// references gives each place in s that names a link, with the namespace it is
// looked for in: masters, ports of static FDB entries, links of routes.
func (s *Spec) references() iter.Seq2[string, *string] {
	return func(yield func(string, *string) bool) {
		for i := range s.Veths {
			for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
				if e.Master != "" && !yield(e.Namespace, &e.Master) {
					return
				}
			}
		}
		for i := range s.Bridges {
			b := &s.Bridges[i]
			for j := range b.FDB {
				if !yield(b.Namespace, &b.FDB[j].Port) {
					return
				}
			}
		}
		for i := range s.Routes {
			if r := &s.Routes[i]; r.Link != "" && !yield(r.Namespace, &r.Link) {
				return
			}
		}
	}
}

// linkIDs gives the links of s by name. It is for many questions: the ends,
// which are many, are read only when a name is no bridge's.
func (s *Spec) linkIDs() func(linkKey) int64 {
	ids := make(map[linkKey]int64, len(s.Bridges))
	for i := range s.Bridges {
		b := &s.Bridges[i]
		ids[linkKey{b.Namespace, b.Name}] = b.ID
	}
	ends := false
	return func(k linkKey) int64 {
		if ids[k] == 0 && !ends {
			ends = true
			for i := range s.Veths {
				for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
					ids[linkKey{e.Namespace, e.Name}] = e.ID
				}
			}
		}
		return ids[k]
	}
}

// linkNames gives the names of the links of s by their ids.
func (s *Spec) linkNames() map[int64]linkKey {
	names := make(map[int64]linkKey, len(s.Bridges)+2*len(s.Veths))
	for i := range s.Bridges {
		b := &s.Bridges[i]
		names[b.ID] = linkKey{b.Namespace, b.Name}
	}
	for i := range s.Veths {
		for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
			names[e.ID] = linkKey{e.Namespace, e.Name}
		}
	}
	return names
}

// referByID puts the ids of links in the place of their names, and gives the
// names for nameAgain.
func (s *Spec) referByID() []string {
	id := s.linkIDs()
	var names []string
	for namespace, name := range s.references() {
		names = append(names, *name)
		if n := id(linkKey{namespace, *name}); n != 0 {
			*name = "#" + strconv.FormatInt(n, 10)
		}
	}
	return names
}

// nameAgain undoes referByID.
func (s *Spec) nameAgain(names []string) {
	i := 0
	for _, name := range s.references() {
		*name = names[i]
		i++
	}
}
