package netops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// starPlan makes a switch with hosts around it.
func starPlan(hosts int) topology.Plan {
	s := &topology.Spec{Namespaces: []topology.Namespace{{Name: "sw"}}, Bridges: []topology.Bridge{{Namespace: "sw", Name: "br0"}}}
	for i := range hosts {
		host := fmt.Sprint("h", i)
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: host})
		s.Veths = append(s.Veths, topology.Veth{
			A: topology.End{Namespace: host, Name: "eth0", Addresses: []string{fmt.Sprintf("10.0.0.%d/24", i+1)}},
			B: topology.End{Namespace: "sw", Name: fmt.Sprint("p", i), Master: "br0"},
		})
		s.Routes = append(s.Routes, topology.Route{Namespace: host, Destination: "default", Gateway: "10.0.0.254"})
	}
	return topology.Diff(&topology.Spec{}, s)
}

func TestRun(t *testing.T) {
	k := newKernel(t)
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete") })
	plan := starPlan(70) // more than one exchange holds
	var steps []int
	done, rest, err := k.Run(t.Context(), plan, func(n int) { steps = append(steps, n) })
	if err != nil || len(rest) > 0 || len(done) != len(plan) {
		t.Fatalf("%d of %d done, %d left: %v", len(done), len(plan), len(rest), err)
	}
	if !slices.IsSorted(steps) || steps[len(steps)-1] != len(plan) {
		t.Errorf("progress %v", steps)
	}
	if got := nettest.Shell(t, "ip netns exec h69 ping -c 1 -W 5 10.0.0.1 >/dev/null && ip -n sw -br link show master br0 up | wc -l && ip -n h69 route show default"); !strings.HasPrefix(got, "70\ndefault via 10.0.0.254") {
		t.Errorf("ip says %q", got)
	}
	// What is gone already counts as done.
	nettest.Shell(t, "ip netns delete h3")
	away := topology.Plan{topology.DeleteLink{Namespace: "h3", Name: "eth0"}, topology.DeleteNamespace{Name: "h3"}, topology.DeleteNamespace{Name: "h4"}}
	if done, rest, err := k.Run(t.Context(), away, nil); err != nil || len(done) != 3 || len(rest) > 0 {
		t.Errorf("done %v, left %v: %v", done, rest, err)
	}
}

// TestRunRefused has one Change of many refused in the middle of an exchange.
func TestRunRefused(t *testing.T) {
	k := newKernel(t)
	a := nettest.Namespace(t)
	var plan topology.Plan
	for i := range 5 {
		plan = append(plan, topology.CreateBridge{Namespace: a, Name: fmt.Sprint("b", i)})
	}
	bad := topology.SetMTU{Namespace: a, Name: "none", MTU: 1400}
	plan = append(plan, topology.SetUp{Namespace: a, Name: "b0", Up: true}, bad, topology.SetUp{Namespace: a, Name: "b1", Up: true},
		topology.AddRoute{Route: topology.Route{Namespace: a, Destination: "10.9.0.0/16", Link: "b0"}})
	done, rest, err := k.Run(t.Context(), plan, nil)
	e, ok := errors.AsType[*topology.Error](err)
	if !ok || e.Code != topology.CodeNotFound || e.Subject != a+"/none" {
		t.Fatalf("%v", err)
	}
	// What came with it in the exchange is done, what would have come later is not.
	if len(done) != 7 || len(rest) != 2 || rest[0] != topology.Change(bad) {
		t.Errorf("done %v\nleft %v", done.Commands(), rest.Commands())
	}
	if up := nettest.Shell(t, "ip -n "+a+" -br link show up | wc -l; ip -n "+a+" route | wc -l"); strings.TrimSpace(up) != "2\n0" {
		t.Errorf("up, and routes: %q", up)
	}
}

func TestRunGivenUp(t *testing.T) {
	k := newKernel(t)
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete") })
	ctx, stop := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	plan := starPlan(10)
	done, rest, err := k.Run(ctx, plan, func(n int) {
		if n == 15 {
			stop(enough)
		}
	})
	if !errors.Is(err, enough) || len(done) < 15 || len(done)+len(rest) != len(plan) || len(rest) < 10 {
		t.Errorf("%d done, %d left: %v", len(done), len(rest), err)
	}
}

// TestHubsComeLast holds the order that keeps a switch from flooding what its
// hosts send when they come up.
func TestHubsComeLast(t *testing.T) {
	plan := starPlan(5)
	r := &runner{plan: plan}
	from := slices.IndexFunc(plan, func(c topology.Change) bool { return kindOf(c) == settings })
	to := from
	for to < len(plan) && kindOf(plan[to]) == settings {
		to++
	}
	groups := r.groups(from, to)
	if last := groups[len(groups)-1]; plan[last[0]].Where() != "sw" || len(groups) != 6 {
		t.Errorf("%d groups, the last of %s", len(groups), plan[last[0]].Where())
	}
}

// TestReaper deletes more namespaces than may die at once: their names go at
// once, and they themselves by and by.
func TestReaper(t *testing.T) {
	k := newKernel(t)
	const n = 3*reapBatch + 10
	var raise, drop topology.Plan
	for i := range n {
		name := fmt.Sprint("r", i)
		raise, drop = append(raise, topology.CreateNamespace{Name: name}), append(drop, topology.DeleteNamespace{Name: name})
	}
	for i := range n {
		raise = append(raise, topology.CreateVeth{A: topology.VethEnd{Namespace: fmt.Sprint("r", i), Name: "x"}, B: topology.VethEnd{Namespace: "host", Name: fmt.Sprint("e", i)}})
	}
	if _, _, err := k.Run(t.Context(), raise, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Run(t.Context(), drop, nil); err != nil {
		t.Fatal(err)
	}
	left := func() string { return strings.TrimSpace(nettest.Shell(t, "ip -br link show type veth | wc -l")) }
	if names := nettest.Shell(t, "ip netns list | wc -l"); strings.TrimSpace(names) != "0" {
		t.Errorf("%s names are left", names)
	}
	if now := left(); now == "0" {
		t.Error("they died all at once")
	}
	eventually(t, "all namespaces have died", func() bool { return left() == "0" })
	eventually(t, "the reaper rests", func() bool { k.reaper.mu.Lock(); defer k.reaper.mu.Unlock(); return !k.reaper.running })

	// What is held dies after release, however little it is.
	k.reaper.hold()
	if _, _, err := k.Run(t.Context(), raise[:1], nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Run(t.Context(), raise[n:n+1], nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.Run(t.Context(), drop[:1], nil); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	if left() != "1" {
		t.Error("it died although it was held")
	}
	k.reaper.release()
	eventually(t, "it has died", func() bool { return left() == "0" })
	eventually(t, "the reaper rests", func() bool { k.reaper.mu.Lock(); defer k.reaper.mu.Unlock(); return !k.reaper.running })
}
