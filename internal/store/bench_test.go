package store

import (
	"path/filepath"
	"strconv"
	"testing"

	"netdash/internal/topology"
)

// BenchmarkEdit is one small edit, journaled and committed, in a topology of a
// thousand.
func BenchmarkEdit(b *testing.B) {
	namespaces := &topology.Spec{}
	for i := range 1000 {
		namespaces.Namespaces = append(namespaces.Namespaces, topology.Namespace{Name: "n" + strconv.Itoa(i)})
	}
	addNamespace := func(s *topology.Spec, i int) {
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: "new" + strconv.Itoa(i)})
	}
	for _, c := range []struct {
		name string
		base *topology.Spec
		edit func(*topology.Spec, int)
	}{
		{"namespace added to none", &topology.Spec{}, addNamespace},
		{"namespace added to 1000", namespaces, addNamespace},
		{"namespace added to 1000-star", star(1000), addNamespace},
		{"MTU in 1000-star", star(1000), func(s *topology.Spec, i int) { s.Veths[i%1000].A.MTU = 1000 + i%500 }},
		{"rename in 1000-star", star(1000), func(s *topology.Spec, i int) { s.Veths[i%1000].B.Name = "r" + strconv.Itoa(i) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newStore(b)
			spec := c.base.Clone()
			commit(b, s, spec)
			size := len(spec.Namespaces)
			i := 0
			for b.Loop() {
				i++
				c.edit(spec, i)
				commit(b, s, spec)
				if len(spec.Namespaces) > size+100 { // stays about as large
					b.StopTimer()
					spec.Namespaces = spec.Namespaces[:size:size]
					commit(b, s, spec)
					b.StartTimer()
				}
			}
		})
	}
}

// BenchmarkStar commits a whole star of a thousand, and takes it away again.
func BenchmarkStar(b *testing.B) {
	for _, c := range []string{"up", "down"} {
		b.Run(c, func(b *testing.B) {
			s := newStore(b)
			up, down := star(1000), &topology.Spec{}
			for b.Loop() {
				b.StopTimer()
				forget(up)
				var op *topology.Operation
				step := func(target *topology.Spec, timed bool) {
					op = &topology.Operation{}
					if err := s.Begin(b.Context(), op, target); err != nil {
						b.Fatal(err)
					}
					if timed {
						b.StartTimer()
						defer b.StopTimer()
					}
					if err := s.Commit(b.Context(), op, target); err != nil {
						b.Fatal(err)
					}
				}
				step(up, c == "up")
				step(down, c == "down")
				b.StartTimer()
			}
		})
	}
}

// BenchmarkOpen opens a database with a star of a thousand in it.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "netdash.db")
	s := openStore(b, path)
	commit(b, s, star(1000))
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSynchronous is what waiting for the disk costs an edit: FULL at
// Commit is what the Store does.
func BenchmarkSynchronous(b *testing.B) {
	for _, mode := range []string{"OFF", "NORMAL", "FULL"} {
		b.Run(mode, func(b *testing.B) {
			s := newStore(b)
			for i := 0; b.Loop(); i++ {
				spec := &topology.Spec{Name: strconv.Itoa(i)}
				op := &topology.Operation{}
				if err := s.Begin(b.Context(), op, spec); err != nil {
					b.Fatal(err)
				}
				if _, err := s.writer.Exec(`PRAGMA synchronous = ` + mode); err != nil {
					b.Fatal(err)
				}
				if err := s.Commit(b.Context(), op, spec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
