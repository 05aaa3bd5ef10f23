package live_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// hasBridge compares whether a namespace has the link marker with what ip says.
func hasMarker(t *testing.T, l *live.Live, namespace string, want bool) {
	t.Helper()
	eventually(t, func() string {
		byIP := strings.Contains(nettest.Shell(t, "ip -n "+namespace+" -o link"), "marker")
		if shown := findLink(l, namespace, "marker") != nil; shown != byIP || byIP != want {
			return fmt.Sprintf("a marker in %s: ip says %t, shown %t, want %t", namespace, byIP, shown, want)
		}
		return ""
	})
}

// TestSeveralNames: one namespace is shown once, by the first of its names, or
// by the intended one.
func TestSeveralNames(t *testing.T) {
	l, _ := watchingSpec(t, &topology.Spec{Namespaces: []topology.Namespace{{Name: "zz"}}})
	nettest.Shell(t, "ip netns add b && ip -n b link add marker type bridge")
	t.Cleanup(func() { nettest.Shell(t, "for n in a b zz; do ip netns delete $n 2>/dev/null; done; true") })
	another := func(name string) {
		nettest.Shell(t, "touch /run/netns/"+name+" && mount --bind /run/netns/b /run/netns/"+name)
	}
	shows(t, l, "b[b]", "zz[]") // which is missing
	another("a")
	shows(t, l, "a[a b]", "zz[]")
	another("zz")
	shows(t, l, "zz[a b zz]")
	for _, name := range []string{"a", "b", "zz"} {
		hasMarker(t, l, name, true)
	}
	if n := l.Snapshot().Namespace("b"); !n.Managed {
		t.Errorf("%+v", n)
	}
	nettest.Shell(t, "ip netns delete zz")
	shows(t, l, "a[a b]", "zz[]")
	nettest.Shell(t, "ip netns delete a")
	shows(t, l, "b[b]", "zz[]")
	hasMarker(t, l, "b", true)
}

// TestReplacedUnderItsName: the name stays and stands for another namespace.
// inotify tells of none of these but the first.
func TestReplacedUnderItsName(t *testing.T) {
	for how, script := range map[string]string{
		"deleted and added":       "ip netns delete x && ip netns add x",
		"unmounted and mounted":   "umount /run/netns/x && mount --bind /run/netns/other /run/netns/x",
		"mounted over":            "mount --bind /run/netns/other /run/netns/x",
		"unmounted, and later on": "umount /run/netns/x; sleep 2; mount --bind /run/netns/other /run/netns/x",
	} {
		t.Run(how, func(t *testing.T) {
			l, _ := watching(t)
			nettest.Shell(t, "ip netns add x && ip netns add other && ip -n x link add marker type bridge && ip link add p0 type veth peer name eth0 netns x")
			t.Cleanup(func() {
				nettest.Shell(t, "umount /run/netns/x 2>/dev/null; ip netns delete x; ip netns delete other; ip link delete p0 2>/dev/null; true")
			})
			hasMarker(t, l, "x", true)
			nettest.Shell(t, script)
			hasMarker(t, l, "x", false)
			if !strings.HasPrefix(how, "mounted over") { // else the old one is below, and lives
				eventually(t, func() string {
					if out := nettest.Shell(t, "ip -br link show type veth"); out != "" {
						return "the old one lives: " + out
					}
					return ""
				})
			}
			if how == "deleted and added" {
				shows(t, l, "other[other]", "x[x]")
			} else {
				shows(t, l, "other[other x]")
			}
		})
	}
}

// TestNameMoves: a name can be moved as any file, if nothing is mounted on it; a
// link to a process's namespace is such a name, too.
func TestNameMoves(t *testing.T) {
	l, _ := watching(t)
	r, s := inhabit(t), inhabit(t)
	nettest.Shell(t, fmt.Sprintf("ln -s /proc/%d/ns/net /run/netns/linked", r.Process.Pid))
	t.Cleanup(func() { nettest.Shell(t, "rm -f /run/netns/linked /run/netns/moved") })
	shows(t, l, "linked[linked]", s.id+"[]")
	nettest.Shell(t, "mv /run/netns/linked /run/netns/moved")
	shows(t, l, "moved[moved]", s.id+"[]")
	nettest.Shell(t, fmt.Sprintf("ln -s /proc/%d/ns/net /run/netns/linked && mv /run/netns/linked /run/netns/moved", s.Process.Pid))
	shows(t, l, "moved[moved]", r.id+"[]")
	if n := l.Snapshot().Namespace("moved"); n.ID != s.id {
		t.Errorf("moved is %s, not %s", n.ID, s.id)
	}
	s.end() // of which nothing in the directory tells
	shows(t, l, r.id+"[]")
}

// TestNamesThatAreNone: a leftover, a directory, a pipe, another kind of namespace.
// They are not shown and hinder nobody.
func TestNamesThatAreNone(t *testing.T) {
	nettest.NoLeaks(t)
	nettest.Shell(t, "cd /run/netns && touch before && mkdir directory && mkfifo pipe && touch uts && mount --bind /proc/self/ns/uts uts && ln -s /none dangling")
	t.Cleanup(func() {
		nettest.Shell(t, "cd /run/netns && umount uts && rm -rf before directory pipe uts dangling")
	})
	l, _ := watching(t)
	t.Cleanup(func() { nettest.Shell(t, "rm -f /run/netns/after /run/netns/becomes") })
	shows(t, l)
	nettest.Shell(t, "cd /run/netns && touch after becomes && mkdir directory/below")
	a := nettest.Namespace(t)
	shows(t, l, a+"["+a+"]")
	// A leftover becomes a name long after it was looked at.
	time.Sleep(3 * time.Second) // until nobody looks at it any more
	nettest.Shell(t, "mount --bind /run/netns/"+a+" /run/netns/becomes")
	shows(t, l, "becomes[becomes "+a+"]")
	nettest.Shell(t, "umount /run/netns/becomes") // the file stays
	shows(t, l, a+"["+a+"]")
}

// TestNameHost: host is the namespace netdash runs in, whatever a file is called.
func TestNameHost(t *testing.T) {
	l, _ := watching(t)
	nettest.Shell(t, "ip netns add host && nsenter --net=/run/netns/host ip link add marker type bridge")
	t.Cleanup(func() { nettest.Shell(t, "ip netns delete host; umount /run/netns/here; rm -f /run/netns/here; true") })
	id := strings.TrimSpace(nettest.Shell(t, "stat -L -c %d-%i /run/netns/host"))
	shows(t, l, id+"[host]")
	if n := l.Snapshot().Namespace("host"); n.ID == id || n.Link("marker") != nil || len(n.Names) > 0 {
		t.Errorf("host is %+v", n)
	}
	if n := l.Snapshot().Namespace(id); n == nil || n.Link("marker") == nil || n.Managed {
		t.Errorf("%s is %+v", id, n)
	}
	if list, err := l.FDB(t.Context(), id, "marker"); err != nil || len(list) == 0 {
		t.Errorf("the MAC table of its bridge: %v, %v", list, err)
	}
	// And the host may have names of its own.
	nettest.Shell(t, "touch /run/netns/here && mount --bind /proc/self/ns/net /run/netns/here")
	eventually(t, func() string {
		if n := l.Snapshot().Namespace("here"); n == nil || n.Name != "host" {
			return fmt.Sprintf("here is %+v", n)
		}
		return ""
	})
	shows(t, l, id+"[host]")
}

// TestUnreadableNamespace: one that netdash may not enter is shown and called
// incomplete. Whose root netdash is does not own this one.
func TestUnreadableNamespace(t *testing.T) {
	if nettest.InWorld() == "" {
		outside := t.TempDir() + "/outside"
		nettest.Shell(t, "touch "+outside+" && unshare --net="+outside+" true")
		defer nettest.Shell(t, "umount "+outside)
		t.Setenv("NETDASH_TEST_OUTSIDE", outside)
		if _, err := nettest.UserWorld(t, "that did not make it"); err != nil {
			t.Error(err)
		}
		return
	}
	l, _ := watching(t)
	outside := os.Getenv("NETDASH_TEST_OUTSIDE")
	id := strings.TrimSpace(nettest.Shell(t, "stat -L -c %d-%i "+outside))
	incomplete := func(name string) {
		t.Helper()
		eventually(t, func() string {
			n := l.Snapshot().Namespace(name)
			if n == nil || n.ID != id || !strings.Contains(n.Incomplete, "not permitted") || len(n.Links) > 0 {
				return fmt.Sprintf("%s is %+v", name, n)
			}
			return ""
		})
	}
	incomplete(id) // found as a mount
	nettest.Shell(t, "touch /run/netns/theirs && mount --bind "+outside+" /run/netns/theirs")
	incomplete("theirs")
	a := nettest.Namespace(t)
	shows(t, l, a+"["+a+"]", "theirs[theirs]")
	if n := l.Snapshot().Namespace(a); n.Incomplete != "" {
		t.Errorf("%+v", n)
	}
	nettest.Shell(t, "umount /run/netns/theirs && rm /run/netns/theirs")
	incomplete(id)
}

// TestUnreadableForAWhile: when there are no more files to open it with, a
// namespace is shown as incomplete, and read as soon as there are.
func TestUnreadableForAWhile(t *testing.T) {
	l, _ := watching(t)
	r := inhabit(t)
	file, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", r.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	nettest.Shell(t, fmt.Sprintf("nsenter -t %d -n ip link add marker type bridge", r.Process.Pid))
	shows(t, l, r.id+"[]")
	r.end()
	shows(t, l)
	t.Cleanup(func() { _ = os.Remove("/run/netns/late") })
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 3 // what is open stays so
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	restore := sync.OnceFunc(func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) })
	defer restore()
	if err := os.Symlink(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), file.Fd()), "/run/netns/late"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		n := l.Snapshot().Namespace("late")
		if n == nil || n.ID != r.id || !strings.Contains(n.Incomplete, "too many open files") {
			return fmt.Sprintf("late is %+v", n)
		}
		return ""
	})
	restore()
	hasMarker(t, l, "late", true)
	if n := l.Snapshot().Namespace("late"); n.Incomplete != "" {
		t.Errorf("%+v", n)
	}
}
