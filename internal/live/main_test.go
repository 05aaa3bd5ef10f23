package live_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/netops"
	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/viewer"
)

func TestMain(m *testing.M) { nettest.Main(m) }

// watching gives a Live that follows this test's machine.
func watching(t *testing.T) (*live.Live, *netops.Watcher) {
	t.Helper()
	return watchingSpec(t, &topology.Spec{})
}

// watchingSpec gives one that judges by a Spec.
func watchingSpec(t *testing.T, spec *topology.Spec) (*live.Live, *netops.Watcher) {
	t.Helper()
	return watchingWith(t, netops.Options{}, spec)
}

func watchingWith(t *testing.T, options netops.Options, spec *topology.Spec) (*live.Live, *netops.Watcher) {
	t.Helper()
	nettest.NoLeaks(t)
	options.Logger = slog.New(slog.DiscardHandler)
	kernel, err := netops.New(options)
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := kernel.Watch()
	if err != nil {
		t.Fatal(err)
	}
	l := live.New(kernel, watcher, spec, 0, slog.New(slog.DiscardHandler))
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run() }()
	t.Cleanup(func() {
		watcher.Close()
		<-ran
		if err := kernel.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := l.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return l, watcher
}

// eventually waits until check finds nothing wrong. On a busy machine one check,
// which may start dozens of ip, takes seconds.
func eventually(t *testing.T, check func() string) {
	t.Helper()
	var wrong string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if wrong = check(); wrong == "" {
			return
		}
	}
	t.Fatal(wrong)
}

// agrees compares what live shows with what ip and bridge say of every
// namespace, and tells the first difference.
func agrees(t *testing.T, l *live.Live) string {
	t.Helper()
	return nettest.Disagreement(t, l.Snapshot())
}

// follow has take called with all that is told from now on, or after an event, until
// stop is called or the test ends.
func follow(t *testing.T, l *live.Live, since *uint64, take func(m viewer.Message, text string)) (stop func()) {
	t.Helper()
	sub := l.Subscribe(since)
	ctx, cancel := context.WithCancel(context.Background())
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			frames, err := sub.Next(ctx)
			if err != nil {
				return
			}
			for _, f := range frames {
				m, err := viewer.Parse(f.Text)
				if err != nil {
					t.Error(err)
				}
				take(m, string(f.Text))
			}
		}
	})
	stop = sync.OnceFunc(func() { cancel(); reader.Wait(); sub.Close() })
	t.Cleanup(stop)
	return stop
}
