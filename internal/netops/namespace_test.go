package netops

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

func taskPath(thread int) string { return "/proc/self/task/" + strconv.Itoa(thread) + "/ns/net" }

func apply(t testing.TB, k *Kernel, changes ...topology.Change) {
	t.Helper()
	for _, c := range changes {
		// Not the test's context, which is over when cleanups run.
		if err := k.Apply(context.Background(), c); err != nil {
			t.Fatalf("%s: %v", c.Command(), err)
		}
	}
}

func list(t testing.TB, k *Kernel) []NamespaceRef {
	t.Helper()
	refs, err := k.List()
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

func TestCreatedNamespaceIsIPs(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	apply(t, k, topology.CreateNamespace{Name: "made"})
	t.Cleanup(func() { apply(t, k, topology.DeleteNamespace{Name: "made"}) })

	if out := nettest.Shell(t, "ip netns list"); !slices.Contains(strings.Fields(out), "made") {
		t.Errorf("ip netns list: %q", out)
	}
	if out := nettest.Shell(t, "ip netns exec made ip -o link"); !strings.Contains(out, "lo:") || strings.Count(out, "\n") > 6 {
		t.Errorf("links of the new namespace: %s", out)
	}
	// What stat of coreutils or busybox says is the identity.
	want := strings.TrimSpace(nettest.Shell(t, "stat -L -c %d-%i /run/netns/made"))
	refs := list(t, k)
	if len(refs) != 2 || refs[1].ID.String() != want || refs[1].Name != "made" || refs[1].Err != nil {
		t.Errorf("List: %+v, want host and made as %s", refs, want)
	}
	if inside := strings.TrimSpace(nettest.Shell(t, "ip netns exec made stat -L -c %d-%i /proc/self/ns/net")); inside != want {
		t.Errorf("inside it is %s, its name says %s", inside, want)
	}
}

func TestCreateNamespaceTwice(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	before := nettest.Shell(t, "stat -L -c %i /run/netns/"+a)
	if err := k.Apply(t.Context(), topology.CreateNamespace{Name: a}); topology.CodeOf(err) != topology.CodeConflict {
		t.Errorf("a namespace of the same name: %v, want conflict", err)
	}
	if after := nettest.Shell(t, "stat -L -c %i /run/netns/"+a); after != before {
		t.Errorf("it was %s, now %s", before, after)
	}
}

func TestNamesStayInRunDir(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	for _, name := range []string{"", ".", "..", "../escaped", "/tmp/escaped", "a/b", "a\x00b"} {
		if err := k.Apply(t.Context(), topology.CreateNamespace{Name: name}); topology.CodeOf(err) != topology.CodeInvalid {
			t.Errorf("create %q: %v, want invalid", name, err)
		}
		if err := k.Apply(t.Context(), topology.DeleteNamespace{Name: name}); topology.CodeOf(err) != topology.CodeInvalid {
			t.Errorf("delete %q: %v, want invalid", name, err)
		}
	}
}

// A failure at any step leaves no file, no mount and no thread behind.
func TestFailedCreationLeavesNothing(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	if nettest.InWorld() == "" {
		k.wayBack = func(*os.File) error { return unix.EIO }
		if err := k.Apply(t.Context(), topology.CreateNamespace{Name: "half"}); err == nil {
			t.Error("without a way back: no error")
		}
		k.wayBack = setns
		if _, err := nettest.UserWorld(t, "that allows no further namespace"); err != nil {
			t.Error(err)
		}
	} else {
		if err := os.WriteFile("/proc/sys/user/max_net_namespaces", []byte("1"), 0); err != nil {
			t.Fatal(err)
		}
		if err := k.Apply(t.Context(), topology.CreateNamespace{Name: "half"}); topology.CodeOf(err) != topology.CodeConflict {
			t.Errorf("%v, want conflict", err)
		}
	}
	if _, err := os.Lstat("/run/netns/half"); err == nil {
		t.Error("/run/netns/half is still there")
	}
}

func TestDeleteNamespace(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	apply(t, k, topology.CreateVeth{A: topology.VethEnd{Namespace: a, Name: "x"}, B: topology.VethEnd{Namespace: b, Name: "y"}},
		topology.SetUp{Namespace: a, Name: "x", Up: true})
	// Names by which it is held open: its own, and its id.
	id, err := identify("/run/netns/" + a)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Do(id.String(), func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	apply(t, k, topology.DeleteNamespace{Name: a})
	if refs := list(t, k); slices.ContainsFunc(refs, func(r NamespaceRef) bool { return r.Name == a }) {
		t.Errorf("still listed: %+v", refs)
	}
	eventually(t, "the other end of its veth pair is gone", func() bool {
		return !strings.Contains(nettest.Shell(t, "ip -n "+b+" -o link"), "y@")
	})
	if err := k.Apply(t.Context(), topology.DeleteNamespace{Name: a}); topology.CodeOf(err) != topology.CodeNotFound {
		t.Errorf("deleted again: %v, want not_found", err)
	}
}

// A namespace deleted behind netdash's back is let go by forget, or by the
// next use of its name.
func TestForget(t *testing.T) {
	for name, notice := range map[string]func(*Kernel, string, topology.NamespaceID) error{
		"forget":       func(k *Kernel, _ string, id topology.NamespaceID) error { k.forget(id); return nil },
		"next acquire": func(k *Kernel, a string, _ topology.NamespaceID) error { return k.Do(a, func() error { return nil }) },
	} {
		t.Run(name, func(t *testing.T) {
			nettest.NoLeaks(t)
			k := newKernel(t)
			a, b := nettest.Namespace(t), nettest.Namespace(t)
			apply(t, k, topology.CreateVeth{A: topology.VethEnd{Namespace: a, Name: "x"}, B: topology.VethEnd{Namespace: b, Name: "y"}})
			s, release, err := k.acquire(a)
			if err != nil {
				t.Fatal(err)
			}
			nettest.Shell(t, "ip netns delete "+a)
			err = notice(k, a, s.id)
			if want := map[string]topology.Code{"forget": "", "next acquire": topology.CodeNotFound}[name]; topology.CodeOf(err) != want {
				t.Errorf("%v, want %q", err, want)
			}
			// Held by a request under way it lives.
			if err := s.lookUp("x"); err != nil {
				t.Errorf("while it is held: %v", err)
			}
			release()
			eventually(t, "the other end of its veth pair is gone", func() bool {
				return !strings.Contains(nettest.Shell(t, "ip -n "+b+" -o link"), "y@")
			})
		})
	}
}

// The same name may stand for another namespace the next time.
func TestNameReused(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	apply(t, k, topology.SetUp{Namespace: a, Name: "lo", Up: true})
	nettest.Shell(t, "ip netns delete "+a+" && ip netns add "+a)
	apply(t, k, topology.CreateBridge{Namespace: a, Name: "br0"})
	if links := nettest.IP(t, a, "link", "show", "type", "bridge"); len(links) != 1 {
		t.Errorf("the bridge is not in the new namespace: %v", links)
	}
}

func TestListNamespaces(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	other := filepath.Join(DefaultRunDir, "zz-other-name")
	nettest.Shell(t, "touch "+other+" && mount --bind /run/netns/"+a+" "+other)
	leftover := filepath.Join(DefaultRunDir, "leftover")
	nettest.Shell(t, "touch "+leftover)
	foreign := filepath.Join(DefaultRunDir, "mount-namespace")
	nettest.Shell(t, "touch "+foreign+" && mount --bind /proc/self/ns/uts "+foreign)
	pipe := filepath.Join(DefaultRunDir, "pipe") // opening it would block
	nettest.Shell(t, "mkfifo "+pipe)
	hostName := filepath.Join(DefaultRunDir, "here")
	nettest.Shell(t, "touch "+hostName+" && mount --bind /proc/self/ns/net "+hostName)
	t.Cleanup(func() {
		nettest.Shell(t, "umount "+other+" "+foreign+" "+hostName+"; rm "+other+" "+leftover+" "+foreign+" "+pipe+" "+hostName)
	})

	refs := list(t, k)
	var got []string
	for _, r := range refs {
		state := "ok"
		if r.Err != nil {
			state = "unreadable"
		}
		got = append(got, strings.Join(append([]string{r.Name, state}, r.Names...), " "))
	}
	want := []string{
		"host ok here",
		a + " ok " + a + " zz-other-name",
		"leftover unreadable leftover",
		"mount-namespace unreadable mount-namespace",
		"pipe unreadable pipe",
	}
	if !slices.Equal(got, want) {
		t.Errorf("List:\n%q\nwant\n%q", got, want)
	}
	for _, name := range []string{"leftover", "mount-namespace", "pipe"} {
		if err := k.Do(name, func() error { return nil }); topology.CodeOf(err) != topology.CodeConflict {
			t.Errorf("Do(%s): %v, want conflict", name, err)
		}
	}
	// ip netns delete removes such a name, so Apply does.
	nettest.Shell(t, "touch /run/netns/leftover-2")
	apply(t, k, topology.DeleteNamespace{Name: "leftover-2"})
	if _, err := os.Lstat("/run/netns/leftover-2"); err == nil {
		t.Error("the leftover is still there")
	}
}

// Two may create and delete at once, here and through ip.
func TestNamespacesConcurrently(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := "c" + strconv.Itoa(i)
			for range 5 {
				for _, c := range []topology.Change{
					topology.CreateNamespace{Name: name},
					topology.SetUp{Namespace: name, Name: "lo", Up: true},
					topology.CreateBridge{Namespace: name, Name: "br0"},
					topology.DeleteNamespace{Name: name},
				} {
					if err := k.Apply(t.Context(), c); err != nil {
						t.Errorf("%s: %v", c.Command(), err)
					}
				}
			}
		})
	}
	nettest.Shell(t, "for i in 1 2 3 4 5; do ip netns add other$i; ip netns delete other$i; done")
	wg.Wait()
	if refs := list(t, k); len(refs) != 1 {
		t.Errorf("left: %+v", refs)
	}
}
