package nettest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { Main(m) }

// recorder is a test whose outcome is looked at.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Skipped() bool    { return false }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) end() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}

func TestNoLeaksFindsEachKind(t *testing.T) {
	Require(t)
	r := &recorder{TB: t}
	NoLeaks(r)
	file, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan bool)
	away := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with it
		away <- unix.Unshare(unix.CLONE_NEWNET)
		<-stop
	}()
	if err := <-away; err != nil {
		t.Fatal(err)
	}
	Shell(t, "ip netns add leaked")
	r.end()
	close(stop)
	Shell(t, "ip netns delete leaked")
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(r.errors, "\n")
	for _, want := range []string{"-> /dev/null", "goroutines", "thread /proc/self/task/", "mount /run/netns/leaked", "name /run/netns/leaked"} {
		if !strings.Contains(all, want) {
			t.Errorf("not reported: %s", want)
		}
	}
}

func TestNoLeaksIsContent(t *testing.T) {
	r := &recorder{TB: t}
	NoLeaks(r)
	done := make(chan bool)
	go func() { done <- true }()
	<-done
	Shell(t, "ip netns add temporary && ip netns delete temporary")
	r.end()
	if len(r.errors) > 0 {
		t.Error(r.errors)
	}
}

// The tests' machine is their own.
func TestPrivateMachine(t *testing.T) {
	NoLeaks(t)
	links := IP(t, "host", "link", "show")
	if links[0]["ifname"] != "lo" || !slices.Contains(links[0]["flags"].([]any), any("UP")) {
		t.Errorf("first link: %v, want lo, up", links[0])
	}
	for _, l := range links[1:] { // fallback tunnels of some kernels, all down
		if slices.Contains(l["flags"].([]any), any("UP")) {
			t.Errorf("the host has %v", l)
		}
	}
	ns := Namespace(t)
	Shell(t, "ip -n "+ns+" link add br0 type bridge")
	if bridges := IP(t, ns, "link", "show", "type", "bridge"); len(bridges) != 1 || bridges[0]["ifname"] != "br0" {
		t.Errorf("bridges: %v", bridges)
	}
	if entries := Bridge(t, ns, "fdb", "show", "br", "br0"); len(entries) == 0 {
		t.Error("bridge -j shows no entry of a fresh bridge")
	}
}

func TestWorlds(t *testing.T) {
	if world := InWorld(); world != "" {
		Shell(t, "ip link add "+world+" type bridge")
		Report(t, []byte(world+" "+Shell(t, "ip -o link | grep -c bridge_")))
		return
	}
	NoLeaks(t)
	for _, name := range []string{"bridge_1", "bridge_2"} {
		report, err := World(t, name)
		if got, want := string(report), name+" 1\n"; err != nil || got != want {
			t.Errorf("reported %q (%v), want %q", got, err, want)
		}
	}
	if out := Shell(t, "ip -o link"); strings.Contains(out, "bridge_") {
		t.Errorf("a world's link is here: %s", out)
	}
}

func TestWorldThatFails(t *testing.T) {
	if InWorld() != "" {
		t.Fatal("broken on purpose")
	}
	_, err := World(t, "failing")
	if _, ok := errors.AsType[*exec.ExitError](err); !ok || !strings.Contains(err.Error(), "broken on purpose") {
		t.Errorf("%v, want the world's output", err)
	}
}
