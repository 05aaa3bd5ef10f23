package lab_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

// BenchmarkCreateNamespace is one edit from the Spec to the database, without
// HTTP.
func BenchmarkCreateNamespace(b *testing.B) {
	m, stop, err := start(filepath.Join(b.TempDir(), "n.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		if _, err := m.Edit(b.Context(), lab.Request{}, func(s *topology.Spec) error {
			return s.AddNamespace(topology.Namespace{Name: fmt.Sprint("n", n)})
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if _, err := m.Edit(b.Context(), lab.Request{}, everythingGone); err != nil {
		b.Fatal(err)
	}
	if err := stop(); err != nil {
		b.Fatal(err)
	}
}
