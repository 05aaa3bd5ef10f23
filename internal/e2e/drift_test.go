package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// driftLimit is how late a client may be told here, where other tests run at the
// same time: the promise is 100 ms.
const driftLimit = 3 * time.Second

// pairGone waits until the kernel has taken the pair down with B, which it does a
// while after ip has ended.
const pairGone = "while ip -n A link show dev veth0 >/dev/null 2>&1; do sleep 0.01; done; "

// cableByHand is how the pair between A and B is made again, with the MACs it has.
func cableByHand(t *testing.T) string {
	t.Helper()
	mac := func(namespace string) any {
		return nettest.IP(t, namespace, "link", "show", "dev", "veth0")[0]["address"]
	}
	return fmt.Sprintf("ip -n A link add veth0 address %s type veth peer name veth0 address %s netns B", mac("A"), mac("B"))
}

// TestDriftIsTold changes by hand what netdash made, in each way, and waits for a
// websocket client to hear of it, and of its being undone.
func TestDriftIsTold(t *testing.T) {
	s := start(t)
	furnish(t, s)
	e := s.listen(t, "")
	e.snapshot(t)
	if d := get[topology.DriftReport](t, s, "/topology/drift"); !d.InSync || len(d.Differences)+len(d.Plan.Changes) > 0 {
		t.Fatalf("a fresh lab differs: %+v", d)
	}
	again := cableByHand(t)
	var took []time.Duration
	for range 3 {
		for _, c := range []struct{ do, subject, kind, field, undo string }{
			{"ip -n A link set veth0 down", "A/veth0", "changed", "admin_up", "ip -n A link set veth0 up"},
			{"ip -n A link set veth0 mtu 1400", "A/veth0", "changed", "mtu", "ip -n A link set veth0 mtu 1500"},
			{"ip link set br0 address 02:00:00:00:01:01", "host/br0", "changed", "mac", "ip link set br0 address 02:00:00:00:01:00"},
			{"ip -n A addr del 192.168.1.1/24 dev veth0", "A/veth0 192.168.1.1/24", "missing", "", "ip -n A addr add 192.168.1.1/24 dev veth0"},
			{"ip -n A addr add 192.168.1.7/24 dev veth0", "A/veth0 192.168.1.7/24", "unexpected", "", "ip -n A addr del 192.168.1.7/24 dev veth0"},
			{"ip -n A route del default", "A default", "missing", "", "ip -n A route add default via 10.1.0.254"},
			{"ip -n A route replace default via 10.1.0.253", "A default", "changed", "route", "ip -n A route replace default via 10.1.0.254"},
			{"bridge fdb del 02:00:00:00:00:09 dev p1 master", "host/br0 02:00:00:00:00:09", "missing", "", "bridge fdb add 02:00:00:00:00:09 dev p1 master static"},
			{"ip link set p1 nomaster", "host/p1", "changed", "master", "ip link set p1 master br0; bridge fdb add 02:00:00:00:00:09 dev p1 master static"},
			{"ip -n B link set veth0 down; ip -n B link set veth0 name w0", "B/veth0", "changed", "name", "ip -n B link set w0 name veth0; ip -n B link set veth0 up"},
			{"ip -n B link set veth0 netns F", "B/veth0", "changed", "namespace", "ip -n F link set veth0 netns B; ip -n B link set veth0 up"},
			{"ip -n A link del veth0", "B/veth0", "missing", "", again},
			{"ip netns del B", "B", "missing", "", pairGone + "ip netns add B; ip -n B link set lo up"},
			{"ip -n A link add veth0 type bridge", "A/veth0", "changed", "kind", "ip -n A link del veth0"},
		} {
			from, began := len(e.all()), time.Now()
			nettest.Shell(t, c.do)
			told := e.await(t, from, c.do, func(m message) bool {
				return m.Drift != nil && slices.ContainsFunc(m.Drift.Differences, func(d topology.Difference) bool {
					return d.Subject == c.subject && d.Kind == c.kind && d.Field == c.field
				})
			})
			if told.Drift.InSync || told.Drift.Total < len(told.Drift.Differences) || told.Origin != "kernel" {
				t.Errorf("%s: %+v by %s", c.do, told.Drift, told.Origin)
			}
			took = append(took, told.Got.Sub(began))
			obstacle := c.field == "kind" // nothing can be done about it
			// The kernel may still be at it, so both are asked for until they are of
			// one moment.
			var report topology.DriftReport
			var snapshot topology.Snapshot
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				report, snapshot = get[topology.DriftReport](t, s, "/topology/drift"), get[topology.Snapshot](t, s, "/topology")
				if fmt.Sprint(report.Differences) == fmt.Sprint(snapshot.Differences()) || time.Now().After(end) {
					break
				}
			}
			if report.InSync || (len(report.Plan.Changes) == 0) != obstacle || fmt.Sprint(report.Differences) != fmt.Sprint(snapshot.Differences()) {
				t.Errorf("%s: the report is\n%+v\non the objects stands\n%v", c.do, report, snapshot.Differences())
			}
			from = len(e.all())
			nettest.Shell(t, c.undo)
			e.await(t, from, c.undo, func(m message) bool {
				return m.Drift != nil && !slices.ContainsFunc(m.Drift.Differences, func(d topology.Difference) bool { return d.Subject == c.subject && d.Field == c.field })
			})
		}
		// The pair, and what went with it.
		from := len(e.all())
		nettest.Shell(t, again+`; ip -n A addr add 192.168.1.1/24 dev veth0
			ip -n A link set veth0 up; ip -n B addr add 192.168.1.2/24 dev veth0; ip -n B link set veth0 up`)
		e.await(t, from, "in sync again", func(m message) bool { return m.Drift != nil && m.Drift.InSync })
	}
	slices.Sort(took)
	p := func(share int) time.Duration { return took[len(took)*share/100] }
	t.Logf("%d differences told, with the time ip takes, after %s (median), %s (90 %%), %s (the last)", len(took), p(50), p(90), took[len(took)-1])
	if p(50) > driftLimit {
		t.Errorf("told after %s", p(50))
	}
}

// TestForeignObstacle: a link that took the name of one of netdash's is told of,
// and neither changed nor deleted.
func TestForeignObstacle(t *testing.T) {
	s := start(t)
	furnish(t, s)
	again := cableByHand(t)
	nettest.Shell(t, "ip -n A link del veth0; ip -n A link add veth0 type veth peer name theirs netns F")
	eventually(t, func() string {
		d := get[topology.DriftReport](t, s, "/topology/drift")
		if i := slices.IndexFunc(d.Differences, func(d topology.Difference) bool { return d.Subject == "A/veth0" && d.Field == "peer" }); i < 0 || d.Differences[i].Observed != "F/theirs" {
			return fmt.Sprintf("%+v", d)
		}
		for _, c := range d.Plan.Changes {
			if c.Kind == "link.delete" {
				t.Fatalf("the plan deletes: %+v", d.Plan)
			}
		}
		return ""
	})
	if l := get[topology.Link](t, s, "/namespaces/A/links/veth0"); l.Managed || l.Sync != topology.Drifted {
		t.Errorf("%+v", l)
	}
	was := world(t)
	for _, call := range [][]string{{"DELETE", "/namespaces/A/links/veth0", ""}, {"PATCH", "/namespaces/A/links/veth0", `{"mtu":1400}`}} {
		s.do(t, call[0], call[1], call[2]).want(t, 409)
	}
	if d := difference(was, world(t)); d != "" {
		t.Errorf("it was touched:\n%s", d)
	}
	nettest.Shell(t, "ip -n A link del veth0; "+again+"; ip -n B addr add 192.168.1.2/24 dev veth0; ip -n A addr add 192.168.1.1/24 dev veth0; ip -n A link set veth0 up; ip -n B link set veth0 up")
	eventually(t, func() string {
		if d := get[topology.DriftReport](t, s, "/topology/drift"); !d.InSync {
			return fmt.Sprintf("%+v", d)
		}
		return ""
	})
	s.do(t, "DELETE", "/namespaces/A/links/veth0", "").want(t, 204)
}
