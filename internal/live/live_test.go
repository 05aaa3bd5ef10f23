package live_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

func findLink(l *live.Live, namespace, name string) *topology.Link {
	if n := l.Snapshot().Namespace(namespace); n != nil {
		return n.Link(name)
	}
	return nil
}

func peerIs(l *live.Live, namespace, name, want string) string {
	x := findLink(l, namespace, name)
	got := "no such link"
	if x != nil && x.Peer != nil {
		got = "unknown"
		if x.Peer.Known {
			got = x.Peer.Namespace + "/" + x.Peer.Name
		}
	}
	if got != want {
		return fmt.Sprintf("peer of %s/%s is %s, want %s", namespace, name, got, want)
	}
	return ""
}

func TestFollowsWhatIPDoes(t *testing.T) {
	l, _ := watching(t)
	a, b, sw := nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t)
	for _, step := range []string{
		"ip -n A link add v0 type veth peer name v0 netns B",
		"ip -n A link set v0 up && ip -n B link set v0 up",
		"ip -n A addr add 10.0.0.1/24 dev v0 && ip -n B addr add 10.0.0.2/24 dev v0",
		"ip netns exec A ping -qc1 -W2 10.0.0.2",
		"ip -n A route add default via 10.0.0.2",
		"ip -n A route replace default via 10.0.0.3",
		"ip -n A route add 10.9.0.0/16 via 10.0.0.2 metric 5",
		"ip -n B link set v0 mtu 1400 alias 'a b'",
		"ip -n B link set v0 down",
		"ip -n B link set v0 name w9 && ip -n B link set w9 up",
		"ip -n SW link add br0 type bridge && ip -n SW link set br0 up",
		"ip -n B link set w9 netns SW && ip -n SW link set w9 master br0 up",
		"ip -n SW addr add 10.0.0.9/24 dev br0 && ip netns exec A ping -qc1 -W3 10.0.0.9",
		"bridge -n SW fdb add 02:00:00:00:00:77 dev w9 master static",
		"ip -n SW link set br0 name br9",
		"bridge -n SW link set dev w9 learning off hairpin on",
		"ip -n SW link set w9 nomaster",
		"ip -n SW link del br9",
		"ip -n A addr del 10.0.0.1/24 dev v0",
		"ip -n A link del v0",
	} {
		nettest.Shell(t, strings.NewReplacer(" A ", " "+a+" ", " B ", " "+b+" ", " B\n", " "+b, " SW ", " "+sw+" ", "netns B", "netns "+b, "netns SW", "netns "+sw).Replace(step))
		eventually(t, func() string {
			if wrong := agrees(t, l); wrong != "" {
				return "after " + step + ": " + wrong
			}
			return ""
		})
	}
}

// TestFollowsRandomChanges does what somebody with ip might, at random, and
// compares at the end of each burst.
func TestFollowsRandomChanges(t *testing.T) {
	l, _ := watching(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	ns := []string{nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t)}
	for _, n := range ns {
		nettest.Shell(t, fmt.Sprintf("ip -n %s link add br0 type bridge && ip -n %s link set br0 up", n, n))
	}
	anyOf := func() string { return ns[r.IntN(len(ns))] }
	for range 12 {
		var script strings.Builder
		for range 12 {
			n, i := anyOf(), r.IntN(4)
			script.WriteString([]string{
				fmt.Sprintf("ip -n %s link add e%d type veth peer name e%d netns %s", n, i, r.IntN(4), anyOf()),
				fmt.Sprintf("ip -n %s link set e%d up", n, i),
				fmt.Sprintf("ip -n %s link set e%d down", n, i),
				fmt.Sprintf("ip -n %s link set e%d netns %s", n, i, anyOf()),
				fmt.Sprintf("ip -n %s link set e%d master br0", n, i),
				fmt.Sprintf("ip -n %s link set e%d nomaster", n, i),
				fmt.Sprintf("ip -n %s link del e%d", n, i),
				fmt.Sprintf("ip -n %s link set e%d mtu %d", n, i, 1400+r.IntN(50)),
				fmt.Sprintf("ip -n %s addr add 10.%d.0.%d/24 dev e%d", n, i, 1+r.IntN(3), i),
				fmt.Sprintf("ip -n %s addr flush dev e%d scope global", n, i),
				fmt.Sprintf("ip -n %s route add 10.%d.0.0/16 dev e%d", n, 50+i, i),
				fmt.Sprintf("ip -n %s link set e%d name x%d", n, i, i),
				fmt.Sprintf("ip -n %s link set x%d name e%d", n, i, i),
			}[r.IntN(13)] + "; ")
		}
		// Many of these fail, as they should: the link is not there.
		_ = exec.Command("sh", "-c", script.String()).Run()
		eventually(t, func() string {
			if wrong := agrees(t, l); wrong != "" {
				return fmt.Sprintf("seed %d, after %s\n%s", seed, script.String(), wrong)
			}
			return peersAreMutual(l)
		})
	}
}

func peersAreMutual(l *live.Live) string {
	byKey := map[string]*topology.Link{}
	for _, n := range l.Snapshot().Namespaces {
		for _, x := range n.Links {
			byKey[x.Key] = x
		}
	}
	for _, x := range byKey {
		if x.Kind != "veth" {
			continue
		}
		if x.Peer == nil || !x.Peer.Known {
			return x.Namespace + "/" + x.Name + " has no known peer"
		}
		if p := byKey[x.Peer.Key]; p == nil || p.Peer == nil || p.Peer.Key != x.Key {
			return x.Namespace + "/" + x.Name + ": its peer does not name it back"
		}
	}
	return ""
}

func TestPeersWithOneIfindex(t *testing.T) {
	l, _ := watching(t)
	a, b, c, d := nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t)
	// Two pairs whose four ends all have the same index.
	nettest.Shell(t, fmt.Sprintf("ip -n %s link add x index 77 type veth peer name y index 77 netns %s", a, b))
	nettest.Shell(t, fmt.Sprintf("ip -n %s link add x index 77 type veth peer name y index 77 netns %s", c, d))
	for _, p := range [][2]string{{a, b}, {c, d}} {
		eventually(t, func() string { return peerIs(l, p[0], "x", p[1]+"/y") })
		eventually(t, func() string { return peerIs(l, p[1], "y", p[0]+"/x") })
	}
	nettest.Shell(t, fmt.Sprintf("ip -n %s link set y netns %s name z", b, c))
	eventually(t, func() string { return peerIs(l, a, "x", c+"/z") })
	eventually(t, func() string { return peerIs(l, c, "z", a+"/x") })
	eventually(t, func() string { return peerIs(l, c, "x", d+"/y") })
}

func TestNamespaceComesAndGoes(t *testing.T) {
	l, _ := watching(t)
	a := nettest.Namespace(t)
	nettest.Shell(t, fmt.Sprintf("ip link add p0 type veth peer name eth0 netns %s", a))
	eventually(t, func() string { return peerIs(l, "host", "p0", a+"/eth0") })
	nettest.Shell(t, "ip netns delete "+a)
	// Watching does not keep it alive: the kernel takes the pair down.
	eventually(t, func() string {
		if out := nettest.Shell(t, "ip -br link show type veth"); out != "" {
			return "still there: " + out
		}
		return agrees(t, l)
	})
	nettest.Shell(t, "ip netns add "+a)
	eventually(t, func() string { return agrees(t, l) })
	// Its inode, and so its ID, may be the old one's: the kernel uses them again.
	if n := l.Snapshot().Namespace(a); len(n.Links) != 1 {
		t.Errorf("the new %s is shown as the old one: %+v", a, n)
	}
	nettest.Shell(t, fmt.Sprintf("ip netns add other && ip netns delete %s && mv /run/netns/other /run/netns/other2 2>/dev/null; ip netns delete other 2>/dev/null; ip netns delete other2 2>/dev/null; true", a))
	eventually(t, func() string { return agrees(t, l) })
}

func TestMACTableWithinASecond(t *testing.T) {
	l, _ := watching(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	nettest.Shell(t, "ip link add br0 type bridge ageing_time 100 && ip link set br0 up")
	t.Cleanup(func() { nettest.Shell(t, "ip link del br0") })
	for i, n := range []string{a, b} {
		nettest.Shell(t, fmt.Sprintf("ip link add p%d type veth peer name eth0 netns %s && ip link set p%d master br0 up && ip -n %s link set eth0 up && ip -n %s addr add 10.0.0.%d/24 dev eth0", i, n, i, n, n, i+1))
	}
	nettest.Shell(t, fmt.Sprintf("ip netns exec %s ping -qc1 -W3 10.0.0.2", a))
	mac := findLink(l, a, "eth0").MAC
	learned := func() string {
		for _, e := range l.Snapshot().Namespace("host").FDB {
			if e.MAC == mac {
				if e.Port == "p0" && e.State == "learned" && e.Owner != nil && *e.Owner == (topology.LinkRef{Namespace: a, Name: "eth0"}) {
					return "learned"
				}
				return fmt.Sprintf("%+v", e)
			}
		}
		return "not there"
	}
	eventually(t, func() string {
		if got := learned(); got != "learned" {
			return got
		}
		return ""
	})
	list, err := l.FDB(t.Context(), "host", "br0")
	if err != nil {
		t.Fatal(err)
	}
	aged := 0
	for _, e := range list {
		if e.State == "learned" && e.AgeSeconds != nil {
			aged++
		}
	}
	if aged == 0 {
		t.Error("no age in a fresh MAC table")
	}
	nettest.Shell(t, fmt.Sprintf("ip -n %s link set eth0 down", a)) // nothing refreshes the entry any more
	eventually(t, func() string {
		if got := learned(); got != "not there" {
			return "not aged out: " + got
		}
		return ""
	})
}

// TestSeesEveryNamespace has them made quicker than they are looked at: the file
// of a name is there a moment before the namespace is mounted on it.
func TestSeesEveryNamespace(t *testing.T) {
	l, _ := watching(t)
	nettest.Shell(t, "for j in 1 2; do for i in $(seq 75); do ip netns add many$j-$i & done; wait; done")
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete") })
	eventually(t, func() string {
		if n := len(l.Snapshot().Namespaces); n != 151 {
			return fmt.Sprintf("%d namespaces are shown, 151 are there", n)
		}
		return ""
	})
}
