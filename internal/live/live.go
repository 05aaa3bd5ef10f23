package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// Kernel is what live needs of netops beside the watch.
type Kernel interface {
	NSID(in, of topology.NamespaceID) (int32, bool, error)
	FDB(ctx context.Context, namespace, bridge string) ([]netops.FDBFacts, error)
	Counters(ctx context.Context, namespace string) ([]netops.CounterFacts, error)
}

// Watcher is where observations come from.
type Watcher interface {
	Observations() <-chan netops.Observation
	Refresh(ctx context.Context, namespaces ...string) error
	// Hold has names that are about to appear or vanish left alone until they are
	// asked for with Refresh, or until Release.
	Hold(names []string)
	Release()
}

// Live is the observed topology, kept current. Its methods may be called from
// any goroutine.
type Live struct {
	kernel  Kernel
	watcher Watcher
	log     *slog.Logger

	mu       sync.Mutex
	spaces   map[topology.NamespaceID]*space
	byMAC    map[string]map[*link]bool       // who has a MAC
	byPair   map[indexPair]map[*link]bool    // veth ends with a peer elsewhere
	entries  map[string]map[*fdbShown]*space // of MAC tables, by MAC
	unpaired map[*link]bool                  // veth ends whose peer is still to be found
	intent   *topology.Intent
	ghosts   map[string]*topology.NamespaceState // intended namespaces that are missing
	revision int64
	running  *running // the operation under way
	drift    drift
	// Links that have left a namespace and not yet arrived in another.
	departures []departure
	hub        hub
	snapshot   *topology.Snapshot // nil after a change
	gallery    gallery            // has a lock of its own
	ready      bool
	readyOnce  chan struct{}
	drifted    chan struct{} // see Drifted
}

// running is an operation under way: what happens in its namespaces is its
// doing, and objects in them are not yet judged.
type running struct {
	origin     string
	namespaces map[string]bool
	target     *topology.Intent
}

// New makes a Live that judges by the intended Spec of that revision. Run feeds
// it.
func New(kernel Kernel, watcher Watcher, intended *topology.Spec, revision int64, log *slog.Logger) *Live {
	return &Live{
		kernel: kernel, watcher: watcher, log: log,
		spaces: map[topology.NamespaceID]*space{}, byMAC: map[string]map[*link]bool{}, unpaired: map[*link]bool{},
		byPair: map[indexPair]map[*link]bool{}, entries: map[string]map[*fdbShown]*space{},
		intent: topology.NewIntent(intended), ghosts: map[string]*topology.NamespaceState{}, revision: revision,
		hub: newHub(), readyOnce: make(chan struct{}), drift: newDrift(), drifted: make(chan struct{}, 1),
	}
}

// Run takes observations until the watcher is closed.
func (l *Live) Run() {
	defer func() {
		l.hub.closeAll()
		l.hub.stats.ran.Wait()
	}()
	quiet := time.NewTimer(time.Hour)
	defer quiet.Stop()
	settle := time.NewTimer(time.Hour)
	defer settle.Stop()
	waits := false        // for settle
	var waiting time.Time // since when for quiet; zero: not
	for {
		select {
		case o, open := <-l.watcher.Observations():
			if !open {
				return
			}
			if l.take(o) {
				if waiting.IsZero() {
					waiting = time.Now()
				}
				quiet.Reset(min(settleAfter, settleAtLatest-time.Since(waiting)))
			}
		case <-quiet.C:
			waiting = time.Time{}
			l.settlePeers()
		case <-settle.C:
			waits = false
			l.mu.Lock()
			l.settle()
			l.mu.Unlock()
		}
		if in, due := l.settleIn(); due && !waits {
			waits = true
			settle.Reset(in)
		}
	}
}

// Ready tells whether every namespace has been read once.
func (l *Live) Ready() error {
	select {
	case <-l.readyOnce:
		return nil
	default:
		return errors.New("the first look at the kernel is not finished")
	}
}

// WaitReady waits for Ready.
func (l *Live) WaitReady(ctx context.Context) error {
	select {
	case <-l.readyOnce:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the first look at the kernel: %w", ctx.Err())
	}
}

// take applies one observation, and tells whether a peer is still to be found.
func (l *Live) take(o netops.Observation) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch o := o.(type) {
	case netops.NamespaceSeen:
		l.see(o.NamespaceRef)
	case netops.NamespaceGone:
		if s := l.spaces[o.ID]; s != nil {
			l.lose(s)
		}
	case netops.Inhabited:
		if s := l.spaces[o.ID]; s != nil {
			l.inhabit(s, o.Inhabitants)
		}
	case netops.Delta:
		if s := l.spaces[o.ID]; s != nil {
			l.apply(s, o.Facts)
		}
	case netops.Dump:
		if s := l.spaces[o.ID]; s != nil {
			l.replace(s, o)
		}
	case netops.Barrier:
		if !l.ready {
			l.ready = true
			l.settleAll()
			close(l.readyOnce)
		}
		o.Reached()
	}
	return len(l.unpaired) > 0
}

// Snapshot gives the observed topology as of now. It must not be written to.
func (l *Live) Snapshot() *topology.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current()
}

// current gives the Snapshot, in which everything has been judged.
func (l *Live) current() *topology.Snapshot {
	l.settle()
	if l.snapshot != nil {
		return l.snapshot
	}
	s := &topology.Snapshot{Seq: l.hub.seq, Revision: l.revision, Namespaces: make([]*topology.NamespaceState, 0, len(l.spaces)+len(l.ghosts))}
	for _, n := range l.spaces {
		s.Namespaces = append(s.Namespaces, l.state(n))
	}
	for _, g := range l.ghosts {
		s.Namespaces = append(s.Namespaces, g)
	}
	slices.SortFunc(s.Namespaces, func(a, b *topology.NamespaceState) int {
		if (a.Name == topology.HostName) != (b.Name == topology.HostName) {
			if a.Name == topology.HostName {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	l.snapshot = s
	return s
}

// Observe reads the given namespaces from the kernel and gives the topology as
// it is then. Names that do not exist are simply not in it.
func (l *Live) Observe(ctx context.Context, namespaces []string) (*topology.Snapshot, error) {
	if err := l.watcher.Refresh(ctx, namespaces...); err != nil {
		return nil, fmt.Errorf("observe: %w", err)
	}
	return l.Snapshot(), nil
}

// Begin announces an operation: until End, what changes in its namespaces is
// its doing, objects of target are managed already, and nothing there counts as
// missing or drifted.
//
// The namespaces that a large operation makes or deletes are looked at only when
// it is done with them.
func (l *Live) Begin(op *topology.Operation, target *topology.Intent, namespaces []string) {
	if len(op.Changes) > topology.LargePlan {
		l.watcher.Hold(namespaces)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = &running{fmt.Sprintf("operation:%d", op.ID), map[string]bool{}, target}
	for _, name := range namespaces {
		l.running.namespaces[name] = true
	}
	l.disclaimPlain(namespaces)
	l.publishOperation("operation.started", op)
}

// Progress announces how far an operation has come.
func (l *Live) Progress(op *topology.Operation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.publishOperation("operation.progress", op)
}

// End announces what became of the operation, and what is intended now.
func (l *Live) End(op *topology.Operation, intent *topology.Intent, revision int64) {
	l.watcher.Release()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.intent, l.revision = intent, revision
	l.snapshot = nil
	l.running.target = nil // from here on everything counts
	for _, s := range l.spaces {
		if l.running.namespaces[s.name] {
			l.deriveAll(s)
		}
	}
	for _, x := range slices.Collect(maps.Values(l.drift.astray)) {
		l.show(x) // it may be intended no longer
	}
	for name := range l.running.namespaces {
		l.drift.dirty[name] = allParts
	}
	l.settle()
	l.publishOperation("operation."+string(op.State), op)
	l.running = nil
}

// Undone announces that an operation has been undone by a later one.
func (l *Live) Undone(op *topology.Operation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	copied := *op
	l.send(&topology.Event{
		Type: "operation.undone", At: time.Now(), Origin: fmt.Sprintf("operation:%d", op.UndoneBy), Operation: &copied,
	})
}

// FDB reads a bridge's MAC table from the kernel, with ages.
func (l *Live) FDB(ctx context.Context, namespace, bridge string) ([]*topology.FDBEntry, error) {
	facts, err := l.kernel.FDB(ctx, namespace, bridge)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]*topology.FDBEntry, 0, len(facts))
	s := l.called(namespace)
	if s == nil { // it has just gone
		return out, nil
	}
	for _, f := range facts {
		e := l.deriveFDB(s, f)
		e.AgeSeconds = f.AgeSeconds
		out = append(out, e)
	}
	sortFDB(out)
	return out, nil
}

// publish announces a change in a namespace, of which what was put together for
// a Snapshot is stale then.
func (l *Live) publish(s *space, kind string, fill func(*topology.Event)) {
	e := &topology.Event{Type: kind}
	fill(e)
	l.mark(s.name, partsOf(e))
	l.announce(s, e)
}

// announce is publish for what settle does not have to look at.
func (l *Live) announce(s *space, e *topology.Event) {
	l.snapshot, s.cached = nil, nil
	origin := "kernel"
	if l.running != nil && l.running.namespaces[s.name] {
		origin = l.running.origin
	}
	e.At, e.Origin = time.Now(), origin
	l.alarm(e)
	l.send(e)
}

func (l *Live) publishOperation(kind string, op *topology.Operation) {
	l.snapshot = nil
	copied := *op
	if len(op.Changes) > topology.LargePlan {
		// Nobody wants megabytes unasked; GET /operations has them.
		copied.Changes, copied.Commands = []topology.ChangeRecord{}, []string{}
	}
	l.send(&topology.Event{Type: kind, At: time.Now(), Origin: l.running.origin, Operation: &copied})
}

func (l *Live) send(e *topology.Event) {
	if !l.ready && l.hub.skip() {
		return // the first look: nobody can have heard of what came before
	}
	if err := l.hub.send(e); err != nil {
		l.log.Error("an event could not be sent", "type", e.Type, "error", err)
	}
}
