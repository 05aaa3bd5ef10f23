package lab_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// childArgument makes the test program a process that performs one of steps
// and kills itself at a checkpoint: child DATABASE STEP CHECKPOINT NAME, the
// checkpoint of that number among those of that name, or of any without one.
// For largeStep it makes the star of 100 namespaces, for undoStep it undoes the
// last operation; adoptStep and releaseStep are for what adoptions has first.
const (
	childArgument = "-netdash-lab-child"
	largeStep     = -1
	undoStep      = -2
	adoptStep     = -3
	releaseStep   = -4
	reconcileStep = -5
)

func child() {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
	step, err := strconv.Atoi(os.Args[3])
	fail(err)
	at, err := strconv.Atoi(os.Args[4])
	fail(err)
	edit, wrap := largeEdit, func(k lab.Kernel) lab.Kernel { return k }
	if step >= 0 {
		edit = steps[step].edit
	}
	if step >= 0 || step == reconcileStep {
		wrap = func(k lab.Kernel) lab.Kernel { return oneByOne{k} }
	}
	seen := 0
	m, _, err := start(os.Args[2], wrap, lab.WithCheckpoint(func(name string) {
		if os.Args[5] != "" && os.Args[5] != name {
			return
		}
		if seen++; seen == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}))
	fail(err)
	fail(m.Recover(context.Background()))
	if os.Args[5] == "repaired" {
		os.Exit(0) // it was to be killed before this
	}
	switch ctx, req := context.Background(), (lab.Request{Text: "child"}); step {
	case adoptStep:
		_, err = m.Adopt(ctx, req, adoptions[0].subjects, &topology.Adoption{})
	case releaseStep:
		_, err = m.Release(ctx, req, adoptions[0].subjects, &topology.Adoption{})
	case undoStep:
		var op topology.Operation
		op, err = lastDone(ctx, m)
		fail(err)
		_, err = m.Undo(ctx, req, op.ID)
	case reconcileStep:
		_, err = m.Reconcile(ctx, req, nil)
	default:
		_, err = m.Edit(ctx, req, edit)
	}
	fail(err)
	os.Exit(0)
}

// oneByOne carries a Plan out Change by Change, so that the process can end
// between any two.
type oneByOne struct{ lab.Kernel }

func (k oneByOne) Run(ctx context.Context, plan topology.Plan, step func(int)) (done, rest topology.Plan, err error) {
	for i, c := range plan {
		if _, _, err := k.Kernel.Run(ctx, topology.Plan{c}, nil); err != nil {
			return plan[:i], plan[i:], err
		}
		if step != nil {
			step(i + 1)
		}
	}
	return plan, nil, nil
}

// perform runs a child and tells whether it was killed.
func perform(t *testing.T, db string, step, checkpoint int, name string) (killed bool) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", childArgument, db, strconv.Itoa(step), strconv.Itoa(checkpoint), name)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("step %d, checkpoint %d: %v\n%s", step, checkpoint, err, out)
	}
	return true
}

// TestKilledAnywhere kills the process at every checkpoint of every step. What
// a restart makes of it is all of the edit or none of it, in the kernel and in
// the database alike.
func TestKilledAnywhere(t *testing.T) {
	nettest.NoLeaks(t)
	nettest.Require(t)
	// After a failure what the children made is still there.
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete; ip link delete br0 2>/dev/null; true") })
	db := filepath.Join(t.TempDir(), "n.db")
	look := func() (kernel, spec string) { return restart(t, db) }
	kernelBefore, specBefore := look()
	for i, step := range steps {
		for at := 1; ; at++ {
			if !perform(t, db, i, at, "") {
				if at < 4 {
					t.Fatalf("%s has only %d checkpoints", step.name, at-1)
				}
				break
			}
			kernel, spec := look()
			if spec == specBefore && kernel == kernelBefore {
				continue
			}
			if spec == specBefore || kernel == kernelBefore {
				t.Fatalf("%s, killed at checkpoint %d: half of it is left\nkernel before\n%s\nnow\n%s\nspec before %s\nnow %s", step.name, at, kernelBefore, kernel, specBefore, spec)
			}
			break // killed after the commit: all of it is there
		}
		kernelBefore, specBefore = look()
		if !strings.Contains(kernelBefore, "namespace host") {
			t.Fatal("the fingerprint is empty")
		}
	}
}

// restart has a netdash recover, and tells what the kernel and the database say
// then, which must be the same.
func restart(t *testing.T, db string) (kernel, spec string) {
	t.Helper()
	m, stop, err := start(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	kernel, spec = fingerprint(t), intended(t, m)
	if s, _ := m.Intended(); len(topology.Drift(s, m.live.Snapshot())) > 0 {
		t.Errorf("after recovery the kernel has not what the database says: %v", topology.Drift(s, m.live.Snapshot()).Commands())
	}
	if pending, err := m.store.Pending(t.Context()); err != nil || len(pending) > 0 {
		t.Errorf("still pending: %+v, %v", pending, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	return kernel, spec
}

func largeEdit(s *topology.Spec) error {
	*s = *star(100, false)
	return nil
}

// TestLargeEditKilled kills the process while it makes a star of 100 namespaces:
// in every state of the journal, in every stage of the Plan, and while the next
// one repairs what it left.
func TestLargeEditKilled(t *testing.T) {
	nettest.NoLeaks(t)
	nettest.Require(t)
	t.Cleanup(func() { nettest.Shell(t, "ip -all netns delete") })
	db := filepath.Join(t.TempDir(), "n.db")
	kernelBefore, specBefore := restart(t, db)
	for _, at := range []struct {
		name string
		n    []int
	}{
		{"journaled", []int{1}},
		// The stages: 101 namespaces, 101 places to make links in, 101 to set them.
		{"applied", []int{1, 50, 101, 102, 150, 202, 203, 250, 302, 303}},
		{"verified", []int{1}},
	} {
		for _, n := range at.n {
			if !perform(t, db, largeStep, n, at.name) {
				t.Fatalf("there is no checkpoint %q number %d", at.name, n)
			}
			if n == 250 { // and kill what recovers, too
				for i := 1; i < 4 && perform(t, db, largeStep, 20*i, "repaired"); i++ {
					t.Logf("killed while repairing, after %d steps", 20*i)
				}
			}
			kernel, spec := restart(t, db)
			if kernel != kernelBefore || spec != specBefore {
				t.Fatalf("killed at %q number %d: kernel as before: %t, spec as before: %t\n%.2000s", at.name, n, kernel == kernelBefore, spec == specBefore, kernel)
			}
		}
	}
	if !perform(t, db, largeStep, 1, "committed") {
		t.Fatal("it was not killed after the commit")
	}
	if kernel, spec := restart(t, db); spec == specBefore || !strings.Contains(kernel, "h99") {
		t.Errorf("killed after the commit: not all of it is there\n%.2000s\n%.2000s", kernel, spec)
	}
}

// TestKilledWhileAdopting kills the process at every checkpoint of an adoption
// and of a release. The kernel has nothing of it, and what is intended afterwards
// is all or nothing.
func TestKilledWhileAdopting(t *testing.T) {
	nettest.NoLeaks(t)
	foreign(t, adoptions[0].script)
	db := filepath.Join(t.TempDir(), "n.db")
	kernel := settled(t)
	spec := "{}"
	for _, step := range []int{adoptStep, releaseStep} {
		killed := 0
		for at := 1; perform(t, db, step, at, ""); at++ {
			killed++
			_, now := restart(t, db)
			if got := everything(t); got != kernel {
				t.Fatalf("step %d, killed at checkpoint %d: the kernel has changed\n%s", step, at, difference(kernel, got))
			}
			if now != spec { // killed after the commit
				if step == adoptStep && !strings.Contains(now, `"name":"br0"`) || step == releaseStep && now != "{}" {
					t.Fatalf("step %d, killed at checkpoint %d: half of it is left: %s", step, at, now)
				}
				break
			}
		}
		if killed < 3 { // journaled, verified, committed
			t.Fatalf("step %d has only %d checkpoints", step, killed)
		}
		_, spec = restart(t, db)
	}
	if spec != "{}" {
		t.Errorf("released, and yet intended: %s", spec)
	}
}
