package lab_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

// waiting stands still when so many changes or more are done, until it is let go; it
// says so on reached. It does that once.
type waiting struct {
	lab.Kernel
	at      atomic.Int32
	reached chan struct{}
	goOn    chan struct{}
}

func (w *waiting) Run(ctx context.Context, plan topology.Plan, step func(int)) (done, rest topology.Plan, err error) {
	return w.Kernel.Run(ctx, plan, func(n int) {
		if at := w.at.Load(); at > 0 && n >= int(at) && w.at.CompareAndSwap(at, 0) {
			w.reached <- struct{}{}
			<-w.goOn
		}
		if step != nil {
			step(n)
		}
	})
}

func (w *waiting) holdAt(n int) { w.at.Store(int32(n)) }

// cancelling is a machine whose edits can be stopped on their way.
func cancelling(t *testing.T, options ...lab.Option) (*machine, *waiting) {
	t.Helper()
	w := &waiting{reached: make(chan struct{}), goOn: make(chan struct{})}
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), func(k lab.Kernel) lab.Kernel { w.Kernel = oneByOne{k}; return w }, options...)
	return m, w
}

// TestCancel cancels each kind of edit when each number of its changes is done:
// nothing of it is left.
func TestCancel(t *testing.T) {
	m, w := cancelling(t)
	for _, step := range steps {
		kernelBefore, specBefore := fingerprint(t), intended(t, m)
		changes := len(dryRun(t, m, step.edit))
		for n := 1; n <= changes; n++ {
			w.holdAt(n)
			ended := make(chan error, 1)
			go func() {
				_, err := m.Edit(context.Background(), lab.Request{Author: "pupil", Text: "edit"}, step.edit)
				ended <- err
			}()
			<-w.reached
			ops, err := m.Operations(t.Context(), 0, 1)
			if err != nil || ops[0].State != topology.OperationRunning {
				t.Fatalf("%+v, %v", ops, err)
			}
			for _, author := range []string{"teacher", "somebody else"} { // the second is too late to be named
				if err := m.Cancel(t.Context(), ops[0].ID, author); err != nil {
					t.Fatal(err)
				}
			}
			w.goOn <- struct{}{}
			if err := <-ended; topology.CodeOf(err) != topology.CodeConflict || !strings.Contains(err.Error(), "cancelled by teacher") {
				t.Fatalf("%s, change %d: %v", step.name, n, err)
			}
			if got := fingerprint(t); got != kernelBefore {
				t.Fatalf("%s, change %d: before\n%s\nafter\n%s", step.name, n, kernelBefore, got)
			}
			if got := intended(t, m); got != specBefore {
				t.Fatalf("%s, change %d: the intended topology changed: %s", step.name, n, got)
			}
			op, err := m.Operation(t.Context(), ops[0].ID)
			if err != nil || op.State != topology.OperationFailed || !strings.Contains(op.Error, "cancelled by teacher") {
				t.Fatalf("journaled as %+v (%v)", op, err)
			}
			if err := m.Cancel(t.Context(), op.ID, "teacher"); topology.CodeOf(err) != topology.CodeConflict || !strings.Contains(err.Error(), "failed") {
				t.Errorf("cancelled again: %v", err)
			}
		}
		w.holdAt(0)
		r := m.edit(t, step.edit)
		if err := m.Cancel(t.Context(), r.Operation.ID, "teacher"); topology.CodeOf(err) != topology.CodeConflict || !strings.Contains(err.Error(), "committed") {
			t.Errorf("cancelled when committed: %v", err)
		}
	}
	if err := m.Cancel(t.Context(), 1_000_000, "teacher"); topology.CodeOf(err) != topology.CodeNotFound {
		t.Errorf("no such operation: %v", err)
	}
}

func dryRun(t *testing.T, m *machine, edit func(*topology.Spec) error) topology.Plan {
	t.Helper()
	r, err := m.Edit(t.Context(), lab.Request{DryRun: true}, edit)
	if err != nil {
		t.Fatal(err)
	}
	return r.Plan
}

// TestCancelTooLate: what is done and verified is committed, whoever wants it
// stopped then; and another operation is not meant.
func TestCancelTooLate(t *testing.T) {
	var m *machine
	var late []error
	m, _ = cancelling(t, lab.WithCheckpoint(func(step string) {
		if step == "verified" || step == "committed" {
			ops, err := m.Operations(context.Background(), 0, 1)
			late = append(late, err, m.Cancel(context.Background(), ops[0].ID, "teacher"))
		}
	}))
	r := m.edit(t, steps[0].edit)
	if r.Operation.State != topology.OperationCommitted {
		t.Errorf("%+v", r.Operation)
	}
	if len(late) != 4 || errors.Join(late[0], late[2]) != nil || topology.CodeOf(late[1]) != topology.CodeConflict || topology.CodeOf(late[3]) != topology.CodeConflict {
		t.Errorf("%v", late)
	}
	if !strings.Contains(late[1].Error(), "too late") || !strings.Contains(late[3].Error(), "committed") {
		t.Errorf("%v", late)
	}
}

// TestAnswerIsKept: with the operation if it is committed, not if it fails, and
// what it is made of has been seen.
func TestAnswerIsKept(t *testing.T) {
	m, w := cancelling(t)
	answer := func(op *topology.Operation) lab.Answer {
		seen := m.live.Snapshot().Namespace("A")
		if seen == nil || !seen.Managed || seen.Link("eth0") == nil || !seen.Link("eth0").Managed {
			t.Errorf("the answer was asked for too early: %+v", seen)
		}
		return lab.Answer{Key: "k", Request: []byte("r"), Operation: op.ID, Content: []byte("c")}
	}
	w.holdAt(3)
	ended := make(chan error, 1)
	started := make(chan int64, 1)
	go func() {
		_, err := m.Edit(context.Background(), lab.Request{Answer: answer, Started: func(id int64) { started <- id }}, steps[0].edit)
		ended <- err
	}()
	<-w.reached
	if err := m.Cancel(t.Context(), <-started, "teacher"); err != nil {
		t.Fatal(err)
	}
	w.goOn <- struct{}{}
	if err := <-ended; err == nil {
		t.Fatal("not cancelled")
	}
	if a, known, err := m.Answer(t.Context(), "k"); known || err != nil {
		t.Errorf("%+v %v", a, err)
	}
	w.holdAt(0)
	r, err := m.Edit(t.Context(), lab.Request{Answer: answer}, steps[0].edit)
	if err != nil {
		t.Fatal(err)
	}
	if a, known, err := m.Answer(t.Context(), "k"); !known || err != nil || a.Operation != r.Operation.ID {
		t.Errorf("%+v %v %v", a, known, err)
	}
}
