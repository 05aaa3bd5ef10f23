package topology

import "testing"

// TestUnmetKnowsRenamedLinks: what was different of a link before it is renamed is
// not the renaming's to mend.
func TestUnmetKnowsRenamedLinks(t *testing.T) {
	spec := func(name string) *Intent {
		return NewIntent(&Spec{Bridges: []Bridge{{Identity: Identity{ID: 1}, Namespace: HostName, Name: name, MTU: 1400, Addresses: []string{"10.0.0.1/24"}}}})
	}
	observed := func(name string) *Snapshot {
		return &Snapshot{Namespaces: []*NamespaceState{{ID: "1", Name: HostName, Links: []*Link{{
			Namespace: HostName, Name: name, Ifindex: 2, Kind: "bridge", MTU: 1300, AdminUp: true, Managed: true, Bridge: &BridgeInfo{},
		}}}}}
	}
	before, after := spec("a"), spec("b")
	known := before.Differences(observed("a"), HostName)
	if len(known) != 2 { // its MTU, its address
		t.Fatalf("before it differs by %v", known)
	}
	plan := before.PlanTo(after)
	if wrong := Unmet(before, after, plan, known, observed("b")); len(wrong) > 0 {
		t.Errorf("after %q: %q", plan.Commands(), wrong)
	}
	if wrong := Unmet(before, after, plan, known[:1], observed("b")); len(wrong) != 1 {
		t.Errorf("what was not known before counts, but there is %q", wrong)
	}
}
