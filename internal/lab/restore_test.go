package lab_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestRestore restores after a reboot, which is made believe: the namespaces are
// deleted and the boot id is another.
func TestRestore(t *testing.T) {
	var refuses func(topology.Change) bool
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { return refusing{k, &refuses} })
	m.edit(t, largeLab)
	spec, _ := m.Intended()
	names := []string{"host"}
	for _, n := range spec.Namespaces {
		names = append(names, n.Name)
	}
	picture := func() map[string][]string { return album(t, names, spec.Bridges) }
	before := picture()
	reboot := func() {
		nettest.Shell(t, "ip link delete dev br0; for n in "+strings.Join(names[1:], " ")+"; do ip netns delete $n; done")
		within(t, 30*time.Second, func() string { // the kernel takes them down behind
			if left := nettest.IP(t, "host", "link"); len(left) > 1 {
				return fmt.Sprint(left)
			}
			return ""
		})
		if _, err := m.live.Observe(t.Context(), names); err != nil {
			t.Fatal(err)
		}
	}
	restore := func(boot string) (operations int, err error) {
		n := journaled(t, m)
		err = m.Restore(t.Context(), boot)
		return journaled(t, m) - n, err
	}
	gone := func(why string) {
		t.Helper()
		if got := nettest.Shell(t, "ls /run/netns"); got != "" {
			t.Fatalf("%s: there are namespaces: %s", why, got)
		}
		if inSync(t, m.Lab) == "" {
			t.Errorf("%s: what is missing is not shown", why)
		}
	}

	reboot()
	if n, err := restore("boot 1"); n != 0 || err != nil {
		t.Fatalf("at first %d operations, %v", n, err)
	}
	gone("at first")
	if n, err := restore("boot 1"); n != 0 || err != nil {
		t.Fatalf("without a reboot %d operations, %v", n, err)
	}
	gone("without a reboot")
	if n, err := restore("boot 2"); n != 1 || err != nil {
		t.Fatalf("after a reboot %d operations, %v", n, err)
	}
	if wrong := unlike(before, picture()) + inSync(t, m.Lab); wrong != "" {
		t.Fatalf("not as before: %s", wrong)
	}
	ops, err := m.Operations(t.Context(), 0, 1)
	if err != nil || ops[0].Author != "netdash" || ops[0].Request != "restore after a reboot" || ops[0].State != topology.OperationCommitted {
		t.Errorf("%+v, %v", ops, err)
	}

	never := topology.RestoreNever
	if _, err := m.SetSettings(t.Context(), topology.SettingsPatch{Restore: &never}, false); err != nil {
		t.Fatal(err)
	}
	reboot()
	if n, err := restore("boot 3"); n != 0 || err != nil {
		t.Fatalf("never, but %d operations, %v", n, err)
	}
	gone("never")

	// One that fails is not tried again: what is missing is shown.
	always := topology.RestoreOnStart
	if _, err := m.SetSettings(t.Context(), topology.SettingsPatch{Restore: &always}, false); err != nil {
		t.Fatal(err)
	}
	refuses = func(c topology.Change) bool { return c == topology.Change(topology.CreateNamespace{Name: "h01"}) }
	if n, err := restore("boot 4"); n != 1 || err == nil || !strings.Contains(err.Error(), "injected") {
		t.Fatalf("%d operations, %v", n, err)
	}
	refuses = nil
	if n, err := restore("boot 4"); n != 0 || err != nil {
		t.Fatalf("%d operations, %v", n, err)
	}
	if left := m.differing(t); len(left) == 0 || left[0] != "h01" {
		t.Errorf("left is %v", left)
	}
	if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil {
		t.Error(err)
	}
	if err := m.Restore(t.Context(), ""); topology.CodeOf(err) != topology.CodeUnsupported {
		t.Errorf("without a boot id: %v", err)
	}
}

func TestSettings(t *testing.T) {
	db := filepath.Join(t.TempDir(), "n.db")
	m := machineFor(t, db, nil)
	if got := m.Settings(); got != (topology.Settings{Repair: "manual", Restore: "on_start", History: 10000}) {
		t.Errorf("by default %+v", got)
	}
	for _, p := range []topology.SettingsPatch{{Repair: new("sometimes")}, {Restore: new("")}, {History: new(-1)}} {
		if _, err := m.SetSettings(t.Context(), p, false); topology.CodeOf(err) != topology.CodeInvalid {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if s, err := m.SetSettings(t.Context(), topology.SettingsPatch{History: new(7)}, true); err != nil || s.History != 7 {
		t.Errorf("%+v, %v", s, err)
	}
	if got := m.Settings(); got != topology.DefaultSettings() {
		t.Errorf("after refusals and a dry run %+v", got)
	}
	want := topology.Settings{Repair: "auto", Restore: "never", History: 0}
	for _, p := range []topology.SettingsPatch{{Repair: new("auto"), History: new(5)}, {Restore: new("never"), History: new(0)}} {
		if _, err := m.SetSettings(t.Context(), p, false); err != nil {
			t.Fatal(err)
		}
	}
	again := func() topology.Settings {
		l, err := lab.New(t.Context(), m.kernel, m.live, m.store, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return l.Settings()
	}
	if got, stored := m.Settings(), again(); got != want || stored != want {
		t.Errorf("%+v, and after a restart %+v", got, stored)
	}
	for key, broken := range map[string]string{"repair": "no", "restore": "", "history": "many"} {
		if err := m.store.SetSetting(t.Context(), key, broken); err != nil {
			t.Fatal(err)
		}
	}
	if got := again(); got != topology.DefaultSettings() {
		t.Errorf("of what is not valid: %+v", got)
	}
	if err := m.store.SetSetting(t.Context(), "repair", "auto"); err != nil {
		t.Fatal(err)
	}
	if got := again(); got.Repair != "auto" || got.History != 10000 {
		t.Errorf("of what is partly valid: %+v", got)
	}
}

// TestReconcileKilledAnywhere kills the process at every checkpoint of a
// reconcile. What was mended stays, nothing is pending after a restart, and
// another reconcile does the rest.
func TestReconcileKilledAnywhere(t *testing.T) {
	nettest.NoLeaks(t)
	nettest.Require(t)
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete; ip link delete br0 2>/dev/null; true") })
	db := filepath.Join(t.TempDir(), "n.db")
	with := func(f func(*machine)) {
		t.Helper()
		m, stop, err := start(db, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(m)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	var before string
	with(func(m *machine) {
		m.edit(t, steps[0].edit)
		m.edit(t, steps[1].edit)
		before = fingerprint(t)
	})
	for at := 1; ; at++ {
		nettest.Shell(t, "ip -n A link delete dev eth0; ip netns delete A; ip link set dev p2 nomaster; ip -n B link set dev lo down")
		if !perform(t, db, reconcileStep, at, "") {
			if at < 10 {
				t.Fatalf("only %d checkpoints", at-1)
			}
			break
		}
		if at == 1 {
			// As if killed between making the file and mounting the namespace on it.
			if err := os.WriteFile("/run/netns/A", nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		with(func(m *machine) {
			if pending, err := m.store.Pending(t.Context()); err != nil || len(pending) > 0 {
				t.Errorf("checkpoint %d: still pending: %+v, %v", at, pending, err)
			}
			ops, err := m.Operations(context.Background(), 0, 1)
			if err != nil || ops[0].State == topology.OperationFailed && !strings.Contains(ops[0].Error, "stays so") {
				t.Errorf("checkpoint %d: journaled as %+v, %v", at, ops, err)
			}
			if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil {
				t.Errorf("checkpoint %d: %v", at, err)
			}
			if got := fingerprint(t); got != before {
				t.Fatalf("checkpoint %d: before\n%s\nnow\n%s", at, before, got)
			}
		})
	}
	with(func(m *machine) { m.edit(t, everythingGone) })
}
