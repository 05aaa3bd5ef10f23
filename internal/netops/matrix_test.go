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

// matrixStar makes a bridge in a namespace of its own with hosts around it, which
// have eth0 with 10.7.0.x/16 and fd07::x/64 (x from 1), and waits until all is up.
func matrixStar(t testing.TB, n int) (sw string, hosts []string) {
	t.Helper()
	sw = nettest.Namespace(t)
	var batch, wait strings.Builder
	fmt.Fprintf(&batch, "link add br0 type bridge\nlink set br0 up\n")
	for i := range n {
		h := nettest.Namespace(t)
		hosts = append(hosts, h)
		fmt.Fprintf(&batch, "link add p%[1]d master br0 type veth peer name eth0 netns %[2]s\nlink set p%[1]d addrgenmode none up\n", i, h)
		fmt.Fprintf(&wait, "ip -n %s -batch - <<.\nlink set lo up\nlink set eth0 addrgenmode none up\naddr add 10.7.0.%d/16 dev eth0\naddr add fd07::%x/64 dev eth0 nodad\n.\n", h, i+1, i+1)
	}
	nettest.Shell(t, "ip -n "+sw+" -batch - <<.\n"+batch.String()+".\n"+wait.String())
	eventually(t, "all ports forward", func() bool {
		ports := nettest.IP(t, sw, "link", "show", "master", "br0")
		return !slices.ContainsFunc(ports, func(p map[string]any) bool { return p["operstate"] != "UP" })
	})
	return sw, hosts
}

// nobodyAttends fails if a ping is still told of deletions.
func nobodyAttends(t testing.TB) {
	t.Helper()
	pings.mu.Lock()
	defer pings.mu.Unlock()
	if len(pings.running) != 0 || pings.places != 0 {
		t.Errorf("%d pings are still under way, %d places taken", len(pings.running), pings.places)
	}
}

// cells runs a matrix and gives its cells by "from to".
func cells(t testing.TB, k *Kernel, req topology.MatrixRequest) (map[string]topology.MatrixCell, *topology.MatrixSummary) {
	t.Helper()
	all := map[string]topology.MatrixCell{}
	summary, err := k.PingMatrix(t.Context(), req, func(part topology.MatrixPart) {
		for _, c := range part.Cells {
			if _, twice := all[c.From+" "+c.To]; twice {
				t.Errorf("told twice: %+v", c)
			}
			all[c.From+" "+c.To] = c
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	n := len(req.Namespaces)
	if summary.Pairs != n*(n-1) || len(all) != summary.Pairs {
		t.Fatalf("%d cells, %+v, want %d pairs", len(all), summary, n*(n-1))
	}
	reached := 0
	for _, c := range all {
		if c.OK {
			reached++
		}
		if c.OK != (c.Received > 0) || c.OK == (c.Reason != "") || c.OK == (c.Detail != "") || c.OK != (c.RTTMS > 0) {
			t.Errorf("%+v", c)
		}
	}
	if reached != summary.Reached || summary.DurationMS <= 0 {
		t.Errorf("%d reached, %+v", reached, summary)
	}
	return all, summary
}

// wantCell fails unless the pair failed for the reason, in these words.
func wantCell(t testing.TB, all map[string]topology.MatrixCell, from, to string, reason topology.PingReason, words string) {
	t.Helper()
	c, ok := all[from+" "+to]
	if !ok || c.OK || c.Reason != reason || !strings.Contains(c.Detail, words) {
		t.Errorf("%s to %s: %+v\nwant %s, %q", from, to, c, reason, words)
	}
}

func TestMatrix(t *testing.T) {
	k := pingKernel(t)
	_, hosts := matrixStar(t, 20)
	for _, family := range []string{"", "inet6"} {
		for _, way := range []string{"cold", "warm"} {
			all, summary := cells(t, k, topology.MatrixRequest{Namespaces: hosts, Family: family})
			if summary.Reached != 380 || len(summary.Warnings) != 0 {
				t.Errorf("%s %s: %+v", family, way, summary)
				for _, c := range all {
					if !c.OK {
						t.Logf("%+v", c)
						break
					}
				}
			}
			t.Logf("%s %s: %.1f ms", family, way, summary.DurationMS)
		}
	}
	// Each has learned all others: what ip shows is what was pinged.
	for _, h := range []string{hosts[0], hosts[19]} {
		if four, six := nettest.IP(t, h, "-4", "neighbour"), nettest.IP(t, h, "-6", "neighbour"); len(four) != 19 || len(six) != 19 {
			t.Errorf("%s has %d and %d neighbours", h, len(four), len(six))
		}
	}
}

// Two namespaces, one of them by two names, several requests.
func TestMatrixOfTwo(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	nettest.Shell(t, "touch /run/netns/other; mount --bind /run/netns/"+a+" /run/netns/other")
	t.Cleanup(func() { nettest.Shell(t, "umount /run/netns/other; rm /run/netns/other") })
	all := map[string]topology.MatrixCell{}
	summary, err := k.PingMatrix(t.Context(), topology.MatrixRequest{Namespaces: []string{a, b, "other"}, Count: 4}, func(part topology.MatrixPart) {
		for _, c := range part.Cells {
			all[c.From+" "+c.To] = c
		}
	})
	if err != nil || summary.Pairs != 2 || summary.Reached != 2 {
		t.Fatalf("%+v, %v", summary, err)
	}
	for _, c := range []topology.MatrixCell{all[a+" "+b], all[b+" "+a]} {
		if c.Sent != 4 || c.Received != 4 || c.ToLink != "eth0" || !strings.HasPrefix(c.Address, "10.0.0.") {
			t.Errorf("%+v", c)
		}
	}
	for _, req := range []topology.MatrixRequest{
		{Namespaces: []string{a}},
		{Namespaces: []string{a, "other"}},
		{Namespaces: []string{a, b}, Count: 11},
		{Namespaces: []string{a, b}, TimeoutMS: 5},
		{Namespaces: []string{a, b}, Family: "ipv4"},
		{Namespaces: make([]string, topology.MaxMatrix+1)},
	} {
		_, err := k.PingMatrix(t.Context(), req, func(topology.MatrixPart) {})
		if e, ok := errors.AsType[*topology.Error](err); !ok || e.Code != topology.CodeInvalid || len(e.Fields) != 1 {
			t.Errorf("%d namespaces, %+v: %v", len(req.Namespaces), req.Count, err)
		}
	}
	nobodyAttends(t)
}

// Each kind of failure is told as what it is, and breaks no other pair.
func TestMatrixReasons(t *testing.T) {
	k := pingKernel(t)
	sw, hosts := matrixStar(t, 14)
	for i, script := range []string{
		2:  "addr flush dev eth0",
		3:  "link set eth0 down",
		4:  "addr flush dev eth0; NS addr add 10.7.0.5/16 dev eth0", // no IPv6
		5:  "addr flush dev eth0; NS addr add fd07::6/64 dev eth0 nodad",
		6:  "addr flush dev eth0; NS addr add 10.8.0.7/24 dev eth0", // in another subnet
		7:  "link set lo down",
		8:  "addr flush dev eth0; NS addr add 10.7.0.1/16 dev eth0", // that of the first
		10: "route add unreachable 10.7.0.1/32",
	} {
		if script != "" {
			script = strings.ReplaceAll(script, "NS ", "ip -n "+hosts[i]+" ")
			nettest.Shell(t, "ip -n "+hosts[i]+" "+script)
		}
	}
	nft := func(host, hook, rule string) {
		nettest.Shell(t, fmt.Sprintf(`ip netns exec %s nft 'table inet t { chain c { type filter hook %s priority 0; %s; }; }'`, host, hook, rule))
	}
	nft(hosts[9], "output", "icmp type echo-request drop")
	nft(hosts[11], "input", "icmp type echo-request reject with icmp type admin-prohibited")
	nft(hosts[12], "input", "icmp type echo-request drop")
	nettest.Shell(t, "ip -n "+sw+" link set p13 down") // its carrier is gone
	nettest.Shell(t, "ip netns exec "+hosts[11]+" sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit'")

	all, summary := cells(t, k, topology.MatrixRequest{Namespaces: hosts, TimeoutMS: 700})
	a, b := hosts[0], hosts[1] // a is who has its address twice
	for _, h := range []string{hosts[4], hosts[7], hosts[10]} {
		if there, back := all[b+" "+h], all[h+" "+b]; !there.OK || !back.OK {
			t.Errorf("%s is well: %+v, %+v", h, there, back)
		}
	}
	wantCell(t, all, a, hosts[2], topology.PingNoAddress, hosts[2]+" has no IPv4 and IPv6 address")
	wantCell(t, all, hosts[2], a, topology.PingNoAddress, hosts[2]+" has no IPv4 and IPv6 address to send from")
	wantCell(t, all, hosts[3], b, topology.PingLinkDown, hosts[3]+"/eth0 is down")
	wantCell(t, all, b, hosts[3], topology.PingNeighbourFailed, "10.7.0.4 does not answer ARP on "+b+"/eth0: "+hosts[3]+"/eth0 is down")
	wantCell(t, all, hosts[4], hosts[5], topology.PingNoCommonFamily, hosts[4]+" has IPv4, "+hosts[5]+" has IPv6")
	wantCell(t, all, hosts[5], hosts[4], topology.PingNoCommonFamily, hosts[5]+" has IPv6, "+hosts[4]+" has IPv4")
	if c := all[b+" "+hosts[5]]; !c.OK || c.Address != "fd07::6" {
		t.Errorf("IPv6 is what they share: %+v", c)
	}
	wantCell(t, all, b, hosts[6], topology.PingNoRoute, b+" has no route to 10.8.0.7")
	wantCell(t, all, a, hosts[8], topology.PingOwnAddress, "has the address of "+hosts[8])
	wantCell(t, all, hosts[9], b, topology.PingProhibited, "operation not permitted")
	wantCell(t, all, hosts[10], a, topology.PingNoRoute, "no route to host")
	wantCell(t, all, b, hosts[11], topology.PingProhibited, "Packet filtered")
	if c := all[b+" "+hosts[11]]; c.Reporter != "10.7.0.12" {
		t.Errorf("%+v", c)
	}
	wantCell(t, all, b, hosts[12], topology.PingTimeout, "no reply within 700 ms")
	wantCell(t, all, hosts[13], b, topology.PingLinkDown, hosts[13]+"/eth0 has no carrier")
	wantCell(t, all, b, hosts[13], topology.PingNeighbourFailed, hosts[13]+"/eth0 has no carrier")
	if !slices.ContainsFunc(summary.Warnings, func(w string) bool { return strings.HasPrefix(w, "lo is down in "+hosts[7]) }) ||
		!slices.Contains(summary.Warnings, "10.7.0.1 is an address of "+a+", "+hosts[8]+": a reply may come from any of them") || len(summary.Warnings) != 2 {
		t.Errorf("%q", summary.Warnings)
	}
	// Of one family alone, what has only the other has no address.
	all, _ = cells(t, k, topology.MatrixRequest{Namespaces: []string{b, hosts[4], hosts[5]}, Family: "inet6"})
	wantCell(t, all, b, hosts[4], topology.PingNoAddress, hosts[4]+" has no IPv6 address")
	if c := all[b+" "+hosts[5]]; !c.OK {
		t.Errorf("%+v", c)
	}
}

// A router between: its refusals carry its address, and a gateway that is silent
// is named.
func TestMatrixRouted(t *testing.T) {
	k := pingKernel(t)
	a, r, b := nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t)
	pingLink(t, a, "eth0", "10.0.1.1/24", "fd01::1/64", r, "toa", "10.0.1.254/24", "fd01::fe/64")
	pingLink(t, b, "eth0", "10.0.2.1/24", "fd02::1/64", r, "tob", "10.0.2.254/24", "fd02::fe/64")
	nettest.Shell(t, fmt.Sprintf(`ip netns exec %s sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
		ip -n %s route add default via 10.0.1.254; ip -n %s route add default via 10.0.2.254`, r, a, b))
	ask := topology.MatrixRequest{Namespaces: []string{a, b}, Family: "inet", TimeoutMS: 700}
	all, _ := cells(t, k, ask)
	if !all[a+" "+b].OK || !all[b+" "+a].OK {
		t.Errorf("%+v", all)
	}
	nettest.Shell(t, "ip -n "+r+" route add prohibit 10.0.2.1")
	all, _ = cells(t, k, ask)
	wantCell(t, all, a, b, topology.PingProhibited, "Packet filtered")
	if c := all[a+" "+b]; c.Reporter != "10.0.1.254" {
		t.Errorf("%+v", c)
	}
	nettest.Shell(t, "ip -n "+r+" route del prohibit 10.0.2.1; ip -n "+r+" link set toa arp off; ip -n "+a+" neighbour flush all")
	all, _ = cells(t, k, ask)
	wantCell(t, all, a, b, topology.PingNeighbourFailed, "the gateway 10.0.1.254 does not answer ARP on "+a+"/eth0")
	// With time enough the kernel says so itself.
	nettest.Shell(t, "ip netns exec "+a+" sh -c 'echo 200 >/proc/sys/net/ipv4/neigh/eth0/retrans_time_ms'; ip -n "+a+" neighbour flush all")
	ask.TimeoutMS = 5000
	all, _ = cells(t, k, ask)
	wantCell(t, all, a, b, topology.PingNeighbourFailed, "no neighbour answers for 10.0.2.1")
	if c := all[a+" "+b]; c.Reporter != "10.0.1.1" {
		t.Errorf("%+v", c)
	}
}

func TestMatrixEnds(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	nettest.Shell(t, "ip -n "+b+" link set eth0 arp off")
	ask := topology.MatrixRequest{Namespaces: []string{a, b}, TimeoutMS: 10000}
	// While one is under way there is no other; it ends with its caller.
	ctx, cancel := context.WithCancel(t.Context())
	var stopped time.Time
	summary, err := k.PingMatrix(ctx, ask, func(topology.MatrixPart) {
		if _, err := k.PingMatrix(t.Context(), ask, nil); topology.CodeOf(err) != topology.CodeBusy {
			t.Errorf("a second one: %v", err)
		}
		stopped = time.Now()
		cancel()
	})
	if !errors.Is(err, context.Canceled) || time.Since(stopped) > 2*time.Second || summary == nil {
		t.Errorf("%+v, %v after %v", summary, err, time.Since(stopped))
	}
	// A namespace that is deleted goes at once.
	id, err := k.identity(a)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var all []topology.MatrixCell
	deleted := false
	_, err = k.PingMatrix(t.Context(), ask, func(part topology.MatrixPart) {
		if all = append(all, part.Cells...); !deleted {
			deleted = true
			nettest.Shell(t, "ip netns del "+a)
			k.forget(id)
			stopPings(id)
			return
		}
	})
	if err != nil || time.Since(began) > 5*time.Second || len(all) != 2 {
		t.Fatalf("%+v, %v after %v", all, err, time.Since(began))
	}
	for _, c := range all {
		if c.Reason != topology.PingNamespaceGone || c.Detail != a+" was deleted" {
			t.Errorf("%+v", c)
		}
	}
	eventually(t, "the other end goes too", func() bool { return len(nettest.IP(t, b, "link", "show", "type", "veth")) == 0 })
	// One that is gone before is no error either.
	all = nil
	summary, err = k.PingMatrix(t.Context(), ask, func(part topology.MatrixPart) { all = append(all, part.Cells...) })
	if err != nil || summary.Pairs != 2 || len(all) != 2 || all[0].Reason != topology.PingNamespaceGone {
		t.Errorf("%+v, %+v, %v", summary, all, err)
	}
	nobodyAttends(t)
}

// BenchmarkMatrix is the matrix of a hundred namespaces that know each other; the
// machine's gc_thresh3 must allow 9,900 neighbours.
func BenchmarkMatrix(b *testing.B) {
	k := newKernel(b)
	_, hosts := matrixStar(b, 100)
	ask := topology.MatrixRequest{Namespaces: hosts, Family: "inet"}
	for range 2 {
		if _, summary := cells(b, k, ask); summary.Reached != summary.Pairs {
			b.Skipf("%+v", summary)
		}
	}
	for b.Loop() {
		summary, err := k.PingMatrix(b.Context(), ask, func(topology.MatrixPart) {})
		if err != nil || summary.Reached != summary.Pairs {
			b.Fatalf("%+v, %v", summary, err)
		}
	}
}
