package topology

import (
	"encoding/json"
	"testing"
)

// document gives a Spec as it comes back from its JSON: without identities.
func document(t *testing.T, s *Spec) *Spec {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var d Spec
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// TestInherit: a link keeps its identity by its name, and an end also by its
// other end; a link of another kind or with another peer is a new one.
func TestInherit(t *testing.T) {
	from := lab(t, twoHosts,
		func(s *Spec) error { return s.AddBridge(Bridge{Namespace: "A", Name: "br0"}) },
		func(s *Spec) error {
			return s.AddVeth(Veth{A: End{Namespace: "A", Name: "p1"}, B: End{Namespace: "B", Name: "p2"}})
		})
	number := int64(10)
	for _, id := range from.identities() {
		id.ID, id.MAC = number, string(rune('a'+number-10))
		number++
	}
	veth := from.FindEnd("A", "veth0").Identity
	for name, c := range map[string]struct {
		edit func(*Spec)
		ends [2]int64 // what the ends of the first pair are
	}{
		"as it was":                            {func(*Spec) {}, [2]int64{veth.ID, veth.ID + 1}},
		"the ends are swapped in the document": {func(s *Spec) { s.Veths[0].A, s.Veths[0].B = s.Veths[0].B, s.Veths[0].A }, [2]int64{veth.ID + 1, veth.ID}},
		"one end renamed":                      {func(s *Spec) { s.Veths[0].B.Name = "eth7" }, [2]int64{veth.ID, veth.ID + 1}},
		"one end moved":                        {func(s *Spec) { s.Veths[0].B.Namespace, s.Veths[0].B.Name = "A", "eth7" }, [2]int64{veth.ID, veth.ID + 1}},
		"both ends renamed":                    {func(s *Spec) { s.Veths[0].A.Name, s.Veths[0].B.Name = "x", "y" }, [2]int64{}},
		"ends of two pairs joined":             {func(s *Spec) { s.Veths[0].B, s.Veths[1].B = s.Veths[1].B, s.Veths[0].B }, [2]int64{}},
		"a bridge in place of an end": {func(s *Spec) {
			s.Bridges = append(s.Bridges, Bridge{Namespace: "A", Name: "veth0"})
			s.Veths[0] = Veth{A: End{Namespace: "A", Name: "x"}, B: End{Namespace: "B", Name: "y"}}
		}, [2]int64{}},
	} {
		to := document(t, from)
		c.edit(to)
		if err := Validate(to); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		to.Inherit(from)
		if got := [2]int64{to.Veths[0].A.ID, to.Veths[0].B.ID}; got != c.ends {
			t.Errorf("%s: the ends are %v, want %v", name, got, c.ends)
		}
		if to.Bridges[0].ID != 10 || to.Bridges[0].Identity.MAC != "a" {
			t.Errorf("%s: the bridge is %+v", name, to.Bridges[0].Identity)
		}
		if a := to.Veths[0].A.Identity; c.ends[0] == veth.ID && a != veth {
			t.Errorf("%s: the end is %+v, want %+v", name, a, veth)
		}
		// The Plan is the one that is made without knowing.
		blind := document(t, to)
		if got, want := commands(Diff(from, to)), commands(Diff(from, blind)); got != want {
			t.Errorf("%s: the Plan is\n%s\nwithout identities it was\n%s", name, got, want)
		}
	}
}

func TestWithMACs(t *testing.T) {
	s := lab(t, twoHosts)
	s.Veths[0].A.Identity.MAC = "02:00:00:00:00:01"
	s.Veths[0].B.Identity.MAC, s.Veths[0].B.MAC = "02:00:00:00:00:02", "02:00:00:00:00:03"
	c := s.WithMACs()
	if c.Veths[0].A.MAC != "02:00:00:00:00:01" || c.Veths[0].B.MAC != "02:00:00:00:00:03" || s.Veths[0].A.MAC != "" {
		t.Errorf("%+v", c.Veths[0])
	}
}
