package store

import (
	"path/filepath"
	"testing"

	"netdash/internal/topology"
)

// TestLinkIdentity goes through the edits in which names and identities cross.
func TestLinkIdentity(t *testing.T) {
	cases := map[string]struct {
		edit func(*topology.Spec)
		// want gives the ids that br0, br1, and the ends 0a, 0b, 1a, 1b have
		// afterwards, by those they had (1 to 6), 0 for a new one.
		want []int64
	}{
		"nothing":                     {func(*topology.Spec) {}, []int64{1, 2, 3, 4, 5, 6}},
		"a document without identity": {forget, []int64{1, 2, 3, 4, 5, 6}},
		"swap names of two ends": {func(s *topology.Spec) {
			s.Veths[0].B.Name, s.Veths[1].B.Name = s.Veths[1].B.Name, s.Veths[0].B.Name
		}, []int64{1, 2, 3, 4, 5, 6}},
		"swap names of two bridges, ports stay": {func(s *topology.Spec) {
			s.Bridges[0].Name, s.Bridges[1].Name = "br1", "br0"
			s.Veths[0].B.Master = "br1"
		}, []int64{1, 2, 3, 4, 5, 6}},
		"swap names of two bridges, ports change over": {func(s *topology.Spec) {
			s.Bridges[0].Name, s.Bridges[1].Name = "br1", "br0"
		}, []int64{1, 2, 3, 4, 5, 6}},
		"move an end": {func(s *topology.Spec) { s.Veths[0].A.Namespace = "B" }, []int64{1, 2, 3, 4, 5, 6}},
		"move two ends into each other's place": {func(s *topology.Spec) {
			s.Veths[0].A.Namespace, s.Veths[1].A.Namespace = "C", "A"
			s.Veths[0].A.Name, s.Veths[1].A.Name = "eth1", "eth0"
		}, []int64{1, 2, 3, 4, 5, 6}},
		"the namespace goes, its link stays": {func(s *topology.Spec) {
			s.Veths[0].A.Namespace = "B"
			s.Namespaces = s.Namespaces[1:]
		}, []int64{1, 2, 3, 4, 5, 6}},
		"turn a pair round": {func(s *topology.Spec) {
			s.Veths[0].A, s.Veths[0].B = s.Veths[0].B, s.Veths[0].A
		}, []int64{1, 2, 4, 3, 5, 6}},
		"turn a pair round in a document": {func(s *topology.Spec) {
			forget(s)
			s.Veths[0].A, s.Veths[0].B = s.Veths[0].B, s.Veths[0].A
		}, []int64{1, 2, 4, 3, 5, 6}},
		"rename one end in a document": {func(s *topology.Spec) {
			forget(s)
			s.Veths[0].A.Name = "other"
		}, []int64{1, 2, 0, 0, 5, 6}},
		"one end without identity": {func(s *topology.Spec) {
			s.Veths[0].A.Name, s.Veths[0].A.ID = "other", 0
		}, []int64{1, 2, 3, 4, 5, 6}},
		"replace a veth by a same-named one": {func(s *topology.Spec) {
			s.Veths[0].A.ID, s.Veths[0].B.ID = 0, 0
			s.Veths[0].A.Namespace = "B"
		}, []int64{1, 2, 0, 0, 5, 6}},
		"recombine two pairs in a document": {func(s *topology.Spec) {
			forget(s)
			s.Veths[0].B, s.Veths[1].B = s.Veths[1].B, s.Veths[0].B
		}, []int64{1, 2, 0, 0, 0, 0}},
		"recombine two pairs": {func(s *topology.Spec) {
			s.Veths[0].B, s.Veths[1].B = s.Veths[1].B, s.Veths[0].B
		}, []int64{1, 2, 3, 6, 5, 4}},
		"a new bridge takes the name, the old one another": {func(s *topology.Spec) {
			s.Bridges[0].Name = "old"
			s.Bridges[1] = topology.Bridge{Namespace: "sw", Name: "br0"} // ports' master is the new one
		}, []int64{1, 0, 3, 4, 5, 6}},
		"a master made in the same commit": {func(s *topology.Spec) {
			s.Bridges[1] = topology.Bridge{Namespace: "sw", Name: "br2"}
			s.Veths[1].B.Master = "br2"
		}, []int64{1, 0, 3, 4, 5, 6}},
		"delete a master": {func(s *topology.Spec) {
			s.Bridges[0] = topology.Bridge{Namespace: "A", Name: "br9"}
			s.Veths[0].B.Master = ""
		}, []int64{0, 2, 3, 4, 5, 6}},
		"an id of a link that is another's": {
			func(s *topology.Spec) { s.Bridges[1] = s.Bridges[0]; s.Bridges[1].Name = "copy" },
			[]int64{1, 0, 3, 4, 5, 6},
		},
		"an id of a link of another kind": {func(s *topology.Spec) { s.Bridges[1].ID = 3; s.Veths[0].A.ID = 0 }, []int64{1, 2, 3, 4, 5, 6}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			spec := &topology.Spec{
				Namespaces: []topology.Namespace{{Name: "A"}, {Name: "B"}, {Name: "C"}, {Name: "sw"}},
				Bridges: []topology.Bridge{
					{Namespace: "sw", Name: "br0", FDB: []topology.FDBSpec{{MAC: "02:00:00:00:00:01", Port: "p0"}}},
					{Namespace: "sw", Name: "br1"},
				},
				Veths: []topology.Veth{
					{
						A: topology.End{Namespace: "A", Name: "eth0", Addresses: []string{"10.0.0.1/24"}},
						B: topology.End{Namespace: "sw", Name: "p0", Master: "br0"},
					},
					{A: topology.End{Namespace: "C", Name: "eth1"}, B: topology.End{Namespace: "sw", Name: "p1"}},
				},
			}
			commit(t, s, spec)
			c.edit(spec)
			asked := spec.Clone()
			commit(t, s, spec)
			same(t, load(t, s), spec, "after Commit")
			sound(t, s)
			forget(asked)
			got := spec.Clone()
			forget(got)
			same(t, got, asked, "Commit changed more than identities")
			i := 0
			for l := range links(spec) {
				want := c.want[i]
				if want == 0 && l.ID <= 6 || want != 0 && l.ID != want {
					t.Errorf("link %d, %s, has id %d, want %d", i, l.linkName.subject(), l.ID, want)
				}
				i++
			}
		})
	}
}

// forget makes spec what a document would be.
func forget(s *topology.Spec) {
	for l := range links(s) {
		*l.Identity = topology.Identity{}
	}
}

// TestIDsAreNotReused: a deleted link's identity never becomes another's, also
// not after a restart; a Spec of former times gets it back.
func TestIDsAreNotReused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	former := star(2)
	commit(t, s, former)
	commit(t, s, &topology.Spec{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path)
	other := &topology.Spec{Bridges: []topology.Bridge{{Namespace: topology.HostName, Name: "br0"}}}
	commit(t, s, other)
	if id := other.Bridges[0].ID; id != 6 {
		t.Fatalf("id %d, want 6", id)
	}
	again := former.Clone()
	commit(t, s, again)
	same(t, again, former, "identities of former times")
	sound(t, s)
}
