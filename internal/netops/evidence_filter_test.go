package netops

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestFilterDecidesAsTheKernel holds what is foretold of an echo request that
// comes in against what becomes of a real one.
func TestFilterDecidesAsTheKernel(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	nettest.Shell(t, `set -e
		ip netns add A; ip netns add B
		ip -n A link add eth0 address 02:00:00:00:00:0a type veth peer name eth0 address 02:00:00:00:00:0b netns B
		ip -n A link set eth0 up; ip -n B link set eth0 up
		ip -n A address add 10.0.0.1/24 dev eth0; ip -n B address add 10.0.0.2/24 dev eth0
		ip -n A address add 2001:db8::1/64 dev eth0 nodad; ip -n B address add 2001:db8::2/64 dev eth0 nodad`)
	t.Cleanup(func() { nettest.Shell(t, "ip netns delete A; ip netns delete B") })
	const input = "nft add table inet t; nft 'add chain inet t in { type filter hook input priority 0; policy accept; }'; nft add chain inet t sub; nft add rule inet t in "
	cases := []struct {
		name, rules string // run in B
		rule        string // the deciding one's text, where there is one
	}{
		{"nothing", "true", ""},
		{"by protocol", input + "ip protocol icmp drop", ""},
		{"by l4proto", input + "meta l4proto icmp counter drop", ""},
		{"other protocol", input + "meta l4proto tcp drop", ""},
		{"by source", input + "ip saddr 10.0.0.0/28 drop", ""},
		{"by another source", input + "ip saddr 10.0.0.16/28 drop", ""},
		{"not that source", input + "ip saddr != 10.0.0.1 drop", ""},
		{"by destination and type", input + "ip daddr 10.0.0.2 icmp type echo-request drop", ""},
		{"only replies", input + "icmp type echo-reply drop", ""},
		{"by link", input + "iifname eth0 meta nfproto ipv4 drop", ""},
		{"by index", input + "iif eth0 ip ttl 64 drop", ""},
		{"by wildcard", input + "'iifname \"eth*\" ip length 84 drop'", ""},
		{"by another link", input + "iifname eth1 drop", ""},
		{"by MAC", input + "ether saddr 02:00:00:00:00:0a ip protocol icmp drop", ""},
		{"set", input + "ip saddr { 10.0.0.1, 10.0.0.7 } icmp type { echo-request, echo-reply } drop", ""},
		{"set without it", input + "ip saddr { 10.0.0.3, 10.0.0.7 } drop", ""},
		{"inverted set", input + "ip saddr != { 10.0.0.3, 10.0.0.7 } ip protocol icmp drop", ""},
		{"intervals", input + "ip saddr { 10.0.0.0-10.0.0.5, 10.0.1.0/24 } drop", ""},
		{"beside intervals", input + "ip saddr { 10.0.0.2-10.0.0.5, 10.0.1.0/24 } drop", ""},
		{"concatenation", input + "ip saddr . ip daddr { 10.0.0.1 . 10.0.0.2 } drop", ""},
		{"range", input + "ip saddr 10.0.0.1-10.0.0.9 drop", ""},
		{"accepted before", input + "ip saddr 10.0.0.1 accept; nft add rule inet t in drop", ""},
		{"new connections", input + "ct state new ip protocol icmp drop", ""},
		{"established only", input + "ct state established,related accept; nft add rule inet t in meta nfproto ipv4 drop", "meta nfproto ipv4 drop"},
		{"jump", input + "jump sub; nft add rule inet t sub ip saddr 10.0.0.1 drop", "ip saddr 10.0.0.1 drop"},
		{"jump and return", input + "jump sub; nft add rule inet t sub ip saddr 10.0.0.1 return; nft add rule inet t sub drop", ""},
		{"goto ends", input + "goto sub; nft add rule inet t in ip protocol icmp drop", ""},
		{"verdict map", input + "ip saddr vmap { 10.0.0.1 : drop, 10.0.0.9 : accept }", ""},
		{"verdict map jumps", input + "iifname vmap { eth0 : jump sub, eth1 : accept }; nft add rule inet t sub ip protocol icmp reject", ""},
		{"policy", "nft add table ip t; nft 'add chain ip t in { type filter hook input priority 0; policy drop; }'", "policy drop"},
		{"reject", input + "ip protocol icmp reject with icmp type admin-prohibited", ""},
		{"mark of an earlier chain", "nft add table ip t; nft 'add chain ip t pre { type filter hook prerouting priority -10; }'; nft 'add chain ip t in { type filter hook input priority 0; }'; nft add rule ip t pre ip protocol icmp drop; nft insert rule ip t pre meta mark set 7; nft add rule ip t in meta mark 7 drop", ""},
		{"another priority first", "nft add table ip t; nft 'add chain ip t late { type filter hook input priority 10; }'; nft 'add chain ip t early { type filter hook input priority -10; }'; nft add rule ip t late ip ttl 64 drop; nft add rule ip t early accept", "ip ttl 64 drop"},
		{"other family", "nft add table ip6 t; nft 'add chain ip6 t in { type filter hook input priority 0; policy drop; }'", ""},
		{"ingress", "nft add table netdev t; nft 'add chain netdev t in { type filter hook ingress device \"eth0\" priority 0; }'; nft add rule netdev t in ip protocol icmp drop", ""},
		{"iptables", "iptables -A INPUT -p icmp --icmp-type echo-request -s 10.0.0.0/24 -i eth0 -j DROP", ""},
		{"iptables, other type", "iptables -A INPUT -p icmp --icmp-type echo-reply -j DROP", ""},
		{"iptables with comment", "iptables -A INPUT -p icmp -m comment --comment 'no echo' -j DROP", ""},
		{"iptables by state", "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT; iptables -A INPUT -p icmp -j REJECT", ""},
		{"iptables policy", "iptables -P INPUT DROP", "policy drop"},
		{"iptables own chain", "iptables -N own; iptables -A INPUT -j own; iptables -A own ! -s 10.0.0.9/32 -p icmp -j DROP", ""},
		{"iptables-legacy", "iptables-legacy -A INPUT -p icmp -m icmp --icmp-type 8 -j DROP", "-p icmp -m icmp --icmp-type 8 -j DROP"},
		{"iptables-legacy, other link", "iptables-legacy -A INPUT -i eth1 -j DROP", ""},
		{"iptables-legacy with comment", `iptables-legacy -A INPUT ! -s 10.0.0.9/32 -m comment --comment "no echo here" -j DROP`, ""},
		{"iptables-legacy chain", "iptables-legacy -N own; iptables-legacy -A INPUT -i eth+ -j own; iptables-legacy -A own -s 10.0.0.1/32 -m state --state NEW -j REJECT", ""},
		{"iptables-legacy policy", "iptables-legacy -P INPUT DROP", "policy drop"},
	}
	p := topology.Packet{
		Source: netip.MustParseAddr("10.0.0.1"), Destination: netip.MustParseAddr("10.0.0.2"), In: "eth0", Size: 56, TTL: 64,
		SourceMAC: "02:00:00:00:00:0a", DestinationMAC: "02:00:00:00:00:0b",
	}
	arriving := []topology.FilterHook{{Hook: "ingress"}, {Hook: "prerouting"}, {Hook: "input"}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			needsTool(t, c.rules)
			nettest.Shell(t, "set -e; ip netns exec B sh -ec "+topology.Quote(c.rules))
			defer nettest.Shell(t, unfiltered)
			v, err := k.Filter(t.Context(), "B", p, arriving...)
			if err != nil {
				t.Fatal(err)
			}
			result, err := k.Ping(t.Context(), topology.PingRequest{Namespace: "A", Address: "10.0.0.2", Count: 1, TimeoutMS: 400}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if passes := v.Verdict == "accept"; passes != (result.Received == 1) || v.Verdict == "unknown" {
				t.Errorf("%d answers, foretold was %+v", result.Received, v)
			}
			if c.rule != "" && v.Rule.Text != c.rule {
				t.Errorf("blamed is %q, want %q", v.Rule.Text, c.rule)
			}
			if v.Verdict != "accept" && v.Rule.Handle != 0 {
				if err := k.Apply(t.Context(), topology.DeleteRule{Namespace: "B", Family: v.Rule.Family, Table: v.Rule.Table, Chain: v.Rule.Chain, Handle: v.Rule.Handle}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// unfiltered takes all rules of B away.
const unfiltered = `ip netns exec B sh -c 'nft flush ruleset; if command -v iptables-legacy >/dev/null; then iptables-legacy -P INPUT ACCEPT; iptables-legacy -F; iptables-legacy -X; fi'`

func installed(tool string) bool {
	_, err := exec.LookPath(tool)
	return err == nil
}

// needsTool skips what is written for a tool that is not there.
func needsTool(t *testing.T, rules string) {
	t.Helper()
	if tool, _, _ := strings.Cut(rules, " "); tool != "true" && !installed(tool) {
		t.Skip(tool + " is not installed")
	}
}

// TestFilterSaysWhatItCannotTell has rules whose effect no packet alone decides.
func TestFilterSaysWhatItCannotTell(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	nettest.Shell(t, "ip netns add B; ip -n B link add eth0 type bridge")
	t.Cleanup(func() { nettest.Shell(t, "ip netns delete B") })
	const chain = "nft add table ip t; nft 'add chain ip t in { type filter hook input priority 0; policy accept; }'; nft add rule ip t in "
	p := topology.Packet{Source: netip.MustParseAddr("10.0.0.1"), Destination: netip.MustParseAddr("10.0.0.2"), In: "eth0", Size: 56, TTL: 64}
	for rules, want := range map[string]string{
		chain + "limit rate 1/second drop":                                     "unknown",
		chain + "limit rate 1/second accept; nft add rule ip t in drop":        "unknown",
		chain + "ct mark 3 drop":                                               "unknown",
		chain + "fib saddr . iif oif missing drop":                             "unknown",
		chain + "ct mark 3 ip saddr 10.0.0.9 drop":                             "accept", // does not fit whatever the mark is
		chain + "limit rate 1/second accept":                                   "accept",
		chain + "ct mark 3 accept; nft add rule ip t in ip saddr 1.1.1.1 drop": "accept",
		"iptables -A INPUT -m addrtype --dst-type LOCAL -j DROP":               "unknown",
		"iptables-legacy -A INPUT -m addrtype --dst-type LOCAL -j DROP":        "unknown",
		"nft add table ip t; nft 'add chain ip t pre { type nat hook prerouting priority -100; }'; nft add rule ip t pre dnat to 10.0.0.9": "translate",
	} {
		if strings.HasPrefix(rules, "iptables-legacy") && !installed("iptables-legacy") {
			continue
		}
		nettest.Shell(t, "set -e; ip netns exec B sh -ec "+topology.Quote(rules))
		v, err := k.Filter(t.Context(), "B", p, topology.FilterHook{Hook: "prerouting"}, topology.FilterHook{Hook: "input"})
		if err != nil {
			t.Fatal(err)
		}
		if v.Verdict != want || want == "unknown" && v.Doubt == "" {
			t.Errorf("%s: %+v, want %s", rules, v, want)
		}
		nettest.Shell(t, unfiltered)
	}
}
