package lab

import (
	"context"

	"netdash/internal/topology"
)

// EditIntent changes the intended Spec and leaves the kernel as it is, as
// adopting and releasing do.
func (l *Lab) EditIntent(ctx context.Context, req Request, edit func(*topology.Spec) error) (*Result, error) {
	return l.perform(ctx, req, func() (*step, error) {
		before, _ := l.Intended()
		after := before.Clone()
		if err := edit(after); err != nil {
			return nil, err
		}
		e := l.stepTo(after)
		e.plan, e.known = nil, nil
		return e, nil
	})
}
