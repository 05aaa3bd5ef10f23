package live

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// intendsBridge is a Spec with the bridge x, which change never makes, on host.
func intendsBridge(mtu int) *topology.Spec {
	return &topology.Spec{Bridges: []topology.Bridge{{Namespace: "host", Name: "x", MTU: mtu}}}
}

// bridge makes x, as intended but for its MTU.
func (s scripted) bridge(mtu int) {
	f := netops.LinkFacts{PeerNSID: netops.SameNamespace}
	f.Ifindex, f.Name, f.Kind, f.MTU, f.AdminUp, f.Bridge = 7, "x", "bridge", mtu, true, &topology.BridgeInfo{}
	s <- netops.Delta{ID: hostID, Facts: f}
}

func (s scripted) dump(err error) {
	s <- netops.Dump{ID: hostID, Contents: &netops.Contents{}, Err: err}
}

// judging gives a Live that intends the bridge x, and its events.
func judging(t *testing.T, spec *topology.Spec) (*Live, scripted, *Subscription) {
	t.Helper()
	s := make(scripted)
	return judgingWith(t, s, s, spec)
}

func judgingWith(t *testing.T, kernel Kernel, s scripted, spec *topology.Spec) (*Live, scripted, *Subscription) {
	t.Helper()
	l := New(kernel, s, spec, 0, slog.New(slog.DiscardHandler))
	sub := l.Subscribe(nil)
	next(t, sub)
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run() }()
	t.Cleanup(func() { sub.Close(); close(s); <-ran })
	s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: hostID, Name: "host"}}
	return l, s, sub
}

// drifts takes events up to the next drift.changed and gives it, with the number
// of other events before it.
func drifts(t *testing.T, sub *Subscription) (*topology.Event, int) {
	t.Helper()
	for n := 0; ; n++ {
		if e := nextEvent(t, sub); e.Drift != nil {
			return e, n
		}
	}
}

func TestNothingIsCalledMissingBeforeTheFirstLook(t *testing.T) {
	_, s, sub := judging(t, intendsBridge(1500))
	s.change(1500) // another link by the bridge's name
	time.Sleep(4 * settleDelay)
	s.bridge(1500)
	s.flush()
	for {
		batch, _, err := sub.take()
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		var b []byte
		for _, f := range batch {
			b = append(b, f.Text...)
		}
		if strings.Contains(string(b), "missing") || strings.Contains(string(b), "drift.changed") {
			t.Fatalf("%s", b)
		}
	}
	s.bridge(1400)
	if e, _ := drifts(t, sub); e.Drift.Total != 1 || e.Origin != "kernel" {
		t.Errorf("%+v", e.Drift)
	}
}

func TestChangesAreGathered(t *testing.T) {
	l, s, sub := judging(t, intendsBridge(1500))
	s.flush()
	first, _ := drifts(t, sub)
	if first.Drift.Differences[0].Kind != topology.DifferenceMissing {
		t.Fatalf("%+v", first.Drift)
	}
	began := time.Now()
	for i := range 500 {
		s.bridge(1000 + i)
	}
	s.flush()
	l.Snapshot() // all is settled then
	told, others := 0, 0
	l.hub.mu.Lock()
	for _, f := range l.hub.after(first.Seq) {
		if strings.HasPrefix(f.about, "drift\n") {
			told++
		} else {
			others++
		}
	}
	l.hub.mu.Unlock()
	if others < 500 {
		t.Errorf("%d of 500 changes were told", others)
	}
	if limit := 2 + int(time.Since(began)/settleDelay); told > limit {
		t.Errorf("500 changes were told as %d, not at most %d", told, limit)
	}
}

func TestOperationIsJudgedAtItsEnd(t *testing.T) {
	l, s, sub := judging(t, &topology.Spec{})
	s.flush()
	to := topology.NewIntent(intendsBridge(1500))
	op := &topology.Operation{ID: 5, State: topology.OperationRunning}
	l.Begin(op, to, []string{"host"})
	s.bridge(1400)
	s.flush()
	time.Sleep(4 * settleDelay)
	if d := l.Snapshot().Differences(); len(d) > 0 || l.Snapshot().Namespace("host").Link("x").Sync != topology.InSync {
		t.Errorf("while it runs: %v", d)
	}
	op.State = topology.OperationCommitted
	l.End(op, to, 5)
	e, _ := drifts(t, sub)
	if e.Origin != "operation:5" || e.Drift.Total != 1 || e.Drift.InSync {
		t.Errorf("%+v %+v", e, e.Drift)
	}
	if e := nextEvent(t, sub); e.Type != "operation.committed" {
		t.Errorf("after it comes %s", e.Type)
	}
	s.bridge(1500)
	if e, _ := drifts(t, sub); !e.Drift.InSync || e.Drift.Differences == nil || len(e.Drift.Differences) != 0 || e.Origin != "kernel" {
		t.Errorf("mended: %+v", e.Drift)
	}
	// What an operation takes away is not missing.
	op = &topology.Operation{ID: 6, State: topology.OperationRunning}
	l.Begin(op, topology.NewIntent(&topology.Spec{}), []string{"host"})
	gone := netops.LinkFacts{}
	gone.Ifindex = 7
	s <- netops.Delta{ID: hostID, Facts: netops.Gone{Facts: gone}}
	s.flush()
	time.Sleep(4 * settleDelay)
	op.State = topology.OperationCommitted
	l.End(op, topology.NewIntent(&topology.Spec{}), 6)
	for e := nextEvent(t, sub); e.Type != "operation.committed"; e = nextEvent(t, sub) {
		if e.Drift != nil || e.Link != nil && e.Link.Sync == topology.Missing {
			t.Errorf("while it runs: %+v", e)
		}
	}
}

func TestIncompleteIsNotJudged(t *testing.T) {
	l, s, sub := judging(t, intendsBridge(1500))
	s.bridge(1400)
	s.flush()
	if e, _ := drifts(t, sub); e.Drift.Total != 1 {
		t.Fatalf("%+v", e.Drift)
	}
	s.dump(errors.New("interrupted"))
	if e, _ := drifts(t, sub); !e.Drift.InSync {
		t.Errorf("incomplete: %+v", e.Drift)
	}
	if n := l.Snapshot().Namespace("host"); n.Incomplete == "" || n.Sync != topology.InSync || len(n.Links) != 1 || len(n.Links[0].Differences) > 0 {
		t.Errorf("%+v", n)
	}
	s.dump(nil) // in which there is nothing
	if e, _ := drifts(t, sub); len(e.Drift.Differences) != 1 || e.Drift.Differences[0].Kind != topology.DifferenceMissing {
		t.Errorf("%+v", e.Drift)
	}
	if n := l.Snapshot().Namespace("host"); len(n.Links) != 1 || n.Links[0].Sync != topology.Missing {
		t.Errorf("%+v", n)
	}
}

// TestLongEventsAreForgottenSooner: what is remembered is bounded in bytes.
func TestLongEventsAreForgottenSooner(t *testing.T) {
	l, s := scriptedLive(t)
	slow := l.Subscribe(nil)
	defer slow.Close()
	next(t, slow)
	since := l.Snapshot().Seq
	for i := range 2 * ringBytes >> 20 {
		f := netops.LinkFacts{PeerNSID: netops.SameNamespace}
		f.Ifindex, f.Name, f.Kind, f.MTU, f.Alias = 7, "x", "dummy", 1000+i, strings.Repeat("a", 1<<20)
		s <- netops.Delta{ID: hostID, Facts: f}
	}
	s.flush()
	l.mu.Lock()
	held := 0
	for _, f := range l.hub.ring {
		if f != nil {
			held += len(f.Text)
		}
	}
	bytes := l.hub.bytes
	l.mu.Unlock()
	if held != bytes || held > ringBytes {
		t.Errorf("%d bytes are held, counted as %d", held, bytes)
	}
	if m := next(t, slow); m.Type != "resync" {
		t.Errorf("the slow client gets %s", m.Type)
	}
	late := l.Subscribe(&since)
	defer late.Close()
	if m := next(t, late); m.Type != "snapshot" {
		t.Errorf("what is forgotten is given as %s", m.Type)
	}
	recent := l.Snapshot().Seq - 3
	exact := l.Subscribe(&recent)
	defer exact.Close()
	if m := next(t, exact); m.Seq != recent+1 {
		t.Errorf("what is remembered is given as %d, %s", m.Seq, m.Type)
	}
}

// nsids is a kernel in which every namespace calls another by its inode.
type nsids struct{ scripted }

func (nsids) NSID(_, of topology.NamespaceID) (int32, bool, error) { return int32(of.Ino), true, nil }

// TestMovedLinkIsFollowedByTheKernelsWord: the ifindex of a link changes when it
// is moved to where that is taken, of which its peer hears nothing.
func TestMovedLinkIsFollowedByTheKernelsWord(t *testing.T) {
	a, f := topology.NamespaceID{Dev: 4, Ino: 2}, topology.NamespaceID{Dev: 4, Ino: 3}
	end := func(name string, index, peer int, of topology.NamespaceID) netops.LinkFacts {
		x := netops.LinkFacts{PeerIndex: peer, PeerNSID: int32(of.Ino)}
		x.Name, x.Kind, x.Ifindex, x.MTU, x.AdminUp = name, "veth", index, 1500, true
		return x
	}
	spec := &topology.Spec{
		Namespaces: []topology.Namespace{{Name: "A"}},
		Veths:      []topology.Veth{{A: topology.End{Namespace: "A", Name: "eth0"}, B: topology.End{Namespace: "host", Name: "p1"}}},
	}
	left := end("eth0", 5, 6, hostID)
	left.MovedIndex, left.MovedNSID = 9, int32(f.Ino)
	goes, comes := netops.Delta{ID: a, Facts: netops.Gone{Facts: left}}, netops.Delta{ID: f, Facts: end("stolen", 9, 6, hostID)}
	told := netops.Delta{ID: hostID, Facts: end("p1", 6, 9, f)} // in other cases it does hear of it
	for name, order := range map[string][]netops.Observation{
		"seen to go first": {goes, comes}, "seen to come first": {comes, goes},
		"its peer knows before": {comes, told, goes}, "its peer is first to know": {told, comes, goes},
	} {
		t.Run(name, func(t *testing.T) {
			s := make(scripted)
			l, s, _ := judgingWith(t, nsids{s}, s, spec)
			s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: a, Name: "A"}}
			s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: f, Name: "F"}}
			s <- netops.Delta{ID: a, Facts: end("eth0", 5, 6, hostID)}
			s <- netops.Delta{ID: hostID, Facts: end("p1", 6, 5, a)}
			s.flush()
			for _, o := range order {
				s <- o
			}
			s.flush()
			x := l.Snapshot().Namespace("F").Link("stolen")
			if x.Intended == nil || *x.Intended != (topology.LinkRef{Namespace: "A", Name: "eth0"}) || x.Peer == nil || x.Peer.Name != "p1" {
				t.Errorf("%+v, peer %+v", x, x.Peer)
			}
		})
	}
}
