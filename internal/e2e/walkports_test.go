package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/walk"
)

// TestWalkPorts: what the flags of ports and a packet filter make of frames.
func TestWalkPorts(t *testing.T) {
	s := start(t)
	s.build(t, star(4))

	// Neither of two isolated ports sends to the other.
	isolated := func(p *topology.PortInfo) bool { return p.Isolated != nil && *p.Isolated }
	s.port(t, "sw", "p1", "isolated on", isolated)
	s.port(t, "sw", "p2", "isolated on", isolated)
	s.forget(t, "sw", "br0")
	w := s.walk(t, "h1", "10.1.0.2", `,"timeout_ms":300`)
	w.wants(t, `arp_request sw/br0 p1>p3,p4 flood broadcast new !p2:isolated`)
	if w.Received != 0 || !strings.Contains(w.Walk.Decisions[0].Detail, "p2 is isolated") {
		t.Errorf("%+v", w.Walk.Decisions)
	}
	// The neighbour known, the frame finds the port and is not let through.
	nettest.Shell(t, "ip -n h1 neigh replace 10.1.0.2 lladdr 02:00:00:00:00:02 dev eth0; bridge -n sw fdb replace 02:00:00:00:00:02 dev p2 master static")
	s.walk(t, "h1", "10.1.0.2", `,"timeout_ms":300`).wants(t, `echo_request sw/br0 p1> drop isolated refreshed !p2:isolated`)
	nettest.Shell(t, "bridge -n sw fdb del 02:00:00:00:00:02 dev p2 master")
	not := func(p *topology.PortInfo) bool { return !isolated(p) }
	s.port(t, "sw", "p1", "isolated off", not)
	s.port(t, "sw", "p2", "isolated off", not)

	// A port that takes no unknown unicast.
	s.port(t, "sw", "p2", "flood off", func(p *topology.PortInfo) bool { return p.Flood != nil && !*p.Flood })
	nettest.Shell(t, "ip -n h1 neigh replace 10.1.0.2 lladdr 02:00:00:00:00:02 dev eth0")
	s.walk(t, "h1", "10.1.0.2", `,"timeout_ms":300`).wants(t, `echo_request sw/br0 p1>p3,p4 flood unknown refreshed !p2:flood_off`)
	s.port(t, "sw", "p2", "flood on", func(p *topology.PortInfo) bool { return *p.Flood })

	// A port that learns nothing.
	s.port(t, "sw", "p1", "learning off", func(p *topology.PortInfo) bool { return p.Learning != nil && !*p.Learning })
	s.forget(t, "sw", "br0")
	s.walk(t, "h1", "10.1.0.2").wants(t, `arp_request sw/br0 p1>p2,p3,p4 flood broadcast
		arp_reply sw/br0 p2>p1,p3,p4 flood unknown new
		echo_request sw/br0 p1>p2 forward known
		echo_reply sw/br0 p2>p1,p3,p4 flood unknown refreshed`)
	s.port(t, "sw", "p1", "learning on", func(p *topology.PortInfo) bool { return *p.Learning })

	// A cable that takes no frame as long as that. (The MTU of a bridge port is the
	// sender's to know; nobody tells it.)
	nettest.Shell(t, "ip -n sw link set p2 mtu 1000")
	eventually(t, func() string {
		if l := get[topology.Link](t, s, "/namespaces/sw/links/p2"); l.MTU != 1000 {
			return "the MTU is not seen"
		}
		return ""
	})
	w = s.walk(t, "h1", "10.1.0.2", `,"size":1200,"timeout_ms":300`)
	if last := w.Walk.Decisions[len(w.Walk.Decisions)-1]; last.Verdict != walk.Drop || last.Reason != walk.TooLong || last.Contradiction != "" || last.Entry == nil || last.Entry.Port != "p2" {
		t.Errorf("%+v", last)
	}
	nettest.Shell(t, "ip -n sw link set p2 mtu 1500")

	// A packet filter on the bridge, of which netdash knows nothing: it says so.
	nettest.Shell(t, `ip netns exec sw nft 'table bridge t { chain c { type filter hook forward priority 0; ether type ip icmp type echo-request drop; }; }'`)
	w = s.walk(t, "h1", "10.1.0.2", `,"timeout_ms":300`)
	d := w.Walk.Decisions[len(w.Walk.Decisions)-1]
	request := w.frame(t, walk.EchoRequest, 1)
	if d.Verdict != walk.Drop || d.Reason != walk.Unexplained || !strings.Contains(d.Contradiction, "sent to p2") || d.Frame != request.ID {
		t.Errorf("%+v", d)
	}
	if got := way(request); got != "h1/eth0:out sw/p1:in" { // the last that was seen of it
		t.Errorf("dropped on the bridge: %s", got)
	}
	nettest.Shell(t, `ip netns exec sw nft 'flush ruleset'`)

	// One on the host: the frame arrives, and nothing is answered.
	nettest.Shell(t, `ip netns exec h2 nft 'table inet t { chain c { type filter hook input priority 0; icmp type echo-request drop; }; }'`)
	w = s.walk(t, "h1", "10.1.0.2", `,"timeout_ms":300`)
	if got := way(w.frame(t, walk.EchoRequest, 1)); got != "h1/eth0:out h2/eth0:in:taken sw/p1:in sw/p2:out" || strings.Contains(w.story(), "echo_reply") || strings.Contains(w.story(), "BUT") {
		t.Errorf("dropped on the host: %s\n%s", got, w.story())
	}
}

// TestWalkHairpin: two hosts behind one port, which a hub (a bridge that learns
// nothing) joins.
func TestWalkHairpin(t *testing.T) {
	s := start(t)
	s.build(t, `{"ipv6":false,"namespaces":[{"name":"sw"},{"name":"far"},{"name":"a"},{"name":"b"},{"name":"c"}],
		"bridges":[{"namespace":"sw","name":"br0"},{"namespace":"far","name":"hub"}],
		"veths":[
		{"a":{"namespace":"a","name":"eth0","mac":"02:00:00:00:00:0a","addresses":["10.1.0.1/24"]},"b":{"namespace":"far","name":"a","master":"hub","bridge_port":{"isolated":true,"learning":false}}},
		{"a":{"namespace":"b","name":"eth0","mac":"02:00:00:00:00:0b","addresses":["10.1.0.2/24"]},"b":{"namespace":"far","name":"b","master":"hub","bridge_port":{"isolated":true,"learning":false}}},
		{"a":{"namespace":"c","name":"eth0","mac":"02:00:00:00:00:0c","addresses":["10.1.0.3/24"]},"b":{"namespace":"sw","name":"c","master":"br0"}},
		{"a":{"namespace":"far","name":"up","master":"hub","bridge_port":{"learning":false}},"b":{"namespace":"sw","name":"down","master":"br0"}}]}`)
	neighbours := "ip -n a neigh replace 10.1.0.2 lladdr 02:00:00:00:00:0b dev eth0; ip -n b neigh replace 10.1.0.1 lladdr 02:00:00:00:00:0a dev eth0"
	nettest.Shell(t, neighbours+"; bridge -n sw fdb replace 02:00:00:00:00:0b dev down master dynamic")
	s.walk(t, "a", "10.1.0.2", `,"timeout_ms":300`).wants(t, `echo_request far/hub a>up flood unknown !b:isolated
		echo_request sw/br0 down> filter same_port new`)
	s.port(t, "sw", "down", "hairpin on", func(p *topology.PortInfo) bool { return *p.Hairpin })
	w := s.walk(t, "a", "10.1.0.2")
	if w.Received != 1 {
		t.Errorf("%+v", w.PingResult)
	}
	w.wants(t, `echo_request far/hub a>up flood unknown !b:isolated
		echo_request sw/br0 down>down forward known refreshed
		echo_request far/hub up>a,b flood unknown
		echo_reply far/hub b>up flood unknown !a:isolated
		echo_reply sw/br0 down>down forward known refreshed
		echo_reply far/hub up>a,b flood unknown`)
}

// TestWalkLoop: two bridges with two cables between them; STP blocks one.
func TestWalkLoop(t *testing.T) {
	s := start(t)
	s.do(t, http.MethodPut, "/topology/intended", `{"ipv6":false,"namespaces":[{"name":"s1"},{"name":"s2"},{"name":"a"},{"name":"b"}],
		"bridges":[{"namespace":"s1","name":"br0","stp":true,"priority":4096,"forward_delay_seconds":2,"hello_seconds":1,"max_age_seconds":6},
			{"namespace":"s2","name":"br0","stp":true,"forward_delay_seconds":2,"hello_seconds":1,"max_age_seconds":6}],
		"veths":[
		{"a":{"namespace":"a","name":"eth0","addresses":["10.1.0.1/24"]},"b":{"namespace":"s1","name":"a","master":"br0"}},
		{"a":{"namespace":"b","name":"eth0","addresses":["10.1.0.2/24"]},"b":{"namespace":"s2","name":"b","master":"br0"}},
		{"a":{"namespace":"s1","name":"x1","master":"br0"},"b":{"namespace":"s2","name":"y1","master":"br0"}},
		{"a":{"namespace":"s1","name":"x2","master":"br0"},"b":{"namespace":"s2","name":"y2","master":"br0"}}]}`).want(t, 200)
	eventually(t, func() string { // it takes two forward delays
		snapshot := get[topology.Snapshot](t, s, "/topology")
		for name, want := range map[string]string{"s1/a": "forwarding", "s1/x1": "forwarding", "s1/x2": "forwarding", "s2/b": "forwarding", "s2/y1": "forwarding", "s2/y2": "blocking"} {
			namespace, link, _ := strings.Cut(name, "/")
			l := snapshot.Namespace(namespace).Link(link)
			if l == nil || l.BridgePort == nil || l.BridgePort.State != want {
				text, err := json.Marshal(l)
				return name + " is not " + want + ": " + string(text) + errText(err)
			}
		}
		return ""
	})
	s.forget(t, "s1", "br0")
	s.forget(t, "s2", "br0")
	w := s.walk(t, "a", "10.1.0.2")
	if w.Received != 1 {
		t.Errorf("%+v", w.PingResult)
	}
	story := w.story()
	for _, want := range []string{
		"arp_request s1/br0 a>x1,x2 flood broadcast new", "arp_request s2/br0 y2> drop blocking", "arp_request s2/br0 y1>b flood broadcast new !y2:blocking",
		"arp_reply s2/br0 b>y1 forward known new", "echo_request s1/br0 a>x1 forward known refreshed",
	} {
		if !strings.Contains(story, want) {
			t.Errorf("%q is not in\n%s", want, story)
		}
	}
	if strings.Contains(story, "BUT") {
		t.Error(story)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestWalkStorm: without STP a broadcast goes round and round. The walk ends, says
// so, and netdash lives on.
func TestWalkStorm(t *testing.T) {
	s := start(t)
	s.build(t, `{"ipv6":false,"namespaces":[{"name":"s1"},{"name":"s2"},{"name":"a"}],
		"bridges":[{"namespace":"s1","name":"br0"},{"namespace":"s2","name":"br0"}],
		"veths":[
		{"a":{"namespace":"a","name":"eth0","addresses":["10.1.0.1/24"]},"b":{"namespace":"s1","name":"a","master":"br0"}},
		{"a":{"namespace":"s1","name":"x1","master":"br0"},"b":{"namespace":"s2","name":"y1","master":"br0"}},
		{"a":{"namespace":"s1","name":"x2","master":"br0"},"b":{"namespace":"s2","name":"y2","master":"br0"}}]}`)
	r := s.do(t, http.MethodPost, "/pings", `{"namespace":"a","address":"10.1.0.2","count":1,"timeout_ms":5000,"walk":true}`)
	nettest.Shell(t, "ip -n s1 link set x2 down") // it takes a whole core: other tests run as well
	w := read[walked](t, r.want(t, 200))
	if !strings.Contains(w.Walk.Incomplete, "loop") || w.Error == "" {
		t.Errorf("incomplete %q, error %q, %d frames", w.Walk.Incomplete, w.Error, len(w.Walk.Frames))
	}
	// A busy machine drops some of what it has recorded, which tears journeys apart.
	hops := 0
	for _, f := range w.Walk.Frames {
		hops += len(f.Hops)
	}
	if hops < 100 {
		t.Errorf("only %d hops", hops)
	}
	s.carryOn(t)
}

// carryOn fails unless the program still answers.
func (s *server) carryOn(t testing.TB) {
	t.Helper()
	s.do(t, http.MethodGet, "//healthz", "").want(t, 200)
}
