package lab_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// withMACs is the fingerprint and the MACs of veths, which an undo brings
// back, as ip tells them.
func withMACs(t testing.TB) string {
	t.Helper()
	var out []string
	for _, n := range append([]string{"host"}, strings.Fields(nettest.Shell(t, "ls /run/netns"))...) {
		for _, l := range nettest.IP(t, n, "-d", "link") {
			if info, _ := l["linkinfo"].(map[string]any); info["info_kind"] == "veth" {
				out = append(out, fmt.Sprintf("%s/%v %v", n, l["ifname"], l["address"]))
			}
		}
	}
	slices.Sort(out)
	return fingerprint(t) + strings.Join(out, "\n")
}

// identities are the links of the intended Spec with what is remembered of them.
func identities(m *machine) string {
	s, _ := m.Intended()
	var b strings.Builder
	for _, br := range s.Bridges {
		fmt.Fprintln(&b, br.Namespace, br.Name, br.Identity)
	}
	for _, v := range s.Veths {
		fmt.Fprintln(&b, v.A.Namespace, v.A.Name, v.A.Identity, v.B.Namespace, v.B.Name, v.B.Identity)
	}
	return b.String()
}

func (m *machine) undo(t *testing.T, id int64) *topology.Operation {
	t.Helper()
	r, err := m.Undo(t.Context(), lab.Request{Author: "test", Text: fmt.Sprintf("undo %d", id)}, id)
	if err != nil {
		t.Fatalf("undo %d: %v", id, err)
	}
	if r.Operation.State != topology.OperationCommitted || r.Operation.Undoes != id {
		t.Fatalf("undo %d: %+v", id, r.Operation)
	}
	was, err := m.Operation(t.Context(), id)
	if err != nil || was.State != topology.OperationUndone || was.UndoneBy != r.Operation.ID {
		t.Fatalf("undo %d: %+v, %v", id, was, err)
	}
	return r.Operation
}

// TestUndoStepByStep builds a lab, takes it back to nothing step by step, and
// does it all again; what there is, is each time what it was then. In between
// netdash is started anew.
func TestUndoStepByStep(t *testing.T) {
	nettest.NoLeaks(t)
	nettest.Require(t)
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete; ip link delete br0 2>/dev/null; true") })
	db := filepath.Join(t.TempDir(), "n.db")
	var m *machine
	var stop func() error
	restart := func() {
		t.Helper()
		if stop != nil {
			if err := stop(); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if m, stop, err = start(db, nil); err != nil {
			t.Fatal(err)
		}
		if err := m.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	restart()
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	type moment struct{ kernel, spec, identities string }
	now := func() moment { return moment{withMACs(t), intended(t, m), identities(m)} }
	moments, done := []moment{now()}, []int64{}
	for _, step := range steps {
		done = append(done, m.edit(t, step.edit).Operation.ID)
		moments = append(moments, now())
	}
	check := func(what string, want moment) {
		t.Helper()
		got := now()
		if got.kernel != want.kernel {
			t.Fatalf("%s: the kernel has\n%s\nwant\n%s", what, got.kernel, want.kernel)
		}
		if got.spec != want.spec || got.identities != want.identities {
			t.Fatalf("%s: intended is %s\n%s\nwant %s\n%s", what, got.spec, got.identities, want.spec, want.identities)
		}
	}
	restart()
	var undone []int64
	for i := len(steps) - 1; i >= 0; i-- {
		undone = append(undone, m.undo(t, done[i]).ID)
		check("undone "+steps[i].name, moments[i])
	}
	restart()
	var redone []int64
	for i := range steps {
		redone = append(redone, m.undo(t, undone[len(steps)-1-i]).ID)
		check("redone "+steps[i].name, moments[i+1])
	}
	for i := len(steps) - 1; i >= 0; i-- {
		m.undo(t, redone[i])
		check("undone once more "+steps[i].name, moments[i])
	}
}

// twoHosts are two namespaces with a cable; it answers the operation.
func twoHosts(t *testing.T, m *machine) int64 {
	t.Helper()
	return m.edit(t, steps[0].edit).Operation.ID
}

// refusedUndo holds that an operation cannot be undone, and that nothing
// changed; it gives the error.
func refusedUndo(t *testing.T, m *machine, id int64, code topology.Code) *topology.Error {
	t.Helper()
	kernel, spec := withMACs(t), intended(t, m)
	before, err := m.Operations(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{false, true} {
		_, err = m.Undo(t.Context(), lab.Request{DryRun: dry}, id)
		if topology.CodeOf(err) != code {
			t.Fatalf("undo %d: %v, want code %s", id, err, code)
		}
	}
	after, _ := m.Operations(t.Context(), 0, 100)
	if withMACs(t) != kernel || intended(t, m) != spec || len(after) != len(before) {
		t.Errorf("undo %d changed something", id)
	}
	e, ok := errors.AsType[*topology.Error](err)
	if !ok {
		t.Fatal(err)
	}
	return e
}

// TestUndoOlder takes back an edit that nothing later stands on: what came
// later stays.
func TestUndoOlder(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	twoHosts(t, m)
	mtu := m.edit(t, func(s *topology.Spec) error {
		_, _, err := s.PatchLink("A", "eth0", topology.LinkPatch{MTU: new(1400)})
		return err
	}).Operation.ID
	gone := m.edit(t, func(s *topology.Spec) error { return s.RemoveAddress("B", "eth0", "10.0.0.2/24") }).Operation.ID
	m.edit(t, func(s *topology.Spec) error {
		_, _, err := s.PatchLink("A", "eth0", topology.LinkPatch{Name: new("wan")})
		return err
	})
	m.edit(t, func(s *topology.Spec) error { return s.AddAddress("B", "eth0", "10.9.0.2/24") })
	plan, err := m.Undo(t.Context(), lab.Request{DryRun: true}, mtu)
	if err != nil || fmt.Sprint(plan.Plan.Commands()) != "[ip -n A link set dev wan mtu 1500]" || plan.Operation != nil {
		t.Errorf("dry run: %+v, %v", plan, err)
	}
	m.undo(t, mtu)
	m.undo(t, gone)
	wan := nettest.IP(t, "A", "address", "show", "dev", "wan")[0]
	if wan["mtu"] != 1500.0 {
		t.Errorf("mtu %v", wan["mtu"])
	}
	var addresses []any
	for _, a := range nettest.IP(t, "B", "-4", "address", "show", "dev", "eth0")[0]["addr_info"].([]any) {
		addresses = append(addresses, a.(map[string]any)["local"])
	}
	if !slices.Equal(addresses, []any{"10.9.0.2", "10.0.0.2"}) {
		t.Errorf("addresses %v", addresses)
	}
}

// TestUndoConflicts reads what a user is told.
func TestUndoConflicts(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	hosts := twoHosts(t, m)
	edit := func(request string, f func(*topology.Spec) error) int64 {
		t.Helper()
		r, err := m.Edit(t.Context(), lab.Request{Author: "ann", Text: request}, f)
		if err != nil {
			t.Fatal(err)
		}
		return r.Operation.ID
	}
	mtu := func(n int) func(*topology.Spec) error {
		return func(s *topology.Spec) error {
			_, _, err := s.PatchLink("A", "eth0", topology.LinkPatch{MTU: &n})
			return err
		}
	}
	first, second, third := edit("first", mtu(1490)), edit("second", mtu(1480)), edit("third", mtu(1470))
	m.undo(t, third) // is without effect, and so is its undoing

	e := refusedUndo(t, m, first, topology.CodeConflict)
	want := fmt.Sprintf("the mtu of A/eth0 is 1480 now, was 1490 (operation %d: second, by ann)", second)
	if e.Subject != "A/eth0" || len(e.Fields) != 1 || e.Fields[0].Detail != want || e.Hint != fmt.Sprintf("undo operation %d first", second) {
		t.Errorf("%+v", e)
	}
	e = refusedUndo(t, m, third, topology.CodeConflict)
	if !regexp.MustCompile(`undone already, by operation \d+`).MatchString(e.Detail) {
		t.Errorf("%+v", e)
	}
	bridge := edit("bridge", func(s *topology.Spec) error { return s.AddBridge(topology.Bridge{Namespace: "B", Name: "br0"}) })
	port := edit("port", func(s *topology.Spec) error {
		return s.AddVeth(topology.Veth{
			A: topology.End{Namespace: "A", Name: "x"}, B: topology.End{Namespace: "B", Name: "y", Master: "br0"},
		})
	})
	e = refusedUndo(t, m, bridge, topology.CodeConflict)
	want = fmt.Sprintf("B/y is a port of B/br0 (operation %d: port, by ann)", port)
	if e.Subject != "B/y" || e.Fields[0].Detail != want || e.Detail != fmt.Sprintf("operation %d cannot be undone: B/y is a port of B/br0", bridge) {
		t.Errorf("%+v", e)
	}
	e = refusedUndo(t, m, hosts, topology.CodeConflict)
	if len(e.Fields) < 3 || e.Hint != fmt.Sprintf("undo these operations first, one after the other: %d, %d, %d, %d", port, bridge, second, first) {
		t.Errorf("%+v", e)
	}
	// The advice is good.
	for _, id := range []int64{port, bridge, second, first, hosts} {
		m.undo(t, id)
	}

	refusedUndo(t, m, 99, topology.CodeNotFound)
}

// TestUndoNothing: what did nothing, or nothing that is left, is not undone.
func TestUndoNothing(t *testing.T) {
	at, seen := 0, 0
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { return failing{k, &at, &seen, false} })
	hosts := twoHosts(t, m)
	at, seen = 1, 0
	if _, err := m.Edit(t.Context(), lab.Request{}, everythingGone); err == nil {
		t.Fatal("no change was refused")
	}
	at = 0
	if e := refusedUndo(t, m, hosts+1, topology.CodeConflict); !strings.Contains(e.Detail, "failed") {
		t.Errorf("%+v", e)
	}
	up := m.edit(t, func(s *topology.Spec) error { return s.AddAddress("A", "eth0", "10.5.0.1/24") }).Operation.ID
	m.edit(t, func(s *topology.Spec) error { return s.RemoveAddress("A", "eth0", "10.5.0.1/24") })
	if e := refusedUndo(t, m, up, topology.CodeConflict); !strings.Contains(e.Detail, "nothing left to undo") {
		t.Errorf("%+v", e)
	}
}

// TestFailedUndo refuses each change of an undo in turn: the operation is still
// done then, and can be undone.
func TestFailedUndo(t *testing.T) {
	at, seen := 0, 0
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { return failing{k, &at, &seen, false} })
	id := twoHosts(t, m)
	kernel := withMACs(t)
	for n := 1; ; n++ {
		at, seen = n, 0
		if _, err := m.Undo(t.Context(), lab.Request{}, id); err == nil {
			if n < 3 {
				t.Fatalf("only %d changes were refused", n-1)
			}
			break
		}
		ops, err := m.Operations(t.Context(), 0, 1)
		if err != nil || ops[0].State != topology.OperationFailed || ops[0].Undoes != 0 {
			t.Fatalf("change %d: %+v, %v", n, ops, err)
		}
		if is, err := m.Operation(t.Context(), id); err != nil || is.State != topology.OperationCommitted {
			t.Fatalf("change %d: %+v, %v", n, is, err)
		}
		if got := withMACs(t); got != kernel {
			t.Fatalf("change %d: before\n%s\nafter\n%s", n, kernel, got)
		}
	}
	at = 0
}

// TestUndoLeavesTheKernel: what was not done to the kernel is not undone there.
func TestUndoLeavesTheKernel(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	name := nettest.Namespace(t) // somebody else's
	nettest.Shell(t, "ip -n "+name+" link set lo up")
	kernel := withMACs(t)
	r, err := m.EditIntent(t.Context(), lab.Request{}, func(s *topology.Spec) error {
		return s.AddNamespace(topology.Namespace{Name: name})
	})
	if err != nil || !r.Operation.IntentOnly {
		t.Fatalf("%+v, %v", r, err)
	}
	managed := func(want bool) {
		t.Helper()
		if n := m.live.Snapshot().Namespace(name); n == nil || n.Managed != want {
			t.Errorf("managed: %+v, want %v", n, want)
		}
		if withMACs(t) != kernel {
			t.Error("the kernel was changed")
		}
	}
	managed(true)
	released := m.undo(t, r.Operation.ID)
	managed(false)
	if !released.IntentOnly || len(released.Changes) > 0 {
		t.Errorf("%+v", released)
	}
	again := m.undo(t, released.ID)
	managed(true)
	m.undo(t, again.ID)
	managed(false)

	// An empty Plan alone does not mean that: a route through a link that is down
	// is in the kernel only when that is up.
	twoHosts(t, m)
	down := m.edit(t, func(s *topology.Spec) error {
		_, _, err := s.PatchLink("A", "eth0", topology.LinkPatch{AdminUp: new(false)})
		return err
	}).Operation.ID
	route := m.edit(t, func(s *topology.Spec) error {
		return s.AddRoute(topology.Route{Namespace: "A", Destination: "10.7.0.0/16", Gateway: "10.0.0.2"})
	}).Operation
	if route.IntentOnly || len(route.Changes) > 0 {
		t.Fatalf("%+v", route)
	}
	m.undo(t, down)
	if !strings.Contains(fingerprint(t), "route 10.7.0.0/16") {
		t.Fatal("there is no route")
	}
	m.undo(t, route.ID)
	if strings.Contains(fingerprint(t), "route 10.7.0.0/16") {
		t.Error("the route is still there")
	}
}

// TestUndoIsTold: viewers hear of both operations, the new one first.
func TestUndoIsTold(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	id := twoHosts(t, m)
	seq := m.live.Snapshot().Seq
	by := m.undo(t, id).ID
	sub := m.live.Subscribe(&seq)
	defer sub.Close()
	var told []string
	for len(told) < 3 {
		frames, err := sub.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range frames {
			var e topology.Event
			if err := json.Unmarshal(f.Text, &struct {
				*topology.Event
				Namespace, Link json.RawMessage
			}{Event: &e}); err != nil {
				t.Fatal(err)
			}
			if o := e.Operation; o != nil {
				told = append(told, fmt.Sprint(e.Type, " ", o.ID, " ", o.State, " ", o.Undoes, " ", o.UndoneBy))
			}
		}
	}
	want := []string{
		fmt.Sprint("operation.started ", by, " running ", id, " 0"),
		fmt.Sprint("operation.committed ", by, " committed ", id, " 0"),
		fmt.Sprint("operation.undone ", id, " undone 0 ", by),
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// TestUndoKilledAnywhere kills the process at every checkpoint of every undo.
func TestUndoKilledAnywhere(t *testing.T) {
	nettest.NoLeaks(t)
	nettest.Require(t)
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete; ip link delete br0 2>/dev/null; true") })
	db := filepath.Join(t.TempDir(), "n.db")
	// look starts netdash, which recovers, and tells what there is.
	look := func(then func(*machine)) (kernel, spec string, last topology.Operation) {
		t.Helper()
		m, stop, err := start(db, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if then != nil {
			then(m)
		}
		kernel, spec = fingerprint(t), intended(t, m)+identities(m)
		if last, err = lastDone(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		return kernel, spec, last
	}
	type moment struct{ kernel, spec string }
	kernel, spec, _ := look(nil)
	moments := []moment{{kernel, spec}}
	for _, step := range steps[:5] {
		kernel, spec, _ = look(func(m *machine) { m.edit(t, step.edit) })
		moments = append(moments, moment{kernel, spec})
	}
	for i := 4; i >= 0; i-- {
		after, before := moments[i+1], moments[i]
		_, _, op := look(nil)
		for at := 1; ; at++ {
			killed := perform(t, db, undoStep, at, "")
			kernel, spec, last := look(nil)
			switch (moment{kernel, spec}) {
			case after:
				if !killed || last.ID != op.ID {
					t.Fatalf("%s, killed at checkpoint %d: nothing is undone, but of operation %d %+v is left", steps[i].name, at, op.ID, last)
				}
				continue
			case before:
				if last.ID == op.ID || at < 4 {
					t.Fatalf("%s, killed at checkpoint %d: all is undone, but operation %d is not", steps[i].name, at, op.ID)
				}
			default:
				t.Fatalf("%s, killed at checkpoint %d: half of it is undone\nkernel\n%s\nspec %s", steps[i].name, at, kernel, spec)
			}
			break
		}
	}
}

// lastDone gives the newest operation that is done and not itself an undo; zero
// when there is none.
func lastDone(ctx context.Context, m *machine) (topology.Operation, error) {
	ops, err := m.Operations(ctx, 0, 500)
	for _, op := range ops {
		if op.State == topology.OperationCommitted && op.Undoes == 0 {
			return op, err
		}
	}
	return topology.Operation{}, err
}
