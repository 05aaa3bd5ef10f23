package e2e

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/viewer"
)

// TestEvents: what the kernel does is told as it happens, whoever made it do so.
func TestEvents(t *testing.T) {
	s := start(t)
	e := s.listen(t, "")
	first := e.snapshot(t)
	if all := e.all(); all[0].Type != "snapshot" || all[0].Seq == 0 || all[0].Topology.Namespace("host") == nil {
		t.Fatalf("the first message is %+v", all[0])
	}

	// By hand.
	from := len(e.all())
	nettest.Shell(t, "ip netns add A && ip -n A link add v0 type veth peer name v1 && ip -n A link set v0 up && ip -n A address add 10.0.0.1/24 dev v0 && ip -n A link set v1 up")
	e.await(t, from, "A", func(m message) bool {
		return m.Type == "namespace.added" && m.Namespace.Name == "A" && m.Namespace.Sync == topology.Foreign
	})
	e.await(t, from, "v0", func(m message) bool { return m.Type == "link.added" && m.Link.Namespace == "A" && m.Link.Name == "v0" })
	e.await(t, from, "v0 up with its peer", func(m message) bool {
		return m.Type == "link.changed" && m.Link.Name == "v0" && m.Link.AdminUp && m.Link.Peer != nil && m.Link.Peer.Name == "v1"
	})
	e.await(t, from, "address", func(m message) bool {
		return m.Type == "address.added" && m.Address.CIDR == "10.0.0.1/24" && m.Address.Link == "v0"
	})
	e.await(t, from, "route", func(m message) bool { return m.Type == "route.added" && m.Route.Destination == "10.0.0.0/24" })
	for _, m := range e.since(from) {
		if m.Origin != "kernel" || m.At.IsZero() || time.Since(m.At).Abs() > time.Hour {
			t.Errorf("%v: origin %q, at %s", types([]message{m}), m.Origin, m.At)
		}
	}

	// By netdash.
	from = len(e.all())
	a := s.do(t, "POST", "/namespaces", `{"name":"B"}`).want(t, 201)
	id := a.header.Get("Netdash-Operation")
	done := e.await(t, from, "operation.committed", func(m message) bool { return m.Type == "operation.committed" })
	if fmt.Sprint(done.Operation.ID) != id || done.Operation.State != topology.OperationCommitted || len(done.Operation.Commands) != 2 {
		t.Errorf("operation %+v", done.Operation)
	}
	// The kernel may still have something to say of A.
	mine := slices.DeleteFunc(slices.Clone(e.since(from)), func(m message) bool { return m.Origin != "operation:"+id })
	if mine[0].Type != "operation.started" || mine[0].Operation.ID != done.Operation.ID {
		t.Errorf("it began with %v", types(mine[:1]))
	}
	seen := map[string]bool{}
	for _, m := range mine {
		if m.Seq <= done.Seq && m.Origin == "operation:"+id {
			seen[m.Type] = true
		}
	}
	for _, kind := range []string{"namespace.added", "link.added", "address.added", "operation.started", "operation.committed"} {
		if !seen[kind] {
			t.Errorf("no %s of the operation among %v", kind, types(mine))
		}
	}
	// A failed one.
	from = len(e.all())
	s.do(t, "POST", "/namespaces/B/links/lo/addresses", `{"cidr":"127.0.0.1/8"}`).want(t, 409)
	e.await(t, from, "operation.failed", func(m message) bool { return m.Type == "operation.failed" && m.Operation.Error != "" })

	// Resumed: exactly what has followed.
	last := e.all()[len(e.all())-1]
	resumed := s.listen(t, fmt.Sprintf("?since=%d", first.Seq))
	resumed.await(t, 0, "the last event", func(m message) bool { return m.Seq == last.Seq })
	if m := resumed.all()[0]; m.Seq != first.Seq+1 || m.Topology != nil {
		t.Errorf("resumed after %d with %d (%s)", first.Seq, m.Seq, m.Type)
	}
	for i, m := range resumed.all() {
		if want := e.all()[i+1]; m.Type != want.Type || m.Seq != want.Seq {
			t.Fatalf("resumed: message %d is %v, first told as %v", i, types([]message{m}), types([]message{want}))
		}
	}
	// What is not known any more, or not yet, begins with a snapshot.
	for _, since := range []uint64{0, 1, last.Seq + 1<<40, 1<<64 - 1} {
		if m := s.listen(t, fmt.Sprintf("?since=%d", since)); m.snapshot(t).Seq < first.Seq {
			t.Errorf("since %d: %v", since, types(m.all()))
		}
	}
}

// TestEventsTellEverything does what somebody with ip might, at random, and
// compares what the events alone lead to with a fresh GET.
func TestEventsTellEverything(t *testing.T) {
	s := start(t)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"n1"}`)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"n2"}`)
	post[topology.Link](t, s, "/bridges", `{"namespace":"n1","name":"br0","addresses":["10.0.0.1/24"]}`)
	post[veth](t, s, "/veths", `{"a":{"namespace":"n2","name":"e0","addresses":["10.0.0.2/24"]},"b":{"namespace":"n1","name":"e1","master":"br0"}}`)
	nettest.Shell(t, "ip netns add n3")
	e := s.listen(t, "")
	told := viewer.NewPicture(e.snapshot(t).Topology)
	taken := 1

	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	some := func() string { return fmt.Sprintf("n%d", 1+r.IntN(3)) }
	for range 20 {
		var script []string
		for range 8 {
			n, i := some(), r.IntN(2)
			script = append(script, []string{
				fmt.Sprintf("ip -n %s link add e%d type veth peer name e%d netns %s", n, i, r.IntN(2), some()),
				fmt.Sprintf("ip -n %s link add br%d type bridge", n, r.IntN(2)),
				fmt.Sprintf("ip -n %s link set e%d up", n, i),
				fmt.Sprintf("ip -n %s link set e%d down", n, i),
				fmt.Sprintf("ip -n %s link set br0 up", n),
				fmt.Sprintf("ip -n %s link set e%d netns %s", n, i, some()),
				fmt.Sprintf("ip -n %s link set e%d master br0", n, i),
				fmt.Sprintf("ip -n %s link set e%d nomaster", n, i),
				fmt.Sprintf("ip -n %s link del e%d", n, i),
				fmt.Sprintf("ip -n %s link set e%d mtu %d alias x%d", n, i, 1400+r.IntN(50), i),
				fmt.Sprintf("ip -n %s addr add 10.0.0.%d/24 dev e%d", n, 1+r.IntN(9), i),
				fmt.Sprintf("ip -n %s addr flush dev e%d scope global", n, i),
				fmt.Sprintf("ip -n %s route add 10.%d.0.0/16 dev e%d", n, 50+i, i),
				fmt.Sprintf("ip -n %s link set e%d name x%d", n, i, i),
				fmt.Sprintf("ip -n %s link set x%d name e%d", n, i, i),
				fmt.Sprintf("ip -n %s link set br0 name br1", n),
				fmt.Sprintf("ip -n %s link set br1 name br0", n),
				fmt.Sprintf("ip netns exec %s ping -c1 -W1 10.0.0.%d", n, 1+r.IntN(9)),
				fmt.Sprintf("bridge -n %s fdb add 02:00:00:00:00:0%d dev e%d master static", n, i, i),
				"ip netns del n3",
				"ip netns add n3",
			}[r.IntN(21)])
		}
		// Many of these fail, as they should: the link is not there.
		_ = exec.Command("sh", "-c", strings.Join(script, "; ")).Run()
		eventually(t, func() string {
			fresh := get[topology.Snapshot](t, s, "/topology")
			if all := e.all(); all[len(all)-1].Seq < fresh.Seq {
				return "events are still on their way"
			}
			for _, m := range e.all()[taken:] {
				if m.Seq > fresh.Seq {
					return "it goes on"
				}
				if m.Type == "resync" || m.Topology != nil {
					t.Fatalf("a %s without need", m.Type)
				}
				told.Take(&m)
				taken++
			}
			if d := difference(viewer.NewPicture(&fresh).Lines(), told.Lines()); d != "" {
				t.Fatalf("seed %d, after\n%s\nby GET (-) and by events (+):\n%s", seed, strings.Join(script, "\n"), d)
			}
			return ""
		})
	}
	t.Logf("%d events", taken)
}
