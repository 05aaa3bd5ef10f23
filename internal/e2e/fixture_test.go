package e2e

import (
	"encoding/json"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// furnish builds a topology with one of everything: A and B joined by a veth
// pair, A plugged into br0 on host, a default route, a static MAC; and things
// that are not netdash's: the namespace F and the bridge fb on host.
func furnish(t testing.TB, s *server) {
	t.Helper()
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"A"}`)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"B"}`)
	post[topology.Link](t, s, "/bridges", `{"namespace":"host","name":"br0","mac":"02:00:00:00:01:00","addresses":["10.1.0.254/24"]}`)
	post[veth](t, s, "/veths", `{"a":{"namespace":"A","name":"eth0","addresses":["10.1.0.1/24"]},"b":{"namespace":"host","name":"p1","master":"br0"}}`)
	post[veth](t, s, "/veths", `{"a":{"namespace":"A","name":"veth0","addresses":["192.168.1.1/24"]},"b":{"namespace":"B","name":"veth0","addresses":["192.168.1.2/24"]}}`)
	post[topology.RouteState](t, s, "/namespaces/A/routes", `{"destination":"default","gateway":"10.1.0.254"}`)
	post[topology.FDBEntry](t, s, "/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:09","port":"p1"}`)
	for _, command := range []string{
		"ip netns add F", "ip link add fb type bridge",
		"ip -n F link add fbr type bridge", "ip -n F link set fbr up",
		"ip -n F link add x0 type veth peer name x1", "ip -n F link set x1 master fbr up", "ip -n F link set x0 up",
		"ip -n F addr add 10.9.0.1/24 dev x0", "ip -n F route add 10.8.0.0/16 via 10.9.0.2", "ip -n F route add default via 10.9.0.2",
		"bridge -n F fdb add 02:00:00:00:00:0f dev x1 master static",
	} {
		nettest.Shell(t, command)
	}
	eventually(t, func() string {
		snapshot := get[topology.Snapshot](t, s, "/topology")
		if n := snapshot.Namespace("F"); n == nil || n.Link("x0") == nil || len(n.Link("x0").Addresses) == 0 || len(n.Routes) < 3 || len(n.FDB) == 0 {
			return "netdash has not seen all of F"
		}
		if snapshot.Namespace("host").Link("fb") == nil {
			return "netdash has not seen fb"
		}
		return ""
	})
}

// scene is everything a refused request must leave as it is.
type scene struct {
	world                []string // as ip and bridge have it
	intended, operations string
}

func (s *server) scene(t testing.TB) scene {
	t.Helper()
	return scene{
		world:      world(t),
		intended:   string(s.do(t, "GET", "/topology/intended", "").want(t, 200).body),
		operations: string(s.do(t, "GET", "/operations?limit=500", "").want(t, 200).body),
	}
}

// changed tells what has changed since, nothing if nothing.
func (was scene) changed(now scene) string {
	text := difference(was.world, now.world)
	if was.intended != now.intended {
		text += "\nintended: " + now.intended
	}
	if was.operations != now.operations {
		text += "\noperations: " + now.operations
	}
	return text
}

// commands lists the commands of a Plan or an Operation.
func commands(t testing.TB, a answer) []string {
	t.Helper()
	var plan struct{ Changes []topology.ChangeRecord }
	if err := json.Unmarshal(a.body, &plan); err != nil {
		t.Fatalf("%s: %v in %s", a.asked, err, a.body)
	}
	var out []string
	for _, c := range plan.Changes {
		out = append(out, c.Command)
	}
	return out
}
