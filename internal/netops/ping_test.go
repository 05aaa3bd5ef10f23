package netops

import (
	"fmt"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// pingKernel gives a Kernel that leaves nothing behind.
func pingKernel(t testing.TB) *Kernel {
	t.Helper()
	nettest.NoLeaks(t)
	return newKernel(t)
}

// pingPair makes two namespaces with a veth pair, eth0 in both, that has
// 10.0.0.1/24 and fd00::1/64 in the first and .2 and ::2 in the second.
func pingPair(t testing.TB) (a, b string) {
	t.Helper()
	a, b = nettest.Namespace(t), nettest.Namespace(t)
	pingLink(t, a, "eth0", "10.0.0.1/24", "fd00::1/64", b, "eth0", "10.0.0.2/24", "fd00::2/64")
	return a, b
}

// pingLink makes a veth pair, with lo up at both ends.
func pingLink(t testing.TB, a, nameA, a4, a6, b, nameB, b4, b6 string) {
	t.Helper()
	nettest.Shell(t, fmt.Sprintf("ip -n %s link add %s type veth peer name %s netns %s", a, nameA, nameB, b))
	for _, e := range [][4]string{{a, nameA, a4, a6}, {b, nameB, b4, b6}} {
		nettest.Shell(t, strings.NewReplacer("NS", e[0], "LINK", e[1], "A4", e[2], "A6", e[3]).Replace(
			"ip -n NS link set lo up; ip -n NS link set LINK up; ip -n NS addr add A4 dev LINK; ip -n NS addr add A6 dev LINK nodad"))
	}
	// A link is up at once, but drops what is sent until the kernel has come to
	// handle its carrier, which it does once a second if there is much to do.
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		onA, onB := nettest.IP(t, a, "link", "show", nameA), nettest.IP(t, b, "link", "show", nameB)
		if onA[0]["operstate"] == "UP" && onB[0]["operstate"] == "UP" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("a link does not come up: %v, %v", onA, onB)
		}
	}
}

// pingSettle waits until duplicate address detection is done everywhere.
func pingSettle(t testing.TB, namespaces ...string) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		busy := 0
		for _, ns := range namespaces {
			busy += len(nettest.IP(t, ns, "address", "show", "tentative"))
		}
		if busy == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("duplicate address detection does not end")
		}
	}
}

// linkLocal gives the link-local address of a link.
func linkLocal(t testing.TB, namespace, link string) string {
	t.Helper()
	out := nettest.Shell(t, "ip -n "+namespace+" -6 -o addr show dev "+link+" scope link | sed 's/.*inet6 //; s,/.*,,'")
	return strings.TrimSpace(out)
}

// quick is a ping of one request, soon given up.
func quick(namespace, address string) topology.PingRequest {
	return topology.PingRequest{Namespace: namespace, Address: address, Count: 1, TimeoutMS: 500}
}

func mustPing(t testing.TB, k *Kernel, req topology.PingRequest) *topology.PingResult {
	t.Helper()
	r, err := k.Ping(t.Context(), req, nil)
	if err != nil {
		t.Fatalf("ping %+v: %v", req, err)
	}
	return r
}

// wantReplies fails unless all requests were answered, with this TTL.
func wantReplies(t testing.TB, r *topology.PingResult, count, ttl int) {
	t.Helper()
	if r.Sent != count || r.Received != count || r.Loss != 0 || r.Error != "" || len(r.Replies) != count {
		t.Fatalf("want %d replies: %+v", count, r)
	}
	seen := map[int]bool{}
	for _, p := range r.Replies {
		seen[p.Seq] = true
		if p.From != r.Address || p.TTL != ttl || p.RTTMS <= 0 || p.Error != "" {
			t.Errorf("reply %+v of %s, want ttl %d", p, r.Address, ttl)
		}
	}
	if len(seen) != count || !seen[1] || !seen[count] {
		t.Errorf("sequence numbers %v", seen)
	}
	if m := r.RTTMS; m == nil || m.Min <= 0 || m.Avg < m.Min || m.Max < m.Avg {
		t.Errorf("round trips %+v", m)
	}
}

// wantProblem fails unless the only request had this problem, reported from
// there, and ping(8) reports the same.
func wantProblem(t testing.TB, k *Kernel, req topology.PingRequest, from, problem string) {
	t.Helper()
	req.Count = 1
	r := mustPing(t, k, req)
	if r.Sent != 1 || r.Received != 0 || r.Loss != 1 || len(r.Replies) != 1 || r.Replies[0].Error != problem || r.Replies[0].From != from {
		t.Errorf("ping %s: %+v\nwant %q from %s", req.Address, r, problem, from)
	}
	args := []string{"-n", "-c", "1", "-W", "5"}
	if req.TTL != 0 {
		args = append(args, "-t", fmt.Sprint(req.TTL))
	}
	if req.Size != 0 {
		args = append(args, "-s", fmt.Sprint(req.Size))
	}
	out, _ := iputils(t, req.Namespace, append(args, req.Address)...)
	// ping(8) writes "From 10.0.0.1 icmp_seq=1 Destination Host Unreachable".
	if !strings.Contains(strings.ToLower(out), "from "+from) || !strings.Contains(out, problem) {
		t.Errorf("ping(8) does not say %q from %s:\n%s", problem, from, out)
	}
}

// iputils runs ping(8) in a namespace and gives what it says.
func iputils(t testing.TB, namespace string, args ...string) (string, error) {
	t.Helper()
	nettest.Require(t)
	out, err := exec.Command("ip", append([]string{"netns", "exec", namespace, "ping"}, args...)...).CombinedOutput()
	if strings.Contains(string(out), "No such file or directory") {
		t.Fatalf("install iputils-ping: %s", out)
	}
	return string(out), err
}

func TestPingLoopback(t *testing.T) {
	k := pingKernel(t)
	ns := nettest.Namespace(t)
	// Of ::1 the kernel says so: it has not even that address.
	for address, problem := range map[string]string{"127.0.0.1": "network is unreachable", "::1": "cannot assign requested address"} {
		r := mustPing(t, k, quick(ns, address))
		if r.Error != problem || r.Sent != 0 || r.Loss != 1 || len(r.Replies) != 0 || r.RTTMS != nil {
			t.Errorf("lo down, %s: %+v", address, r)
		}
		if out, err := iputils(t, ns, "-c", "1", address); err == nil || !strings.Contains(strings.ToLower(out), r.Error) {
			t.Errorf("lo down, ping(8): %s", out)
		}
	}
	nettest.Shell(t, "ip -n "+ns+" link set lo up")
	pingSettle(t, ns)
	for _, address := range []string{"127.0.0.1", "::1"} {
		r := mustPing(t, k, topology.PingRequest{Namespace: ns, Address: address})
		wantReplies(t, r, 3, 64)
	}
}

func TestPingHost(t *testing.T) {
	k := pingKernel(t)
	wantReplies(t, mustPing(t, k, quick("host", "127.0.0.1")), 1, 64)
}

func TestPingPair(t *testing.T) {
	k := pingKernel(t)
	// A link of the same name but another ifindex on the host must not matter.
	nettest.Shell(t, "ip link add pad0 type bridge; ip link add pad1 type bridge; ip link add eth0 type bridge")
	t.Cleanup(func() { nettest.Shell(t, "ip link del pad0; ip link del pad1; ip link del eth0") })
	a, b := pingPair(t)
	pingSettle(t, a, b)
	for _, c := range []struct{ from, to string }{
		{a, "10.0.0.2"},
		{b, "10.0.0.1"},
		{a, "fd00::2"},
		{b, "fd00::1"},
		{a, "::ffff:10.0.0.2"},
		{a, linkLocal(t, b, "eth0") + "%eth0"},
		{b, linkLocal(t, a, "eth0") + "%eth0"},
	} {
		r := mustPing(t, k, topology.PingRequest{Namespace: c.from, Address: c.to, IntervalMS: 20})
		wantReplies(t, r, 3, 64)
		if want := strings.TrimPrefix(c.to, "::ffff:"); r.Address != want || r.Namespace != c.from {
			t.Errorf("ping %s: %+v", c.to, r)
		}
	}
}

func TestPingMulticast(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	pingSettle(t, a, b)
	// Both ends answer: each request has one reply and one more.
	r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: "ff02::1%eth0", IntervalMS: 20})
	if r.Received != 3 || r.Duplicates != 3 || len(r.Replies) != 6 || r.Loss != 0 {
		t.Errorf("%+v", r)
	}
	for i, p := range r.Replies {
		if p.Seq != 1+i/2 || p.Duplicate != (i%2 == 1) || !strings.HasPrefix(p.From, "fe80::") || !strings.HasSuffix(p.From, "%eth0") {
			t.Errorf("reply %d: %+v", i, p)
		}
	}
}

func TestPingSizes(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	for _, address := range []string{"10.0.0.2", "fd00::2"} {
		for _, size := range []int{1, 7, 1400, 8000, 65000} {
			r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: address, Size: size, Count: 2, IntervalMS: 20})
			wantReplies(t, r, 2, 64)
		}
	}
}

func TestPingThroughRouter(t *testing.T) {
	k := pingKernel(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	r := nettest.Namespace(t)
	pingLink(t, a, "eth0", "10.0.1.1/24", "fd01::1/64", r, "toa", "10.0.1.254/24", "fd01::fe/64")
	pingLink(t, b, "eth0", "10.0.2.1/24", "fd02::1/64", r, "tob", "10.0.2.254/24", "fd02::fe/64")
	nettest.Shell(t, "ip netns exec "+r+" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'")
	pingSettle(t, a, b, r) // until then the router does not ask for neighbours

	for _, address := range []string{"10.0.2.1", "fd02::1"} {
		req := quick(a, address)
		if got := mustPing(t, k, req); got.Error != "network is unreachable" || got.Sent != 0 {
			t.Errorf("without a route: %+v", got)
		}
	}
	for ns, site := range map[string]string{a: "1", b: "2"} {
		nettest.Shell(t, strings.NewReplacer("NS", ns, "SITE", site).Replace(
			"ip -n NS route add default via 10.0.SITE.254; ip -n NS route add default via fd0SITE::fe"))
	}
	for _, c := range []struct{ address, router, problem, noRoute, net string }{
		{"10.0.2.1", "10.0.1.254", "Time to live exceeded", "Destination Net Unreachable", "10.9.9.9"},
		{"fd02::1", "fd01::fe", "Time exceeded: Hop limit", "Destination unreachable: No route", "fd09::1"},
	} {
		wantReplies(t, mustPing(t, k, topology.PingRequest{Namespace: a, Address: c.address, TTL: 2, IntervalMS: 20}), 3, 63)
		req := quick(a, c.address)
		req.TTL = 1
		wantProblem(t, k, req, c.router, c.problem)
		wantProblem(t, k, quick(a, c.net), c.router, c.noRoute)
	}

	// A link with a smaller MTU behind the router: the first to be too long is
	// refused, then the kernel knows and fragments. ping(8) says so too, when it
	// is asked first in a namespace that does not know yet.
	nettest.Shell(t, fmt.Sprintf("ip -n %s link set tob mtu 1300; ip -n %s link set eth0 mtu 1300", r, b))
	for _, c := range []struct{ address, router, problem string }{
		{"10.0.2.1", "10.0.1.254", "Frag needed and DF set (mtu = 1300)"},
		{"fd02::1", "fd01::fe", "Packet too big: mtu=1300"},
	} {
		got := mustPing(t, k, topology.PingRequest{Namespace: a, Address: c.address, Size: 1400, Count: 3, IntervalMS: 50})
		if got.Received != 2 || got.Sent != 3 || got.Replies[0].Error != c.problem || got.Replies[0].From != c.router || math.Abs(got.Loss-1./3) > 1e-9 {
			t.Errorf("MTU: %+v", got)
		}
		nettest.Shell(t, fmt.Sprintf("ip -n %s route flush cache; ip -n %s -6 route flush cache", a, a))
		if out, _ := iputils(t, a, "-n", "-c", "1", "-s", "1400", c.address); !strings.Contains(out, c.problem) {
			t.Errorf("ping(8) does not say %q: %s", c.problem, out)
		}
	}
	// The quoted packet is a fragment; the first of them names the request, which
	// ping(8) overlooks.
	req := quick(a, "fd02::1")
	req.TTL, req.Size = 1, 4000
	if got := mustPing(t, k, req); len(got.Replies) != 1 || got.Replies[0].Error != "Time exceeded: Hop limit" || got.Replies[0].From != "fd01::fe" {
		t.Errorf("a fragmented request: %+v", got)
	}
}

func TestPingNobodyThere(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	// The kernel asks for a neighbour three times, a second apart: here faster.
	nettest.Shell(t, "ip netns exec "+a+" sh -c 'for v in 4 6; do echo 200 >/proc/sys/net/ipv$v/neigh/eth0/retrans_time_ms; done'")
	for _, c := range []struct{ address, own, problem string }{
		{"10.0.0.99", "10.0.0.1", "Destination Host Unreachable"},
		{"fd00::99", "fd00::1", "Destination unreachable: Address unreachable"},
	} {
		req := quick(a, c.address)
		req.TimeoutMS = 4500
		wantProblem(t, k, req, c.own, c.problem)
	}
	// Each of several requests that waited for the same neighbour is told.
	r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: "10.0.0.98", Count: 3, IntervalMS: 50, TimeoutMS: 4500})
	for i, p := range r.Replies {
		if p.Seq != i+1 || p.Error != "Destination Host Unreachable" {
			t.Errorf("%+v", p)
		}
	}
	if len(r.Replies) != 3 {
		t.Errorf("%+v", r)
	}
}

func TestPingRefusedByKernel(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	nettest.Shell(t, fmt.Sprintf(`ip -n %[1]s route add unreachable 10.1.0.0/16; ip -n %[1]s route add prohibit 10.2.0.0/16
		ip -n %[1]s route add blackhole 10.3.0.0/16`, a))
	for address, problem := range map[string]string{
		"10.0.0.255":      "permission denied", // broadcast
		"255.255.255.255": "network is unreachable",
		"10.1.0.1":        "no route to host",
		"10.2.0.1":        "permission denied",
		"10.3.0.1":        "invalid argument",
	} {
		r := mustPing(t, k, quick(a, address))
		if r.Error != problem || r.Sent != 0 || r.Loss != 1 || len(r.Replies) != 0 {
			t.Errorf("%s: %+v, want %q", address, r, problem)
		}
	}
}

func TestPingFiltered(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	input := func(ns, hook, verdict string) {
		t.Helper()
		nettest.Shell(t, fmt.Sprintf(`ip netns exec %s nft 'flush ruleset; table inet t { chain c { type filter hook %s priority 0; %s; }; }'`, ns, hook, verdict))
	}
	// A host sends six ICMP errors to another at once, and then one a second.
	nettest.Shell(t, "ip netns exec "+b+" sh -c 'for v in 4/icmp_ 6/icmp/; do echo 0 >/proc/sys/net/ipv${v}ratelimit; done'")
	input(b, "input", "icmp type echo-request drop")
	start := time.Now()
	r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 4, IntervalMS: 50, TimeoutMS: 300})
	if took := time.Since(start); took < 450*time.Millisecond || took >= 1100*time.Millisecond {
		t.Errorf("4 requests 50 ms apart and 300 ms to wait took %v", took)
	}
	if r.Sent != 4 || r.Received != 0 || r.Loss != 1 || len(r.Replies) != 4 || r.RTTMS != nil || r.Error != "" {
		t.Errorf("dropped: %+v", r)
	}
	for i, p := range r.Replies {
		if p.Seq != i+1 || p.Error != "no reply within 300 ms" || p.From != "" {
			t.Errorf("dropped: %+v", p)
		}
	}
	for verdict, problem := range map[string]string{
		"reject with icmp type port-unreachable": "Destination Port Unreachable",
		"reject with icmp type net-unreachable":  "Destination Net Unreachable",
		"reject with icmp type admin-prohibited": "Packet filtered",
		"reject with icmp type host-prohibited":  "Destination Host Prohibited",
	} {
		input(b, "input", "icmp type echo-request "+verdict)
		wantProblem(t, k, quick(a, "10.0.0.2"), "10.0.0.2", problem)
	}
	input(b, "input", "icmpv6 type echo-request reject with icmpv6 type admin-prohibited")
	wantProblem(t, k, quick(a, "fd00::2"), "fd00::2", "Destination unreachable: Administratively prohibited")
	input(a, "output", "icmp type echo-request drop")
	if r := mustPing(t, k, quick(a, "10.0.0.2")); r.Error != "operation not permitted" || r.Sent != 0 {
		t.Errorf("dropped on the way out: %+v", r)
	}
}

func TestPingBrokenMidway(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	r, err := k.Ping(t.Context(), topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 3, IntervalMS: 300}, func(p topology.PingReply) {
		switch p.Seq {
		case 1:
			nettest.Shell(t, "ip -n "+a+" link set eth0 down")
		case 2:
			nettest.Shell(t, "ip -n "+a+" link set eth0 up")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent != 2 || r.Received != 2 || len(r.Replies) != 3 || r.Error != "" || math.Abs(r.Loss-1./3) > 1e-9 {
		t.Errorf("%+v", r)
	}
	if p := r.Replies[1]; p.Seq != 2 || p.Error != "network is unreachable" {
		t.Errorf("%+v", p)
	}
}
