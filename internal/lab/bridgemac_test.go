package lab_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestFailedEditOfABridgeWithoutMAC: a bridge whose last port has left has no MAC
// that an undo could give back.
func TestFailedEditOfABridgeWithoutMAC(t *testing.T) {
	var refuses func(topology.Change) bool
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { return refusing{k, &refuses} })
	m.edit(t, func(s *topology.Spec) error {
		if err := s.AddBridge(topology.Bridge{Namespace: "host", Name: "br0"}); err != nil {
			return err
		}
		return s.AddVeth(topology.Veth{A: topology.End{Namespace: "host", Name: "p1", Master: "br0"}, B: topology.End{Namespace: "host", Name: "q1"}})
	})
	m.edit(t, func(s *topology.Spec) error { return s.RemoveLink("host", "p1") })
	const none = "00:00:00:00:00:00"
	if mac := nettest.IP(t, "host", "link", "show", "br0")[0]["address"]; mac != none {
		t.Fatalf("br0 has the MAC %v", mac)
	}
	refuses = func(c topology.Change) bool { _, ok := c.(topology.SetAlias); return ok }
	_, err := m.Edit(t.Context(), lab.Request{}, func(s *topology.Spec) error {
		_, _, err := s.PatchLink("host", "br0", topology.LinkPatch{MAC: new("02:00:00:00:00:0b"), Alias: new("refused")})
		return err
	})
	if !errors.Is(err, errInjected) {
		t.Errorf("the edit: %v", err)
	}
	list, err := m.store.Operations(t.Context(), 0, 1)
	if err != nil || len(list) != 1 || strings.Contains(list[0].Error, "undoing") {
		t.Errorf("the journal says %+v, %v", list, err)
	}
}
