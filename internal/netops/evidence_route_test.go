package netops

import (
	"net/netip"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestRouteFor asks for ways of every kind; what `ip route get` would say is known
// of each.
func TestRouteFor(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	nettest.Shell(t, `set -e
		ip netns add R; ip netns add A
		ip -n R link set lo up
		ip -n R link add r1 type veth peer name a1 netns A
		ip -n R link add r2 type veth peer name a2 netns A
		for l in r1 r2; do ip -n R link set $l up; done; for l in a1 a2; do ip -n A link set $l up; done
		ip -n R address add 10.0.1.254/24 dev r1; ip -n R address add 10.0.2.254/24 dev r2
		ip -n R address add 2001:db8:1::fe/64 dev r1 nodad; ip -n R address add 2001:db8:2::fe/64 dev r2 nodad
		ip -n R route add default via 10.0.2.1
		ip -n R route add blackhole 10.6.0.0/16; ip -n R route add unreachable 10.7.0.0/16; ip -n R route add prohibit 10.8.0.0/16
		ip -n R route add unreachable 2001:db8:7::/48
		ip netns exec R sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.r2.rp_filter=1`)
	t.Cleanup(func() { nettest.Shell(t, "ip netns delete A; ip netns delete R") })
	// Since Linux 6.14 whatever is wrong with a source is EINVAL.
	martian := topology.Blackhole
	if q, err := k.RouteFor(t.Context(), "R", topology.RouteQuestion{Destination: netip.MustParseAddr("10.0.1.1"), Source: netip.MustParseAddr("10.0.1.7"), From: "r2"}); err == nil && q.Refusal == topology.ReversePath {
		martian = topology.ReversePath
	}
	for _, c := range []struct {
		to, from, in string
		want         topology.RouteAnswer
	}{
		{"10.0.1.1", "", "", topology.RouteAnswer{Type: "unicast", Link: "r1", Source: "10.0.1.254"}},
		{"10.9.9.9", "", "", topology.RouteAnswer{Type: "unicast", Link: "r2", Gateway: "10.0.2.1", Source: "10.0.2.254"}},
		{"10.0.1.254", "", "", topology.RouteAnswer{Type: "local", Link: "lo", Source: "10.0.1.254"}},
		{"10.6.0.1", "", "", topology.RouteAnswer{Refusal: topology.Blackhole}},
		{"10.7.0.1", "", "", topology.RouteAnswer{Refusal: topology.Unreachable}},
		{"10.8.0.1", "", "", topology.RouteAnswer{Refusal: topology.Prohibited}},
		{"2001:db8:2::1", "", "", topology.RouteAnswer{Type: "unicast", Link: "r2", Source: "2001:db8:2::fe"}},
		{"2001:db8:7::1", "", "", topology.RouteAnswer{Refusal: topology.Unreachable}},
		{"2001:db8:9::1", "", "", topology.RouteAnswer{Refusal: topology.NoRoute}},
		{"10.0.2.1", "10.0.1.1", "r1", topology.RouteAnswer{Type: "unicast", Link: "r2"}},
		{"10.0.1.254", "10.0.1.1", "r1", topology.RouteAnswer{Type: "local", Link: "lo"}},
		{"10.0.1.1", "10.0.1.7", "r2", topology.RouteAnswer{Refusal: martian}},
		{"2001:db8:2::1", "2001:db8:1::1", "r1", topology.RouteAnswer{Type: "unicast", Link: "r2"}},
	} {
		q := topology.RouteQuestion{Destination: netip.MustParseAddr(c.to), From: c.in}
		if c.from != "" {
			q.Source = netip.MustParseAddr(c.from)
		}
		got, err := k.RouteFor(t.Context(), "R", q)
		if err != nil {
			t.Errorf("to %s: %v", c.to, err)
			continue
		}
		if c.in != "" {
			got.Source = "" // the packet's
		}
		if *got != c.want {
			t.Errorf("to %s from %q by %q: %+v, want %+v", c.to, c.from, c.in, *got, c.want)
		}
	}
	if _, err := k.RouteFor(t.Context(), "R", topology.RouteQuestion{Destination: netip.MustParseAddr("10.0.1.1"), From: "nothing"}); topology.CodeOf(err) != topology.CodeNotFound {
		t.Errorf("by a link that is not there: %v", err)
	}
	nettest.Shell(t, "ip netns exec R sysctl -qw net.ipv4.ip_forward=0")
	got, err := k.RouteFor(t.Context(), "R", topology.RouteQuestion{Destination: netip.MustParseAddr("10.0.2.1"), Source: netip.MustParseAddr("10.0.1.1"), From: "r1"})
	if err != nil || got.Refusal != topology.Unreachable {
		t.Errorf("without forwarding: %+v, %v", got, err)
	}
}

func TestSysctls(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	nettest.Shell(t, "ip netns add R; ip netns exec R sysctl -qw net.ipv4.ip_forward=1; sysctl -qw net.ipv4.ip_forward=0")
	t.Cleanup(func() { nettest.Shell(t, "ip netns delete R") })
	for namespace, want := range map[string]string{"R": "1", "host": "0"} {
		got, err := k.Sysctls(t.Context(), namespace, "net/ipv4/ip_forward", "net/ipv4/there_is_none")
		if err != nil || len(got) != 1 || got["net/ipv4/ip_forward"] != want {
			t.Errorf("%s: %v, %v", namespace, got, err)
		}
	}
	for _, name := range []string{"kernel/hostname", "net/../kernel/hostname", "/net/ipv4/ip_forward", ""} {
		if _, err := k.Sysctls(t.Context(), "R", name); topology.CodeOf(err) != topology.CodeInvalid {
			t.Errorf("%q: %v", name, err)
		}
		if err := k.Apply(t.Context(), topology.SetSysctl{Namespace: "R", Name: name, Value: "x"}); topology.CodeOf(err) != topology.CodeInvalid {
			t.Errorf("write %q: %v", name, err)
		}
	}
	if err := k.Apply(t.Context(), topology.SetSysctl{Namespace: "R", Name: "net/ipv4/there_is_none", Value: "1"}); topology.CodeOf(err) != topology.CodeNotFound {
		t.Errorf("write what is not there: %v", err)
	}
}

func TestNeighboursAndBridgeCalls(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	nettest.Shell(t, `set -e
		ip netns add R; ip -n R link add br0 type bridge; ip -n R link set br0 up
		ip -n R neighbour add 10.0.0.7 lladdr 02:00:00:00:00:07 dev br0 nud permanent
		ip -n R link add called type bridge nf_call_iptables 1`)
	t.Cleanup(func() { nettest.Shell(t, "ip netns delete R") })
	list, err := k.Neighbours(t.Context(), "R")
	want := topology.Neighbour{Namespace: "R", Link: "br0", Address: "10.0.0.7", MAC: "02:00:00:00:00:07", State: "permanent"}
	found := false
	for _, n := range list {
		found = found || n == want
	}
	if err != nil || !found {
		t.Errorf("%+v, %v", list, err)
	}
	for bridge, want := range map[string]bool{"br0": false, "called": true} {
		v4, v6, err := k.BridgeCalls(t.Context(), "R", bridge)
		if err != nil || v4 != want || v6 {
			t.Errorf("%s: %v %v %v", bridge, v4, v6, err)
		}
	}
	if _, _, err := k.BridgeCalls(t.Context(), "R", "none"); topology.CodeOf(err) != topology.CodeNotFound {
		t.Errorf("a bridge that is not there: %v", err)
	}
}

func TestBridgeVLANs(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	if !k.Capabilities().Features[topology.FeatureVLANFiltering] {
		t.Skip("this kernel lacks " + topology.FeatureVLANFiltering)
	}
	nettest.Shell(t, `set -e
		ip netns add R; ip -n R link add br0 type bridge vlan_filtering 1
		ip -n R link add p1 type veth peer name x1; ip -n R link set p1 master br0
		bridge -n R vlan add dev p1 vid 7 pvid untagged; bridge -n R vlan add dev p1 vid 9; bridge -n R vlan delete dev p1 vid 1`)
	t.Cleanup(func() { nettest.Shell(t, "ip netns delete R") })
	got, err := k.BridgeVLANs(t.Context(), "R")
	if err != nil {
		t.Fatal(err)
	}
	if p := got["p1"]; p.PVID != 7 || len(p.Members) != 2 || !p.Members[7] || !p.Members[9] || len(p.Untagged) != 1 || !p.Untagged[7] {
		t.Errorf("p1: %+v", p)
	}
	if b := got["br0"]; b.PVID != 1 || !b.Untagged[1] {
		t.Errorf("br0: %+v", b)
	}
}
