package netops

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestCounters compares with ip, while nothing moves.
func TestCounters(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	nettest.Shell(t, fmt.Sprintf(`set -e; for n in %[1]s %[2]s; do ip netns exec $n sh -c 'for c in all default; do echo 1 >/proc/sys/net/ipv6/conf/$c/disable_ipv6; done'; done
		ip -n %[1]s link add e0 type veth peer name e0 netns %[2]s
		for n in %[1]s %[2]s; do ip -n $n link set e0 up; ip -n $n link set lo up; done
		ip -n %[1]s address add 10.0.0.1/24 dev e0; ip -n %[2]s address add 10.0.0.2/24 dev e0
		ip netns exec %[1]s ping -q -c3 -i0.1 -s1000 10.0.0.2; ip netns exec %[1]s ping -q -c1 10.0.0.1
		ip -n %[2]s link set e0 down; ip netns exec %[1]s ping -q -c1 -W1 10.0.0.2 || true`, a, b))
	var facts []CounterFacts
	// What waits for an ARP answer is dropped once a second, also between the looks.
	eventually(t, "it is what ip reads", func() bool {
		var err error
		if facts, err = k.Counters(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		got := map[int]topology.Counters{}
		for _, f := range facts {
			got[f.Ifindex] = f.Counters
		}
		d := cmp.Diff(countersOf(t, a), got)
		if d != "" {
			t.Logf("ip (-), read here (+):\n%s", d)
		}
		return d == ""
	})
	if !slices.ContainsFunc(facts, func(f CounterFacts) bool { return f.TxBytes > 3000 }) {
		t.Error("nothing was counted")
	}
	if _, err := k.Counters(t.Context(), "nowhere"); topology.CodeOf(err) != topology.CodeNotFound {
		t.Errorf("of no namespace: %v", err)
	}
}

// countersOf has ip read the counters of a namespace, by ifindex.
func countersOf(t *testing.T, namespace string) map[int]topology.Counters {
	t.Helper()
	out := map[int]topology.Counters{}
	for _, l := range nettest.IP(t, namespace, "-s", "link", "show") {
		n := func(way, what string) uint64 {
			stats, _ := l["stats64"].(map[string]any)
			one, _ := stats[way].(map[string]any)
			v, ok := one[what].(float64)
			if !ok {
				t.Fatalf("ip tells no %s %s: %v", way, what, l)
			}
			return uint64(v)
		}
		out[int(l["ifindex"].(float64))] = topology.Counters{
			RxBytes: n("rx", "bytes"), TxBytes: n("tx", "bytes"), RxPackets: n("rx", "packets"), TxPackets: n("tx", "packets"),
			RxErrors: n("rx", "errors"), TxErrors: n("tx", "errors"), RxDropped: n("rx", "dropped"), TxDropped: n("tx", "dropped"),
		}
	}
	return out
}

// TestMACTableOfOneBridge: the kernel is asked for that bridge's alone.
func TestMACTableOfOneBridge(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	nettest.Shell(t, fmt.Sprintf(`set -e; for i in 0 1; do
		ip -n %[1]s link add br$i type bridge; ip -n %[1]s link add p$i type veth peer name e$i; ip -n %[1]s link set p$i master br$i; for l in br$i e$i p$i; do ip -n %[1]s link set $l up; done
		bridge -n %[1]s fdb add 02:00:00:00:00:0$i dev p$i master dynamic; done`, a))
	for i := range 2 {
		bridge := fmt.Sprint("br", i)
		table, err := k.FDB(t.Context(), a, bridge)
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, f := range table {
			got = append(got, f.MAC)
			if mac := fmt.Sprintf("02:00:00:00:00:0%d", i); f.MAC == mac && (f.AgeSeconds == nil || *f.AgeSeconds > 30) {
				t.Errorf("the age of %s: %v", mac, f.AgeSeconds)
			}
		}
		for _, o := range nettest.Bridge(t, a, "fdb", "show", "br", bridge) {
			if o["master"] == bridge {
				want = append(want, o["mac"].(string))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		// A local entry is listed once more, with its VLAN, where there are VLANs.
		if got, want = slices.Compact(got), slices.Compact(want); !slices.Equal(got, want) || len(got) < 2 {
			t.Errorf("%s: %q, bridge says %q", bridge, got, want)
		}
	}
}
