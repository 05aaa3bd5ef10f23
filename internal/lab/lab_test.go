package lab_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/lab"
	"netdash/internal/live"
	"netdash/internal/netops"
	"netdash/internal/nettest"
	"netdash/internal/store"
	"netdash/internal/topology"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		child() // does not return
	}
	nettest.Main(m)
}

// machine is a Lab on this test's kernel with all that belongs to it.
type machine struct {
	*lab.Lab
	live   *live.Live
	store  *store.Store
	kernel *netops.Kernel
}

// start makes a machine on a database. stop gives everything back.
func start(db string, wrap func(lab.Kernel) lab.Kernel, options ...lab.Option) (m *machine, stop func() error, err error) {
	ctx := context.Background()
	log := slog.New(slog.DiscardHandler)
	m = &machine{}
	if m.kernel, err = netops.New(netops.Options{Logger: log}); err != nil {
		return nil, nil, err
	}
	if m.store, err = store.Open(ctx, db); err != nil {
		return nil, nil, err
	}
	spec, revision, err := m.store.Load(ctx)
	if err != nil {
		return nil, nil, err
	}
	watcher, err := m.kernel.Watch()
	if err != nil {
		return nil, nil, err
	}
	m.live = live.New(m.kernel, watcher, spec, revision, log)
	ran := make(chan struct{})
	go func() { defer close(ran); m.live.Run() }()
	if err := m.live.WaitReady(ctx); err != nil {
		return nil, nil, err
	}
	var kernel lab.Kernel = m.kernel
	if wrap != nil {
		kernel = wrap(kernel)
	}
	if m.Lab, err = lab.New(ctx, kernel, m.live, m.store, log, options...); err != nil {
		return nil, nil, err
	}
	return m, func() error {
		watcher.Close()
		<-ran
		return errors.Join(m.store.Close(), m.kernel.Close())
	}, nil
}

func machineFor(t *testing.T, db string, wrap func(lab.Kernel) lab.Kernel, options ...lab.Option) *machine {
	t.Helper()
	nettest.NoLeaks(t)
	nettest.Require(t)
	m, stop, err := start(db, wrap, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// What the test made goes before the check for leaks.
		if _, err := m.Edit(context.Background(), lab.Request{}, everythingGone); err != nil {
			t.Error(err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func everythingGone(s *topology.Spec) error { *s = topology.Spec{}; return nil }

func (m *machine) edit(t *testing.T, f func(*topology.Spec) error) *lab.Result {
	t.Helper()
	r, err := m.Edit(t.Context(), lab.Request{Author: "test", Text: t.Name()}, f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fingerprint is what ip and bridge say of everything, without what differs
// from one making of the same thing to the next.
func fingerprint(t testing.TB) string {
	t.Helper()
	names := append([]string{"host"}, strings.Fields(nettest.Shell(t, "ls /run/netns"))...)
	slices.Sort(names[1:])
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "namespace %s\n", n)
		addresses := map[any]string{}
		for _, l := range nettest.IP(t, n, "address") {
			for _, a := range l["addr_info"].([]any) {
				if a := a.(map[string]any); a["scope"] == "global" {
					addresses[l["ifname"]] += fmt.Sprintf(" %v/%v", a["local"], a["prefixlen"])
				}
			}
		}
		var rest []string
		for _, l := range nettest.IP(t, n, "-d", "link") {
			line := fmt.Sprintf("  %v up=%v mtu=%v alias=%v master=%v gen=%v", l["ifname"], slices.Contains(l["flags"].([]any), any("UP")), l["mtu"], l["ifalias"], l["master"], l["inet6_addr_gen_mode"])
			info, _ := l["linkinfo"].(map[string]any)
			for _, part := range []string{"info_data", "info_slave_data"} {
				data, _ := info[part].(map[string]any)
				for _, key := range []string{"stp_state", "ageing_time", "hairpin", "isolated", "learning"} {
					if v, ok := data[key]; ok {
						line += fmt.Sprintf(" %s=%v", key, v)
					}
				}
			}
			rest = append(rest, line+addresses[l["ifname"]])
		}
		for _, flag := range []string{"-4", "-6"} {
			for _, r := range nettest.IP(t, n, flag, "route") {
				if r["protocol"] != "kernel" {
					rest = append(rest, fmt.Sprintf("  route %v via %v dev %v metric %v", r["dst"], r["gateway"], r["dev"], r["metric"]))
				}
			}
		}
		for _, e := range nettest.Bridge(t, n, "fdb") {
			if e["state"] == "static" {
				rest = append(rest, fmt.Sprintf("  static %v on %v of %v", e["mac"], e["ifname"], e["master"]))
			}
		}
		slices.Sort(rest)
		b.WriteString(strings.Join(rest, "\n") + "\n")
	}
	return b.String()
}

func intended(t testing.TB, m *machine) string {
	t.Helper()
	s, _ := m.Intended()
	out, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

var up, down = new(true), new(false)

// steps are edits of every kind, each on top of those before it.
var steps = []struct {
	name string
	edit func(*topology.Spec) error
}{
	{"two hosts", func(s *topology.Spec) error {
		s.Namespaces = []topology.Namespace{{Name: "A", LoopbackUp: down}, {Name: "B"}}
		return s.AddVeth(topology.Veth{
			A: topology.End{Namespace: "A", Name: "eth0", Addresses: []string{"10.0.0.1/24", "2001:db8::1/64"}, Alias: "to B"},
			B: topology.End{Namespace: "B", Name: "eth0", Addresses: []string{"10.0.0.2/24"}, MTU: 1400},
		})
	}},
	{"a bridge on host with ports", func(s *topology.Spec) error {
		if err := s.AddBridge(topology.Bridge{
			Namespace: "host", Name: "br0", MTU: 1400, Addresses: []string{"10.1.0.254/24"},
			BridgeAttributes: topology.BridgeAttributes{AgeingSeconds: new(60)},
			FDB:              []topology.FDBSpec{{MAC: "02:00:00:00:00:09", Port: "p1"}},
		}); err != nil {
			return err
		}
		for i, n := range []string{"A", "B"} {
			if err := s.AddVeth(topology.Veth{
				A: topology.End{Namespace: n, Name: "eth1", Addresses: []string{fmt.Sprintf("10.1.0.%d/24", i+1)}},
				B: topology.End{Namespace: "host", Name: fmt.Sprintf("p%d", i+1), Master: "br0"},
			}); err != nil {
				return err
			}
		}
		return s.AddRoute(topology.Route{Namespace: "A", Destination: "default", Gateway: "10.1.0.254"})
	}},
	{"rename, readdress, down", func(s *topology.Spec) error {
		_, _, err := s.PatchLink("A", "eth1", topology.LinkPatch{Name: new("lan"), MTU: new(1300)})
		if err != nil {
			return err
		}
		if err := s.AddAddress("A", "lan", "10.1.0.77/24"); err != nil {
			return err
		}
		if err := s.RemoveAddress("A", "lan", "10.1.0.1/24"); err != nil {
			return err
		}
		_, _, err = s.PatchLink("B", "eth0", topology.LinkPatch{AdminUp: down})
		return err
	}},
	{"move a port and replace the bridge", func(s *topology.Spec) error {
		if err := s.RemoveLink("host", "br0"); err != nil {
			return err
		}
		if err := s.AddNamespace(topology.Namespace{Name: "sw"}); err != nil {
			return err
		}
		if err := s.AddBridge(topology.Bridge{Namespace: "sw", Name: "br0", BridgeAttributes: topology.BridgeAttributes{STP: up}}); err != nil {
			return err
		}
		for _, p := range []string{"p1", "p2"} {
			if _, _, err := s.PatchLink("host", p, topology.LinkPatch{
				Namespace: new("sw"), Master: new("br0"), BridgePort: &topology.PortAttributes{Hairpin: up},
			}); err != nil {
				return err
			}
		}
		return nil
	}},
	{"delete a namespace", func(s *topology.Spec) error { return s.RemoveNamespace("A") }},
	{"delete everything", everythingGone},
}

func TestEditsOfEveryKind(t *testing.T) {
	empty := fingerprint(t)
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	for _, step := range steps {
		r := m.edit(t, step.edit)
		spec, revision := m.Intended()
		if revision != r.Operation.ID || r.Operation.State != topology.OperationCommitted {
			t.Errorf("%s: revision %d, operation %+v", step.name, revision, r.Operation)
		}
		// What was read back for the judge must be what the judge says.
		if d := topology.NewIntent(spec).Differences(m.live.Snapshot()); len(d) > 0 {
			t.Errorf("%s: %v", step.name, d)
		}
		if rest := topology.Drift(spec, m.live.Snapshot()); len(rest) > 0 {
			t.Errorf("%s: drift at once: %v", step.name, rest.Commands())
		}
		loaded, _, err := m.store.Load(t.Context())
		if err != nil || !topology.Equal(loaded, spec) {
			t.Errorf("%s: stored %+v, intended %+v (%v)", step.name, loaded, spec, err)
		}
	}
	if got := fingerprint(t); got != empty {
		t.Errorf("left over:\n%s", got)
	}
}

// TestCommandsDoTheSame runs what the journal shows through real ip and bridge.
func TestCommandsDoTheSame(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	var scripts, want []string
	for _, step := range steps {
		r := m.edit(t, step.edit)
		scripts = append(scripts, "set -e\n"+strings.Join(r.Operation.Commands, "\n"))
		want = append(want, fingerprint(t))
	}
	for i, step := range steps {
		nettest.Shell(t, scripts[i])
		if got := fingerprint(t); got != want[i] {
			t.Errorf("%s:\n%s\ngives\n%s\nthe kernel calls gave\n%s", step.name, scripts[i], got, want[i])
		}
	}
}

var errInjected = errors.New("injected")

// failing refuses the change number at, of all that are run. Those after it are
// not done, or, with holes, done where they can be.
type failing struct {
	lab.Kernel
	at, seen *int
	holes    bool
}

func (f failing) Run(ctx context.Context, plan topology.Plan, step func(int)) (done, rest topology.Plan, err error) {
	at := *f.at - *f.seen - 1
	*f.seen += len(plan)
	if at < 0 || at >= len(plan) {
		return f.Kernel.Run(ctx, plan, step)
	}
	before, after := plan[:at], plan[at+1:]
	if f.holes {
		before, after = slices.Concat(plan[:at], plan[at+1:]), nil
	}
	done, rest, err = f.Kernel.Run(ctx, before, step)
	if err != nil && !f.holes {
		return done, rest, err
	}
	return done, slices.Concat(plan[at:at+1], rest, after), errInjected
}

func TestFailedEditLeavesNothing(t *testing.T) {
	for _, holes := range []bool{false, true} {
		t.Run(fmt.Sprintf("holes=%t", holes), func(t *testing.T) { failEverywhere(t, holes) })
	}
}

func failEverywhere(t *testing.T, holes bool) {
	t.Helper()
	at, seen := 0, 0
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { return failing{k, &at, &seen, holes} })
	for _, step := range steps {
		kernelBefore, specBefore := fingerprint(t), intended(t, m)
		for n := 1; ; n++ {
			at, seen = n, 0
			_, err := m.Edit(t.Context(), lab.Request{}, step.edit)
			if err == nil {
				if n == 1 {
					t.Fatalf("%s: no change was refused", step.name)
				}
				break
			}
			if !errors.Is(err, errInjected) {
				t.Fatalf("%s, change %d: %v", step.name, n, err)
			}
			if got := fingerprint(t); got != kernelBefore {
				t.Fatalf("%s, change %d: before\n%s\nafter\n%s", step.name, n, kernelBefore, got)
			}
			if got := intended(t, m); got != specBefore {
				t.Fatalf("%s, change %d: the intended topology changed: %s", step.name, n, got)
			}
			ops, err := m.Operations(t.Context(), 0, 1)
			if err != nil || ops[0].State != topology.OperationFailed || !strings.Contains(ops[0].Error, "injected") {
				t.Fatalf("%s, change %d: journaled as %+v (%v)", step.name, n, ops, err)
			}
		}
		at = 0
	}
}

func TestObstacles(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	foreign := nettest.Namespace(t)
	nettest.Shell(t, "ip link add taken type bridge")
	t.Cleanup(func() { nettest.Shell(t, "ip link del taken") })
	time.Sleep(50 * time.Millisecond)
	before := fingerprint(t)
	for name, edit := range map[string]func(*topology.Spec) error{
		"namespace": func(s *topology.Spec) error { return s.AddNamespace(topology.Namespace{Name: foreign}) },
		"link":      func(s *topology.Spec) error { return s.AddBridge(topology.Bridge{Namespace: "host", Name: "taken"}) },
	} {
		_, err := m.Edit(t.Context(), lab.Request{}, edit)
		if topology.CodeOf(err) != topology.CodeConflict || !regexp.MustCompile("does not manage").MatchString(fmt.Sprint(err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := fingerprint(t); got != before {
		t.Errorf("before\n%s\nafter\n%s", before, got)
	}
}

// TestSomebodyElseWasFaster deletes by hand what is then deleted by an edit.
func TestSomebodyElseWasFaster(t *testing.T) {
	empty := fingerprint(t)
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	nettest.Shell(t, "ip netns delete A")
	m.edit(t, everythingGone)
	if got := fingerprint(t); got != empty {
		t.Errorf("left over:\n%s", got)
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	before := fingerprint(t)
	r, err := m.Edit(t.Context(), lab.Request{DryRun: true}, steps[0].edit)
	if err != nil || len(r.Plan) == 0 || r.Operation != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := fingerprint(t); got != before {
		t.Error("a dry run changed the kernel")
	}
	if ops, err := m.Operations(t.Context(), 0, 10); err != nil || len(ops) != 0 {
		t.Errorf("journaled: %v, %v", ops, err)
	}
}
