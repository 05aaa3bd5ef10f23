package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"netdash/internal/topology"
)

// crashEnv names the database a child process commits to until it is killed.
const crashEnv = "NETDASH_TEST_CRASH_DB"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		fmt.Fprintln(os.Stderr, commitForever(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// stage is the topology that operation n leads to, in each process the same:
// it grows and shrinks, plugs ports into changing bridges, and renames.
func stage(n int64) *topology.Spec {
	s := star(int(n*7%23) + 1)
	s.Name = strconv.FormatInt(n, 10)
	if n%3 == 0 {
		s.Bridges[0].Name = "br1"
		for i := range s.Veths {
			s.Veths[i].B.Master = "br1"
		}
	}
	for i := range s.Veths {
		s.Veths[i].A.Identity.MAC = fmt.Sprintf("02:00:00:00:%02x:%02x", n%256, i)
	}
	return s
}

// commitForever takes the database from stage to stage and says the number of
// each when it is committed.
func commitForever(path string) error {
	ctx := context.Background()
	s, err := Open(ctx, path)
	if err != nil {
		return err
	}
	for {
		latest, err := s.Operations(ctx, 0, 1)
		if err != nil {
			return err
		}
		n := int64(1)
		if len(latest) == 1 {
			n = latest[0].ID + 1
		}
		target, op := stage(n), &topology.Operation{}
		if err := s.Begin(ctx, op, target); err != nil {
			return err
		}
		time.Sleep(time.Duration(n%3) * 300 * time.Microsecond) // the kernel's part
		if err := s.Commit(ctx, op, target, answerTo(strconv.FormatInt(n, 10))); err != nil {
			return err
		}
		fmt.Println(op.ID)
	}
}

// TestKill kills a process at random moments of a stream of commits. What it
// said was committed is there; of the one it was at, all or nothing is, its answer
// included.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	midway := 0
	cut := map[int64]bool{} // operations that were not committed
	for round := range 40 {
		acknowledged := killAfter(t, path, time.Duration(rand.IntN(20_000))*time.Microsecond)
		s := openStore(t, path)
		sound(t, s)
		spec, revision, err := s.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if revision < acknowledged {
			t.Fatalf("round %d: revision %d, but %d had been committed", round, revision, acknowledged)
		}
		if revision > 0 {
			withoutIDs(spec)
			same(t, spec, stage(revision), "after the kill")
		}
		for n := max(1, revision-5); n <= revision+1; n++ {
			ended := n <= revision && !cut[n]
			if kept(t, s, answerTo(strconv.FormatInt(n, 10))) != ended {
				t.Fatalf("round %d: at revision %d the answer of %d is kept: %v", round, revision, n, !ended)
			}
		}
		pending, err := s.Pending(t.Context())
		if err != nil || len(pending) > 1 {
			t.Fatal(pending, err)
		}
		for _, p := range pending {
			midway++
			cut[p.Operation.ID] = true
			if p.Operation.ID <= revision {
				t.Fatalf("operation %d is pending at revision %d", p.Operation.ID, revision)
			}
			same(t, withoutIDs(p.Target), stage(p.Operation.ID), "pending target")
			p.Operation.Error = "cut off"
			if err := s.Fail(t.Context(), &p.Operation); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if midway == 0 {
		t.Error("no kill hit an operation midway: the test proves nothing")
	}
	t.Logf("%d of 40 kills hit an operation midway", midway)
}

// killAfter starts a child, kills it some time after its first commit, and
// tells the last commit it reported.
func killAfter(t *testing.T, path string, wait time.Duration) (last int64) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashEnv+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	first := true
	for lines := bufio.NewScanner(out); lines.Scan(); first = false {
		if first {
			time.AfterFunc(wait, func() { _ = child.Process.Kill() })
		}
		if last, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Error(err)
		}
	}
	_ = child.Wait() // killed, so always an error
	if first {
		t.Fatal("the child committed nothing")
	}
	return last
}

// withoutIDs leaves of the identities what does not depend on history.
func withoutIDs(s *topology.Spec) *topology.Spec {
	for l := range links(s) {
		l.ID = 0
	}
	return s
}
