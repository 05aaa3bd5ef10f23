package netops

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// here identifies the namespace of the calling thread.
func here(t testing.TB) topology.NamespaceID {
	t.Helper()
	id, err := identify("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestDoEntersAndReturns(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	want, err := identify("/run/netns/" + a)
	if err != nil {
		t.Fatal(err)
	}
	host := here(t)
	for _, namespace := range []string{a, want.String()} {
		for range 50 { // over many threads
			var inside topology.NamespaceID
			if err := k.Do(namespace, func() error { inside = here(t); return nil }); err != nil {
				t.Fatal(err)
			}
			if inside != want {
				t.Fatalf("Do(%s) ran in %v, want %v", namespace, inside, want)
			}
			if now := here(t); now != host {
				t.Fatalf("the caller is in %v afterwards, want %v", now, host)
			}
		}
	}
	var inside topology.NamespaceID
	if err := k.Do(topology.HostName, func() error { inside = here(t); return nil }); err != nil || inside != host {
		t.Errorf("Do(host) ran in %v (%v), want %v", inside, err, host)
	}
}

func TestDoUnknownNamespace(t *testing.T) {
	k := newKernel(t)
	for _, name := range []string{"none", "", ".", "..", "../netns/none", "4-4026531840", "a\x00b"} {
		err := k.Do(name, func() error { t.Error("it ran"); return nil })
		if topology.CodeOf(err) != topology.CodeNotFound {
			t.Errorf("Do(%q): %v, want not_found", name, err)
		}
	}
}

func TestDoGivesErrorsBack(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	want := errors.New("mine")
	if err := k.Do(a, func() error { return want }); !errors.Is(err, want) {
		t.Errorf("error: %v", err)
	}
	if err := k.Do(a, func() error { panic("broken") }); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("panic: %v", err)
	}
	if err := k.Do(a, func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("Goexit: no error")
	}
}

// A thread that cannot come back must end: it would run other goroutines in the
// wrong namespace.
func TestDoFailingWayBack(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	k.wayBack = func(*os.File) error { return unix.EIO }
	var thread int
	for range 20 {
		err := k.Do(a, func() error { thread = unix.Gettid(); return nil })
		if !errors.Is(err, unix.EIO) {
			t.Fatalf("Do: %v, want the failed way back", err)
		}
		if thread == unix.Getpid() {
			t.Fatal("it ran on the main thread, which never ends")
		}
		eventually(t, "the thread has ended", func() bool {
			ns, err := identify(taskPath(thread))
			return err != nil || ns == k.host.id // gone, or its number given to a new one
		})
	}
	k.wayBack = setns
	if err := k.Do(a, func() error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDoAfterClose(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	started, finish, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- k.Do(a, func() error { started <- true; <-finish; return nil })
	}()
	<-started
	closed := make(chan error, 1)
	go func() { closed <- k.Close() }()
	select {
	case err := <-closed:
		t.Error("Close did not wait for the thread that was away")
		closed <- err
	case <-time.After(20 * time.Millisecond):
	}
	close(finish)
	if err := <-done; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := k.Do(a, func() error { return nil }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Do after Close: %v", err)
	}
	if err := k.Do("host", func() error { return nil }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Do after Close: %v", err)
	}
}

// eventually waits up to 2 s for a condition.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after two minutes still not: %s", what)
		}
	}
}
