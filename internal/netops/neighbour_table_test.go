package netops

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// tableByIP is what ip says of the machine's ARP or ND table.
func tableByIP(t *testing.T, namespace, name string) (entries, limit int) {
	t.Helper()
	for _, part := range strings.Split(nettest.Shell(t, "ip -n "+namespace+" -s ntable show"), "\n\n") {
		if !strings.Contains(part, name) || !strings.Contains(part, "thresh3") {
			continue
		}
		for field, value := range map[string]*int{"thresh3": &limit, "entries": &entries} {
			_, rest, _ := strings.Cut(part, field+" ")
			if _, err := fmt.Sscan(rest, value); err != nil {
				t.Fatalf("%s: %v in %s", field, err, part)
			}
		}
	}
	return entries, limit
}

func TestNeighbourTable(t *testing.T) {
	k := newKernel(t)
	ns := nettest.Namespace(t)
	s, release, err := k.acquire(ns)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for family, name := range map[families]string{family4: "arp_cache", family6: "ndisc_cache"} {
		// The table is the machine's: others change it at any time.
		eventually(t, "netdash and ip agree on "+name, func() bool {
			got, err := s.neighbourTable(family)
			if err != nil {
				t.Fatal(err)
			}
			entries, limit := tableByIP(t, ns, name)
			return limit > 0 && got.limit == limit && got.entries == entries
		})
	}
}

// What a request would cross is what ip says.
func TestNextHops(t *testing.T) {
	k := newKernel(t)
	a, _ := pingPair(t)
	nettest.Shell(t, fmt.Sprintf(`ip -n %[1]s route add 10.9.0.0/16 via 10.0.0.2; ip -n %[1]s route add 10.8.0.0/16 via inet6 fd00::2
		ip -n %[1]s neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0 nud stale; ip -n %[1]s route add unreachable 10.7.0.1`, a))
	s, release, err := k.acquire(a)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	index := int(nettest.IP(t, a, "link", "show", "eth0")[0]["ifindex"].(float64))
	for address, want := range map[string]nextHop{
		"10.0.0.2": {link: index, addr: addr("10.0.0.2"), state: "stale"},
		"10.9.0.1": {link: index, addr: addr("10.0.0.2"), state: "stale", gateway: true},
		"10.8.0.1": {link: index, addr: addr("fd00::2"), gateway: true},
		"fd00::7":  {link: index, addr: addr("fd00::7")},
		"10.7.0.1": {addr: addr("10.7.0.1"), err: unix.EHOSTUNREACH},
		"10.6.0.1": {addr: addr("10.6.0.1"), err: unix.ENETUNREACH},
	} {
		hops, err := s.nextHops(t.Context(), slices.Repeat(addrs(address), exchangeSize+1))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hops {
			if h != want {
				t.Fatalf("%s: %+v, want %+v", address, h, want)
			}
		}
	}
}

// filled fills the machine's neighbour table but for some entries: all of its
// namespaces feel that, for some seconds. It gives the namespace that has them.
func filled(t *testing.T, free int) string {
	t.Helper()
	nettest.RequireWholeMachine(t)
	filler := nettest.Namespace(t)
	nettest.Shell(t, "ip -n "+filler+" link add d0 up type bridge")
	entries, limit := tableByIP(t, filler, "arp_cache")
	var batch strings.Builder
	for i := range limit - entries - free {
		fmt.Fprintf(&batch, "neigh replace 10.%d.%d.%d lladdr 02:00:00:00:00:01 dev d0 nud reachable\n", 100+i>>16, i>>8&255, i&255)
	}
	// What was looked at within five seconds is not thrown out for another
	// (neigh_forced_gc in net/core/neighbour.c).
	nettest.Shell(t, "ip -n "+filler+" -force -batch - 2>/dev/null <<. || true\n"+batch.String()+".")
	return filler
}

// TestMatrixOverflow: without any room no pair can be pinged, and that is the
// reason told.
func TestMatrixOverflow(t *testing.T) {
	k := pingKernel(t)
	_, hosts := matrixStar(t, 3)
	filler := filled(t, -10)
	ask := topology.MatrixRequest{Namespaces: hosts, Family: "inet", TimeoutMS: 500}
	all, summary := cells(t, k, ask)
	if summary.Reached != 0 || len(summary.Warnings) != 2 || !strings.Contains(summary.Warnings[0], "this matrix needs 6 more, so that pairs may fail") ||
		!strings.Contains(summary.Warnings[0], "sysctl -w net.ipv4.neigh.default.gc_thresh3=") || !strings.Contains(summary.Warnings[1], "was full") {
		t.Errorf("%+v", summary)
	}
	for _, c := range all {
		if c.Reason != topology.PingNeighbourOverflow {
			t.Errorf("%+v", c)
		}
	}
	nettest.Shell(t, "ip -n "+filler+" neigh flush all")
	if _, summary := cells(t, k, ask); summary.Reached != 6 || len(summary.Warnings) != 0 {
		t.Errorf("with room again: %+v", summary)
	}
}

// TestMatrixPortions: with room for a few neighbours all pairs are pinged all the
// same, some at a time, and the tables are left as they were found.
func TestMatrixPortions(t *testing.T) {
	const members, room = 20, 150 // of 380 entries that are needed
	k := pingKernel(t)
	_, hosts := matrixStar(t, members)
	nettest.Shell(t, fmt.Sprintf("ip -n %s neigh add 10.9.9.9 lladdr 02:00:00:00:00:01 dev eth0 nud permanent; ip netns exec %[1]s ping -c1 -W2 %s >/dev/null", hosts[0], "10.7.0.2"))
	tables := func() string {
		var all strings.Builder
		for _, h := range hosts {
			for line := range strings.Lines(nettest.Shell(t, "ip -n "+h+" neigh show")) {
				fields := strings.Fields(line)
				fmt.Fprintln(&all, h, fields[:len(fields)-1]) // without the state, which passes
			}
		}
		return all.String()
	}
	before := tables()
	if n := strings.Count(before, "\n"); n != 3 {
		t.Fatalf("%d entries to begin with:\n%s", n, before)
	}
	filled(t, room)
	all, summary := cells(t, k, topology.MatrixRequest{Namespaces: hosts, Family: "inet"})
	if summary.Reached != members*(members-1) || len(summary.Warnings) != 1 || !strings.Contains(summary.Warnings[0], "pairs at a time") {
		t.Errorf("%+v", summary)
	}
	for _, c := range all {
		if !c.OK {
			t.Errorf("%+v", c)
		}
	}
	if after := tables(); after != before {
		t.Errorf("the tables were\n%s\nand are now\n%s", before, after)
	}
}

// TestMatrixPortionsSilent: who did not answer is told also when the kernel, which
// needs the room, has given up the entry that says so.
func TestMatrixPortionsSilent(t *testing.T) {
	k := pingKernel(t)
	_, hosts := matrixStar(t, 12)
	mute := hosts[3]
	nettest.Shell(t, "ip -n "+mute+" link set eth0 arp off")
	for _, h := range hosts {
		nettest.Shell(t, "ip -n "+h+" link set lo down") // else the kernel tells it what becomes of an entry that is taken away
	}
	filled(t, 60) // of 132 entries that are needed
	given := make(chan struct{})
	go func() {
		defer close(given)
		time.Sleep(time.Second) // all is sent long before
		for _, h := range hosts {
			nettest.Shell(t, "ip -n "+h+" neigh flush nud incomplete; ip -n "+h+" neigh flush nud failed")
		}
	}()
	all, summary := cells(t, k, topology.MatrixRequest{Namespaces: hosts, Family: "inet", TimeoutMS: 4000})
	<-given
	if len(summary.Warnings) != 2 || !strings.Contains(summary.Warnings[0], "pairs at a time") || !strings.Contains(summary.Warnings[1], "lo is down") {
		t.Errorf("%+v", summary.Warnings)
	}
	for _, c := range all {
		if want := c.From != mute && c.To != mute; c.OK != want || (c.To == mute && c.Reason != topology.PingNeighbourFailed) {
			t.Errorf("%+v", c)
		}
	}
}

// How silence is read, where a kernel can hardly be brought to it.
func TestSilence(t *testing.T) {
	link := &LinkFacts{}
	link.Name, link.AdminUp, link.Carrier = "eth0", true, true
	p := &matrixPair{from: &matrixNode{name: "A"}, to: &matrixNode{name: "B"}, addr: addr("10.0.0.2"), detail: noReply(1e9)}
	back := func(state string) func() string { return func() string { return state } }
	hop := func(state string) nextHop { return nextHop{link: 2, addr: p.addr, state: state} }
	for name, c := range map[string]struct {
		s      silence
		reason topology.PingReason
		detail string
	}{
		"no entry, the table was full":    {silence{hop: hop(""), out: link, fulls: 1}, topology.PingNeighbourOverflow, "A/eth0 could not ask for 10.0.0.2"},
		"no way back, the table was full": {silence{hop: hop("stale"), out: link, fulls: 1, back: back("")}, topology.PingNeighbourOverflow, "B could not ask for the way back"},
		"full, but not for these two":     {silence{hop: hop("stale"), out: link, fulls: 1, back: back("stale")}, "", ""},
		"no entry, the table was not":     {silence{hop: hop(""), out: link}, "", ""},
		"asked in vain while it was full": {silence{hop: hop("incomplete"), out: link, fulls: 1}, topology.PingNeighbourFailed, "10.0.0.2 does not answer ARP"},
		"the other link is down":          {silence{hop: hop("delay"), out: link, there: "B/eth0 is down"}, topology.PingTimeout, "no reply within 1000 ms: B/eth0 is down"},
		"the route has gone":              {silence{hop: nextHop{err: unix.ENETUNREACH}}, topology.PingNoRoute, "any more"},
	} {
		if reason, detail := c.s.reason(p); reason != c.reason || !strings.Contains(detail, c.detail) {
			t.Errorf("%s: %s, %q", name, reason, detail)
		}
	}
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func addrs(text string) []netip.Addr { return []netip.Addr{addr(text)} }
