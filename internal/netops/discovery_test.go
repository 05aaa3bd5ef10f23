package netops

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"netdash/internal/inhabitants"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// sightings is what a watch has reported last.
type sightings struct {
	*Watcher
	mu     sync.Mutex
	who    map[topology.NamespaceID]topology.Inhabitants
	events map[topology.NamespaceID]int // Inhabited
	names  map[topology.NamespaceID][]string
}

func sight(t *testing.T, opts Options) (*Kernel, *sightings) {
	t.Helper()
	nettest.NoLeaks(t)
	k, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	w, err := k.Watch()
	if err != nil {
		t.Fatal(err)
	}
	s := &sightings{
		Watcher: w, who: map[topology.NamespaceID]topology.Inhabitants{},
		events: map[topology.NamespaceID]int{}, names: map[topology.NamespaceID][]string{},
	}
	var all sync.WaitGroup
	all.Go(func() {
		for o := range w.Observations() {
			s.mu.Lock()
			switch o := o.(type) {
			case Barrier:
				o.Reached()
			case NamespaceSeen:
				s.names[o.ID] = o.Names
			case NamespaceGone:
				delete(s.names, o.ID)
			case Inhabited:
				s.who[o.ID] = o.Inhabitants
				s.events[o.ID]++
			}
			s.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		w.Close()
		all.Wait()
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k, s
}

func (s *sightings) of(id topology.NamespaceID) topology.Inhabitants {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.who[id]
}

// TestContainer has a process in a cgroup named as Docker names them, and asks a
// Docker that is one handler.
func TestContainer(t *testing.T) {
	nettest.Require(t)
	const container = "4fd1f3e1c84bd2b8ad2a5c3e7d0a6c5b8f9e0d1c2b3a49586776655443322110"
	socket := filepath.Join(t.TempDir(), "docker.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var asked sync.Map
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, twice := asked.Swap(r.URL.Path, true); twice {
			t.Errorf("%s is asked for twice", r.URL.Path)
		}
		fmt.Fprint(w, `{"Name":"/web","Config":{"Image":"nginx:1"}}`)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-served })

	cgroups := t.TempDir()
	if out, err := exec.Command("mount", "-t", "cgroup2", "none", cgroups).CombinedOutput(); err != nil {
		t.Skipf("needs the unified hierarchy of cgroups: %s", out)
	}
	t.Cleanup(func() { nettest.Shell(t, "umount "+cgroups) })
	dir := filepath.Join(cgroups, "docker-"+container+".scope")
	nettest.Shell(t, "mkdir "+dir)
	t.Cleanup(func() {
		eventually(t, "the cgroup is empty", func() bool { return os.Remove(dir) == nil })
	})
	cmd := exec.Command("unshare", "-n", "sh", "-c", "echo $$ >"+dir+"/cgroup.procs && exec sleep 600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })

	k, s := sight(t, Options{Engines: &inhabitants.Engines{Docker: []string{socket}}})
	want := topology.Inhabitants{
		Processes: []topology.Process{{PID: cmd.Process.Pid, Name: "sleep"}}, ProcessCount: 1,
		Container: &topology.Container{ID: container, Name: "web", Engine: "docker", Image: "nginx:1"},
	}
	var id topology.NamespaceID
	eventually(t, "process and container are told", func() bool {
		if id, err = identify(k.proc.NamespacePath(cmd.Process.Pid)); err != nil {
			t.Fatal(err)
		}
		return reflect.DeepEqual(s.of(id), want)
	})
	s.mu.Lock()
	events := s.events[id]
	s.mu.Unlock()
	time.Sleep(3 * roundEvery)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events[id] != events {
		t.Errorf("told %d times more, with nothing new", s.events[id]-events)
	}
}

// TestOwnNamespaces: those that netdash makes for itself, and its threads in
// others, are nobody's business.
func TestOwnNamespaces(t *testing.T) {
	k, s := sight(t, Options{})
	sentinel, err := newSentinel(k)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := sentinel.close(); err != nil {
			t.Error(err)
		}
	}()
	inside := make(chan struct{})
	var thread sync.WaitGroup
	thread.Go(func() {
		if err := k.inNewNamespace(func() error { <-inside; return nil }); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(2*roundEvery + 2*confirmAfter)
	close(inside)
	thread.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.names) != 1 || len(s.who) > 0 {
		t.Errorf("seen: %v, %v", s.names, s.who)
	}
}

// TestFoundByID: a Kernel that watches nothing finds a namespace by what holds
// it, and holds it no longer than it needs it.
func TestFoundByID(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	cmd := exec.Command("ip", "netns", "exec", a, "unshare", "-n", "sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	path := k.proc.NamespacePath(cmd.Process.Pid)
	named, err := identify("/run/netns/" + a)
	if err != nil {
		t.Fatal(err)
	}
	var id topology.NamespaceID
	eventually(t, "it has unshared", func() bool {
		id, err = identify(path)
		return err == nil && id != k.host.id && id != named
	})
	pid := strconv.Itoa(cmd.Process.Pid)
	nettest.Shell(t, "ip link add p0 type veth peer name eth0 netns "+pid)
	where := func() (found string) {
		err := k.Do(id.String(), func() error { found, err = os.Readlink("/proc/thread-self/ns/net"); return err })
		if err != nil {
			return err.Error()
		}
		return found
	}
	want := fmt.Sprintf("net:[%d]", id.Ino)
	if got := where(); got != want {
		t.Errorf("by its process: %s, want %s", got, want)
	}
	point := filepath.Join(t.TempDir(), "a point")
	nettest.Shell(t, fmt.Sprintf("touch '%s' && mount --bind %s '%s'", point, path, point))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if got := where(); got != want {
		t.Errorf("by its mount: %s, want %s", got, want)
	}
	nettest.Shell(t, "umount '"+point+"'")
	if err := k.Do(id.String(), func() error { return nil }); topology.CodeOf(err) != topology.CodeNotFound {
		t.Errorf("when it is gone: %v, want not_found", err)
	}
	eventually(t, "the kernel takes it down", func() bool {
		return !strings.Contains(nettest.Shell(t, "ip -o link"), "p0")
	})
}

// TestHoldHoldsProcessesBack: a name that waits for Refresh is not found by who
// lives there.
func TestHoldHoldsProcessesBack(t *testing.T) {
	k, s := sight(t, Options{})
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Hold([]string{"held"})
	apply(t, k, topology.CreateNamespace{Name: "held"})
	t.Cleanup(func() { apply(t, k, topology.DeleteNamespace{Name: "held"}) })
	id, err := identify("/run/netns/held")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", "held", "sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	time.Sleep(2*roundEvery + 2*confirmAfter)
	s.mu.Lock()
	names, seen := s.names[id]
	s.mu.Unlock()
	if seen {
		t.Errorf("seen as %v", names)
	}
	s.Release()
	eventually(t, "it is seen, with who lives there", func() bool {
		who := s.of(id)
		return len(who.Processes) == 1 && who.Processes[0].PID == cmd.Process.Pid
	})
}

func TestMountTable(t *testing.T) {
	m := &mountTable{runDir: "/run/netns"}
	m.parse(`22 27 0:21 / /proc rw,relatime - proc none rw
76 30 0:4 net:[4026532281] /run/netns/a rw shared:1 - nsfs none rw
77 30 0:4 net:[4026532281] /run/docker/netns/1a\040b rw - nsfs none rw
78 30 0:4 net:[4026532282] /run/netns/sub/x rw - nsfs none rw
79 30 0:4 uts:[4026532283] /run/netns/u rw - nsfs none rw
80 30 0:4 net:[4026532284] /run/netns/a rw shared:1 - nsfs none rw
81 30 0:4 net:[x] /mnt rw - nsfs none rw
82 30 what net:[1] /mnt rw - nsfs none rw
83`)
	id := func(ino uint64) topology.NamespaceID { return topology.NamespaceID{Dev: 4, Ino: ino} }
	if want := map[string]topology.NamespaceID{"a": id(4026532284)}; !reflect.DeepEqual(m.names, want) {
		t.Errorf("names %v, want %v", m.names, want)
	}
	if want := map[topology.NamespaceID][]string{id(4026532281): {"/run/docker/netns/1a b"}, id(4026532282): {"/run/netns/sub/x"}}; !reflect.DeepEqual(m.points, want) {
		t.Errorf("points %v, want %v", m.points, want)
	}
}
