package lab_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestSwappedNamesAreNoDrift: what an operation renames has not gone astray.
func TestSwappedNamesAreNoDrift(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, func(s *topology.Spec) error {
		s.Bridges = []topology.Bridge{{Namespace: "host", Name: "br0"}, {Namespace: "host", Name: "br1", MTU: 1400}}
		return nil
	})
	m.edit(t, func(s *topology.Spec) error { return s.AddNamespace(topology.Namespace{Name: "A"}) })
	r := m.edit(t, func(s *topology.Spec) error {
		s.Bridges[0].Name, s.Bridges[1].Name = s.Bridges[1].Name, s.Bridges[0].Name
		return nil
	})
	if c := r.Plan.Commands(); !slices.Contains(c, "ip link set dev br0 name br1") && !slices.Contains(c, "ip link set dev br1 name br0") {
		t.Fatalf("they are not renamed: %q", c)
	}
	if d, err := m.Drift(t.Context()); err != nil || !d.InSync || len(d.Plan.Changes) > 0 {
		t.Errorf("%+v, %v", d, err)
	}
	if mtu := nettest.IP(t, "host", "link", "show", "dev", "br0")[0]["mtu"]; mtu != 1400.0 {
		t.Errorf("br0 has MTU %v", mtu)
	}
}

// TestDriftSurvivesOtherEdits: a link that somebody renamed is known still after
// an edit of something else beside it.
func TestDriftSurvivesOtherEdits(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, func(s *topology.Spec) error {
		s.Bridges = []topology.Bridge{{Namespace: "host", Name: "br0"}}
		return nil
	})
	nettest.Shell(t, "ip link set br0 down; ip link set br0 name br9; ip link set br9 up")
	renamed := func() bool {
		d, err := m.Drift(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(d.Differences) == 1 && d.Differences[0].Field == "name" && d.Plan.Changes[1].Command == "ip link set dev br9 name br0"
	}
	for end := time.Now().Add(10 * time.Second); !renamed(); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is told of the rename")
		}
	}
	m.edit(t, func(s *topology.Spec) error { return s.AddBridge(topology.Bridge{Namespace: "host", Name: "br1"}) })
	if !renamed() {
		d, err := m.Drift(t.Context())
		t.Errorf("after another edit: %+v, %v", d, err)
	}
	nettest.Shell(t, "ip link set br9 down; ip link set br9 name br0; ip link set br0 up")
}

// TestRenameAfterCreation: the edit after the one that made a link knows it by
// its id already.
func TestRenameAfterCreation(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, func(s *topology.Spec) error { return s.AddBridge(topology.Bridge{Namespace: "host", Name: "br0"}) })
	was := nettest.IP(t, "host", "link", "show", "dev", "br0")[0]["ifindex"]
	name := "br5"
	m.edit(t, func(s *topology.Spec) error {
		_, _, err := s.PatchLink("host", "br0", topology.LinkPatch{Name: &name})
		return err
	})
	if is := nettest.IP(t, "host", "link", "show", "dev", "br5")[0]["ifindex"]; is != was {
		t.Errorf("the bridge was made anew: ifindex %v, was %v", is, was)
	}
}
