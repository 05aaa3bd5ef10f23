package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/store"
	"netdash/internal/topology"
)

// drift is what netdash says differs, by subject.
func (s *server) drift(t testing.TB) (topology.DriftReport, []string) {
	t.Helper()
	report := get[topology.DriftReport](t, s, "/topology/drift")
	var subjects []string
	for _, d := range report.Differences {
		subjects = append(subjects, d.Subject)
	}
	return report, slices.Compact(subjects)
}

func (s *server) awaitSync(t testing.TB) {
	t.Helper()
	eventually(t, func() string {
		if report, subjects := s.drift(t); !report.InSync {
			return fmt.Sprint(subjects)
		}
		return ""
	})
}

func hasPing(t testing.TB, s *server) {
	t.Helper()
	for _, pair := range [][2]string{{"A", "10.1.0.254"}, {"B", "192.168.1.1"}} {
		if r := s.ping(t, fmt.Sprintf(`{"namespace":%q,"address":%q,"count":1,"timeout_ms":5000}`, pair[0], pair[1])); r.Received != 1 {
			t.Errorf("ping from %s: %+v", pair[0], r)
		}
	}
}

// TestReconcile: what somebody has changed with ip is shown, and mended by name
// or altogether.
func TestReconcile(t *testing.T) {
	s := start(t)
	furnish(t, s)
	const path = "/topology/reconcile"
	if a := s.do(t, "POST", path, "").want(t, 200); a.header.Get("Netdash-Operation") != "" || !read[topology.DriftReport](t, a).InSync {
		t.Errorf("nothing to do: %v %s", a.header, a.body)
	}
	nettest.Shell(t, "ip netns delete B && ip -n A link set dev eth0 down && ip -n A link set dev lo down")
	eventually(t, func() string {
		if _, subjects := s.drift(t); !slices.Contains(subjects, "B") || !slices.Contains(subjects, "A/lo") || !slices.Contains(subjects, "A/eth0") {
			return fmt.Sprint(subjects)
		}
		return ""
	})
	before := s.scene(t)
	plan := commands(t, s.do(t, "POST", path+"?dry_run=true", "").want(t, 200))
	for _, want := range []string{"ip netns add B", "ip -n A link set dev lo up", "ip -n A route add default via 10.1.0.254 dev eth0"} {
		if !slices.Contains(plan, want) {
			t.Errorf("dry run: no %s in %q", want, plan)
		}
	}
	if changed := before.changed(s.scene(t)); changed != "" {
		t.Errorf("a dry run has changed %s", changed)
	}

	a := s.do(t, "POST", path, `{"subjects":["A/eth0"]}`).want(t, 200)
	report := read[topology.DriftReport](t, a)
	if report.InSync || a.header.Get("Netdash-Operation") == "" || slices.ContainsFunc(report.Differences, func(d topology.Difference) bool { return d.Subject == "A/eth0" }) {
		t.Errorf("%v %s", a.header, a.body)
	}
	op := get[topology.Operation](t, s, "/operations/"+a.header.Get("Netdash-Operation"))
	if op.State != topology.OperationCommitted || op.Request != "POST /api/v1"+path || !slices.Equal(op.Commands, []string{"ip -n A link set dev eth0 up", "ip -n A route add default via 10.1.0.254 dev eth0"}) {
		t.Errorf("%+v", op)
	}
	if a := s.do(t, "POST", path, "").want(t, 200); !read[topology.DriftReport](t, a).InSync {
		t.Errorf("%s", a.body)
	}
	hasPing(t, s)

	s.do(t, "POST", path, `{"subjects":["A","nobody"]}`).problem(t, http.StatusNotFound, "not_found")
	if p := s.do(t, "POST", path, `{"subjects":["A","A/eth0 what"]}`).problem(t, http.StatusUnprocessableEntity, "invalid"); !slices.Equal(p.pointers(), []string{"/subjects/1"}) {
		t.Errorf("%+v", p)
	}
	nettest.Shell(t, "ip -n A link delete dev veth0 && ip -n A link add veth0 type bridge && ip -n A link set dev lo down")
	eventually(t, func() string {
		if _, subjects := s.drift(t); !slices.Contains(subjects, "A/lo") || !slices.Contains(subjects, "A/veth0") {
			return fmt.Sprint(subjects)
		}
		return ""
	})
	report = read[topology.DriftReport](t, s.do(t, "POST", path, "").want(t, 200))
	if report.InSync || slices.ContainsFunc(report.Differences, func(d topology.Difference) bool { return d.Subject == "A/lo" }) || len(report.Plan.Changes) > 0 {
		t.Errorf("beside an obstacle: %+v", report)
	}
	if p := s.do(t, "POST", path, "").problem(t, http.StatusConflict, "conflict"); p.Subject != "A/veth0" || !strings.Contains(p.Hint, "ip -n A link delete dev veth0") {
		t.Errorf("%+v", p)
	}
	if kind := nettest.Shell(t, "ip -n A -d link show dev veth0"); !strings.Contains(kind, "bridge") {
		t.Errorf("what is not netdash's: %s", kind)
	}
	nettest.Shell(t, "ip -n A link delete dev veth0")
	s.do(t, "POST", path, "").want(t, 200)
	s.awaitSync(t)
	hasPing(t, s)
}

// TestRepairAuto: what somebody changes with ip is as before a moment later,
// also after a restart.
func TestRepairAuto(t *testing.T) {
	s := start(t)
	furnish(t, s)
	e := s.listen(t, "")
	e.snapshot(t)
	if got := get[topology.Settings](t, s, "/settings"); got != topology.DefaultSettings() {
		t.Errorf("%+v", got)
	}
	s.do(t, "PATCH", "/settings", `{"repair":"automatic"}`).problem(t, 422, "invalid")
	s.do(t, "PATCH", "/settings", `{"repair":"auto"}`).want(t, 200)
	e.await(t, 0, "repair.changed", func(m message) bool { return m.Type == "repair.changed" && m.Repair.Mode == "auto" })
	for range 2 {
		for _, command := range []string{"ip -n A link delete dev veth0", "ip netns delete A", "bridge fdb delete 02:00:00:00:00:09 dev p1 master"} {
			from := len(e.all())
			nettest.Shell(t, command)
			done := e.await(t, from, "repair", func(m message) bool { return m.Type == "operation.committed" })
			if done.Operation.Author != "netdash" || done.Operation.Request != "repair: auto" {
				t.Errorf("%s: %+v", command, done.Operation)
			}
			s.awaitSync(t)
		}
		hasPing(t, s)
		s.stop(t)
		s = startOn(t, s.DB)
		if got := get[topology.Settings](t, s, "/settings"); got.Repair != "auto" {
			t.Errorf("after a restart %+v", got)
		}
		e = s.listen(t, "")
		e.snapshot(t)
	}
}

// TestRestore: a start after a reboot restores the lab before it serves; one
// without a reboot changes nothing.
func TestRestore(t *testing.T) {
	s := start(t)
	furnish(t, s)
	reboot := func(boot string) {
		t.Helper()
		s.stop(t)
		db, err := store.Open(t.Context(), s.DB)
		if err != nil {
			t.Fatal(err)
		}
		if boot != "" {
			if err := db.SetSetting(t.Context(), "boot_id", boot); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		clearMachine(t)
		s = startOn(t, s.DB)
	}
	reboot("")
	if report, subjects := s.drift(t); report.InSync || !slices.Contains(subjects, "host/br0") {
		t.Errorf("without a reboot: %v", subjects)
	}
	if names := nettest.Shell(t, "ls /run/netns"); names != "" {
		t.Errorf("without a reboot there is %s", names)
	}
	reboot("of another day")
	if report, subjects := s.drift(t); !report.InSync {
		t.Errorf("after a reboot: %v", subjects)
	}
	hasPing(t, s)
	ops := get[items[topology.Operation]](t, s, "/operations?limit=1").Items
	if ops[0].Author != "netdash" || ops[0].Request != "restore after a reboot" {
		t.Errorf("%+v", ops)
	}

	// A restore that fails keeps nobody from being served.
	s.stop(t)
	db, err := store.Open(t.Context(), s.DB)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SetSetting(t.Context(), "boot_id", "of another day"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	clearMachine(t)
	nettest.Shell(t, "touch /run/netns/A")
	t.Cleanup(func() { nettest.Shell(t, "rm -f /run/netns/A") })
	s = startOn(t, s.DB)
	if report, subjects := s.drift(t); report.InSync || !slices.Contains(subjects, "A") {
		t.Errorf("though there is a file in the way: %v", subjects)
	}
	if !strings.Contains(s.log.String(), "the lab is not restored") {
		t.Errorf("not logged: %s", s.log.String())
	}
	s.log.forget()
	nettest.Shell(t, "rm /run/netns/A")
	s.do(t, "POST", "/topology/reconcile", "").want(t, 200)
	s.awaitSync(t)
	hasPing(t, s)
}
