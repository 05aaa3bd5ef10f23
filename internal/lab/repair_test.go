package lab_test

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// announced collects what KeepRepaired announces.
type announced struct {
	mu     sync.Mutex
	states []topology.RepairState
}

func (a *announced) add(s topology.RepairState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.states = append(a.states, s)
}

func (a *announced) has(what func(topology.RepairState) bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(a.states, what)
}

// keepRepaired runs KeepRepaired of a lab until the test ends, with auto set.
func keepRepaired(t *testing.T, m *machine, l *lab.Lab) *announced {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done, a := make(chan struct{}), &announced{}
	go func() {
		defer close(done)
		l.KeepRepaired(ctx, m.live.Drifted(), a.add)
	}()
	t.Cleanup(func() { cancel(); <-done })
	setRepair(t, l, topology.RepairAuto)
	return a
}

func setRepair(t *testing.T, l *lab.Lab, mode string) {
	t.Helper()
	if _, err := l.SetSettings(t.Context(), topology.SettingsPatch{Repair: &mode}, false); err != nil {
		t.Fatal(err)
	}
}

// within waits until check finds nothing wrong, and tells how long that took.
func within(t *testing.T, patience time.Duration, check func() string) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		wrong := check()
		took := time.Since(began)
		if wrong == "" {
			return took
		}
		if took > patience {
			t.Fatalf("after %s still: %s", took, wrong)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// inSync tells what of a lab is not as intended.
func inSync(t *testing.T, l *lab.Lab) string {
	t.Helper()
	d, err := l.Drift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d.InSync {
		return ""
	}
	return fmt.Sprint(d.Differences)
}

func repairs(t *testing.T, l *lab.Lab) topology.RepairState {
	t.Helper()
	d, err := l.Drift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.Repair
}

func journaled(t *testing.T, m *machine) int {
	t.Helper()
	ops, err := m.Operations(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(ops)
}

// isUp is what ip says of a link.
func isUp(t *testing.T, namespace, link string) bool {
	t.Helper()
	return slices.Contains(nettest.IP(t, namespace, "link", "show", "dev", link)[0]["flags"].([]any), any("UP"))
}

func TestRepairsByItself(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	m.edit(t, steps[1].edit)
	before := fingerprint(t)
	keepRepaired(t, m, m.Lab)
	if s := repairs(t, m.Lab); s.Mode != topology.RepairAuto || s.State != topology.RepairIdle {
		t.Errorf("%+v", s)
	}
	var fastest time.Duration
	for _, c := range []string{
		"ip -n A link delete dev eth0",
		"ip netns delete B",
		"ip -n A route delete default",
		"bridge fdb delete 02:00:00:00:00:09 dev p1 master",
		"ip link set dev p2 nomaster",
		"ip -n A address add 10.99.0.1/24 dev eth1",
		"ip link delete dev br0",
	} {
		nettest.Shell(t, c)
		took := within(t, 30*time.Second, func() string {
			if got := fingerprint(t); got != before {
				return c + " is not repaired:\n" + got
			}
			return inSync(t, m.Lab)
		})
		if fastest == 0 || took < fastest {
			fastest = took
		}
		t.Logf("%s after %s", took, c)
	}
	if fastest > time.Second {
		t.Errorf("no repair took less than %s", fastest)
	}
	ops, err := m.Operations(t.Context(), 0, 1)
	if err != nil || ops[0].Author != "netdash" || ops[0].Request != "repair: auto" || ops[0].State != topology.OperationCommitted {
		t.Errorf("%+v, %v", ops, err)
	}

	// A burst is one repair, or a few.
	n, began := journaled(t, m), time.Now()
	nettest.Shell(t, "for i in 1 2 3 4 5 6 7 8 9 10; do ip -n A link set dev eth0 mtu 13$i; ip -n B link set dev lo down; sleep 0.02; done")
	within(t, 30*time.Second, func() string { return inSync(t, m.Lab) })
	if now := journaled(t, m); now-n > 2+int(time.Since(began)/(300*time.Millisecond)) {
		t.Errorf("a burst of %s was %d repairs", time.Since(began), now-n)
	}

	setRepair(t, m.Lab, topology.RepairManual)
	// A repair that is under way is over when the next one has had its turn.
	if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil {
		t.Error(err)
	}
	nettest.Shell(t, "ip -n B link set dev lo down")
	time.Sleep(time.Second)
	if isUp(t, "B", "lo") || inSync(t, m.Lab) == "" {
		t.Error("repaired though that is not set")
	}
	setRepair(t, m.Lab, topology.RepairAuto) // and what has drifted meanwhile
	within(t, 30*time.Second, func() string { return inSync(t, m.Lab) })
}

// TestRepairBacksOff has somebody set a link down whenever it is up. netdash gives
// way, longer from time to time, and says so; all else it still repairs; and when
// nobody disturbs it any more it is done.
func TestRepairBacksOff(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	a := keepRepaired(t, m, m.Lab)
	hostile := exec.Command("sh", "-c", "while sleep 0.05; do ip -n A link set dev eth0 down || exit; done")
	if err := hostile.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			_ = hostile.Process.Kill()
			_ = hostile.Wait()
		}
	}
	defer stop()
	within(t, 60*time.Second, func() string {
		s := repairs(t, m.Lab)
		if s.State == topology.RepairBackingOff && s.Attempts >= 4 && s.NextAt != nil && slices.Contains(s.Subjects, "A/eth0") && strings.Contains(s.Reason, "A/eth0") {
			return ""
		}
		return fmt.Sprintf("%+v", s)
	})
	n, since := journaled(t, m), time.Now()
	for i := range 2 {
		nettest.Shell(t, fmt.Sprintf("ip -n B link set dev eth0 alias other%d", i))
		took := within(t, 30*time.Second, func() string {
			if alias := nettest.IP(t, "B", "link", "show", "dev", "eth0")[0]["ifalias"]; alias != nil {
				return fmt.Sprintf("the alias is %v", alias)
			}
			return ""
		})
		t.Logf("something else is repaired after %s meanwhile", took)
	}
	// Every pause is as long as the one before, or longer: in the time that has
	// passed there cannot be many more repairs than seconds.
	if more := journaled(t, m) - n; more > 4+int(time.Since(since).Seconds()) {
		t.Errorf("%d repairs in %s", more, time.Since(since))
	}
	if !a.has(func(s topology.RepairState) bool { return s.State == topology.RepairBackingOff && s.NextAt != nil }) {
		t.Errorf("not announced: %+v", a.states)
	}
	// An edit is somebody's word: it is tried again at once.
	within(t, 60*time.Second, func() string {
		if s := repairs(t, m.Lab); s.Attempts < 5 || s.NextAt == nil || time.Until(*s.NextAt) < 3*time.Second {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	stop()
	m.edit(t, func(s *topology.Spec) error { return s.AddNamespace(topology.Namespace{Name: "C"}) })
	if took := within(t, 30*time.Second, func() string { return inSync(t, m.Lab) }); took > 2*time.Second {
		t.Errorf("after an edit it took %s", took)
	}
	within(t, 30*time.Second, func() string {
		if s := repairs(t, m.Lab); s.State != topology.RepairIdle {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	if !isUp(t, "A", "eth0") {
		t.Error("A/eth0 is not up")
	}
}

// TestRepairDoesNotSpin: what cannot be repaired because of an obstacle is not
// tried over and over.
func TestRepairDoesNotSpin(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	keepRepaired(t, m, m.Lab)
	nettest.Shell(t, "ip -n A link delete dev eth0 && ip -n A link add eth0 type bridge")
	within(t, 30*time.Second, func() string {
		if s := repairs(t, m.Lab); s.State != topology.RepairWaiting || !strings.Contains(s.Reason, "does not manage") || s.NextAt != nil {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	n := journaled(t, m)
	nettest.Shell(t, "ip -n B link set dev lo down")
	within(t, 30*time.Second, func() string {
		if !isUp(t, "B", "lo") {
			return "not repaired beside an obstacle"
		}
		return ""
	})
	time.Sleep(2 * time.Second)
	if now := journaled(t, m); now != n+1 {
		t.Errorf("%d operations for one repair", now-n)
	}
	nettest.Shell(t, "ip -n A link delete dev eth0")
	within(t, 30*time.Second, func() string { return inSync(t, m.Lab) })
}

// TestRepairFails is tried again, less often from time to time.
func TestRepairFails(t *testing.T) {
	var refuses func(topology.Change) bool
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { return refusing{k, &refuses} })
	m.edit(t, steps[0].edit)
	var broken atomic.Bool
	broken.Store(true)
	refuses = func(c topology.Change) bool { _, ok := c.(topology.SetAlias); return ok && broken.Load() }
	keepRepaired(t, m, m.Lab)
	nettest.Shell(t, "ip -n A link set dev eth0 alias other && ip -n B link set dev lo down")
	within(t, 30*time.Second, func() string {
		s := repairs(t, m.Lab)
		if s.State == topology.RepairBackingOff && s.Attempts >= 2 && strings.Contains(s.Reason, "injected") && isUp(t, "B", "lo") {
			return ""
		}
		return fmt.Sprintf("%+v", s)
	})
	if n := journaled(t, m); n > 4 {
		t.Errorf("%d operations already", n)
	}
	broken.Store(false)
	within(t, 60*time.Second, func() string { return inSync(t, m.Lab) })
}

// alone fails when two Plans are carried out at once, and can be held up.
type alone struct {
	lab.Kernel
	busy *atomic.Int32
	hold chan chan struct{}
}

func (k alone) Run(ctx context.Context, plan topology.Plan, step func(int)) (done, rest topology.Plan, err error) {
	if k.busy.Add(1) > 1 {
		panic("two Plans at once")
	}
	defer k.busy.Add(-1)
	select {
	case release := <-k.hold:
		<-release
	default:
	}
	return k.Kernel.Run(ctx, plan, step)
}

// TestRepairWaitsItsTurn: while an edit is under way nothing is repaired.
func TestRepairWaitsItsTurn(t *testing.T) {
	hold := make(chan chan struct{}, 1)
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { return alone{k, new(atomic.Int32), hold} })
	m.edit(t, steps[0].edit)
	keepRepaired(t, m, m.Lab)
	release := make(chan struct{})
	hold <- release
	edited := make(chan error, 1)
	go func() {
		_, err := m.Edit(context.Background(), lab.Request{}, func(s *topology.Spec) error { return s.AddNamespace(topology.Namespace{Name: "C"}) })
		edited <- err
	}()
	within(t, 30*time.Second, func() string {
		if len(hold) > 0 {
			return "the edit has not begun"
		}
		return ""
	})
	nettest.Shell(t, "ip -n B link set dev lo down")
	time.Sleep(time.Second)
	if isUp(t, "B", "lo") {
		t.Error("repaired while an edit was under way")
	}
	close(release)
	if err := <-edited; err != nil {
		t.Error(err)
	}
	within(t, 30*time.Second, func() string { return inSync(t, m.Lab) })
}

// blind does not see all of a namespace.
type blind struct {
	lab.Observer
	namespace atomic.Value // its name
	looked    atomic.Int32
}

func (b *blind) cover(s *topology.Snapshot) *topology.Snapshot {
	covered := *s
	covered.Namespaces = slices.Clone(s.Namespaces)
	for i, n := range covered.Namespaces {
		if n.Name == b.namespace.Load() {
			c := *n
			c.Incomplete = "a test covers it"
			covered.Namespaces[i] = &c
		}
	}
	return &covered
}

func (b *blind) Snapshot() *topology.Snapshot { return b.cover(b.Observer.Snapshot()) }

func (b *blind) Observe(ctx context.Context, namespaces []string) (*topology.Snapshot, error) {
	if slices.Contains(namespaces, fmt.Sprint(b.namespace.Load())) {
		b.looked.Add(1)
	}
	s, err := b.Observer.Observe(ctx, namespaces)
	if err != nil {
		return nil, err
	}
	return b.cover(s), nil
}

// TestRepairNeedsTheWholePicture: nothing is repaired while something intended
// cannot be seen, and it is looked at again until it can.
func TestRepairNeedsTheWholePicture(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	b := &blind{Observer: m.live}
	b.namespace.Store("A")
	l, err := lab.New(t.Context(), m.kernel, b, m.store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	keepRepaired(t, m, l)
	nettest.Shell(t, "ip -n B link set dev lo down")
	within(t, 30*time.Second, func() string {
		if s := repairs(t, l); s.State != topology.RepairWaiting || !strings.Contains(s.Reason, "a test covers it") || b.looked.Load() == 0 {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	time.Sleep(500 * time.Millisecond)
	if isUp(t, "B", "lo") {
		t.Error("repaired without seeing everything")
	}
	if d, err := l.Drift(t.Context()); err != nil || d.InSync {
		t.Errorf("in sync though not all is seen: %+v, %v", d, err)
	}
	if _, err := l.Reconcile(t.Context(), lab.Request{}, []string{"A"}); topology.CodeOf(err) != topology.CodeIncomplete {
		t.Errorf("%v", err)
	}
	b.namespace.Store("")
	within(t, 60*time.Second, func() string { return inSync(t, l) })
}
