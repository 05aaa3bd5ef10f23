package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"netdash/internal/diagnose"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// goodLab is two networks with two hosts each and a router between them, with MACs
// that cases can name.
const goodLab = `{
	"namespaces": [{"name": "A"}, {"name": "B"}, {"name": "C"}, {"name": "D"}, {"name": "R"}, {"name": "sw1"}, {"name": "sw2"}],
	"bridges": [{"namespace": "sw1", "name": "br0"}, {"namespace": "sw2", "name": "br0"}, {"namespace": "sw1", "name": "spare"}],
	"veths": [
		{"a": {"namespace": "A", "name": "eth0", "addresses": ["10.0.1.1/24", "2001:db8:1::1/64"]}, "b": {"namespace": "sw1", "name": "p1", "master": "br0"}},
		{"a": {"namespace": "B", "name": "eth0", "addresses": ["10.0.1.2/24"]}, "b": {"namespace": "sw1", "name": "p2", "master": "br0"}},
		{"a": {"namespace": "R", "name": "eth1", "addresses": ["10.0.1.254/24", "2001:db8:1::fe/64"]}, "b": {"namespace": "sw1", "name": "up", "master": "br0"}},
		{"a": {"namespace": "C", "name": "eth0", "addresses": ["10.0.2.1/24", "2001:db8:2::1/64"]}, "b": {"namespace": "sw2", "name": "p1", "master": "br0"}},
		{"a": {"namespace": "D", "name": "eth0", "addresses": ["10.0.2.2/24"]}, "b": {"namespace": "sw2", "name": "p2", "master": "br0"}},
		{"a": {"namespace": "R", "name": "eth2", "addresses": ["10.0.2.254/24", "2001:db8:2::fe/64"]}, "b": {"namespace": "sw2", "name": "up", "master": "br0"}}
	],
	"routes": [
		{"namespace": "A", "destination": "default", "gateway": "10.0.1.254"}, {"namespace": "B", "destination": "default", "gateway": "10.0.1.254"},
		{"namespace": "C", "destination": "default", "gateway": "10.0.2.254"}, {"namespace": "D", "destination": "default", "gateway": "10.0.2.254"},
		{"namespace": "A", "destination": "::/0", "gateway": "2001:db8:1::fe"}, {"namespace": "C", "destination": "::/0", "gateway": "2001:db8:2::fe"}
	]
}`

const (
	toC  = `{"namespace":"A","address":"10.0.2.1"}`      // over the router
	toB  = `{"namespace":"A","address":"10.0.1.2"}`      // over one bridge
	toNC = `{"namespace":"A","to_namespace":"C"}`        // by name
	toC6 = `{"namespace":"A","address":"2001:db8:2::1"}` // the same by IPv6
	big  = `{"namespace":"A","address":"10.0.1.2","size":1400}`
)

// either is of what stops a ping or not, as chance will have it.
const either = diagnose.Status("either")

// breakages are ways in which somebody breaks the good lab, one at a time, with the
// first finding that is expected. What is done to it is mended by applying the
// repair, or by the advice where it is not netdash's to mend.
var breakages = []struct {
	name, do       string
	ask            string
	check, subject string
	status         diagnose.Status // broken where empty
	tidy           string          // what a mended lab still has too much
}{
	{name: "lo down", do: "ip -n A link set lo down", ask: `{"namespace":"A","address":"10.0.1.1"}`, check: "loopback", subject: "A/lo"},
	{name: "lo down, but not needed", do: "ip -n A link set lo down", ask: toB, check: "loopback", subject: "A/lo", status: diagnose.Warning},
	{name: "namespace gone", do: "ip netns delete C; until ! ip -n sw2 link show p1 2>/dev/null; do sleep 0.05; done", ask: toNC, check: "namespace", subject: "C"},
	{name: "namespace of the address gone", do: "ip netns delete C; until ! ip -n sw2 link show p1 2>/dev/null; do sleep 0.05; done", ask: toC, check: "namespace", subject: "C"},
	{name: "router gone", do: "ip netns delete R; until ! ip -n sw2 link show dev up 2>/dev/null; do sleep 0.05; done", ask: toC, check: "namespace", subject: "R", tidy: forwards},

	{name: "link down near", do: "ip -n A link set eth0 down", ask: toB, check: "link", subject: "A/eth0"},
	{name: "link down far", do: "ip -n B link set eth0 down", ask: toB, check: "carrier", subject: "B/eth0"},
	{name: "link of the router down", do: "ip -n R link set eth2 down", ask: toC, check: "link", subject: "R/eth2"},
	{name: "port down near", do: "ip -n sw1 link set p1 down", ask: toB, check: "port", subject: "sw1/p1"},
	{name: "port down far", do: "ip -n sw2 link set p1 down", ask: toC, check: "port", subject: "sw2/p1"},
	{name: "bridge down", do: "ip -n sw1 link set br0 down", ask: toB, check: "bridge", subject: "sw1/br0"},
	{name: "bridge down behind the router", do: "ip -n sw2 link set br0 down", ask: toC, check: "bridge", subject: "sw2/br0"},
	{name: "link deleted", do: "ip -n A link delete eth0", ask: toB, check: "link", subject: "A/eth0"},
	{name: "link deleted far", do: "ip -n B link delete eth0", ask: toB, check: "link", subject: "B/eth0"},
	{name: "link renamed", do: "ip -n A link set eth0 down; ip -n A link set eth0 name foo; ip -n A link set foo up", ask: toC, check: "link", subject: "A/foo"},
	{name: "bridge deleted", do: "ip -n sw1 link delete br0", ask: toB, check: "link", subject: "sw1/br0"},
	{name: "peer in an unseen namespace", do: unseen("sw1", "p1"), ask: toB, check: "peer", subject: "A/eth0"},
	{name: "port moved to another namespace", do: "ip -n sw1 link set p1 netns D", ask: toB, check: "link", subject: "D/p1"},

	{name: "unplugged near", do: "ip -n sw1 link set p1 nomaster", ask: toB, check: "plugged", subject: "sw1/p1"},
	{name: "unplugged far", do: "ip -n sw2 link set p1 nomaster", ask: toC, check: "plugged", subject: "sw2/p1"},
	{name: "plugged into the wrong bridge", do: "ip -n sw1 link set p2 master spare", ask: toB, check: "plugged", subject: "sw1/p2"},

	{name: "address missing near", do: "ip -n A address delete 10.0.1.1/24 dev eth0", ask: toB, check: "address", subject: "A/eth0"},
	{name: "address missing far", do: "ip -n B address delete 10.0.1.2/24 dev eth0", ask: toB, check: "address", subject: "B/eth0"},
	{name: "address missing far, by name", do: "ip -n C address delete 10.0.2.1/24 dev eth0; ip -n C -6 address flush dev eth0", ask: toNC, check: "address", subject: "C/eth0"},
	{name: "address of the router missing", do: "ip -n R address delete 10.0.1.254/24 dev eth1", ask: toC, check: "address", subject: "R/eth1"},
	{name: "wrong subnet near", do: "ip -n A address delete 10.0.1.1/24 dev eth0; ip -n A address add 10.9.1.1/24 dev eth0", ask: toB, check: "subnet", subject: "A/eth0"},
	{name: "wrong subnet far", do: "ip -n B address delete 10.0.1.2/24 dev eth0; ip -n B address add 10.9.1.2/24 dev eth0", ask: toB, check: "subnet", subject: "B/eth0"},
	{name: "wrong prefix length near", do: "ip -n A address delete 10.0.1.1/24 dev eth0; ip -n A address add 10.0.1.1/32 dev eth0", ask: toB, check: "subnet", subject: "A/eth0"},
	{name: "wrong prefix length far", do: "ip -n B address delete 10.0.1.2/24 dev eth0; ip -n B address add 10.0.1.2/32 dev eth0", ask: toB, check: "subnet", subject: "B/eth0"},
	{name: "duplicate of the target's address", do: "ip -n R address add 10.0.1.2/24 dev eth1; ip -n B link set eth0 arp off", ask: toB, check: "duplicate_address", subject: "R/eth1", status: diagnose.Warning, tidy: "ip -n B link set eth0 arp on"},
	{name: "duplicate of the source's address", do: "ip -n R address add 10.0.1.1/24 dev eth1; ip -n B neighbour replace 10.0.1.1 lladdr $(cat_mac R eth1) dev eth0 nud permanent", ask: toB, check: "duplicate_address", subject: "R/eth1", tidy: "ip -n B neighbour flush nud permanent"},

	{name: "default route missing near", do: "ip -n A route delete default", ask: toC, check: "route", subject: "A"},
	{name: "default route missing far", do: "ip -n C route delete default", ask: toC, check: "route", subject: "C"},
	{name: "wrong gateway", do: "ip -n A route replace default via 10.0.1.99", ask: toC, check: "route", subject: "A"},
	{name: "wrong gateway that is there", do: "ip -n A route replace default via 10.0.1.2", ask: toC, check: "route", subject: "A"},
	{name: "a better route astray", do: "ip -n A route add 10.0.2.0/24 via 10.0.1.2", ask: toC, check: "route", subject: "A"},
	{name: "blackhole route", do: "ip -n A route add blackhole 10.0.2.0/24", ask: toC, check: "route", subject: "A"},
	{name: "unreachable route on the router", do: "ip -n R route add unreachable 10.0.2.1/32", ask: toC, check: "route", subject: "R"},
	{name: "prohibit route far", do: "ip -n C route add prohibit 10.0.1.0/24", ask: toC, check: "route", subject: "C"},

	{name: "ip_forward off", do: "ip netns exec R sysctl -w net.ipv4.ip_forward=0", ask: toC, check: "forwarding", subject: "R"},
	{name: "forwarding of one link off", do: "ip netns exec R sysctl -w net.ipv4.conf.eth1.forwarding=0", ask: toC, check: "forwarding", subject: "R"},
	{
		name: "rp_filter on an asymmetric path", do: `ip netns exec R sysctl -w net.ipv4.conf.eth1.rp_filter=1; ip -n R route add 10.0.1.1/32 dev eth2`,
		ask: toC, check: "rp_filter", subject: "R/eth1", tidy: "ip -n R route delete 10.0.1.1/32 dev eth2; ip netns exec R sysctl -w net.ipv4.conf.eth1.rp_filter=0",
	},
	{name: "echo requests ignored", do: "ip netns exec B sysctl -w net.ipv4.icmp_echo_ignore_all=1", ask: toB, check: "echo", subject: "B"},

	{name: "duplicate MAC", do: "ip -n R link set eth1 address $(cat_mac B eth0)", ask: toB, check: "mac_conflict", subject: "R/eth1", status: either},
	{name: "wrong static neighbour near", do: "ip -n A neighbour replace 10.0.1.2 lladdr 02:00:00:00:00:99 dev eth0 nud permanent", ask: toB, check: "neighbour", subject: "A/eth0"},
	{name: "wrong static neighbour far", do: "ip -n B neighbour replace 10.0.1.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent", ask: toB, check: "neighbour", subject: "B/eth0"},
	{name: "static MAC entry at a wrong port", do: "bridge -n sw1 fdb replace $(cat_mac B eth0) dev up master static sticky", ask: toB, check: "fdb", subject: "sw1/br0"},
	{name: "static MAC entry of the source at a wrong port", do: "bridge -n sw1 fdb replace $(cat_mac A eth0) dev up master static sticky", ask: toB, check: "fdb", subject: "sw1/br0"},
	{name: "ARP off near", do: "ip -n A link set eth0 arp off", ask: toB, check: "arp", subject: "A/eth0"},
	{name: "ARP off far", do: "ip -n B link set eth0 arp off", ask: toB, check: "arp", subject: "B/eth0"},

	{name: "isolated ports", do: "ip -n sw1 link set p1 type bridge_slave isolated on; ip -n sw1 link set p2 type bridge_slave isolated on", ask: toB, check: "isolation", subject: "sw1/p2", tidy: "ip -n sw1 link set p1 type bridge_slave isolated off"},
	{name: "port disabled", do: "bridge -n sw1 link set dev p2 state 0", ask: toB, check: "port", subject: "sw1/p2"},
	{name: "no broadcasts", do: "ip -n sw1 link set p2 type bridge_slave bcast_flood off", ask: toB, check: "flood", subject: "sw1/p2"},
	{name: "no learning and no flooding", do: "ip -n sw1 link set p2 type bridge_slave flood off learning off; bridge -n sw1 fdb delete $(cat_mac B eth0) dev p2 master || true", ask: toB, check: "flood", subject: "sw1/p2"},

	{name: "nft drops in output", do: nft("A", "ip", "output", "ip protocol icmp drop"), ask: toB, check: "firewall", subject: "A"},
	{name: "nft drops in input", do: nft("B", "inet", "input", "icmp type echo-request drop"), ask: toB, check: "firewall", subject: "B"},
	{name: "nft drops in forward", do: nft("R", "inet", "forward", "ip daddr 10.0.2.0/24 drop"), ask: toC, check: "firewall", subject: "R"},
	{name: "nft drops replies", do: nft("A", "inet", "input", "icmp type echo-reply drop"), ask: toB, check: "firewall", subject: "A"},
	{name: "nft drops in the bridge family", do: nft("sw1", "bridge", "forward", "ether type ip drop"), ask: toB, check: "firewall", subject: "sw1/br0"},
	{name: "nft drops ARP on the bridge", do: nft("sw1", "bridge", "forward", "ether type arp drop"), ask: toB, check: "firewall", subject: "sw1/br0"},
	{name: "nft drops ARP", do: nft("B", "arp", "input", "arp operation request drop"), ask: toB, check: "firewall", subject: "B"},
	{name: "iptables drops", do: "ip netns exec R iptables -A FORWARD -p icmp -j DROP", ask: toC, check: "firewall", subject: "R"},
	{name: "iptables policy", do: "ip netns exec R iptables -P FORWARD DROP", ask: toC, check: "firewall", subject: "R"},
	{name: "iptables-legacy drops", do: "ip netns exec B iptables-legacy -A INPUT -p icmp -j DROP", ask: toB, check: "firewall", subject: "B"},
	{name: "bridge-nf-call-iptables, as container engines leave it", do: "ip netns exec sw1 sysctl -w net.bridge.bridge-nf-call-iptables=1; ip netns exec sw1 iptables -P FORWARD DROP", ask: toB, check: "bridge_netfilter", subject: "sw1/br0"},

	{name: "MTU too small far", do: "ip -n B link set eth0 mtu 1000", ask: big, check: "mtu", subject: "B/eth0"},
	{name: "MTU too small on the way, small packet", do: "ip -n sw1 link set p2 mtu 1300", ask: toB, check: "mtu", subject: "sw1/p2", status: diagnose.Warning},

	{name: "IPv6: link of the router down", do: "ip -n R link set eth2 down", ask: toC6, check: "link", subject: "R/eth2"},
	{name: "IPv6: forwarding off", do: "ip netns exec R sysctl -w net.ipv6.conf.all.forwarding=0", ask: toC6, check: "forwarding", subject: "R"},
	{name: "IPv6: route missing", do: "ip -n A -6 route delete default", ask: toC6, check: "route", subject: "A"},
	{name: "IPv6: nft drops", do: nft("C", "ip6", "input", "icmpv6 type echo-request drop"), ask: toC6, check: "firewall", subject: "C"},
}

const forwards = "ip netns exec R sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"

func nft(namespace, family, hook, rule string) string {
	in := "ip netns exec " + namespace + " nft "
	return in + "add table " + family + " t; " + in + "'add chain " + family + " t c { type filter hook " + hook + " priority 0; }'; " + in + "add rule " + family + " t c " + rule
}

// unseen moves a link into a namespace that only an open file holds: it has no
// name, and no process is in it.
func unseen(namespace, link string) string {
	return "unshare --net sleep 0.5 & pid=$!; sleep 0.2; ip -n " + namespace + " link set " + link + ` netns $pid
		(exec 9</proc/$pid/ns/net; exec sleep 30) >/dev/null 2>&1 &
		sleep 3` // netdash gives a namespace up a second after its last process
}

// TestDiagnosis breaks a good lab in each of these ways. The first thing found must
// be the one, and applying its repair must make the ping work, with nothing left to
// find.
func TestDiagnosis(t *testing.T) {
	s := start(t)
	s.do(t, "PUT", "/topology/intended", goodLab).want(t, 200)
	nettest.Shell(t, forwards)
	for _, ask := range []string{toB, toC, toNC, toC6, big, `{"namespace":"A","address":"10.0.1.1"}`} {
		s.healthy(t, "the good lab", ask)
	}
	for _, b := range breakages {
		t.Run(b.name, func(t *testing.T) {
			defer s.restore(t)
			nettest.Shell(t, fresh+b.do)
			s.settled(t)
			d := s.diagnosis(t, b.ask)
			first := findings(d)
			if len(first) == 0 {
				t.Fatalf("nothing found: %s", written(d))
			}
			status := b.status
			if status == "" {
				status = diagnose.Broken
			}
			if f := first[0]; f.Check != b.check || f.Subject != b.subject || f.Status != status && b.status != either {
				t.Errorf("first found: %s %s of %s, want %s %s of %s\n%s", f.Status, f.Check, f.Subject, status, b.check, b.subject, written(d))
			}
			s.mend(t, first[0])
			if b.tidy != "" {
				nettest.Shell(t, fresh+b.tidy)
			}
			s.settled(t)
			s.healthy(t, "mended", b.ask)
		})
	}
}

// restore makes the good lab anew after a failure, for the next case.
func (s *server) restore(t *testing.T) {
	t.Helper()
	if !t.Failed() {
		return
	}
	s.do(t, "PUT", "/topology/intended", `{}`).want(t, 200)
	nettest.Shell(t, "for n in A B C D R sw1 sw2; do until ! ip netns exec $n true 2>/dev/null; do sleep 0.05; done; done")
	s.do(t, "PUT", "/topology/intended", goodLab).want(t, 200)
	nettest.Shell(t, forwards)
}

// fresh has what is said of neighbours and MACs learned anew, and a way to name a
// link's MAC.
const fresh = `
	cat_mac() { ip -n $1 -o link show dev $2 | sed 's/.*ether \([0-9a-f:]*\).*/\1/'; }
	for n in A B C D R; do ip -n $n neighbour flush all; done
	for n in sw1 sw2; do for p in p1 p2 up; do ip -n $n link set $p type bridge_slave fdb_flush; done; done 2>/dev/null
`

// settled waits until netdash has seen what was done: the drift it tells is what
// the intended and a fresh look come to.
func (s *server) settled(t testing.TB) {
	t.Helper()
	seq := uint64(0)
	eventually(t, func() string {
		snapshot := get[topology.Snapshot](t, s, "/topology")
		if snapshot.Seq != seq {
			seq = snapshot.Seq
			return "it is still changing"
		}
		return ""
	})
}

func (s *server) diagnosis(t testing.TB, ask string) diagnose.Diagnosis {
	t.Helper()
	return read[diagnose.Diagnosis](t, s.do(t, "POST", "/diagnoses", ask).want(t, 200))
}

// findings are the checks with something wrong.
func findings(d diagnose.Diagnosis) []diagnose.Check {
	var out []diagnose.Check
	for _, c := range d.Checks {
		if c.Status == diagnose.Broken || c.Status == diagnose.Warning {
			out = append(out, c)
		}
	}
	return out
}

// written is a diagnosis for people.
func written(d diagnose.Diagnosis) string {
	var b strings.Builder
	b.WriteString(d.Summary + "\n")
	for _, c := range d.Checks {
		fmt.Fprintf(&b, "  %-5s %-8s %-18s %-10s %s [%s]\n", c.Way, c.Status, c.Check, c.Subject, c.Detail, c.Evidence)
		if c.Repair != nil {
			fmt.Fprintf(&b, "        repair: %s: %s %s %v %v\n", c.Repair.Description, c.Repair.Request.Method, c.Repair.Request.Path, c.Repair.Request.Body, c.Repair.Plan.Changes)
		}
		if c.Advice != nil {
			fmt.Fprintf(&b, "        advice: %q\n", c.Advice)
		}
	}
	return b.String()
}

// mend makes the call that a finding names, or runs the commands it advises.
func (s *server) mend(t testing.TB, f diagnose.Check) {
	t.Helper()
	if f.Repair == nil {
		if len(f.Advice) == 0 {
			t.Errorf("no repair and no advice for %s of %s: %s", f.Check, f.Subject, f.Detail)
		}
		for _, command := range f.Advice {
			nettest.Shell(t, command)
		}
		return
	}
	if len(f.Repair.Plan.Changes) == 0 {
		t.Errorf("the repair %q has no plan", f.Repair.Description)
	}
	body := ""
	if f.Repair.Request.Body != nil {
		b, err := json.Marshal(f.Repair.Request.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = string(b)
	}
	if a := s.do(t, f.Repair.Request.Method, strings.TrimPrefix(f.Repair.Request.Path, "/api/v1"), body); a.status >= 300 {
		t.Errorf("%s: %d %s", a.asked, a.status, a.body)
	}
}

// healthy fails unless the ping works and nothing is found.
func (s *server) healthy(t testing.TB, when, ask string) {
	t.Helper()
	var d diagnose.Diagnosis
	eventually(t, func() string {
		d = s.diagnosis(t, ask)
		if !d.Reachable || len(findings(d)) > 0 {
			return when + ": " + written(d)
		}
		return ""
	})
	if got := d.Checks[len(d.Checks)-1]; got.Check != "answer" || got.Status != diagnose.OK {
		t.Errorf("%s: the last check is %+v", when, got)
	}
}
