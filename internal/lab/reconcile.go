package lab

import (
	"context"
	"fmt"
	"slices"

	"netdash/internal/topology"
)

// Reconcile makes what is observed as it is intended: everything, or what the
// subjects name and cannot be mended without (see topology.Intent.DriftOf). It
// never touches what netdash does not manage. Where such a thing has a name that
// is needed, all else is mended; when nothing is left to do then, the error is of
// code conflict. Names of nothing intended are not_found, malformed ones invalid.
// When all of it lies in namespaces that could not be read, it is incomplete.
//
// A reconcile is an operation whose Spec is the same before and after. One that
// fails on the way is not undone, for that would be to break again what was
// mended: it goes on with what does not depend on the failed step, and what it
// has mended stays. The error, and the journal, tell the rest.
func (l *Lab) Reconcile(ctx context.Context, req Request, subjects []string) (*Result, error) {
	return l.perform(ctx, req, func() (*step, error) { return l.draftMending(ctx, subjects) })
}

// draftMending observes what the subjects concern and plans.
func (l *Lab) draftMending(ctx context.Context, subjects []string) (*step, error) {
	before, _ := l.Intended()
	intent := l.intent
	observed := l.observer.Snapshot()
	fresh := map[string]bool{}
	for {
		m, err := intent.DriftOf(observed, subjects)
		if err != nil {
			return nil, err
		}
		stale := slices.DeleteFunc(slices.Clone(m.Concerned), func(n string) bool { return fresh[n] })
		if len(stale) == 0 {
			if err := nothingToMend(m, observed); err != nil {
				return nil, err
			}
			return &step{
				before: before, after: before.Clone(), from: intent, to: intent, plan: m.Plan, observed: observed, mending: m,
			}, nil
		}
		// What the first look was not about may be needed after a fresh one.
		for _, n := range stale {
			fresh[n] = true
		}
		if observed, err = l.observer.Observe(ctx, stale); err != nil {
			return nil, err
		}
	}
}

// nothingToMend gives the reason why there is nothing to do although not all is
// as intended, or could be known to be; nil if there is none.
func nothingToMend(m *topology.Mending, observed *topology.Snapshot) error {
	if len(m.Plan) > 0 {
		return nil
	}
	if len(m.Obstacles) > 0 {
		return m.Obstacles[0]
	}
	for _, name := range m.Concerned {
		if n := observed.Namespace(name); n != nil && n.Incomplete != "" {
			return topology.Errorf(topology.CodeIncomplete, name, "what is in %s could not be read", name)
		}
	}
	return nil
}

// leave ends a reconcile that failed: it mends what else can be mended, if it is
// to go on, and journals the failure.
func (l *Lab) leave(ctx context.Context, op *topology.Operation, e *step, cause error, goOn bool) error {
	var failed topology.Plan
	var err error
	if goOn {
		failed, err = l.mendRest(ctx, e)
	}
	op.State, op.DurationMS = topology.OperationFailed, since(op.StartedAt)
	op.Error = cause.Error() + "; what has been repaired stays so"
	switch {
	case err != nil:
		op.Error += ", but what is left to do is not known: " + err.Error()
	case len(failed) > 0:
		op.Error += fmt.Sprintf(", %d steps could not be done", len(failed))
		for _, c := range failed {
			op.Error += "; " + c.Command()
		}
	}
	if err := l.store.Fail(ctx, op); err != nil {
		// The row stays open; the next start closes it.
		l.log.Error("a failed operation could not be journaled", "operation", op.ID, "error", err)
	}
	_, revision := l.Intended()
	l.observer.End(op, e.from, revision)
	return cause
}

// mendRest plans anew what a failed reconcile has left, and does all of it that
// does not hang on a step that fails. It gives the steps that were not done.
func (l *Lab) mendRest(ctx context.Context, e *step) (failed topology.Plan, err error) {
	observed, err := l.observer.Observe(ctx, e.mending.Concerned)
	if err != nil {
		return nil, err
	}
	m, err := e.mending.Again(observed)
	if err != nil {
		return nil, err
	}
	for left := m.Plan; len(left) > 0; {
		_, rest, err := l.kernel.Run(ctx, left, func(int) { l.checkpoint("mended") })
		if err == nil {
			break
		}
		l.log.Warn("a step of a repair failed", "command", rest[0].Command(), "error", err)
		failed, left = append(failed, rest[0]), nil
		for _, c := range rest[1:] {
			if failed.Blocks(c) {
				failed = append(failed, c)
			} else {
				left = append(left, c)
			}
		}
	}
	_, err = l.observer.Observe(ctx, m.Plan.Namespaces())
	return failed, err
}

// halfMade gives the steps of a reconcile that a killed process may have left
// half done: names of namespaces. Nothing else of it has to be taken back.
func halfMade(changes []topology.ChangeRecord) topology.Plan {
	var plan topology.Plan
	for _, c := range changes {
		if made := (topology.CreateNamespace{Name: c.Subject}); c.Kind == made.Kind() {
			plan = append(plan, made)
		}
	}
	return plan
}
