package netops

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestCreateWhileWatched has a namespace looked at by the watch, by requests
// and by its maker at the same moment.
func TestCreateWhileWatched(t *testing.T) {
	nettest.NoLeaks(t)
	k, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := k.Watch()
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for o := range w.Observations() {
			if b, ok := o.(Barrier); ok {
				b.Reached()
			}
		}
	})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for i := range 25 {
			name := fmt.Sprint("w", i)
			made := make(chan struct{})
			var others sync.WaitGroup
			for _, look := range []func() error{
				func() error { return w.Refresh(t.Context(), name) },
				func() error {
					// There is nothing of that name most of the time.
					_ = k.in(name, func(s *space) error { return s.lookUp("lo") })
					return nil
				},
			} {
				others.Go(func() {
					for {
						if err := look(); err != nil {
							t.Error(err)
						}
						select {
						case <-made:
							return
						default:
						}
					}
				})
			}
			if err := k.Apply(t.Context(), topology.CreateNamespace{Name: name}); err != nil {
				t.Error(err)
			}
			close(made)
			others.Wait()
			if err := k.Apply(t.Context(), topology.DeleteNamespace{Name: name}); err != nil {
				t.Error(err)
			}
		}
	}()
	select {
	case <-finished:
	case <-time.After(3 * time.Minute): // under emulation everything takes long
		t.Fatal("they wait for each other")
	}
	w.Close()
	all.Wait()
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}

// TestHold has namespaces left alone until they are asked for, or until it ends.
func TestHold(t *testing.T) {
	nettest.NoLeaks(t)
	k, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := k.Watch()
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen, gone := map[string]int{}, map[string]bool{} // dumps, by name
	names := map[topology.NamespaceID]string{}
	var all sync.WaitGroup
	all.Go(func() {
		for o := range w.Observations() {
			mu.Lock()
			switch o := o.(type) {
			case Barrier:
				o.Reached()
			case NamespaceSeen:
				names[o.ID] = o.Name
			case NamespaceGone:
				gone[names[o.ID]] = true
			case Dump:
				seen[names[o.ID]]++
			}
			mu.Unlock()
		}
	})
	isGone := func(name string) bool {
		mu.Lock()
		defer mu.Unlock()
		return gone[name]
	}
	dumps := func(name string) int {
		mu.Lock()
		defer mu.Unlock()
		return seen[name]
	}
	if err := w.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Hold([]string{"held", "asked"})
	t.Cleanup(func() { nettest.Shell(t, "for n in held asked other; do ip netns delete $n 2>/dev/null; done; true") })
	for _, name := range []string{"held", "asked", "other"} {
		if err := k.Apply(t.Context(), topology.CreateNamespace{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the one that is not held is seen", func() bool { return dumps("other") > 0 })
	if dumps("held")+dumps("asked") > 0 {
		t.Error("what is held was read")
	}
	if err := w.Refresh(t.Context(), "asked"); err != nil {
		t.Fatal(err)
	}
	if dumps("asked") != 1 || dumps("held") != 0 {
		t.Errorf("after Refresh: read %d and %d times", dumps("asked"), dumps("held"))
	}
	w.Release()
	eventually(t, "it is read in the end", func() bool { return dumps("held") == 1 })

	w.Hold([]string{"held", "asked"})
	for _, name := range []string{"held", "asked", "other"} {
		if err := k.Apply(t.Context(), topology.DeleteNamespace{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the one that is not held is seen to go", func() bool { return isGone("other") })
	if isGone("held") || isGone("asked") {
		t.Error("what is held was seen to go")
	}
	if err := w.Refresh(t.Context(), "asked"); err != nil {
		t.Fatal(err)
	}
	if !isGone("asked") || isGone("held") {
		t.Errorf("after Refresh: gone %t and %t", isGone("asked"), isGone("held"))
	}
	w.Release()
	eventually(t, "it is gone in the end", func() bool { return isGone("held") })
	w.Close()
	all.Wait()
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}
