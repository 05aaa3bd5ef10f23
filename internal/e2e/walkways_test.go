package e2e

import (
	"slices"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/walk"
)

// TestWalkTwoBridges: a frame crosses two bridges in a row.
func TestWalkTwoBridges(t *testing.T) {
	s := start(t)
	s.build(t, `{"ipv6":false,"namespaces":[{"name":"s1"},{"name":"a"},{"name":"b"},{"name":"c"}],
		"bridges":[{"namespace":"s1","name":"br0"},{"namespace":"s1","name":"br1"}],
		"veths":[
		{"a":{"namespace":"a","name":"eth0","addresses":["10.1.0.1/24"]},"b":{"namespace":"s1","name":"a","master":"br0"}},
		{"a":{"namespace":"b","name":"eth0","addresses":["10.1.0.2/24"]},"b":{"namespace":"s1","name":"b","master":"br1"}},
		{"a":{"namespace":"c","name":"eth0","addresses":["10.1.0.3/24"]},"b":{"namespace":"s1","name":"c","master":"br1"}},
		{"a":{"namespace":"s1","name":"x","master":"br0"},"b":{"namespace":"s1","name":"y","master":"br1"}}]}`)
	s.forget(t, "s1", "br0")
	s.forget(t, "s1", "br1")
	w := s.walk(t, "a", "10.1.0.2")
	w.wants(t, `arp_request s1/br0 a>x flood broadcast new
		arp_request s1/br1 y>b,c flood broadcast new
		arp_reply s1/br1 b>y forward known new
		arp_reply s1/br0 x>a forward known new
		echo_request s1/br0 a>x forward known refreshed
		echo_request s1/br1 y>b forward known refreshed
		echo_reply s1/br1 b>y forward known refreshed
		echo_reply s1/br0 x>a forward known refreshed`)
	if got := way(w.frame(t, walk.EchoRequest, 1)); got != "a/eth0:out b/eth0:in:taken s1/a:in s1/b:out s1/x:out s1/y:in" {
		t.Error(got)
	}
}

// routed is two hosts with a bridge in r between them: a behind a bridge that r
// has an address on, b on a cable.
const routed = `{"ipv6":false,"namespaces":[{"name":"r"},{"name":"a"},{"name":"b"}],
	"bridges":[{"namespace":"r","name":"br0","mac":"02:00:00:00:01:00","addresses":["10.1.0.254/24"]}],
	"veths":[
	{"a":{"namespace":"a","name":"eth0","mac":"02:00:00:00:00:0a","addresses":["10.1.0.1/24"]},"b":{"namespace":"r","name":"p1","master":"br0"}},
	{"a":{"namespace":"b","name":"eth0","mac":"02:00:00:00:00:0b","addresses":["10.2.0.1/24"]},"b":{"namespace":"r","name":"tob","mac":"02:00:00:00:01:0b","addresses":["10.2.0.254/24"]}}],
	"routes":[{"namespace":"a","destination":"default","gateway":"10.1.0.254"},{"namespace":"b","destination":"default","gateway":"10.2.0.254"}]}`

// TestWalkRouter: what a router passes on is another frame that continues the first.
func TestWalkRouter(t *testing.T) {
	s := start(t)
	s.build(t, routed)
	nettest.Shell(t, "ip netns exec r sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'")
	s.forget(t, "r", "br0")
	w := s.walk(t, "a", "10.2.0.1")
	if w.Received != 1 {
		t.Fatalf("%+v", w.PingResult)
	}
	first, second := w.frame(t, walk.EchoRequest, 1), w.frame(t, walk.EchoRequest, 2)
	if got := way(first); got != "a/eth0:out r/br0:in:passed_on r/p1:in" || first.DstMAC != "02:00:00:00:01:00" || first.Continues != 0 || first.TTL != 64 {
		t.Errorf("%s %+v", got, first)
	}
	if got := way(second); got != "b/eth0:in:taken r/tob:out" || second.Continues != first.ID || second.SrcMAC != "02:00:00:00:01:0b" || second.TTL != 63 || second.Hops[0].From == 0 {
		t.Errorf("%s %+v", got, second)
	}
	back := w.frame(t, walk.EchoReply, 2)
	if got := way(back); got != "a/eth0:in:taken r/br0:out r/p1:out" || back.Continues != w.frame(t, walk.EchoReply, 1).ID {
		t.Errorf("%s %+v", got, back)
	}
	var asked []string
	for _, f := range w.Walk.Frames {
		if f.Kind == walk.ARPRequest {
			asked = append(asked, f.SrcIP+">"+f.DstIP)
		}
	}
	if !slices.Equal(asked, []string{"10.1.0.1>10.1.0.254", "10.2.0.254>10.2.0.1"}) {
		t.Errorf("asked for %v", asked)
	}
	// The router's bridge: what is for the router itself, and what the router sends.
	w.wants(t, `arp_request r/br0 p1> local broadcast new
		arp_reply r/br0 br0>p1 forward known
		echo_request r/br0 p1> local for_bridge refreshed
		echo_reply r/br0 br0>p1 forward known`)

	// With its forwarding off the packet ends there; with a hop too few an error comes back.
	w = s.walk(t, "a", "10.2.0.1", `,"ttl":1`)
	failure := w.frame(t, walk.ICMPError, 1)
	if got := way(failure); got != "a/eth0:in:taken r/br0:out r/p1:out" || failure.SrcIP != "10.1.0.254" || failure.Seq != 1 || failure.Answers != w.frame(t, walk.EchoRequest, 1).ID {
		t.Errorf("%s %+v", got, failure)
	}
	nettest.Shell(t, "ip netns exec r sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'")
	w = s.walk(t, "a", "10.2.0.1", `,"timeout_ms":300`)
	if got := way(w.frame(t, walk.EchoRequest, 1)); got != "a/eth0:out r/br0:in:taken r/p1:in" {
		t.Error(got)
	}
	// Translated addresses: it is the same packet all the same.
	nettest.Shell(t, `ip netns exec r sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
		ip netns exec r nft 'table ip t { chain c { type nat hook postrouting priority srcnat; oifname "tob" masquerade; }; }'`)
	w = s.walk(t, "a", "10.2.0.1")
	second = w.frame(t, walk.EchoRequest, 2)
	if second.SrcIP != "10.2.0.254" || second.Continues != w.frame(t, walk.EchoRequest, 1).ID || way(w.frame(t, walk.EchoReply, 2)) != "a/eth0:in:taken r/br0:out r/p1:out" {
		t.Errorf("%+v", w.Walk.Frames)
	}
}

// TestWalkTwin: two hosts have the same MAC; the bridge believes the one it heard
// last.
func TestWalkTwin(t *testing.T) {
	s := start(t)
	s.build(t, star(3))
	nettest.Shell(t, "ip -n h3 link set eth0 address 02:00:00:00:00:02")
	s.forget(t, "sw", "br0")
	s.walk(t, "h2", "10.1.0.1")
	s.walk(t, "h3", "10.1.0.1").wants(t, `arp_request sw/br0 p3>p1,p2 flood broadcast moved p2
		arp_reply sw/br0 p1>p3 forward known refreshed
		echo_request sw/br0 p3>p1 forward known refreshed
		echo_reply sw/br0 p1>p3 forward known refreshed`)
	// What is for h2 goes to h3 now, which has that MAC too, but not that address.
	w := s.walk(t, "h1", "10.1.0.2", `,"timeout_ms":300`)
	if got := w.story(); got != "echo_request sw/br0 p1>p3 forward known refreshed" || w.Received != 0 {
		t.Errorf("%s\n%+v", got, w.PingResult)
	}
	if got := way(w.frame(t, walk.EchoRequest, 1)); got != "h1/eth0:out h3/eth0:in:taken sw/p1:in sw/p3:out" {
		t.Error(got)
	}
}

// TestWalkSelf: what is for the namespace itself goes by lo.
func TestWalkSelf(t *testing.T) {
	s := start(t)
	s.build(t, star(2))
	for _, address := range []string{"127.0.0.1", "10.1.0.1", "::1"} {
		w := s.walk(t, "h1", address)
		if w.Received != 1 || len(w.Walk.Frames) != 2 || len(w.Walk.Decisions) != 0 {
			t.Errorf("%s: %+v %+v", address, w.PingResult, w.Walk)
		}
		for _, kind := range []walk.Kind{walk.EchoRequest, walk.EchoReply} {
			if got := way(w.frame(t, kind, 1)); got != "h1/lo:in:taken h1/lo:out" {
				t.Errorf("%s: %s", address, got)
			}
		}
	}
	// The kernel's own word that nobody answers goes there as well.
	nettest.Shell(t, "ip netns exec h1 sh -c 'echo 100 > /proc/sys/net/ipv4/neigh/eth0/retrans_time_ms'")
	w := s.walk(t, "h1", "10.1.0.9", `,"timeout_ms":4000`)
	if got := way(w.frame(t, walk.ICMPError, 1)); got != "h1/lo:in:taken h1/lo:out" {
		t.Error(got)
	}
	again := "\narp_request sw/br0 p1>p2 flood broadcast refreshed"
	w.wants(t, "arp_request sw/br0 p1>p2 flood broadcast new"+again+again)
}

// TestWalkIPv6: neighbour discovery instead of ARP; its questions are multicast.
func TestWalkIPv6(t *testing.T) {
	s := start(t)
	s.build(t, `{"namespaces":[{"name":"sw"},{"name":"h1"},{"name":"h2"},{"name":"h3"}],"bridges":[{"namespace":"sw","name":"br0"}],
		"veths":[{"a":{"namespace":"h1","name":"eth0","mac":"02:00:00:00:00:01","addresses":["fd00:1::1/64"]},"b":{"namespace":"sw","name":"p1","master":"br0"}},
		{"a":{"namespace":"h2","name":"eth0","mac":"02:00:00:00:00:02","addresses":["fd00:1::2/64"]},"b":{"namespace":"sw","name":"p2","master":"br0"}},
		{"a":{"namespace":"h3","name":"eth0","mac":"02:00:00:00:00:03","addresses":["fd00:1::3/64"]},"b":{"namespace":"sw","name":"p3","master":"br0"}}]}`)
	eventually(t, func() string { // duplicate address detection
		for _, n := range []string{"h1", "h2", "h3"} {
			if len(nettest.IP(t, n, "address", "show", "tentative")) > 0 {
				return "addresses of " + n + " are tentative"
			}
		}
		return ""
	})
	for _, address := range []string{"fd00:1::2", "fe80::ff:fe00:2%eth0"} {
		s.forget(t, "sw", "br0")
		w := s.walk(t, "h1", address)
		if w.Received != 1 {
			t.Fatalf("%s: %+v", address, w.PingResult)
		}
		ask := w.frame(t, walk.NeighbourSolicitation, 1)
		if ask.DstMAC != "33:33:ff:00:00:02" || w.frame(t, walk.NeighbourAdvertisement, 1).Answers != ask.ID {
			t.Errorf("%s: %+v", address, w.Walk.Frames)
		}
		// Hosts with IPv6 say something now and then: what is new is not for sure.
		story := strings.NewReplacer(" new", "", " refreshed", "").Replace(w.story())
		if want := "neighbour_solicitation sw/br0 p1>p2,p3 flood multicast\nneighbour_advertisement sw/br0 p2>p1 forward known\n" +
			"echo_request sw/br0 p1>p2 forward known\necho_reply sw/br0 p2>p1 forward known"; story != want {
			t.Errorf("%s:\n%s", address, story)
		}
	}
}
