package live_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/viewer"
)

// resident is a process in a network namespace of its own.
type resident struct {
	*exec.Cmd
	id string // of the namespace, as stat says
}

// inhabit starts one, which ends with the test at the latest.
func inhabit(t *testing.T) *resident {
	t.Helper()
	r := &resident{Cmd: exec.Command("unshare", "-n", "sh", "-c", "echo there; exec sleep 600")}
	out, err := r.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.end)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(line, err)
	}
	r.id = strings.TrimSpace(nettest.Shell(t, fmt.Sprintf("stat -L -c %%d-%%i /proc/%d/ns/net", r.Process.Pid)))
	return r
}

func (r *resident) end() {
	_ = r.Process.Kill()
	_ = r.Wait()
}

// namespaces writes what is shown beside the host: each by its name, with all of
// its names.
func namespaces(l *live.Live) string {
	var out []string
	for _, n := range l.Snapshot().Namespaces {
		if n.Name != "host" {
			out = append(out, n.Name+fmt.Sprint(n.Names))
		}
	}
	return strings.Join(out, " ")
}

func shows(t *testing.T, l *live.Live, want ...string) {
	t.Helper()
	slices.Sort(want)
	eventually(t, func() string {
		if got := namespaces(l); got != strings.Join(want, " ") {
			return fmt.Sprintf("%s is shown, not %s", got, strings.Join(want, " "))
		}
		return ""
	})
}

// TestNamespaceOfAProcess: nobody has named it, and yet it is shown with all that
// is in it, and with who lives there; until they end, and then the kernel can take
// it down.
func TestNamespaceOfAProcess(t *testing.T) {
	l, _ := watching(t)
	r := inhabit(t)
	began := time.Now()
	nettest.Shell(t, fmt.Sprintf("ip link add p0 type veth peer name eth0 netns %d && nsenter -t %d -n ip addr add 10.0.0.1/24 dev eth0", r.Process.Pid, r.Process.Pid))
	shows(t, l, r.id+"[]")
	t.Logf("seen after %s", time.Since(began))
	if took := time.Since(began); took > 4*time.Second { // two on a machine that is not busy
		t.Errorf("it was seen after %s", took)
	}
	eventually(t, func() string { return peerIs(l, "host", "p0", r.id+"/eth0") })
	eventually(t, func() string {
		n := l.Snapshot().Namespace(r.id)
		want := strings.Fields(nettest.Shell(t, fmt.Sprintf(`nsenter -t %d -n ip -o link | sed 's/^\([0-9]*\): \([^:@]*\).*/\1 \2/'`, r.Process.Pid)))
		var got []string
		for _, x := range n.Links {
			got = append(got, strconv.Itoa(x.Ifindex), x.Name)
		}
		if !slices.Equal(got, want) || n.Link("eth0").Addresses[0].CIDR != "10.0.0.1/24" {
			return fmt.Sprintf("links %v, ip says %v", got, want)
		}
		if n.Managed || n.Sync != topology.Foreign || n.Incomplete != "" || n.ID != r.id {
			return fmt.Sprintf("%+v", n)
		}
		if len(n.Processes) != 1 || n.Processes[0] != (topology.Process{PID: r.Process.Pid, Name: "sleep"}) || n.ProcessCount != 1 {
			return fmt.Sprintf("in it live %+v (%d), not sleep %d", n.Processes, n.ProcessCount, r.Process.Pid)
		}
		return ""
	})
	if host := l.Snapshot().Namespace("host"); len(host.Processes) > 0 {
		t.Errorf("processes of the host: %+v", host.Processes)
	}
	second := exec.Command("nsenter", "-t", strconv.Itoa(r.Process.Pid), "-n", "sleep", "600")
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		if n := l.Snapshot().Namespace(r.id); n.ProcessCount != 2 || len(n.Processes) != 2 || n.Processes[1].PID != second.Process.Pid {
			return fmt.Sprintf("with a second process: %+v", n.Processes)
		}
		return ""
	})
	r.end()
	eventually(t, func() string {
		if n := l.Snapshot().Namespace(r.id); n == nil || n.ProcessCount != 1 || n.Processes[0].PID != second.Process.Pid {
			return fmt.Sprintf("without the first: %+v", n)
		}
		return ""
	})
	_ = second.Process.Kill()
	_ = second.Wait()
	// Watching does not keep it alive.
	eventually(t, func() string {
		if out := nettest.Shell(t, "ip -br link show type veth"); out != "" {
			return "still there: " + out
		}
		return agrees(t, l)
	})
}

// TestChangesOfWhoLivesThere are told as one event, and nothing is read for it.
func TestChangesOfWhoLivesThere(t *testing.T) {
	l, w := watching(t)
	a := nettest.Namespace(t)
	eventually(t, func() string { return agrees(t, l) })
	seq, dumps := l.Snapshot().Seq, w.Dumps()
	told := make(chan string, 1000)
	follow(t, l, &seq, func(_ viewer.Message, text string) { told <- text })
	cmd := exec.Command("ip", "netns", "exec", a, "sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for found := false; !found; {
		text := <-told
		if !strings.Contains(text, `"type":"namespace.changed"`) || !strings.Contains(text, `"links":null`) {
			t.Fatalf("told: %s", text)
		}
		found = strings.Contains(text, fmt.Sprintf(`"processes":[{"pid":%d,"name":"sleep"}],"process_count":1`, cmd.Process.Pid))
	}
	time.Sleep(2500 * time.Millisecond) // in which nothing changes
	if now := l.Snapshot().Seq; now > seq+3 {
		t.Errorf("%d events", now-seq)
	}
	if now := w.Dumps(); now != dumps {
		t.Errorf("%d namespaces were read", now-dumps)
	}
}

func TestPeerInANamespaceOfAProcess(t *testing.T) {
	l, _ := watching(t)
	a := nettest.Namespace(t)
	r := inhabit(t)
	nettest.Shell(t, fmt.Sprintf("ip -n %s link add x type veth peer name y netns %d", a, r.Process.Pid))
	eventually(t, func() string { return peerIs(l, a, "x", r.id+"/y") })
	// It gets a name, and loses it again while the process lives on.
	nettest.Shell(t, fmt.Sprintf("ip netns attach seen %d", r.Process.Pid))
	eventually(t, func() string { return peerIs(l, a, "x", "seen/y") })
	eventually(t, func() string {
		if l.Snapshot().Namespace("seen").ProcessCount != 1 {
			return "nobody seems to live there"
		}
		return ""
	})
	readUpTo := listenFor(t, l, func(text string) {
		if strings.Contains(text, "removed") { // it was there all the time
			t.Errorf("told: %s", text)
		}
	})
	nettest.Shell(t, "ip netns delete seen")
	eventually(t, func() string { return peerIs(l, a, "x", r.id+"/y") })
	shows(t, l, a+"["+a+"]", r.id+"[]")
	readUpTo(l.Snapshot().Seq)
}

// listenFor has check called with what is told from now on; what it gives waits
// until that has been done up to an event.
func listenFor(t *testing.T, l *live.Live, check func(text string)) (upTo func(seq uint64)) {
	t.Helper()
	since := l.Snapshot().Seq
	var last atomic.Uint64
	last.Store(since)
	follow(t, l, &since, func(m viewer.Message, text string) {
		check(text)
		last.Store(m.Seq)
	})
	return func(seq uint64) {
		t.Helper()
		eventually(t, func() string {
			if now := last.Load(); now < seq {
				return fmt.Sprintf("%d is told, not yet %d", now, seq)
			}
			return ""
		})
	}
}

// TestPeerInANamespaceNobodySees: only an open file holds it, which cannot be
// found.
func TestPeerInANamespaceNobodySees(t *testing.T) {
	l, _ := watching(t)
	a := nettest.Namespace(t)
	r := inhabit(t)
	file, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", r.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r.end()
	path := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), file.Fd())
	nettest.Shell(t, fmt.Sprintf("nsenter --net=%s ip link add y type veth peer name x && nsenter --net=%s ip link set x netns /run/netns/%s", path, path, a))
	eventually(t, func() string { return peerIs(l, a, "x", "unknown") })
	shows(t, l, a+"["+a+"]")
	// It gets a name, and with it the peer is known.
	nettest.Shell(t, fmt.Sprintf("touch /run/netns/seen && mount --bind %s /run/netns/seen", path))
	eventually(t, func() string { return peerIs(l, a, "x", "seen/y") })
	nettest.Shell(t, "ip netns delete seen")
	eventually(t, func() string { return peerIs(l, a, "x", "unknown") })
}

// TestMountedElsewhere: Docker mounts its namespaces under a directory of its own,
// which comes with its first container.
func TestMountedElsewhere(t *testing.T) {
	l, _ := watching(t)
	dir := filepath.Join(t.TempDir(), "docker net", "netns")
	r := inhabit(t)
	nettest.Shell(t, fmt.Sprintf("mkdir -p '%s' && touch '%s/abc' && mount --bind /proc/%d/ns/net '%s/abc'", dir, dir, r.Process.Pid, dir))
	mounted := true
	t.Cleanup(func() {
		if mounted {
			nettest.Shell(t, "umount '"+dir+"/abc'")
		}
	})
	nettest.Shell(t, fmt.Sprintf("ip link add p0 type veth peer name eth0 netns %d", r.Process.Pid))
	r.end()
	shows(t, l, r.id+"[]")
	eventually(t, func() string { return peerIs(l, "host", "p0", r.id+"/eth0") })
	// It is no name: nothing can be asked for by it.
	if n := l.Snapshot().Namespace("abc"); n != nil {
		t.Errorf("abc is %+v", n)
	}
	// A name of its own makes no difference to what is seen.
	nettest.Shell(t, fmt.Sprintf("touch /run/netns/own && mount --bind '%s/abc' /run/netns/own", dir))
	shows(t, l, "own[own]")
	nettest.Shell(t, "ip netns delete own")
	shows(t, l, r.id+"[]")
	nettest.Shell(t, "umount '"+dir+"/abc'")
	mounted = false
	eventually(t, func() string {
		if out := nettest.Shell(t, "ip -br link show type veth"); out != "" {
			return "still there: " + out
		}
		return agrees(t, l)
	})
}

// TestIpNetnsAddIsSeenOnce: ip is in the new namespace before it names it. For
// longer than a moment it is so only where it has to wait for a processor, so it
// goes before everything else on the machine (SCHED_RR).
func TestIpNetnsAddIsSeenOnce(t *testing.T) {
	l, _ := watching(t)
	seq := l.Snapshot().Seq
	readUpTo := listenFor(t, l, func(text string) {
		if strings.Contains(text, `"namespace":{"id":`) && strings.Contains(text, `"names":[]`) {
			t.Errorf("shown without a name: %s", text)
		}
	})
	nettest.Shell(t, "for j in 1 2 3 4; do for i in $(seq 400); do chrt --rr 1 ip netns add n$j-$i; ip netns delete n$j-$i; done & done; wait")
	shows(t, l)
	if l.Snapshot().Seq < seq+300 {
		t.Error("they were not shown at all")
	}
	readUpTo(l.Snapshot().Seq)
}

// TestProcessThatUnshares leaves one namespace for another.
func TestProcessThatUnshares(t *testing.T) {
	l, _ := watching(t)
	cmd := exec.Command("unshare", "-n", "sh", "-c", "read x; exec unshare -n sleep 600")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	id := func() string {
		var st syscall.Stat_t
		if err := syscall.Stat(fmt.Sprintf("/proc/%d/ns/net", cmd.Process.Pid), &st); err != nil {
			t.Fatal(err)
		}
		return topology.NamespaceID{Dev: st.Dev, Ino: st.Ino}.String()
	}
	eventually(t, func() string {
		if got := namespaces(l); got != id()+"[]" {
			return got + " is shown, not " + id()
		}
		return ""
	})
	first := id()
	if _, err := fmt.Fprintln(in, "go"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		if got := namespaces(l); id() == first || got != id()+"[]" {
			return got + " is shown, not " + id()
		}
		return ""
	})
}
