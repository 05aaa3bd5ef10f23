package lab_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// largeMachine has largeLab, an album of it, and somebody to disturb it.
func largeMachine(t *testing.T, wrap func(lab.Kernel) lab.Kernel) (*machine, *vandal, func() map[string][]string) {
	t.Helper()
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), wrap)
	m.edit(t, largeLab)
	v := newVandal(t, m, 1)
	names := []string{"host", v.foreign}
	for _, n := range v.spec.Namespaces {
		names = append(names, n.Name)
	}
	return m, v, func() map[string][]string { return album(t, names, v.spec.Bridges) }
}

// differing lists the subjects that differ, freshly observed.
func (m *machine) differing(t *testing.T) []string {
	t.Helper()
	spec, _ := m.Intended()
	names := []string{"host"}
	for _, n := range spec.Namespaces {
		names = append(names, n.Name)
	}
	if _, err := m.live.Observe(t.Context(), names); err != nil {
		t.Fatal(err)
	}
	d, err := m.Drift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range d.Differences {
		if !slices.Contains(out, d.Subject) {
			out = append(out, d.Subject)
		}
	}
	return out
}

// TestReconcileNamed mends each kind of disturbance by itself, by the names under
// which the differences report it, and leaves alone what else has drifted.
func TestReconcileNamed(t *testing.T) {
	m, v, picture := largeMachine(t, nil)
	before := picture()
	m.edit(t, func(s *topology.Spec) error { return s.AddNamespace(topology.Namespace{Name: "aside"}) })
	for _, kind := range slices.Sorted(maps.Keys(vandalism)) {
		if kind == "rename a bridge" && !v.follows {
			continue // said by newVandal
		}
		nettest.Shell(t, "ip -n aside link set dev lo down")
		var done string
		var subjects []string
		for len(subjects) < 2 { // what was picked may not have had it
			v.disturb(kind)
			done += v.strike(t)
			subjects = m.differing(t)
		}
		aside := slices.Index(subjects, "aside/lo")
		if aside < 0 {
			t.Fatalf("%s: %v", kind, subjects)
		}
		r, err := m.Reconcile(t.Context(), lab.Request{Author: "test", Text: kind}, slices.Delete(slices.Clone(subjects), aside, aside+1))
		if err != nil {
			t.Errorf("%s: %v\n%s", kind, err, done)
			continue
		}
		if left := m.differing(t); !slices.Equal(left, []string{"aside/lo"}) {
			t.Errorf("%s: of %v is left %v after\n%s\n%s", kind, subjects, left, done, strings.Join(r.Plan.Commands(), "\n"))
		}
		if wrong := unlike(before, picture()); wrong != "" {
			t.Errorf("%s:\n%s%s\n%s", kind, wrong, done, strings.Join(r.Plan.Commands(), "\n"))
		}
		if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReconcileIsAnOperation(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	r, err := m.Reconcile(t.Context(), lab.Request{Author: "test", Text: "reconcile"}, nil)
	if err != nil || r.Operation != nil || len(r.Plan) > 0 {
		t.Fatalf("nothing to do, but %+v, %v", r, err)
	}
	before, spec := fingerprint(t), intended(t, m)
	nettest.Shell(t, "ip -n A link delete dev eth0 && ip netns delete A && ip -n B link set dev lo down")
	gone := fingerprint(t)
	r, err = m.Reconcile(t.Context(), lab.Request{Author: "test", DryRun: true}, nil)
	if err != nil || r.Operation != nil || len(r.Plan) == 0 || r.Plan[0] != topology.Change(topology.CreateNamespace{Name: "A"}) {
		t.Fatalf("dry run: %+v, %v", r, err)
	}
	if got := fingerprint(t); got != gone {
		t.Errorf("a dry run changed\n%s\nto\n%s", gone, got)
	}
	for subject, code := range map[string]topology.Code{"C": topology.CodeNotFound, "A/": topology.CodeInvalid} {
		if _, err := m.Reconcile(t.Context(), lab.Request{}, []string{"B/lo", subject}); topology.CodeOf(err) != code {
			t.Errorf("%s: %v", subject, err)
		}
	}
	_, revision := m.Intended()
	stale := revision - 1
	if _, err := m.Reconcile(t.Context(), lab.Request{Revision: &stale}, nil); topology.CodeOf(err) != topology.CodePrecondition {
		t.Errorf("%v", err)
	}
	started := int64(0)
	r, err = m.Reconcile(t.Context(), lab.Request{Author: "test", Text: "reconcile", Started: func(id int64) { started = id }}, []string{"A"})
	if err != nil || r.Operation.ID != started || r.Operation.State != topology.OperationCommitted || r.Operation.Author != "test" {
		t.Fatalf("%+v, %v", r, err)
	}
	op, err := m.Operation(t.Context(), started)
	if err != nil || op.State != topology.OperationCommitted || op.Request != "reconcile" || len(op.Changes) != len(r.Plan) {
		t.Errorf("journaled as %+v, %v", op, err)
	}
	if left := m.differing(t); !slices.Equal(left, []string{"B/lo"}) {
		t.Errorf("left is %v", left)
	}
	if _, err := m.Reconcile(t.Context(), lab.Request{}, []string{"B/lo"}); err != nil {
		t.Error(err)
	}
	if got := fingerprint(t); got != before {
		t.Errorf("before\n%s\nafter\n%s", before, got)
	}
	if got := intended(t, m); got != spec {
		t.Errorf("intended was %s and is %s", spec, got)
	}
}

// TestReconcileRouteBehindAddress: the kernel's own route for an address that should
// not be there has the place of an intended one. It goes with the address.
func TestReconcileRouteBehindAddress(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	m.edit(t, func(s *topology.Spec) error {
		return s.AddRoute(topology.Route{Namespace: "A", Destination: "10.9.0.0/24", Gateway: "10.0.0.2"})
	})
	before := fingerprint(t)
	nettest.Shell(t, "ip -n A route delete 10.9.0.0/24 && ip -n A address add 10.9.0.1/24 dev eth0")
	if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil {
		t.Error(err)
	}
	if got := fingerprint(t); got != before {
		t.Errorf("before\n%s\nafter\n%s", before, got)
	}
}

// TestReconcileKeepsMACs: what is made anew has the MAC its neighbours know, also
// when that was the kernel's choice.
func TestReconcileKeepsMACs(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	macs := func() string {
		return fmt.Sprint(nettest.IP(t, "A", "link", "show", "dev", "eth0")[0]["address"], nettest.IP(t, "B", "link", "show", "dev", "eth0")[0]["address"])
	}
	before := macs()
	nettest.Shell(t, "ip -n A link delete dev eth0")
	if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil || macs() != before {
		t.Errorf("%v; the MACs were %s and are %s", err, before, macs())
	}

	// Another one, given by hand, is a difference: two of the same are why a lab does
	// not ping.
	nettest.Shell(t, "ip -n A link set dev eth0 address $(ip -n B -j link show dev eth0 | jq -r .[].address)")
	if got := m.differing(t); !slices.Equal(got, []string{"A/eth0"}) {
		t.Errorf("with the MAC of B/eth0, %v differ", got)
	}
	if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil || macs() != before {
		t.Errorf("%v; the MACs were %s and are %s", err, before, macs())
	}
}

// TestReconcileAroundObstacles mends what can be mended while links that netdash
// does not manage have names it needs, and leaves these alone.
func TestReconcileAroundObstacles(t *testing.T) {
	m, _, picture := largeMachine(t, nil)
	before := picture()
	nettest.Shell(t, `set -e
		ip -n h01 link delete dev eth0 && ip -n h01 link add eth0 type bridge && ip -n h01 address add 10.1.0.99/24 dev eth0
		ip link delete dev br0 && ip link add br0 type veth peer name theirs && ip link set dev br0 mtu 1234
		ip link set dev p13 alias drifted
		ip netns delete h14
		ip -n h03 link add theirs type bridge && ip -n h03 link set dev theirs up && ip -n h03 address add 10.88.0.1/24 dev theirs
		ip -n h03 route delete 10.77.0.0/16 metric 50 && ip -n h03 route add 10.77.0.0/16 via 10.88.0.2 metric 50
		ip -n h03 link set dev lo down`)
	foreign := func() string {
		return fmt.Sprint(nettest.IP(t, "h03", "route", "show", "10.77.0.0/16"), nettest.IP(t, "h01", "-d", "address", "show", "dev", "eth0"), nettest.IP(t, "host", "-d", "address", "show", "dev", "br0"))
	}
	theirs := foreign()
	r, err := m.Reconcile(t.Context(), lab.Request{}, nil)
	if err != nil || r.Operation == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, s := range m.differing(t) {
		switch s {
		case "h01/eth0", "sw1/p1", "sw1/br0 02:00:00:00:00:01", "host/br0", "host/p13", "host/p14", "host/p15", "host/uplink",
			"h01 default", "h01 ::/0", "host 10.1.0.0/24", "h03 10.77.0.0/16":
		default:
			if !strings.HasPrefix(s, "h01/eth0 ") && !strings.HasPrefix(s, "host/br0 ") {
				t.Errorf("%s was not mended: %v", s, strings.Join(r.Plan.Commands(), "\n"))
			}
		}
	}
	if alias := nettest.IP(t, "host", "link", "show", "dev", "p13")[0]["ifalias"]; alias != "port" {
		t.Errorf("the port of a missing bridge has the alias %v", alias)
	}
	if got := foreign(); got != theirs {
		t.Errorf("what is not netdash's was\n%s\nand is\n%s", theirs, got)
	}
	_, revision := m.Intended()
	for _, subjects := range [][]string{nil, {"h01/eth0"}, {"h01"}, {"sw1/p1"}, {"host/br0"}, {"h03 10.77.0.0/16"}, {"h03"}} {
		_, err := m.Reconcile(t.Context(), lab.Request{}, subjects)
		if topology.CodeOf(err) != topology.CodeConflict || !strings.Contains(fmt.Sprint(err), "does not manage") {
			t.Errorf("%v: %v", subjects, err)
		}
	}
	if _, now := m.Intended(); now != revision {
		t.Errorf("what cannot be done was journaled: revision %d, %d before", now, revision)
	}
	nettest.Shell(t, "ip -n h01 link delete dev eth0; ip link delete dev br0; ip -n h03 link delete dev theirs")
	if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil {
		t.Fatal(err)
	}
	if wrong := unlike(before, picture()); wrong != "" {
		t.Error(wrong)
	}
}

// refusing never does Changes of some kind.
type refusing struct {
	lab.Kernel
	refuses *func(topology.Change) bool
}

func (k refusing) Run(ctx context.Context, plan topology.Plan, step func(int)) (done, rest topology.Plan, err error) {
	if *k.refuses != nil {
		if i := slices.IndexFunc(plan, *k.refuses); i >= 0 {
			done, rest, err = k.Kernel.Run(ctx, plan[:i], step)
			if err == nil {
				err = errInjected
			}
			return done, slices.Concat(rest, plan[i:]), err
		}
	}
	return k.Kernel.Run(ctx, plan, step)
}

// TestReconcileThatFails keeps what it has mended, and mends what does not hang on
// what fails.
func TestReconcileThatFails(t *testing.T) {
	var refuses func(topology.Change) bool
	m, _, picture := largeMachine(t, func(k lab.Kernel) lab.Kernel { return refusing{k, &refuses} })
	before := picture()
	spec := intended(t, m)
	for name, c := range map[string]struct {
		refuses func(topology.Change) bool
		left    []string // subjects
	}{
		"a namespace": {
			func(c topology.Change) bool { return c == topology.Change(topology.CreateNamespace{Name: "h03"}) },
			[]string{"h03", "sw1/p3"},
		},
		"a pair": {
			func(c topology.Change) bool { v, ok := c.(topology.CreateVeth); return ok && v.A.Namespace == "h03" },
			[]string{"h03/eth0", "h03 default", "h03 ::/0", "h03 10.77.0.0/16", "sw1/p3"},
		},
		"a bridge": {
			func(c topology.Change) bool { _, ok := c.(topology.CreateBridge); return ok },
			[]string{"sw2/br0", "sw2/br0 02:00:00:00:00:03", "sw2/p8", "sw2/p9", "sw2/p10", "sw2/p11", "sw2/p12", "sw2/uplink"},
		},
		"a setting": {
			func(c topology.Change) bool { s, ok := c.(topology.SetMTU); return ok && s.Namespace == "left" },
			[]string{"left/eth0"},
		},
		"an address": {
			func(c topology.Change) bool { a, ok := c.(topology.AddAddress); return ok && a.Namespace == "right" },
			[]string{"right/eth0 10.4.0.2/30"},
		},
	} {
		nettest.Shell(t, `
			ip netns delete h03
			ip -n sw2 link delete dev br0
			ip -n left link set dev eth0 mtu 1300 down
			ip -n right address delete 10.4.0.2/30 dev eth0
			ip netns delete h15
			ip -n router link set dev lo down
			bridge -n sw1 fdb delete 02:00:00:00:00:01 dev p1 master`)
		refuses = c.refuses
		_, err := m.Reconcile(t.Context(), lab.Request{}, nil)
		if fmt.Sprint(err) != errInjected.Error() {
			t.Errorf("%s: %v", name, err)
		}
		left := m.differing(t)
		slices.Sort(left)
		slices.Sort(c.left)
		if !slices.Equal(left, c.left) {
			t.Errorf("%s: left is %q, want %q", name, left, c.left)
		}
		ops, err := m.Operations(t.Context(), 0, 1)
		if err != nil || ops[0].State != topology.OperationFailed || !strings.Contains(ops[0].Error, "injected") || !strings.Contains(ops[0].Error, "stays so") {
			t.Errorf("%s: journaled as %+v, %v", name, ops, err)
		}
		refuses = nil
		if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil {
			t.Fatal(err)
		}
		if wrong := unlike(before, picture()); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
		if got := intended(t, m); got != spec {
			t.Errorf("%s: intended was %s and is %s", name, spec, got)
		}
	}
}

// TestReconcileCancelled stops where it is.
func TestReconcileCancelled(t *testing.T) {
	hold := make(chan chan struct{}, 1)
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { return alone{k, new(atomic.Int32), hold} })
	m.edit(t, steps[0].edit)
	nettest.Shell(t, "ip -n A link set dev lo up && ip -n B link set dev lo down")
	drifted := m.differing(t)
	release, begun := make(chan struct{}), make(chan int64, 1)
	hold <- release
	done := make(chan error, 1)
	go func() {
		_, err := m.Reconcile(context.Background(), lab.Request{Started: func(id int64) { begun <- id }}, nil)
		done <- err
	}()
	id := <-begun
	if err := m.Cancel(t.Context(), id, "ann"); err != nil {
		t.Error(err)
	}
	close(release)
	if err := <-done; topology.CodeOf(err) != topology.CodeConflict || !strings.Contains(err.Error(), "cancelled by ann") {
		t.Error(err)
	}
	if op, err := m.Operation(t.Context(), id); err != nil || op.State != topology.OperationFailed || !strings.Contains(op.Error, "cancelled by ann; what has been repaired stays so") {
		t.Errorf("%+v, %v", op, err)
	}
	if left := m.differing(t); len(drifted) == 0 || !slices.Equal(left, drifted) {
		t.Errorf("left is %v of %v", left, drifted)
	}
}
