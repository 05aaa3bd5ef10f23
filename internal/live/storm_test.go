package live_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/netops"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// stormSize is how many changes a storm has.
const stormSize = 20_000

// tinyBuffer has the kernel take the least it allows (SOCK_MIN_RCVBUF in
// net/sock.h): two or three messages about a link.
var tinyBuffer = netops.Options{ReceiveBuffer: 1}

// batch has ip or bridge do what the lines say, whatever becomes of each.
func batch(t *testing.T, tool, namespace string, lines []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "batch")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nettest.Shell(t, fmt.Sprintf("%s -force -n %s -batch %s >/dev/null 2>&1 || true", tool, namespace, file))
}

// converges has what is shown a moment after a storm be what ip says.
func converges(t *testing.T, l *live.Live, w *netops.Watcher) {
	t.Helper()
	ended := time.Now()
	for {
		seen := time.Since(ended)
		wrong := agrees(t, l)
		switch {
		case wrong == "":
			t.Logf("true %s after the end, %d overruns, %d dumps, %d interrupted", seen.Round(time.Millisecond), w.Overruns(), w.Dumps(), w.Interrupted())
			return
		case seen > stormPatience:
			t.Fatalf("%s after the end of the storm, with %d overruns and %d dumps: %s", seen, w.Overruns(), w.Dumps(), wrong)
		}
		time.Sleep(stormPatience / 10)
	}
}

func TestStormOfLinkChanges(t *testing.T) {
	l, w := watchingWith(t, tinyBuffer, &topology.Spec{})
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	nettest.Shell(t, fmt.Sprintf("ip -n %s link add br0 type bridge && ip -n %s link set br0 up", a, a))
	for i := range 8 {
		nettest.Shell(t, fmt.Sprintf("ip -n %s link add e%d type veth peer name e%d netns %s && ip -n %s link set e%d up", a, i, i, b, b, i))
	}
	eventually(t, func() string { return agrees(t, l) })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	lines := make([]string, stormSize)
	for n := range lines {
		i := r.IntN(8)
		lines[n] = []string{
			fmt.Sprintf("link set e%d mtu %d", i, 1300+r.IntN(200)),
			fmt.Sprintf("link set e%d mtu %d", i, 1300+r.IntN(200)),
			fmt.Sprintf("link set e%d alias 'a %d'", i, r.IntN(100)),
			fmt.Sprintf("link set e%d up", i),
			fmt.Sprintf("link set e%d down", i),
			fmt.Sprintf("link set e%d master br0", i),
			fmt.Sprintf("link set e%d nomaster", i),
			fmt.Sprintf("link set e%d name x%d", i, i),
			fmt.Sprintf("link set x%d name e%d", i, i),
			fmt.Sprintf("addr add 10.%d.0.%d/24 dev e%d", i, 1+r.IntN(3), i),
			fmt.Sprintf("addr del 10.%d.0.%d/24 dev e%d", i, 1+r.IntN(3), i),
			fmt.Sprintf("route replace 10.%d.%d.0/24 dev e%d", 50+i, r.IntN(3), i),
		}[r.IntN(12)]
	}
	batch(t, "ip", a, lines)
	converges(t, l, w)
	if w.Overruns() == 0 {
		t.Error("nothing was lost: this has shown nothing")
	}
}

func TestStormOfFDBChanges(t *testing.T) {
	l, w := watchingWith(t, tinyBuffer, &topology.Spec{})
	a := nettest.Namespace(t)
	nettest.Shell(t, fmt.Sprintf("ip -n %[1]s link add br0 type bridge && ip -n %[1]s link set br0 up && ip -n %[1]s link add p0 master br0 type veth peer name p1 && ip -n %[1]s link set p1 master br0", a))
	eventually(t, func() string { return agrees(t, l) })
	lines := make([]string, stormSize)
	for n := range lines {
		i := n * 7919 % 3000
		verb := "replace"
		if n%3 == 2 {
			verb = "del"
		}
		lines[n] = fmt.Sprintf("fdb %s 02:00:00:00:%02x:%02x dev p%d master static", verb, i>>8, i&255, n%2)
	}
	batch(t, "bridge", a, lines)
	converges(t, l, w)
	if w.Overruns() == 0 {
		t.Error("nothing was lost: this has shown nothing")
	}
	if n := len(l.Snapshot().Namespace(a).FDB); n < 500 {
		t.Errorf("only %d entries are left", n)
	}
}

// TestNamespacesComeAndGoWhileTheyAreRead has a hundred namespaces made and deleted,
// with cables between them, while all are read again and again.
func TestNamespacesComeAndGoWhileTheyAreRead(t *testing.T) {
	l, w := watchingWith(t, tinyBuffer, &topology.Spec{})
	const n = 100
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("c", i)
	}
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete") })
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := w.Refresh(t.Context(), names...); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for round := range 2 {
		nettest.Shell(t, fmt.Sprintf(`for i in $(seq 0 %d); do
			ip netns add c$i
			ip -n c$i link add br0 type bridge
			ip -n c$i link set lo up
			if [ $i -gt 0 ]; then
				ip -n c$i link add up0 master br0 type veth peer name down0 netns c$((i-1))
				ip -n c$i link set up0 addrgenmode none up
				ip -n c$((i-1)) link set down0 addrgenmode none up
			fi
			if [ $((i %% 3)) = %d ]; then ip -n c$i addr add 10.0.0.1/24 dev br0; fi
		done`, n-1, round))
		if round < 1 {
			nettest.Shell(t, fmt.Sprintf("for i in $(seq 0 %d); do ip netns delete c$i; done", n-1))
		}
	}
	close(stop)
	readers.Wait()
	converges(t, l, w)
	if len(l.Snapshot().Namespaces) != n+1 {
		t.Errorf("%d namespaces are shown", len(l.Snapshot().Namespaces))
	}
	eventually(t, func() string { return peersAreMutual(l) })
}

// TestChangesAreNotReadAnew: what is told without a gap needs no dump.
func TestChangesAreNotReadAnew(t *testing.T) {
	l, w := watching(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	nettest.Shell(t, fmt.Sprintf("ip -n %[1]s link add br0 type bridge && ip -n %[1]s link set br0 up && ip -n %[1]s link add e0 type veth peer name e0 netns %[2]s && ip -n %[2]s link set e0 up", a, b))
	eventually(t, func() string { return agrees(t, l) + peersAreMutual(l) })
	time.Sleep(200 * time.Millisecond) // what is done a moment later is done
	dumps := w.Dumps()
	changes := 0
	for i := range 300 {
		lines := []string{
			fmt.Sprintf("link set e0 mtu %d", 1300+i%100), "link set e0 up", "link set e0 master br0",
			fmt.Sprintf("addr add 10.0.0.%d/24 dev e0", 1+i%200), "link set e0 down", "link set e0 nomaster",
			"link set e0 name x0", "link set x0 name e0",
		}
		if i%6 == 0 {
			lines = append(lines, fmt.Sprintf("link add v%d type veth peer name w%d netns %s", i, i, b), fmt.Sprintf("link set v%d master br0 up", i))
		}
		if i%6 == 1 && i%12 > 6 {
			lines = append(lines, fmt.Sprintf("link del v%d", i-1))
		}
		changes += len(lines)
		batch(t, "ip", a, lines)
		if i%20 == 0 { // not so many at once that some are lost on a busy machine
			eventually(t, func() string { return agrees(t, l) })
		}
	}
	eventually(t, func() string { return agrees(t, l) + peersAreMutual(l) })
	if w.Dumps() != dumps || w.Overruns() != 0 {
		t.Errorf("%d changes led to %d dumps and %d overruns", changes, w.Dumps()-dumps, w.Overruns())
	}
}
