package lab

import (
	"time"

	"netdash/internal/topology"
)

// progressEvery is how often the progress of a large operation is announced.
const progressEvery = 100 * time.Millisecond

// reporter gives what is to be called with the number of Changes that are done
// of an operation. A large one's progress is announced, and shown with it.
func (l *Lab) reporter(op *topology.Operation, total int) func(done int) {
	if total <= topology.LargePlan {
		return func(int) {}
	}
	last := time.Now()
	return func(done int) {
		l.mu.Lock()
		l.progress = &runningProgress{op.ID, topology.Progress{Done: done, Total: total}}
		l.mu.Unlock()
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			at := *op
			at.Progress = &topology.Progress{Done: done, Total: total}
			l.observer.Progress(&at)
		}
	}
}

// runningProgress is how far an operation has come.
type runningProgress struct {
	operation int64
	topology.Progress
}

// withProgress adds to an operation that runs how far it has come.
func (l *Lab) withProgress(op *topology.Operation) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if p := l.progress; p != nil && p.operation == op.ID && op.State == topology.OperationRunning {
		op.Progress = &p.Progress
	}
}
