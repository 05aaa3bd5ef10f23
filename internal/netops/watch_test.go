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
					_ = k.in(name, func(s *space) error { _, err := s.lookUp("lo"); return err })
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
