package topology

import (
	"slices"
	"strings"
	"testing"
)

// TestRevertCases names what an undo does, and what it says when it cannot. Each
// begins with A/eth0 (10.0.0.1/24), a port p0 of sw/br0, and a route.
func TestRevertCases(t *testing.T) {
	patch := func(namespace, name string, p LinkPatch) func(*Spec) error {
		return func(s *Spec) error { _, _, err := s.PatchLink(namespace, name, p); return err }
	}
	addPort := func(s *Spec) error {
		return s.AddVeth(Veth{A: End{Namespace: "A", Name: "eth1"}, B: End{Namespace: "sw", Name: "p1", Master: "br0"}})
	}
	all := func(edits ...func(*Spec) error) func(*Spec) error {
		return func(s *Spec) error {
			for _, e := range edits {
				if err := e(s); err != nil {
					return err
				}
			}
			return nil
		}
	}
	oldGivesName := func(s *Spec) error { // br0 is another bridge now
		s.Bridges[0].Name = "old"
		return s.AddBridge(Bridge{Namespace: "sw", Name: "br0"})
	}
	remove := func(s *Spec) error { return s.RemoveLink("A", "eth0") }
	for name, c := range map[string]struct {
		edit, later func(*Spec) error
		conflicts   []string
		want        func(*Spec) bool // of the result
	}{
		"what changed back by hand is left": {
			edit:  patch("A", "eth0", LinkPatch{MTU: ptr(1400), Alias: ptr("x")}),
			later: patch("A", "eth0", LinkPatch{MTU: ptr(0)}),
			want:  func(s *Spec) bool { e := s.FindEnd("A", "eth0"); return e.MTU == 0 && e.Alias == "" },
		},
		"what changed since is named": {
			edit:      patch("A", "eth0", LinkPatch{MTU: ptr(1400), Alias: ptr("x")}),
			later:     patch("A", "eth0", LinkPatch{MTU: ptr(1300)}),
			conflicts: []string{"the mtu of A/eth0 is 1300 now, was 1400"},
		},
		"a link is known under its new name": {
			edit:  patch("A", "eth0", LinkPatch{MTU: ptr(1400)}),
			later: patch("A", "eth0", LinkPatch{Name: ptr("wan")}),
			want:  func(s *Spec) bool { return s.FindEnd("A", "wan").MTU == 0 },
		},
		"a rename is followed by what came later": {
			edit:  patch("sw", "br0", LinkPatch{Name: ptr("br1")}),
			later: func(s *Spec) error { return s.AddFDB("sw", "br1", FDBSpec{MAC: "02:00:00:00:00:01", Port: "br1"}) },
			want: func(s *Spec) bool {
				return s.FindBridge("sw", "br0").FDB[0].Port == "br0" && s.FindEnd("sw", "p0").Master == "br0"
			},
		},
		"addresses go one by one": {
			edit:  func(s *Spec) error { return s.AddAddress("A", "eth0", "10.0.0.2/24") },
			later: func(s *Spec) error { return s.AddAddress("A", "eth0", "10.0.0.3/24") },
			want: func(s *Spec) bool {
				return slices.Equal(s.FindEnd("A", "eth0").Addresses, []string{"10.0.0.1/24", "10.0.0.3/24"})
			},
		},
		"an address comes back to its place": {
			edit:  func(s *Spec) error { return s.RemoveAddress("A", "eth0", "10.0.0.1/24") },
			later: func(s *Spec) error { return s.AddAddress("A", "eth0", "10.0.0.3/24") },
			want: func(s *Spec) bool {
				return slices.Equal(s.FindEnd("A", "eth0").Addresses, []string{"10.0.0.1/24", "10.0.0.3/24"}) && len(s.Routes) == 1
			},
		},
		"settings of a port go one by one": {
			edit:  patch("sw", "p0", LinkPatch{BridgePort: &PortAttributes{Hairpin: ptr(true)}}),
			later: patch("sw", "p0", LinkPatch{BridgePort: &PortAttributes{Isolated: ptr(true)}}),
			want: func(s *Spec) bool {
				p := s.FindEnd("sw", "p0").BridgePort
				return p != nil && p.Hairpin == nil && *p.Isolated
			},
		},
		"a link comes back as it was": {
			edit: remove,
			later: func(s *Spec) error {
				return s.AddNamespace(Namespace{Name: "C"})
			},
			want: func(s *Spec) bool {
				e, p := s.FindEnd("A", "eth0"), s.FindEnd("sw", "p0")
				return e.ID == 102 && e.Identity.MAC == "02:00:00:00:01:02" && p.ID == 103 && p.Master == "br0" && len(s.Routes) == 1
			},
		},
		"a MAC that was noted meanwhile is forgotten": {
			edit: func(s *Spec) error { s.Veths[0].A.Identity.MAC = "02:00:00:00:00:99"; s.Name = "x"; return nil },
			want: func(s *Spec) bool { return s.Veths[0].A.Identity.MAC == "02:00:00:00:01:02" },
		},
		"its name is taken": {
			edit:      remove,
			later:     func(s *Spec) error { return s.AddBridge(Bridge{Namespace: "A", Name: "eth0"}) },
			conflicts: []string{"A/eth0 cannot be put back: there is a link eth0 in A already"},
		},
		"its namespace is gone": {
			edit:      remove,
			later:     func(s *Spec) error { return s.RemoveNamespace("A") },
			conflicts: []string{`A/eth0 cannot be put back: there is no namespace "A"`, "A default cannot be put back"},
		},
		"its bridge is gone": {
			edit:      remove,
			later:     func(s *Spec) error { return s.RemoveLink("sw", "br0") },
			conflicts: []string{`sw/p0 cannot be put back: there is no bridge "br0" in sw`},
		},
		"its bridge has another name": {
			edit:  remove,
			later: patch("sw", "br0", LinkPatch{Name: ptr("br1")}),
			want:  func(s *Spec) bool { return s.FindEnd("sw", "p0").Master == "br1" },
		},
		"a namespace with a link made later": {
			edit:      func(s *Spec) error { return s.AddNamespace(Namespace{Name: "C"}) },
			later:     func(s *Spec) error { return s.AddBridge(Bridge{Namespace: "C", Name: "br9"}) },
			conflicts: []string{"C/br9 is in C"},
		},
		"a bridge with a port made later": {
			edit:      func(s *Spec) error { return s.AddBridge(Bridge{Namespace: "A", Name: "br9"}) },
			later:     patch("A", "eth0", LinkPatch{Master: ptr("br9")}),
			conflicts: []string{"A/eth0 is a port of A/br9"},
		},
		"a bridge that took another's name, with a port made later": {
			edit:      oldGivesName,
			later:     addPort,
			conflicts: []string{"sw/p1 is a port of sw/br0"},
		},
		"a port with a MAC entry made later": {
			edit:      addPort,
			later:     func(s *Spec) error { return s.AddFDB("sw", "br0", FDBSpec{MAC: "02:00:00:00:00:01", Port: "p1"}) },
			conflicts: []string{"the MAC table of sw/br0 has an entry for 02:00:00:00:00:01 on p1"},
		},
		"an address with a route made later": {
			edit: func(s *Spec) error { return s.AddAddress("A", "eth0", "10.9.0.1/24") },
			later: func(s *Spec) error {
				return s.AddRoute(Route{Namespace: "A", Destination: "10.8.0.0/16", Gateway: "10.9.0.2"})
			},
			conflicts: []string{"the route A 10.8.0.0/16 needs it: no link of A"},
		},
		"a MAC entry with another port": {
			edit: func(s *Spec) error { return s.AddFDB("sw", "br0", FDBSpec{MAC: "02:00:00:00:00:01", Port: "p0"}) },
			later: func(s *Spec) error {
				s.Bridges[0].FDB[0].Port = "br0"
				return nil
			},
			conflicts: []string{"the fdb of sw/br0 have another entry for 02:00:00:00:00:01"},
		},
		"what is not there any more": {
			edit:      patch("A", "eth0", LinkPatch{MTU: ptr(1400)}),
			later:     remove,
			conflicts: []string{"A/eth0 is not there any more"},
		},
		"the lab's name": {
			edit:      func(s *Spec) error { s.Name = "x"; return nil },
			later:     func(s *Spec) error { s.Name = "y"; return nil },
			conflicts: []string{"the name of the lab is y now, was x"},
		},
		"all that is in the way": {
			edit:      all(addPort, func(s *Spec) error { return s.AddNamespace(Namespace{Name: "C"}) }),
			later:     all(patch("sw", "p1", LinkPatch{Alias: ptr("x")}), func(s *Spec) error { return s.AddBridge(Bridge{Namespace: "C", Name: "br9"}) }),
			conflicts: []string{"the alias of sw/p1 is x now, was not set", "C/br9 is in C"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			base := &Spec{Namespaces: []Namespace{{Name: "A"}, {Name: "sw"}}}
			base.Bridges = []Bridge{{Namespace: "sw", Name: "br0"}}
			base.Veths = []Veth{{
				A: End{Namespace: "A", Name: "eth0", Addresses: []string{"10.0.0.1/24"}},
				B: End{Namespace: "sw", Name: "p0", Master: "br0"},
			}}
			base.Routes = []Route{{Namespace: "A", Destination: "default", Gateway: "10.0.0.254"}}
			commit(base, 1)
			after, ok := apply(base, c.edit, 2)
			if !ok {
				t.Fatal("the edit cannot be done")
			}
			last := after
			if c.later != nil {
				if last, ok = apply(after, c.later, 3); !ok {
					t.Fatal("the later edit cannot be done")
				}
			}
			got, conflicts := Revert(last, stored(t, DeltaOf(base, after)))
			if len(conflicts) != len(c.conflicts) {
				t.Fatalf("conflicts %+v, want %q", conflicts, c.conflicts)
			}
			for i, guilt := range Blame(conflicts, stored(t, DeltaOf(after, last))) {
				if guilt == Innocent {
					t.Errorf("the later edit is not to blame for %q", conflicts[i].Detail)
				}
			}
			for i, want := range c.conflicts {
				if !strings.Contains(conflicts[i].Detail, want) || strings.Contains(conflicts[i].Detail, goneMark) {
					t.Errorf("conflict %q, want %q", conflicts[i].Detail, want)
				}
			}
			if c.want != nil && !c.want(got) {
				t.Errorf("got %s", text(t, got))
			}
		})
	}
}
