package topology

import (
	"slices"
	"testing"
	"time"
)

// TestRepairOfRenames takes renames back where the old name is in use again: by
// what the same Plan has put there, or by somebody else.
func TestRepairOfRenames(t *testing.T) {
	spec := func(names ...string) *Spec { // of bridges with the ids 1, 2, …
		s := &Spec{}
		for i, name := range names {
			if name != "" {
				s.Bridges = append(s.Bridges, Bridge{Identity: Identity{ID: int64(i + 1)}, Namespace: HostName, Name: name})
			}
		}
		return s
	}
	observed := func(names ...string) *Snapshot {
		host := &NamespaceState{ID: "1", Name: HostName}
		for i, name := range names {
			host.Links = append(host.Links, &Link{Namespace: HostName, Name: name, Ifindex: i + 2, Kind: "bridge", AdminUp: true, Managed: true, Bridge: &BridgeInfo{}})
		}
		return &Snapshot{Namespaces: []*NamespaceState{host}}
	}
	for name, c := range map[string]struct {
		before, after *Spec
		done          Plan // nil: all of it
		there         *Snapshot
		want          []string
	}{
		"a rename": {spec("a"), spec("b"), nil, observed("b"), []string{"ip link set dev b down", "ip link set dev b name a", "ip link set dev a up"}},
		"a rename that was not done, though it may have been": {spec("a"), spec("b"), nil, observed("a"), nil},
		// The kernel will not allow it, but a is not netdash's to delete.
		"somebody has taken the old name": {spec("a"), spec("b"), nil, observed("a", "b"), []string{"ip link set dev b down", "ip link set dev b name a", "ip link set dev a up"}},
		"somebody has taken the new name": {spec("a"), spec("b"), Plan{SetUp{HostName, "a", false}, SetUp{HostName, "b", true}}, observed("a", "b"), nil},
		"a chain": {spec("a", "b"), spec("b", "c"), nil, observed("b", "c"), []string{
			"ip link set dev b down", "ip link set dev c down", "ip link set dev b name a", "ip link set dev c name b", "ip link set dev a up", "ip link set dev b up",
		}},
		"a chain that begins with a deletion": {spec("a", "b"), spec("", "a"), nil, observed("a"), []string{
			"ip link set dev a down", "ip link set dev a name b", "ip link add name a type bridge", "ip link set dev b up", "ip link set dev a up",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.done == nil {
				c.done = Diff(c.before, c.after)
			}
			planned := make(chan Plan, 1)
			go func() { planned <- Repair(c.before, c.after, c.done, nil, c.there) }()
			select {
			case p := <-planned:
				got := p.Commands()
				slices.Sort(got)
				slices.Sort(c.want)
				if !slices.Equal(got, c.want) {
					t.Errorf("after %q:\n%q, want\n%q", c.done.Commands(), p.Commands(), c.want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("after %q it does not end", c.done.Commands())
			}
		})
	}
}
