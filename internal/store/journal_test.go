package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netdash/internal/topology"
)

func TestJournal(t *testing.T) {
	s := newStore(t)
	empty, err := s.Operations(t.Context(), 0, 10)
	if err != nil || empty == nil || len(empty) != 0 {
		t.Fatal(empty, err)
	}
	plan := topology.Plan{topology.CreateNamespace{Name: "A"}, topology.SetUp{Namespace: "A", Name: "lo", Up: true}}
	target := &topology.Spec{Namespaces: []topology.Namespace{{Name: "A"}}}
	committed := &topology.Operation{Author: "ann", Request: "POST /api/v1/namespaces", Changes: plan.Records(), Commands: plan.Commands()}
	if err := s.Begin(t.Context(), committed, target); err != nil {
		t.Fatal(err)
	}
	if committed.ID != 1 || committed.State != topology.OperationRunning || time.Since(committed.StartedAt) > time.Minute {
		t.Fatalf("%+v", committed)
	}
	stored(t, s, committed)
	if err := s.Commit(t.Context(), committed, target); err != nil {
		t.Fatal(err)
	}
	if committed.State != topology.OperationCommitted || committed.DurationMS <= 0 {
		t.Fatalf("%+v", committed)
	}
	stored(t, s, committed)

	failed := &topology.Operation{
		Author: "bob", Request: "DELETE /api/v1/namespaces/A", DurationMS: 12.5,
		StartedAt: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.FixedZone("", 3600)), Changes: []topology.ChangeRecord{}, Commands: []string{},
	}
	if err := s.Begin(t.Context(), failed, &topology.Spec{}); err != nil {
		t.Fatal(err)
	}
	failed.Error = "A: it is busy"
	if err := s.Fail(t.Context(), failed); err != nil {
		t.Fatal(err)
	}
	if failed.State != topology.OperationFailed || failed.DurationMS != 12.5 {
		t.Fatalf("%+v", failed)
	}
	stored(t, s, failed)
	if _, revision, err := s.Load(t.Context()); revision != 1 || err != nil {
		t.Errorf("revision %d, %v: a failed operation makes none", revision, err)
	}

	// Neither can be ended again, nor can one that never began.
	for _, op := range []*topology.Operation{committed, failed, {ID: 99}} {
		before := *op
		for _, err := range []error{s.Commit(t.Context(), op, &topology.Spec{}), s.Fail(t.Context(), op)} {
			if topology.CodeOf(err) != topology.CodeConflict {
				t.Errorf("operation %d: %v", op.ID, err)
			}
		}
		if d := cmp.Diff(before, *op); d != "" {
			t.Error(d)
		}
	}
	same(t, load(t, s), target, "after what must not change it")
	if _, err := s.Operation(t.Context(), 99); topology.CodeOf(err) != topology.CodeNotFound {
		t.Error(err)
	}

	all, err := s.Operations(t.Context(), 0, 10)
	if err != nil || len(all) != 2 || all[0].ID != 2 || all[1].ID != 1 {
		t.Fatal(all, err)
	}
	for before, want := range map[int64]int{3: 2, 2: 1, 1: 0} {
		if list, err := s.Operations(t.Context(), before, 10); err != nil || len(list) != want {
			t.Errorf("before %d: %v, %v", before, list, err)
		}
	}
	if list, err := s.Operations(t.Context(), 0, 1); err != nil || len(list) != 1 || list[0].ID != 2 {
		t.Error(list, err)
	}
}

// stored compares op with what the journal has.
func stored(t *testing.T, s *Store, op *topology.Operation) {
	t.Helper()
	got, err := s.Operation(t.Context(), op.ID)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(op, got); d != "" {
		t.Errorf("operation %d (-want +got):\n%s", op.ID, d)
	}
}

// TestPendingSurvivesOtherCommits: the target of a running operation is
// journaled as a difference, and must stay what it was when the rows change.
func TestPendingSurvivesOtherCommits(t *testing.T) {
	s := newStore(t)
	spec := star(5)
	spec.Veths[0].A.Identity.MAC = "02:00:00:00:00:aa"
	commit(t, s, spec)
	target := spec.Clone()
	target.Namespaces = append(target.Namespaces, topology.Namespace{Name: "new", IPv6: ptr(false)})
	target.Veths[2].B.BridgePort = &topology.PortAttributes{}
	cut := &topology.Operation{}
	if err := s.Begin(t.Context(), cut, target); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		pending, err := s.Pending(t.Context())
		if err != nil || len(pending) != 1 || pending[0].Operation.ID != cut.ID {
			t.Fatal(when, pending, err)
		}
		same(t, pending[0].Target, target, when)
		pending[0].Target.Namespaces[0].Name = "changed" // it is the caller's
	}
	check("at first")
	commit(t, s, &topology.Spec{Name: "other"})
	check("after another commit")
	commit(t, s, star(2))
	check("after a further one")
	if err := s.Commit(t.Context(), cut, target); err != nil {
		t.Fatal(err)
	}
	same(t, load(t, s), target, "after its own commit")
	if pending, err := s.Pending(t.Context()); err != nil || len(pending) != 0 {
		t.Fatal(pending, err)
	}
	sound(t, s)
}

// TestFailedCommit: a target that cannot be stored changes nothing, nor does
// it stop what follows.
func TestFailedCommit(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*topology.Spec)
		says string
	}{
		"master that is not there":    {func(s *topology.Spec) { s.Veths[1].B.Master = "none" }, "sw/p1: refers to sw/none"},
		"master that went":            {func(s *topology.Spec) { s.Bridges = nil }, "contradicts"},
		"master that is called other": {func(s *topology.Spec) { s.Bridges[0].Name = "br1" }, "refers to sw/br0"},
		"FDB port that is not there": {func(s *topology.Spec) {
			s.Bridges[0].FDB = []topology.FDBSpec{{MAC: "02:00:00:00:00:01", Port: "none"}}
		}, "refers to sw/none"},
		"namespace that went": {func(s *topology.Spec) { s.Namespaces = s.Namespaces[:1] }, "contradicts"},
		"namespace twice":     {func(s *topology.Spec) { s.Namespaces = append(s.Namespaces, s.Namespaces...) }, "contradicts"},
		"namespaces twice, all new": {func(s *topology.Spec) {
			s.Namespaces = append(s.Namespaces, topology.Namespace{Name: "n"}, topology.Namespace{Name: "n"})
		}, "n: is there twice"},
		"route twice":             {func(s *topology.Spec) { s.Routes = append(s.Routes, s.Routes[0]) }, "contradicts"},
		"the host as a namespace": {func(s *topology.Spec) { s.Namespaces[1].Name = "host"; s.Veths = nil }, "contradicts"},
		"name twice":              {func(s *topology.Spec) { s.Veths[0].B.Name = "p1" }, "contradicts"},
		"address twice": {func(s *topology.Spec) {
			s.Veths[0].A.Addresses = []string{"10.0.0.1/24", "10.0.0.1/24"}
		}, "h0/eth0 10.0.0.1/24: is there twice"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			spec := star(3)
			spec.Routes = []topology.Route{{Namespace: "h0", Destination: "default", Gateway: "10.0.0.2"}}
			commit(t, s, spec)
			target := spec.Clone()
			c.edit(target)
			target.Veths = append(target.Veths, topology.Veth{
				A: topology.End{Namespace: "h0", Name: "new"}, B: topology.End{Namespace: "h1", Name: "new"},
			})
			asked := target.Clone()
			op := &topology.Operation{Changes: []topology.ChangeRecord{}, Commands: []string{}}
			if err := s.Begin(t.Context(), op, target); err != nil {
				t.Fatal(err)
			}
			before := *op
			err := s.Commit(t.Context(), op, target)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("error %v, want one that says %q", err, c.says)
			}
			if _, ok := errors.AsType[*topology.Error](err); !ok {
				t.Errorf("%v has no meaning", err)
			}
			if d := cmp.Diff(before, *op); d != "" {
				t.Error("the operation was changed", d)
			}
			same(t, target, asked, "the target was changed")
			same(t, load(t, s), spec, "rows after a failed commit")
			stored(t, s, op)
			if err := s.Fail(t.Context(), op); err != nil {
				t.Fatal(err)
			}
			sound(t, s)
			commit(t, s, star(4))
			sound(t, s)
		})
	}
}

// TestCancelledCommit: the kernel has the change already, so the rows follow
// even if the client has gone.
func TestCancelledCommit(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	spec, op := star(1), &topology.Operation{}
	if err := s.Begin(ctx, op, spec); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Begin(ctx, &topology.Operation{}, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("Begin: %v", err)
	}
	if err := s.Commit(ctx, op, spec); err != nil {
		t.Fatal(err)
	}
	same(t, load(t, s), spec, "after a cancelled commit")
}
