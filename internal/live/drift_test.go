package live_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/viewer"
)

// intended is a small lab with one of everything: A and B joined by a cable, A
// plugged into a bridge on host, a route, a static MAC.
func intended(t *testing.T) *topology.Spec {
	t.Helper()
	s := &topology.Spec{
		Namespaces: []topology.Namespace{{Name: "A"}, {Name: "B"}},
		Bridges: []topology.Bridge{{
			Namespace: "host", Name: "br0", MAC: "02:00:00:00:01:00", Addresses: []string{"10.1.0.254/24"},
			FDB: []topology.FDBSpec{{MAC: "02:00:00:00:00:09", Port: "p1"}},
		}},
		Veths: []topology.Veth{
			{
				A: topology.End{Namespace: "A", Name: "eth0", MAC: "02:00:00:00:00:01", Addresses: []string{"10.1.0.1/24"}},
				B: topology.End{Namespace: "host", Name: "p1", Master: "br0"},
			},
			{A: topology.End{Namespace: "A", Name: "v0", Addresses: []string{"10.2.0.1/24"}}, B: topology.End{Namespace: "B", Name: "v0"}},
		},
		Routes: []topology.Route{{Namespace: "A", Destination: "10.9.0.0/16", Gateway: "10.1.0.254"}},
	}
	if err := topology.Validate(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// build makes a Spec with the commands of its Plan, and a namespace F that is
// not netdash's. It removes all after the test.
func build(t *testing.T, s *topology.Spec) {
	t.Helper()
	nettest.Require(t)
	nettest.Shell(t, "set -e; ip netns add F\n"+strings.Join(topology.Diff(&topology.Spec{}, s).Commands(), "\n"))
	t.Cleanup(func() {
		nettest.Shell(t, "ip -all netns delete; for l in br0 br9 p1 p9; do ip link delete $l 2>/dev/null; done; true")
	})
}

// listener knows the differences as the events tell them.
type listener struct {
	mu     sync.Mutex
	found  map[string][]topology.Difference
	inSync bool
	total  int
	when   time.Time // of the last drift.changed
	events int
}

func listen(t *testing.T, l *live.Live) *listener {
	t.Helper()
	x := &listener{}
	follow(t, l, nil, x.take)
	return x
}

func (x *listener) take(m viewer.Message, _ string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case m.Topology != nil:
		x.found = map[string][]topology.Difference{}
		for _, d := range m.Topology.Differences() {
			x.found[d.Namespace()] = append(x.found[d.Namespace()], d)
			x.total++
		}
		x.inSync = x.total == 0
	case m.Drift != nil:
		x.events++
		x.when, x.inSync, x.total = time.Now(), m.Drift.InSync, m.Drift.Total
		if delete(x.found, m.Drift.Namespace); len(m.Drift.Differences) > 0 {
			x.found[m.Drift.Namespace] = m.Drift.Differences
		}
	}
}

func words(list []topology.Difference) []string {
	out := []string{}
	for _, d := range list {
		out = append(out, d.String())
	}
	slices.Sort(out)
	return out
}

// agreesOnDrift compares what the objects of the Snapshot say, what the events
// have told, and what judging the Snapshot afresh gives.
func agreesOnDrift(l *live.Live, intent *topology.Intent, x *listener) string {
	s := l.Snapshot()
	want := words(intent.Differences(s))
	if got := words(s.Differences()); !slices.Equal(got, want) {
		return fmt.Sprintf("on the objects:\n%s\nafresh:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	var told []topology.Difference
	for _, list := range x.found {
		told = append(told, list...)
	}
	if got := words(told); !slices.Equal(got, want) || x.total != len(want) || x.inSync != (len(want) == 0) {
		return fmt.Sprintf("told (total %d, in sync %t):\n%s\nafresh:\n%s", x.total, x.inSync, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, n := range s.Namespaces {
		drifted := slices.ContainsFunc(want, func(d string) bool { return strings.HasPrefix(d, n.Name+"/") || strings.HasPrefix(d, n.Name+" ") })
		if sync := n.Sync == topology.Drifted || n.Sync == topology.Missing; n.Sync != topology.Foreign && sync != drifted {
			return fmt.Sprintf("%s is %s with %v", n.Name, n.Sync, want)
		}
	}
	return ""
}

// TestDriftByHand does each thing by hand that can go wrong with a lab, and then
// undoes it by hand.
func TestDriftByHand(t *testing.T) {
	spec := intended(t)
	build(t, spec)
	l, _ := watchingSpec(t, spec)
	intent := topology.NewIntent(spec)
	x := listen(t, l)
	var took []time.Duration
	for _, c := range []struct {
		what, do string
		want     []string
		undo     string
		check    func() string
	}{
		{
			what: "link deleted", do: "ip link del p1",
			want: []string{"A 10.9.0.0/16 is missing", "A/eth0 is missing", "host/br0 02:00:00:00:00:09 is missing", "host/p1 is missing"},
			undo: `ip -n A link add eth0 address 02:00:00:00:00:01 type veth peer name p1 netns $$; ip link set p1 addrgenmode none; ip link set p1 master br0 up;
				ip -n A addr add 10.1.0.1/24 dev eth0; ip -n A link set eth0 up; ip -n A route add 10.9.0.0/16 via 10.1.0.254; bridge fdb add 02:00:00:00:00:09 dev p1 master static`,
			check: func() string {
				a, host := l.Snapshot().Namespace("A"), l.Snapshot().Namespace("host")
				if a.Link("eth0").Sync != topology.Missing || a.Sync != topology.Drifted || len(a.Differences) != 2 {
					return fmt.Sprintf("%+v, eth0 %+v", a, a.Link("eth0"))
				}
				if i := slices.IndexFunc(a.Routes, func(r *topology.RouteState) bool { return r.Destination == "10.9.0.0/16" }); i < 0 || a.Routes[i].Sync != topology.Missing {
					return "the missing route is not shown"
				}
				if i := slices.IndexFunc(host.FDB, func(e *topology.FDBEntry) bool { return e.MAC == "02:00:00:00:00:09" }); i < 0 || host.FDB[i].Sync != topology.Missing {
					return "the missing entry is not shown"
				}
				if d := host.Link("br0").Differences; len(d) != 1 {
					return fmt.Sprintf("br0 %v", d)
				}
				return ""
			},
		},
		{
			what: "downed", do: "ip -n A link set v0 down", want: []string{"A/v0: admin_up is false, intended is true"},
			undo: "ip -n A link set v0 up",
		},
		{
			what: "renamed", do: "ip link set br0 down; ip link set br0 name br9; ip link set br9 up", want: []string{"host/br0: name is br9, intended is br0"},
			undo: "ip link set br9 down; ip link set br9 name br0; ip link set br0 up",
			check: func() string {
				br := findLink(l, "host", "br9")
				if br == nil || br.Intended == nil || br.Intended.Name != "br0" || !br.Managed || br.Sync != topology.Drifted || findLink(l, "host", "br0") != nil {
					return fmt.Sprintf("%+v", br)
				}
				return ""
			},
		},
		{
			what: "a veth's end renamed", do: "ip link set p1 down; ip link set p1 name p9; ip link set p9 up", want: []string{"host/p1: name is p9, intended is p1"},
			undo: "ip link set p9 down; ip link set p9 name p1; ip link set p1 up",
		},
		{
			what: "moved", do: "ip -n B link set v0 netns F name stolen",
			want: []string{"B/v0: admin_up is false, intended is true", "B/v0: name is stolen, intended is v0", "B/v0: namespace is F, intended is B"},
			undo: "ip -n F link set stolen netns B name v0; ip -n B link set v0 up",
			check: func() string {
				if o := findLink(l, "F", "stolen"); o == nil || o.Intended == nil || *o.Intended != (topology.LinkRef{Namespace: "B", Name: "v0"}) || !o.Managed {
					return fmt.Sprintf("%+v", o)
				}
				if findLink(l, "B", "v0") != nil || l.Snapshot().Namespace("F").Sync != topology.Foreign {
					return "it is shown as missing besides, or F as netdash's"
				}
				return ""
			},
		},
		{
			what: "both ends moved", do: "ip -n A link set v0 netns F; ip -n B link set v0 netns F name w0; ip -n F link set v0 up; ip -n F link set w0 up",
			want: []string{"A/v0 10.2.0.1/24 is missing", "A/v0: namespace is F, intended is A", "B/v0: name is w0, intended is v0", "B/v0: namespace is F, intended is B"},
			undo: "ip -n F link set v0 netns A; ip -n F link set w0 netns B name v0; ip -n A link set v0 up; ip -n B link set v0 up; ip -n A addr add 10.2.0.1/24 dev v0",
		},
		{
			what: "re-addressed", do: "ip -n A addr del 10.2.0.1/24 dev v0; ip -n A addr add 10.2.0.7/24 dev v0",
			want: []string{"A/v0 10.2.0.1/24 is missing", "A/v0 10.2.0.7/24 is not intended"},
			undo: "ip -n A addr del 10.2.0.7/24 dev v0; ip -n A addr add 10.2.0.1/24 dev v0",
		},
		{
			what: "unplugged", do: "ip link set p1 nomaster",
			want: []string{"host/br0 02:00:00:00:00:09 is missing", "host/p1: master is , intended is br0"},
			undo: "ip link set p1 master br0; bridge fdb add 02:00:00:00:00:09 dev p1 master static",
		},
		{
			what: "MTU", do: "ip -n A link set v0 mtu 1400", want: []string{"A/v0: mtu is 1400, intended is 1500"},
			undo: "ip -n A link set v0 mtu 1500",
		},
		{
			what: "MAC", do: "ip -n A link set eth0 address 02:00:00:00:00:77", want: []string{"A/eth0: mac is 02:00:00:00:00:77, intended is 02:00:00:00:00:01"},
			undo: "ip -n A link set eth0 address 02:00:00:00:00:01",
		},
		{
			what: "namespace deleted", do: "ip netns del B", want: []string{"A/v0 is missing", "B is missing"},
			undo: `ip netns add B; ip -n B link set lo up; ip -n A link add v0 type veth peer name v0 netns B; ip -n A addr add 10.2.0.1/24 dev v0
				ip -n A link set v0 up; ip -n B link set v0 up`,
		},
		{
			what: "route removed", do: "ip -n A route del 10.9.0.0/16", want: []string{"A 10.9.0.0/16 is missing"},
			undo: "ip -n A route add 10.9.0.0/16 via 10.1.0.254",
		},
		{
			what: "route replaced", do: "ip -n A route replace 10.9.0.0/16 via 10.2.0.9",
			want: []string{"A 10.9.0.0/16: route is 10.9.0.0/16 via 10.2.0.9 dev v0, intended is 10.9.0.0/16 via 10.1.0.254 dev eth0"},
			undo: "ip -n A route replace 10.9.0.0/16 via 10.1.0.254",
			check: func() string {
				a := l.Snapshot().Namespace("A")
				if i := slices.IndexFunc(a.Routes, func(r *topology.RouteState) bool { return r.Gateway == "10.2.0.9" }); i < 0 || a.Routes[i].Sync != topology.Drifted {
					return fmt.Sprintf("%+v", a.Routes)
				}
				return ""
			},
		},
		{
			what: "static FDB entry removed", do: "bridge fdb del 02:00:00:00:00:09 dev p1 master", want: []string{"host/br0 02:00:00:00:00:09 is missing"},
			undo: "bridge fdb add 02:00:00:00:00:09 dev p1 master static",
		},
		{
			what: "another kind takes the name", do: "ip -n A link del v0; ip -n A link add v0 type bridge", want: []string{"A/v0: kind is bridge, intended is veth", "B/v0 is missing"},
			undo: "ip -n A link del v0; ip -n A link add v0 type veth peer name v0 netns B; ip -n A addr add 10.2.0.1/24 dev v0; ip -n A link set v0 up; ip -n B link set v0 up",
			check: func() string {
				if o := findLink(l, "A", "v0"); o.Managed || o.Sync != topology.Drifted {
					return fmt.Sprintf("%+v", o)
				}
				return ""
			},
		},
		{
			what: "another pair takes the name", do: "ip -n A link del v0; ip -n A link add v0 type veth peer name f0 netns F; ip -n A addr add 10.2.0.1/24 dev v0; ip -n A link set v0 up",
			want: []string{"A/v0: peer is F/f0, intended is B/v0", "B/v0 is missing"},
			undo: "ip -n A link del v0; ip -n A link add v0 type veth peer name v0 netns B; ip -n A addr add 10.2.0.1/24 dev v0; ip -n A link set v0 up; ip -n B link set v0 up",
			check: func() string {
				if o := findLink(l, "A", "v0"); o.Managed || findLink(l, "F", "f0").Managed {
					return fmt.Sprintf("%+v", o)
				}
				return ""
			},
		},
		{
			what: "another bridge takes the name", do: "ip link set br0 down; ip link set br0 name br9; ip link set br9 up; ip link add br0 index 777 type bridge",
			want: []string{"host/br0: ifindex is 777, intended is %d", "host/br0: name is br9, intended is br0"},
			undo: "ip link del br0; ip link set br9 down; ip link set br9 name br0; ip link set br0 up",
			check: func() string {
				if findLink(l, "host", "br0").Managed || !findLink(l, "host", "br9").Managed {
					return "the wrong one is managed"
				}
				return ""
			},
		},
	} {
		index := findLink(l, "host", "br0").Ifindex
		for i := range c.want {
			if strings.Contains(c.want[i], "%d") {
				c.want[i] = fmt.Sprintf(c.want[i], index)
			}
		}
		from := time.Now()
		nettest.Shell(t, c.do)
		eventually(t, func() string {
			x.mu.Lock()
			var told []topology.Difference
			for _, list := range x.found {
				told = append(told, list...)
			}
			when := x.when
			x.mu.Unlock()
			if got := words(told); !slices.Equal(got, c.want) {
				return fmt.Sprintf("%s: told\n%s\nwant\n%s", c.what, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			took = append(took, when.Sub(from))
			return ""
		})
		eventually(t, func() string { return agreesOnDrift(l, intent, x) })
		if c.check != nil {
			if wrong := c.check(); wrong != "" {
				t.Errorf("%s: %s", c.what, wrong)
			}
		}
		if p := topology.Drift(spec, l.Snapshot()); strings.Contains(strings.Join(p.Commands(), "\n"), "netns delete") {
			t.Errorf("%s: %v", c.what, p.Commands())
		}
		nettest.Shell(t, c.undo)
		eventually(t, func() string {
			if s := l.Snapshot(); len(s.Differences()) > 0 {
				return fmt.Sprintf("%s, undone: %v", c.what, words(s.Differences()))
			}
			return agreesOnDrift(l, intent, x)
		})
	}
	slices.Sort(took)
	t.Logf("told after (with the time ip takes): %v", took)
	if late := took[len(took)-1]; late > 3*time.Second {
		t.Errorf("told after %s", late)
	}
}

// TestDriftAfterRestart: what happened while nobody looked is found as far as it
// can be proved.
func TestDriftAfterRestart(t *testing.T) {
	spec := intended(t)
	build(t, spec)
	for i := range spec.Veths {
		for _, e := range []*topology.End{&spec.Veths[i].A, &spec.Veths[i].B} {
			if e.MAC == "" {
				e.Identity.MAC = nettest.IP(t, e.Namespace, "link", "show", "dev", e.Name)[0]["address"].(string)
			}
		}
	}
	nettest.Shell(t, "ip -n B link set v0 down; ip -n B link set v0 name w0; ip -n B link set w0 up")
	l, _ := watchingSpec(t, spec)
	eventually(t, func() string {
		if got := words(l.Snapshot().Differences()); !slices.Equal(got, []string{"B/v0: name is w0, intended is v0"}) {
			return strings.Join(got, "\n")
		}
		return ""
	})
}

// TestDriftFollowsRandomChanges perturbs a lab at random, and has the commands of
// Drift's Plan mend it where nothing foreign is in the way.
func TestDriftFollowsRandomChanges(t *testing.T) {
	spec := intended(t)
	build(t, spec)
	l, w := watchingSpec(t, spec)
	intent := topology.NewIntent(spec)
	x := listen(t, l)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	links := []string{"eth0", "v0", "x0", "w0", "p1", "br0"}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	kinds, mended := map[string]int{}, 0
	for range 15 {
		var script strings.Builder
		for range 10 {
			n, i, to := pick("-n A", "-n B", "-n F", ""), pick(links...), pick(links...)
			script.WriteString([]string{
				fmt.Sprintf("ip %s link set %s down; ip %s link set %s name %s; ip %s link set %s up", n, i, n, i, to, n, to),
				fmt.Sprintf("ip %s link set %s netns %s", n, i, pick("A", "B", "F", "$$")),
				fmt.Sprintf("ip %s link set %s netns %s name %s", n, i, pick("A", "B", "F"), to),
				fmt.Sprintf("ip %s link set %s %s", n, i, pick("up", "down")),
				fmt.Sprintf("ip %s link set %s mtu %d", n, i, 1400+100*r.IntN(2)),
				fmt.Sprintf("ip %s link set %s %s", n, i, pick("master br0", "nomaster")),
				fmt.Sprintf("ip %s link del %s", n, i),
				fmt.Sprintf("ip %s link add %s type %s", n, i, pick("bridge", "veth peer name "+to+" netns "+pick("A", "B", "F"))),
				fmt.Sprintf("ip %s addr %s 10.%d.0.%d/24 dev %s", n, pick("add", "del"), 1+r.IntN(2), 1+r.IntN(3), i),
				fmt.Sprintf("ip %s route %s 10.9.0.0/16 dev %s", n, pick("replace", "del"), i),
				"ip -n A route replace 10.9.0.0/16 via 10.1.0.254",
				fmt.Sprintf("bridge %s fdb %s 02:00:00:00:00:09 dev %s master static", n, pick("add", "del", "replace"), i),
				"ip netns " + pick("del", "add", "add") + " B",
			}[r.IntN(13)] + "; ")
		}
		// Many of these fail, as they should: the link is not there. The host's own
		// links are its business.
		_ = exec.Command("sh", "-c", script.String()).Run()
		if r.IntN(3) == 0 {
			if err := w.Refresh(t.Context(), "A", "B", "F", "host"); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, func() string {
			if wrong := agreesOnDrift(l, intent, x); wrong != "" {
				return fmt.Sprintf("seed %d, after %s\n%s", seed, script.String(), wrong)
			}
			return ""
		})
		for _, d := range l.Snapshot().Differences() {
			kinds[d.Kind+" "+d.Field]++
		}
		// What is still going on in the kernel, as the end of a namespace, can cross
		// a Plan; then another one is needed.
		obstructed := false
		eventually(t, func() string {
			if err := w.Refresh(t.Context(), "A", "B", "F", "host"); err != nil {
				t.Fatal(err)
			}
			s := l.Snapshot()
			plan := topology.Drift(spec, s)
			if obstructed = topology.Obstacle(plan, s) != nil; obstructed {
				return ""
			}
			_ = exec.Command("sh", "-c", strings.Join(plan.Commands(), "\n")).Run()
			if err := w.Refresh(t.Context(), "A", "B", "F", "host"); err != nil {
				t.Fatal(err)
			}
			if d := l.Snapshot().Differences(); len(d) > 0 {
				return fmt.Sprintf("seed %d, after %s\nmended by\n%s\nthere is still\n%s", seed, script.String(), strings.Join(plan.Commands(), "\n"), strings.Join(words(d), "\n"))
			}
			return agreesOnDrift(l, intent, x)
		})
		if obstructed {
			nettest.Shell(t, "for n in A B F; do ip netns delete $n; ip netns add $n; done; for l in /sys/class/net/*; do ip link delete ${l##*/}; done 2>/dev/null; true")
		} else {
			mended++
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	t.Logf("%d events, %d bursts mended; seen %v", x.events, mended, slices.Sorted(maps.Keys(kinds)))
	if len(kinds) < 3 || mended == 0 {
		t.Errorf("too little has drifted, or been mended: %v", kinds)
	}
}
