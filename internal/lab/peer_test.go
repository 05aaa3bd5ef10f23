package lab_test

import (
	"path/filepath"
	"testing"
	"time"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

// TestPeerGoesToo: the other end of a deleted pair goes in a namespace that the
// Plan does not name. It is gone for every reader when the edit has ended, and is
// not taken for missing, whether the kernel told of it before or after.
func TestPeerGoesToo(t *testing.T) {
	late := time.Duration(0)
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil, lab.WithCheckpoint(func(step string) {
		if step == "verified" {
			time.Sleep(late)
		}
	}))
	for _, late = range []time.Duration{0, 200 * time.Millisecond} {
		for name, remove := range map[string]func(*topology.Spec) error{
			"link":      func(s *topology.Spec) error { return s.RemoveLink("A", "eth0") },
			"namespace": func(s *topology.Spec) error { return s.RemoveNamespace("A") },
		} {
			m.edit(t, everythingGone)
			m.edit(t, func(s *topology.Spec) error {
				s.Namespaces = []topology.Namespace{{Name: "A"}}
				return s.AddVeth(topology.Veth{A: topology.End{Namespace: "A", Name: "eth0"}, B: topology.End{Namespace: "host", Name: "p1"}})
			})
			m.edit(t, remove)
			for _, when := range []string{"at once", "later"} {
				if l := m.live.Snapshot().Namespace("host").Link("p1"); l != nil {
					t.Errorf("%s deleted, %s, seen %s: p1 is %s", name, late, when, l.Sync)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
}
