package lab_test

import (
	"path/filepath"
	"strings"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestMend changes what no Spec holds: it is journaled, changes nothing that is
// intended, and what is done of one that fails stays.
func TestMend(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "db"), nil)
	m.edit(t, func(s *topology.Spec) error { return s.AddNamespace(topology.Namespace{Name: "R"}) })
	nettest.Shell(t, "ip netns exec R sysctl -qw net.ipv4.ip_forward=0")
	forward := topology.SetSysctl{Namespace: "R", Name: "net/ipv4/ip_forward", Value: "1"}
	is := func() string {
		return strings.TrimSpace(nettest.Shell(t, "ip netns exec R cat /proc/sys/net/ipv4/ip_forward"))
	}
	before, _ := m.Intended()

	dry, err := m.Mend(t.Context(), lab.Request{DryRun: true}, topology.Plan{forward})
	if err != nil || dry.Operation != nil || len(dry.Plan) != 1 || is() != "0" {
		t.Fatalf("dry run: %+v, %v; ip_forward %s", dry, err, is())
	}
	done, err := m.Mend(t.Context(), lab.Request{Author: "ann", Text: "POST /api/v1/diagnoses/apply"}, topology.Plan{forward})
	if err != nil || is() != "1" {
		t.Fatalf("%v; ip_forward %s", err, is())
	}
	op, err := m.Operation(t.Context(), done.Operation.ID)
	if err != nil || op.State != topology.OperationCommitted || op.Author != "ann" || len(op.Commands) != 1 || op.Commands[0] != "ip netns exec R sysctl -w net.ipv4.ip_forward=1" {
		t.Errorf("journal: %+v, %v", op, err)
	}
	if after, _ := m.Intended(); !topology.Equal(before, after) {
		t.Errorf("intended is %+v", after)
	}

	nettest.Shell(t, "ip netns exec R sysctl -qw net.ipv4.ip_forward=0")
	_, err = m.Mend(t.Context(), lab.Request{}, topology.Plan{forward, topology.SetSysctl{Namespace: "R", Name: "net/ipv4/there_is_none", Value: "1"}})
	if topology.CodeOf(err) != topology.CodeNotFound || is() != "1" {
		t.Errorf("%v; ip_forward %s", err, is())
	}
	list, err := m.Operations(t.Context(), 0, 1)
	if err != nil || list[0].State != topology.OperationFailed || !strings.Contains(list[0].Error, "what has been repaired stays so") {
		t.Errorf("journal: %+v, %v", list, err)
	}
	// Links that are somebody else's are left alone.
	nettest.Shell(t, "ip -n R link add foreign type bridge")
	if _, err := m.live.Observe(t.Context(), []string{"R"}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Mend(t.Context(), lab.Request{}, topology.Plan{topology.SetARP{Namespace: "R", Name: "foreign"}}); topology.CodeOf(err) != topology.CodeConflict {
		t.Errorf("a foreign link: %v", err)
	}
}
