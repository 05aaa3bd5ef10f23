package lab

import (
	"context"

	"netdash/internal/topology"
)

// Mend carries a Plan out that is about nothing intended: settings of the kernel,
// rules of a packet filter, entries of tables, which a diagnosis has found in the
// way. It is an operation whose Spec is the same before and after. One that fails
// is not undone: what it has mended stays.
func (l *Lab) Mend(ctx context.Context, req Request, plan topology.Plan) (*Result, error) {
	return l.perform(ctx, req, func() (*step, error) {
		before, _ := l.Intended()
		observed := l.observer.Snapshot()
		return &step{
			before: before, after: before.Clone(), from: l.intent, to: l.intent, plan: plan, observed: observed,
			known: l.intent.Differences(observed, plan.Namespaces()...), mends: true,
		}, nil
	})
}
