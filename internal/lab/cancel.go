package lab

import (
	"context"
	"fmt"
	"sync"

	"netdash/internal/topology"
)

// running is the operation under way, as far as it can be cancelled.
type running struct {
	mu     sync.Mutex
	id     int64 // 0: none
	stop   context.CancelFunc
	late   bool            // its Changes are made
	reason *topology.Error // once it was cancelled
}

// begin notes the operation that has its turn. Its Changes are made with the
// context it gives, which Cancel ends.
func (r *running) begin(ctx context.Context, id int64) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	ctx, stop := context.WithCancel(ctx)
	r.id, r.stop, r.late, r.reason = id, stop, false, nil
	return ctx
}

// settle tells whether the operation was cancelled, and why. From then on it can
// not be.
func (r *running) settle() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late = true
	r.stop()
	if r.reason != nil {
		return r.reason
	}
	return nil
}

// end forgets the operation.
func (r *running) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id = 0
}

// cancel tells whether the operation will stop, because it was cancelled now or
// before.
func (r *running) cancel(id int64, author string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.id != id || r.late && r.reason == nil {
		return false
	}
	if r.reason == nil {
		r.reason = topology.Errorf(topology.CodeConflict, fmt.Sprintf("operation %d", id), "cancelled by %s", author)
		r.stop()
	}
	return true
}

// Cancel asks a running operation to stop. It returns at once; the operation is
// then rolled back and ends as failed, with an error that names author. A
// conflict is returned for an operation that has ended and for one whose Changes
// are all made.
func (l *Lab) Cancel(ctx context.Context, id int64, author string) error {
	if l.running.cancel(id, author) {
		return nil
	}
	op, err := l.store.Operation(ctx, id)
	if err != nil {
		return err
	}
	subject := fmt.Sprintf("operation %d", id)
	e := topology.Errorf(topology.CodeConflict, subject, "%s is not running any more: it is %s", subject, op.State)
	switch op.State {
	case topology.OperationRunning:
		e.Detail = fmt.Sprintf("it is too late to cancel %s: all of it is done, and is being verified or taken back", subject)
		return e.WithHint("undo it when it is committed")
	case topology.OperationCommitted:
		return e.WithHint("undo it instead: POST /api/v1/operations/%d/undo", id)
	}
	return e
}
