package live

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"netdash/internal/netops"
	"netdash/internal/topology"
	"netdash/internal/viewer"
)

// counting is a kernel that counts how often counters are read, and lets them
// grow by what a test says.
type counting struct {
	scripted
	mu    sync.Mutex
	reads map[string]int
	bytes uint64
	by    int64 // bytes each time
}

func (c *counting) Counters(_ context.Context, namespace string) ([]netops.CounterFacts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reads[namespace]++
	c.bytes = uint64(int64(c.bytes) + c.by)
	if namespace == "broken" {
		return nil, errors.New("no counters here")
	}
	return []netops.CounterFacts{{Ifindex: 7, Counters: topology.Counters{RxBytes: c.bytes, RxPackets: c.bytes / 100}}, {Ifindex: 99}}, nil
}

func (c *counting) read(namespace string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads[namespace]
}

func countingLive(t *testing.T) (*Live, *counting) {
	t.Helper()
	c := &counting{scripted: make(scripted), reads: map[string]int{}, bytes: 1000, by: 1000}
	l := New(c, c, &topology.Spec{}, 0, slog.New(slog.DiscardHandler))
	l.hub.stats.every = 20 * time.Millisecond
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run() }()
	t.Cleanup(func() { close(c.scripted); <-ran })
	c.scripted <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: hostID, Name: "host"}}
	c.change(1500)
	c.flush()
	return l, c
}

// sample gives the next stats of a subscription.
func sample(t *testing.T, s *Subscription) viewer.Message {
	t.Helper()
	for {
		if m := nextAs[viewer.Message](t, s); m.Type == "stats" {
			return m
		}
	}
}

func TestStats(t *testing.T) {
	l, c := countingLive(t)
	quiet, a, b := l.Subscribe(nil), l.Subscribe(nil), l.Subscribe(nil)
	defer quiet.Close()
	defer a.Close()
	defer b.Close()
	time.Sleep(100 * time.Millisecond)
	if n := c.read("host"); n > 0 {
		t.Errorf("nobody watches, and counters were read %d times", n)
	}
	a.Watch([]string{"host", "to come", "host"})
	first := sample(t, a)
	if o := first.Stats; o.Namespace != "host" || o.IntervalSeconds != 0 || len(o.Links) != 1 || o.Links[0].Name != "x" || o.Links[0].Key != "4-1:7" ||
		o.Links[0].RxBytes != 2000 || o.Links[0].Rates != nil || first.Seq != l.Snapshot().Seq || first.Origin != "kernel" || first.At.IsZero() {
		t.Errorf("the first: %+v %+v", first.Event, o)
	}
	second := sample(t, a)
	if o := second.Stats; o.IntervalSeconds < 0.005 || o.Links[0].Rates == nil || second.Seq != first.Seq {
		t.Fatalf("the second: %+v %+v", second.Event, o)
	} else if r, want := o.Links[0], 8*1000/o.IntervalSeconds; math.Abs(r.RxBitsPerSecond/want-1) > 0.001 || math.Abs(r.RxPacketsPerSecond*800/want-1) > 0.001 {
		t.Errorf("1000 bytes in %g s: %+v", o.IntervalSeconds, o.Links[0].Rates)
	}
	// However many watch, it is read once.
	b.Watch([]string{"4-1"}) // by its id
	sample(t, b)
	before, began := c.read("host"), time.Now()
	time.Sleep(200 * time.Millisecond)
	if n, most := c.read("host")-before, int(time.Since(began)/(20*time.Millisecond))+2; n > most || n == 0 {
		t.Errorf("read %d times for two who watch, %d at most", n, most)
	}
	// A counter that goes backwards has no rate.
	c.mu.Lock()
	c.by = -1
	c.mu.Unlock()
	for patience := time.Now().Add(5 * time.Second); sample(t, a).Stats.Links[0].Rates != nil; {
		if time.Now().After(patience) {
			t.Fatal("there is a rate of what shrinks")
		}
	}
	// One that comes later is watched from then on.
	id := topology.NamespaceID{Dev: 4, Ino: 5}
	c.scripted <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: id, Name: "to come", Names: []string{"to come"}}}
	m := sample(t, a)
	for m.Stats.Namespace != "to come" {
		m = sample(t, a)
	}
	if len(m.Stats.Links) != 0 || m.Stats.IntervalSeconds != 0 {
		t.Errorf("of one without links: %+v", m.Stats)
	}
	if l.Snapshot(); nextSeq(t, quiet) != l.Snapshot().Seq {
		t.Error("one who watches nothing misses events")
	}
	// Nobody watches any more.
	a.Watch(nil)
	b.Close()
	eventuallyStops(t, c, "host")
	a.Watch([]string{"host"})
	sample(t, a)
	a.Close()
	eventuallyStops(t, c, "host")
}

// nextSeq takes what there is, which must be no stats, and gives the last number.
func nextSeq(t *testing.T, s *Subscription) uint64 {
	t.Helper()
	last := uint64(0)
	for {
		batch, _, err := s.take()
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			return last
		}
		for _, f := range batch {
			m, err := viewer.Parse(f.Text)
			if err != nil || m.Type == "stats" {
				t.Fatalf("%s, %v", f.Text, err)
			}
			last = m.Seq
		}
	}
}

// eventuallyStops waits until a namespace's counters are no longer read.
func eventuallyStops(t *testing.T, c *counting, namespace string) {
	t.Helper()
	for patience := time.Now().Add(5 * time.Second); ; {
		before := c.read(namespace)
		time.Sleep(100 * time.Millisecond)
		if c.read(namespace) == before {
			return
		}
		if time.Now().After(patience) {
			t.Fatal("nobody watches, and counters are still read")
		}
	}
}

// TestStatsThatCannotBeRead keep nobody from the others.
func TestStatsThatCannotBeRead(t *testing.T) {
	l, c := countingLive(t)
	c.scripted <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: topology.NamespaceID{Dev: 4, Ino: 5}, Name: "broken", Names: []string{"broken"}}}
	s := l.Subscribe(nil)
	defer s.Close()
	s.Watch([]string{"broken", "host"})
	for range 3 {
		if m := sample(t, s); m.Stats.Namespace != "host" {
			t.Errorf("%+v", m.Stats)
		}
	}
	// Of a client that does not come for them only the newest wait.
	time.Sleep(200 * time.Millisecond)
	batch, _, err := s.take()
	if err != nil || len(batch) > 1 {
		t.Errorf("%d samples wait, %v", len(batch), err)
	}
}
