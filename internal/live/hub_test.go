package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// scripted is a Watcher that reports what a test puts in, of a kernel without
// nsids or MAC tables.
type scripted chan netops.Observation

func (s scripted) Observations() <-chan netops.Observation { return s }

func (s scripted) Refresh(context.Context, ...string) error { return nil }

func (s scripted) Hold([]string) {}

func (s scripted) Release() {}

func (s scripted) NSID(_, _ topology.NamespaceID) (int32, bool, error) { return 0, false, nil }

func (s scripted) Counters(context.Context, string) ([]netops.CounterFacts, error) { return nil, nil }

func (s scripted) FDB(context.Context, string, string) ([]netops.FDBFacts, error) { return nil, nil }

var hostID = topology.NamespaceID{Dev: 4, Ino: 1}

func scriptedLive(t *testing.T) (*Live, scripted) {
	t.Helper()
	s := make(scripted)
	l := New(s, s, &topology.Spec{}, 0, slog.New(slog.DiscardHandler))
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run() }()
	t.Cleanup(func() { close(s); <-ran })
	s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: hostID, Name: "host"}}
	s.flush()
	return l, s
}

// flush waits until everything put in so far has been taken.
func (s scripted) flush() {
	reached := make(chan struct{})
	s <- netops.Barrier{Reached: func() { close(reached) }}
	<-reached
}

// change makes one event: a link with another MTU.
func (s scripted) change(mtu int) {
	f := netops.LinkFacts{PeerNSID: netops.SameNamespace}
	f.Ifindex, f.Name, f.Kind, f.MTU = 7, "x", "dummy", mtu
	s <- netops.Delta{ID: hostID, Facts: f}
}

type message struct {
	Type      string             `json:"type"`
	Seq       uint64             `json:"seq"`
	Coalesced uint64             `json:"coalesced"`
	Topology  *topology.Snapshot `json:"topology"`
	Link      *topology.Link     `json:"link"`
}

// unread is what subscriptions gave at once and tests have not looked at yet.
var unread sync.Map // *Subscription to []*Frame

// one gives the next message by itself; nil when ctx ends before there is one.
func one(ctx context.Context, s *Subscription) ([]byte, error) {
	left, _ := unread.Load(s)
	frames, _ := left.([]*Frame)
	if len(frames) == 0 {
		var err error
		if frames, err = s.Next(ctx); err != nil {
			return nil, err
		}
	}
	unread.Store(s, frames[1:])
	return frames[0].Text, nil
}

func next(t *testing.T, s *Subscription) message {
	t.Helper()
	return nextAs[message](t, s)
}

func nextEvent(t *testing.T, s *Subscription) *topology.Event {
	t.Helper()
	return new(nextAs[topology.Event](t, s))
}

func nextAs[T any](t *testing.T, s *Subscription) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	b, err := one(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	var m T
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return m
}

func TestSubscriptionIsSnapshotThenEvents(t *testing.T) {
	l, s := scriptedLive(t)
	s.change(1500)
	s.flush()
	sub := l.Subscribe(nil)
	defer sub.Close()
	first := next(t, sub)
	if first.Type != "snapshot" || first.Topology.Namespace("host").Link("x").MTU != 1500 {
		t.Fatalf("first message %+v", first)
	}
	for i := range 10 {
		s.change(1400 + i)
		if m := next(t, sub); m.Seq != first.Seq+uint64(i)+1 || m.Type != "link.changed" || m.Link.MTU != 1400+i {
			t.Fatalf("event %d: %+v", i, m)
		}
	}
}

func TestSinceResumes(t *testing.T) {
	l, s := scriptedLive(t)
	s.change(1500)
	s.flush()
	since := l.Snapshot().Seq
	for i := range 5 {
		s.change(1400 + i)
	}
	s.flush()
	sub := l.Subscribe(&since)
	defer sub.Close()
	for i := range 5 {
		if m := next(t, sub); m.Seq != since+uint64(i)+1 || m.Link.MTU != 1400+i {
			t.Fatalf("event %d: %+v", i, m)
		}
	}
	for name, n := range map[string]uint64{"from before a restart": 17, "from the future": l.Snapshot().Seq + 1} {
		sub := l.Subscribe(&n)
		if m := next(t, sub); m.Type != "snapshot" {
			t.Errorf("a number %s gives %+v", name, m)
		}
		sub.Close()
	}
	for i := range ringSize + 10 {
		s.change(1000 + i)
	}
	s.flush()
	late := l.Subscribe(&since)
	defer late.Close()
	if m := next(t, late); m.Type != "snapshot" {
		t.Errorf("a number that is no longer remembered gives %+v", m)
	}
	oldest := l.Snapshot().Seq - ringSize + 1
	exact := l.Subscribe(&oldest)
	defer exact.Close()
	if m := next(t, exact); m.Seq-m.Coalesced != oldest+1 {
		t.Errorf("the oldest number that is remembered gives %+v", m)
	}
}

func TestSlowClientGetsASnapshotInstead(t *testing.T) {
	l, s := scriptedLive(t)
	slow, quick := l.Subscribe(nil), l.Subscribe(nil)
	defer slow.Close()
	defer quick.Close()
	if m := next(t, slow); m.Type != "snapshot" {
		t.Fatal(m)
	}
	seq := next(t, quick).Seq
	for i := range ringSize + 100 {
		s.change(1000 + i)
		if m := next(t, quick); m.Seq != seq+uint64(i)+1 {
			t.Fatalf("the quick client was disturbed: %+v", m)
		}
	}
	if m := next(t, slow); m.Type != "resync" || l.Resyncs() != 1 {
		t.Fatalf("%+v, %d counted; want one resync", m, l.Resyncs())
	}
	if n := l.Resyncs(); n != 1 {
		t.Errorf("%d resyncs are counted", n)
	}
	m := next(t, slow)
	if m.Type != "snapshot" || m.Topology.Namespace("host").Link("x").MTU != 1000+ringSize+99 {
		t.Fatalf("%+v, want the newest snapshot", m)
	}
	s.change(9000)
	if after := next(t, slow); after.Seq != m.Seq+1 || after.Link.MTU != 9000 {
		t.Fatalf("after the snapshot comes %+v", after)
	}
}

func TestNextEnds(t *testing.T) {
	l, _ := scriptedLive(t)
	sub := l.Subscribe(nil)
	next(t, sub)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sub.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	sub.Close()
	if _, err := sub.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if n := l.Subscribers(); n != 0 {
		t.Errorf("%d subscribers left", n)
	}
}

// TestEntriesOfVLANs: of each VLAN there is an entry of its own, which no other
// VLAN's moves or replaces.
func TestEntriesOfVLANs(t *testing.T) {
	l, s := scriptedLive(t)
	for i, name := range []string{"br0", "p1", "p2"} {
		f := netops.LinkFacts{PeerNSID: netops.SameNamespace, HoldSeconds: 15}
		f.Ifindex, f.Name = 1+i, name
		s <- netops.Delta{ID: hostID, Facts: f}
	}
	s.flush()
	sub := l.Subscribe(nil)
	defer sub.Close()
	next(t, sub)
	entry := func(port, vlan int, age float64) netops.FDBFacts {
		return netops.FDBFacts{BridgeIndex: 1, PortIndex: port, FDBEntry: topology.FDBEntry{MAC: "02:00:00:00:00:01", VLAN: vlan, State: "learned", AgeSeconds: &age}}
	}
	for _, c := range []struct {
		fact any
		want string
	}{
		{entry(2, 10, 0), "fdb.added p1 10 "},
		{entry(3, 20, 0), "fdb.added p2 20 "},
		{entry(3, 10, 0), "fdb.moved p2 10 "},
		{netops.Gone{Facts: entry(3, 10, 14.99)}, "fdb.removed p2 10 flushed"},
		{netops.Gone{Facts: entry(3, 20, 15)}, "fdb.removed p2 20 expired"},
	} {
		s <- netops.Delta{ID: hostID, Facts: c.fact}
		e := nextEvent(t, sub)
		if got := fmt.Sprint(e.Type, " ", e.FDB.Port, " ", e.FDB.VLAN, " ", e.Reason); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
