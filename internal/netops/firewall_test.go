package netops

import (
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

func readFirewall(t *testing.T, k *Kernel, namespace string) *topology.Firewall {
	t.Helper()
	f, err := k.Firewall(t.Context(), namespace)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func firewall(t *testing.T, k *Kernel, namespace string) []topology.FirewallChain {
	t.Helper()
	return readFirewall(t, k, namespace).Chains
}

func TestFirewallEmpty(t *testing.T) {
	k := pingKernel(t)
	ns := nettest.Namespace(t)
	if list := firewall(t, k, ns); list == nil || len(list) != 0 {
		t.Errorf("a fresh namespace has %#v", list)
	}
	_, err := k.Firewall(t.Context(), "nowhere")
	if topology.CodeOf(err) != topology.CodeNotFound {
		t.Errorf("unknown namespace: %v", err)
	}
}

const firewallRules = `
table inet filter {
	set trusted {
		type ipv4_addr
		elements = { 10.0.0.1, 10.0.0.2 }
	}
	chain other {
	}
	chain input {
		comment "not a rule # handle 3"
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ip saddr @trusted tcp dport { 22, 80, 443 } counter accept comment "ours # handle 9"
		tcp dport vmap { 25 : drop, 110 : jump other }
		iifname "lo" accept
	}
	chain output {
		type filter hook output priority 0;
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority 100
		oifname "eth0" masquerade
	}
}
table ip6 raw {
	chain pre {
		type filter hook prerouting priority -300
		icmpv6 type echo-request accept
	}
}
table arp guard {
	chain out {
		type filter hook output priority 0
		arp operation request accept
	}
}
table netdev early {
	chain in {
		type filter hook ingress device "lo" priority 0
		drop
	}
}
`

func TestFirewallRules(t *testing.T) {
	k := pingKernel(t)
	ns, other := nettest.Namespace(t), nettest.Namespace(t)
	nettest.Shell(t, fmt.Sprintf("ip netns exec %s nft -f - <<'END'\n%s\nEND", ns, firewallRules))
	chain := func(family, table, name, hook, policy string, rules ...string) topology.FirewallChain {
		return topology.FirewallChain{Family: family, Table: table, Chain: name, Hook: hook, Policy: policy, Rules: append([]string{}, rules...)}
	}
	want := []topology.FirewallChain{
		chain("inet", "filter", "other", "", ""),
		chain("inet", "filter", "input", "input", "drop",
			"ct state established,related accept",
			`ip saddr @trusted tcp dport { 22, 80, 443 } counter packets 0 bytes 0 accept comment "ours # handle 9"`,
			"tcp dport vmap { 25 : drop, 110 : jump other }",
			`iifname "lo" accept`),
		chain("inet", "filter", "output", "output", "accept"),
		chain("ip", "nat", "post", "postrouting", "accept", `oifname "eth0" masquerade`),
		chain("ip6", "raw", "pre", "prerouting", "accept", "icmpv6 type echo-request accept"),
		chain("arp", "guard", "out", "output", "accept", "arp operation request accept"),
		chain("netdev", "early", "in", "ingress", "accept", "drop"),
	}
	got := firewall(t, k, ns)
	for _, w := range want {
		i := slices.IndexFunc(got, func(c topology.FirewallChain) bool {
			return c.Family == w.Family && c.Table == w.Table && c.Chain == w.Chain
		})
		if i < 0 || !reflect.DeepEqual(got[i], w) {
			t.Errorf("want %+v\ngot %+v", w, got)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d chains: %+v", len(got), got)
	}
	// nft, which has the last word, prints the same rules.
	listed := nettest.Shell(t, "ip netns exec "+ns+" nft list ruleset")
	for _, c := range got {
		for _, rule := range c.Rules {
			if !strings.Contains(listed, "\t\t"+rule+"\n") {
				t.Errorf("nft does not print %q:\n%s", rule, listed)
			}
		}
	}
	if list := firewall(t, k, other); len(list) != 0 {
		t.Errorf("another namespace has %+v", list)
	}
}

// Without nft a rule is at least there.
func TestFirewallWithoutNFT(t *testing.T) {
	k := pingKernel(t)
	ns := nettest.Namespace(t)
	nettest.Shell(t, "ip netns exec "+ns+" nft 'table ip t { chain c { type filter hook input priority 0; policy drop; icmp type echo-request drop; }; }'")
	t.Setenv("PATH", t.TempDir())
	got := firewall(t, k, ns)
	t.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin") // for what cleans up
	if len(got) != 1 || got[0].Policy != "drop" || len(got[0].Rules) != 1 || got[0].Rules[0] != "rule handle 2 (install nft to see its text)" {
		t.Errorf("%+v", got)
	}
}

// A rule may be printed over several lines, and has one handle.
func TestFirewallParseLines(t *testing.T) {
	texts := parseNFT("table ip t { # handle 4\n\tset s { # handle 1\n\t\ttype ipv4_addr\n\t}\n\n" +
		"\tchain c { # handle 2\n\t\ttype filter hook input priority filter; policy accept;\n" +
		"\t\tip saddr { 10.0.0.1,\n\t\t\t     10.0.0.2 } drop # handle 3\n\t\taccept # handle 5\n\t}\n}\n")
	want := ruleTexts{
		{"ip", "t", 3}: "ip saddr { 10.0.0.1, 10.0.0.2 } drop",
		{"ip", "t", 5}: "accept",
	}
	if !reflect.DeepEqual(texts, want) {
		t.Errorf("%+v", texts)
	}
}

func TestFirewallLegacy(t *testing.T) {
	k := pingKernel(t)
	ns := nettest.Namespace(t)
	for _, tool := range []string{"iptables-legacy", "ip6tables-legacy"} {
		if _, err := exec.LookPath(tool); errors.Is(err, exec.ErrNotFound) {
			t.Skip(tool + " is not installed")
		}
		out, err := exec.Command("ip", "netns", "exec", ns, tool, "-A", "INPUT", "-p", "tcp", "--dport", "22", "-j", "DROP").CombinedOutput()
		if strings.Contains(string(out), "Table does not exist") {
			t.Skipf("this kernel lacks ip_tables: %s", out)
		}
		if err != nil {
			t.Fatalf("%s: %v: %s", tool, err, out)
		}
	}
	nettest.Shell(t, "ip netns exec "+ns+" sh -c 'iptables-legacy -N mine; iptables-legacy -P FORWARD DROP'")
	got := firewall(t, k, ns)
	var lines []string
	for _, c := range got {
		lines = append(lines, fmt.Sprintf("%s|%s|%s|%s|%s|%s", c.Family, c.Table, c.Chain, c.Hook, c.Policy, strings.Join(c.Rules, ";")))
	}
	want := []string{
		"ip|filter (iptables-legacy)|INPUT|input|accept|-p tcp -m tcp --dport 22 -j DROP",
		"ip|filter (iptables-legacy)|FORWARD|forward|drop|",
		"ip|filter (iptables-legacy)|OUTPUT|output|accept|",
		"ip|filter (iptables-legacy)|mine|||",
		"ip6|filter (iptables-legacy)|INPUT|input|accept|-p tcp -m tcp --dport 22 -j DROP",
		"ip6|filter (iptables-legacy)|FORWARD|forward|accept|",
		"ip6|filter (iptables-legacy)|OUTPUT|output|accept|",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}
