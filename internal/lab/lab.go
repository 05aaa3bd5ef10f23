package lab

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"netdash/internal/store"
	"netdash/internal/topology"
)

// maxWaiting bounds how many edits may wait for their turn.
const maxWaiting = 256

// Kernel carries Plans out.
type Kernel interface {
	// Run performs a Plan, until a Change is refused or ctx ends: done is what is
	// done of it and rest what is not, what was refused first. Deleting what is
	// gone already counts as done. step is called with the number of Changes that
	// are done, from one goroutine at a time.
	Run(ctx context.Context, plan topology.Plan, step func(done int)) (done, rest topology.Plan, err error)
}

// Observer knows what the kernel has, and tells viewers what is going on.
type Observer interface {
	// Observe reads namespaces from the kernel and gives the topology as it is.
	Observe(ctx context.Context, namespaces []string) (*topology.Snapshot, error)
	// Snapshot gives the topology as known, without asking the kernel.
	Snapshot() *topology.Snapshot
	// Begin and End announce an operation and what became of it.
	Begin(op *topology.Operation, target *topology.Intent, namespaces []string)
	// Progress announces how far a large operation has come.
	Progress(op *topology.Operation)
	End(op *topology.Operation, intent *topology.Intent, revision int64)
	// Undone announces that an operation has been undone by a later one.
	Undone(op *topology.Operation)
	// Placed announces which positions of the drawing have changed.
	Placed(changes topology.PositionsEvent)
}

// Store keeps the intended Spec and the journal.
type Store interface {
	Load(ctx context.Context) (*topology.Spec, int64, error)
	Begin(ctx context.Context, op *topology.Operation, target *topology.Spec) error
	Commit(ctx context.Context, op *topology.Operation, target *topology.Spec, answers ...Answer) error
	Fail(ctx context.Context, op *topology.Operation) error
	Pending(ctx context.Context) ([]store.Pending, error)
	Operations(ctx context.Context, before int64, limit int) ([]topology.Operation, error)
	Operation(ctx context.Context, id int64) (*topology.Operation, error)
	Answer(ctx context.Context, key string) (Answer, bool, error)
	Keep(ctx context.Context, a Answer) error
	Delta(ctx context.Context, id int64) (*topology.Delta, error)
	Since(ctx context.Context, id int64, f func(*topology.Operation, *topology.Delta)) error
	Setting(ctx context.Context, key string) (string, bool, error)
	SetSetting(ctx context.Context, key, value string) error
	Positions(ctx context.Context) ([]topology.Position, error)
	ReplacePositions(ctx context.Context, positions []topology.Position) error
	ChangePositions(ctx context.Context, changes []topology.PositionChange) (made []topology.PositionChange, now []topology.Position, err error)
}

// Lab edits the topology.
type Lab struct {
	kernel   Kernel
	observer Observer
	store    Store
	log      *slog.Logger
	// checkpoint is called between the steps of an edit, by name; tests end the
	// process there.
	checkpoint func(step string)

	turn    chan struct{} // holds one token: whose turn it is
	waiting atomic.Int32
	running running

	mu       sync.RWMutex
	spec     *topology.Spec   // never written to, only replaced
	intent   *topology.Intent // of spec
	revision int64
	progress *runningProgress // of the last large operation
	settings topology.Settings
	repairs  topology.RepairState

	setting sync.Mutex    // held while settings are changed
	placing sync.Mutex    // held while positions are changed and that is told
	nudge   chan struct{} // holds a value when KeepRepaired has to look again
	edited  atomic.Bool   // somebody but netdash itself has changed something since it last looked
}

// Option changes how a Lab works.
type Option func(*Lab)

// WithCheckpoint has f called between the steps of every edit.
func WithCheckpoint(f func(step string)) Option { return func(l *Lab) { l.checkpoint = f } }

// New makes a Lab of the Spec the store holds. Call Recover before the first
// edit.
func New(ctx context.Context, kernel Kernel, observer Observer, store Store, log *slog.Logger, options ...Option) (*Lab, error) {
	spec, revision, err := store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the intended topology: %w", err)
	}
	l := &Lab{
		kernel: kernel, observer: observer, store: store, log: log, checkpoint: func(string) {},
		turn: make(chan struct{}, 1), nudge: make(chan struct{}, 1), spec: spec, intent: topology.NewIntent(spec), revision: revision,
	}
	for _, o := range options {
		o(l)
	}
	if err := l.loadSettings(ctx); err != nil {
		return nil, err
	}
	l.turn <- struct{}{}
	return l, nil
}

// Intended gives the intended Spec, which must not be written to, and its
// revision: the number of the last committed operation.
func (l *Lab) Intended() (*topology.Spec, int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.spec, l.revision
}

// Operations lists the journal, newest first, from before the given number (0:
// from the newest).
func (l *Lab) Operations(ctx context.Context, before int64, limit int) ([]topology.Operation, error) {
	return l.store.Operations(ctx, before, limit)
}

// Operation gives one operation of the journal.
func (l *Lab) Operation(ctx context.Context, id int64) (*topology.Operation, error) {
	op, err := l.store.Operation(ctx, id)
	if err == nil {
		l.withProgress(op)
	}
	return op, err
}

// Edit changes the intended Spec by edit, which gets a copy to write to, and
// the kernel with it. It returns when everything is applied, verified and
// committed and can be observed; after an error nothing has changed. An edit
// that has begun is finished even when ctx ends.
func (l *Lab) Edit(ctx context.Context, req Request, edit func(*topology.Spec) error) (*Result, error) {
	return l.perform(ctx, req, func() (*step, error) {
		before, _ := l.Intended()
		after := before.Clone()
		if err := edit(after); err != nil {
			return nil, err
		}
		if err := topology.Validate(after); err != nil {
			return nil, err
		}
		return l.stepTo(after), nil
	})
}

// stepTo drafts the edit that makes the intended Spec after, which is valid.
func (l *Lab) stepTo(after *topology.Spec) *step {
	before, _ := l.Intended()
	target := topology.NewIntent(after)
	plan := l.intent.PlanTo(target)
	observed := l.observer.Snapshot()
	return &step{
		before: before, after: after, from: l.intent, to: target, plan: plan, observed: observed,
		known: l.intent.Differences(observed, plan.Namespaces()...),
	}
}

// step is an edit on its way: from one Spec to another by a Plan.
type step struct {
	before, after *topology.Spec
	from, to      *topology.Intent // of these
	plan          topology.Plan
	observed      *topology.Snapshot // before it began
	// known are the differences in the Plan's namespaces that the Plan need not
	// mend.
	known []topology.Difference
	// undoes, if set, is the operation that the edit takes back.
	undoes *topology.Operation
	// mending, of a repair, has the Plan: what it has mended stays, also when a
	// step fails.
	mending *topology.Mending
	// mends is set of a Plan that is about nothing intended, see Mend.
	mends bool
}

// namespaces lists where an edit changes something. Of an edit that leaves the
// kernel as it is, they are those in which something else is intended then.
func (e *step) namespaces() []string {
	if len(e.plan) == 0 {
		return e.from.PlanTo(e.to).Namespaces()
	}
	return reach(e.from, e.plan)
}

// reach lists where a Plan changes something: the namespaces it names, and those
// where the other ends of deleted veths go with them.
func reach(from *topology.Intent, plan topology.Plan) []string {
	names := plan.Namespaces()
	for _, c := range plan {
		if d, ok := c.(topology.DeleteLink); ok {
			if peer, ok := from.Peer(topology.LinkRef(d)); ok {
				names = append(names, peer.Namespace)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// perform does what draft comes to, when it is this edit's turn. Every change of
// the intended Spec, and every repair, goes this way.
func (l *Lab) perform(ctx context.Context, req Request, draft func() (*step, error)) (*Result, error) {
	if err := l.take(ctx); err != nil {
		return nil, err
	}
	defer func() { l.turn <- struct{}{} }()

	if _, revision := l.Intended(); req.Revision != nil && *req.Revision != revision {
		return nil, topology.Errorf(topology.CodePrecondition, "", "the topology is at revision %d, not %d", revision, *req.Revision).
			WithHint("read it again and repeat the change")
	}
	e, err := draft()
	if err != nil {
		return nil, err
	}
	if err := topology.Obstacle(e.plan, e.observed); err != nil {
		return nil, err
	}
	if req.DryRun {
		return &Result{Plan: e.plan, Spec: e.after}, nil
	}
	if len(e.plan) == 0 && (e.before == e.after || topology.Equal(e.before, e.after)) {
		return &Result{Spec: e.before}, nil
	}
	return l.operate(context.WithoutCancel(ctx), req, e)
}

// take waits for this edit's turn.
func (l *Lab) take(ctx context.Context) error {
	if l.waiting.Add(1) > maxWaiting {
		l.waiting.Add(-1)
		return topology.Errorf(topology.CodeBusy, "", "%d edits are waiting already", maxWaiting).WithHint("try again in a moment")
	}
	defer l.waiting.Add(-1)
	select {
	case <-l.turn:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for other edits: %w", ctx.Err())
	}
}

// operate journals, applies, verifies and commits a Plan, or undoes it.
func (l *Lab) operate(ctx context.Context, req Request, e *step) (*Result, error) {
	op := &topology.Operation{
		State: topology.OperationRunning, Author: req.Author, Request: req.Text,
		Changes: e.plan.Records(), Commands: e.plan.Commands(), StartedAt: time.Now().UTC(),
	}
	namespaces := e.namespaces()
	op.IntentOnly = len(e.plan) == 0 && len(namespaces) > 0
	if e.undoes != nil {
		op.Undoes = e.undoes.ID
	}
	if err := l.store.Begin(ctx, op, e.after); err != nil {
		return nil, fmt.Errorf("journal the operation: %w", err)
	}
	work := l.running.begin(ctx, op.ID)
	defer l.running.end()
	l.checkpoint("journaled")
	if req.Started != nil {
		req.Started(op.ID)
	}
	l.observer.Begin(op, e.to, namespaces)

	done, rest, err := l.apply(work, op, e.plan)
	cancelled := l.running.settle()
	if cancelled != nil {
		err = cancelled
	}
	if err == nil {
		err = l.verify(ctx, e)
	}
	if err == nil {
		l.checkpoint("verified")
		op.DurationMS = since(op.StartedAt)
		if err = l.store.Commit(ctx, op, e.after, req.answers(op)...); err != nil {
			err = fmt.Errorf("commit the operation: %w", err)
		}
	}
	switch {
	case err != nil && (e.mending != nil || e.mends):
		return nil, l.leave(ctx, op, e, err, cancelled == nil && e.mending != nil)
	case err != nil:
		l.undo(ctx, op, e, done, rest, err)
		return nil, err
	}
	l.checkpoint("committed")
	op.State = topology.OperationCommitted
	e.to = topology.NewIntent(e.after) // new links have ids and MACs now, by which they are known later
	l.mu.Lock()
	l.spec, l.intent, l.revision = e.after, e.to, op.ID
	l.mu.Unlock()
	l.observer.End(op, e.to, op.ID)
	if e.undoes != nil {
		undone := *e.undoes
		undone.State, undone.UndoneBy = topology.OperationUndone, op.ID
		l.observer.Undone(&undone)
	}
	if !req.auto {
		l.startAfresh()
	}
	return &Result{Plan: e.plan, Operation: op, Spec: e.after}, nil
}

// apply carries a Plan out and tells what is done of it and what is not.
func (l *Lab) apply(ctx context.Context, op *topology.Operation, plan topology.Plan) (done, rest topology.Plan, err error) {
	report := l.reporter(op, len(plan))
	return l.kernel.Run(ctx, plan, func(done int) {
		report(done)
		l.checkpoint("applied")
	})
}

// undo leads the kernel back and journals the failure.
func (l *Lab) undo(ctx context.Context, op *topology.Operation, e *step, done, rest topology.Plan, cause error) {
	op.State, op.Error, op.DurationMS, op.Undoes = topology.OperationFailed, cause.Error(), since(op.StartedAt), 0
	before := e.before.Clone()
	topology.NoteBridgeMACs(before, e.observed)
	if err := l.repair(ctx, before, e.after, done, rest); err != nil {
		l.log.Error("an operation could not be undone whole", "operation", op.ID, "error", err)
		op.Error += "; undoing it: " + err.Error()
	}
	if err := l.store.Fail(ctx, op); err != nil {
		// The row stays open, and the next start repairs once more.
		l.log.Error("a failed operation could not be journaled", "operation", op.ID, "error", err)
	}
	_, revision := l.Intended()
	l.observer.End(op, e.from, revision)
}

// repair applies what leads from the observed topology back to before, going on
// after a step that fails.
func (l *Lab) repair(ctx context.Context, before, after *topology.Spec, done, rest topology.Plan) error {
	observed, err := l.observer.Observe(ctx, done.Namespaces())
	if err != nil {
		return err
	}
	plan := topology.Repair(before, after, done, rest, observed)
	var first error
	for left := plan; len(left) > 0; {
		_, rest, err := l.kernel.Run(ctx, left, func(int) { l.checkpoint("repaired") })
		if err == nil {
			break
		}
		if first == nil {
			first = err
		}
		left = rest[1:]
	}
	if _, err := l.observer.Observe(ctx, append(plan.Namespaces(), done.Namespaces()...)); err != nil && first == nil {
		first = err
	}
	return first
}

// clearNames removes names of namespaces that a killed process has left without
// a namespace: the file is made before the mount and removed after it.
func (l *Lab) clearNames(ctx context.Context, plan topology.Plan) error {
	observed, err := l.observer.Observe(ctx, plan.Namespaces())
	if err != nil {
		return err
	}
	for _, c := range plan {
		var name string
		switch c := c.(type) {
		case topology.CreateNamespace:
			name = c.Name
		case topology.DeleteNamespace:
			name = c.Name
		default:
			continue
		}
		if n := observed.Namespace(name); n != nil && n.Sync != topology.Missing {
			continue
		}
		if _, _, err := l.kernel.Run(ctx, topology.Plan{topology.DeleteNamespace{Name: name}}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Recover repairs what an earlier process left half-done.
func (l *Lab) Recover(ctx context.Context) error {
	pending, err := l.store.Pending(ctx)
	if err != nil {
		return fmt.Errorf("look for unfinished operations: %w", err)
	}
	for _, p := range pending {
		before, revision := l.Intended()
		op := p.Operation
		target := topology.NewIntent(p.Target)
		var plan topology.Plan
		if len(op.Changes) > 0 { // without, nothing was done: it only said what is managed
			plan = l.intent.PlanTo(target)
		}
		op.State, op.Error = topology.OperationFailed, "netdash was interrupted; what was done of it has been undone"
		mending := len(op.Changes) > 0 && topology.Equal(before, p.Target)
		if mending {
			plan, op.Error = halfMade(op.Changes), "netdash was interrupted; what has been repaired stays so"
		}
		l.observer.Begin(&op, target, reach(l.intent, plan))
		err := l.clearNames(ctx, plan)
		if err == nil && !mending {
			err = l.repair(ctx, before, p.Target, plan, nil)
		}
		if err != nil {
			op.Error = "netdash was interrupted; undoing it: " + err.Error()
			l.log.Error("an interrupted operation could not be undone whole", "operation", op.ID, "error", err)
		} else {
			l.log.Warn("an interrupted operation has been ended", "operation", op.ID, "request", op.Request, "outcome", op.Error)
		}
		err = l.store.Fail(ctx, &op)
		l.observer.End(&op, l.intent, revision)
		if err != nil {
			return fmt.Errorf("close the journal of operation %d: %w", op.ID, err)
		}
	}
	return nil
}

func since(t time.Time) float64 { return float64(time.Since(t).Microseconds()) / 1000 }
