package store

import (
	"bytes"
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

// BenchmarkAnswer is what keeping an answer with its operation costs a small
// edit, when as many are kept already as ever will be; and what a request with a
// key pays before it is done.
func BenchmarkAnswer(b *testing.B) {
	s := newStore(b)
	content := bytes.Repeat([]byte("x"), 2000)
	for i := range answerCount {
		if err := s.Keep(b.Context(), Answer{Key: "old" + strconv.Itoa(i), Request: content[:32], Content: content}); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	edit := func(b *testing.B, answers func(key string) []Answer) {
		b.Helper()
		for b.Loop() {
			n++
			spec := &topology.Spec{Name: strconv.Itoa(n)}
			op := &topology.Operation{}
			if err := s.Begin(b.Context(), op, spec); err != nil {
				b.Fatal(err)
			}
			if err := s.Commit(b.Context(), op, spec, answers(strconv.Itoa(n))...); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("without", func(b *testing.B) { edit(b, func(string) []Answer { return nil }) })
	b.Run("with", func(b *testing.B) {
		edit(b, func(key string) []Answer { return []Answer{{Key: key, Request: content[:32], Content: content}} })
	})
	b.Run("lookup", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := s.Answer(b.Context(), "never"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
