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
// and kills itself at a checkpoint: child DATABASE STEP CHECKPOINT. STEP is a
// number, or adopt or release.
const childArgument = "-netdash-lab-child"

func child() {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
	at, err := strconv.Atoi(os.Args[4])
	fail(err)
	seen := 0
	m, _, err := start(os.Args[2], nil, lab.WithCheckpoint(func(string) {
		if seen++; seen == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}))
	fail(err)
	fail(m.Recover(context.Background()))
	fail(childStep(m, os.Args[3]))
	os.Exit(0)
}

func childStep(m *machine, name string) error {
	ctx, req := context.Background(), lab.Request{Text: "child"}
	var err error
	switch name {
	case "adopt":
		_, _, err = m.Adopt(ctx, req, adoptions[0].subjects)
	case "release":
		_, _, err = m.Release(ctx, req, adoptions[0].subjects)
	default:
		step, problem := strconv.Atoi(name)
		if problem != nil {
			return problem
		}
		_, err = m.Edit(ctx, req, steps[step].edit)
	}
	return err
}

// perform runs a child and tells whether it was killed.
func perform(t *testing.T, db, step string, checkpoint int) (killed bool) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", childArgument, db, step, strconv.Itoa(checkpoint))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Fatalf("step %s, checkpoint %d: %v\n%s", step, checkpoint, err, out)
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
	look := func() (kernel, spec string) {
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
	kernelBefore, specBefore := look()
	for i, step := range steps {
		for at := 1; ; at++ {
			if !perform(t, db, strconv.Itoa(i), at) {
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

// TestKilledWhileAdopting kills the process at every checkpoint of an adoption
// and of a release. The kernel has nothing of it, and what is intended afterwards
// is all or nothing.
func TestKilledWhileAdopting(t *testing.T) {
	nettest.NoLeaks(t)
	foreign(t, adoptions[0].script)
	db := filepath.Join(t.TempDir(), "n.db")
	kernel := settled(t)
	spec := "{}"
	for _, step := range []string{"adopt", "release"} {
		killed := 0
		for at := 1; perform(t, db, step, at); at++ {
			killed++
			now := recovered(t, db)
			if got := everything(t); got != kernel {
				t.Fatalf("%s, killed at checkpoint %d: the kernel has changed\n%s", step, at, difference(kernel, got))
			}
			if now != spec { // killed after the commit
				if step == "adopt" && !strings.Contains(now, `"name":"br0"`) || step == "release" && now != "{}" {
					t.Fatalf("%s, killed at checkpoint %d: half of it is left: %s", step, at, now)
				}
				break
			}
		}
		if killed < 3 { // journaled, verified, committed
			t.Fatalf("%s has only %d checkpoints", step, killed)
		}
		spec = recovered(t, db)
	}
	if spec != "{}" {
		t.Errorf("released, and yet intended: %s", spec)
	}
}

// recovered is what is intended after a restart, which must be what there is.
func recovered(t *testing.T, db string) string {
	t.Helper()
	m, stop, err := start(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.faithful(t, topology.Foreign, nil)
	if pending, err := m.store.Pending(t.Context()); err != nil || len(pending) > 0 {
		t.Errorf("still pending: %+v, %v", pending, err)
	}
	spec := intended(t, m)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	return spec
}
