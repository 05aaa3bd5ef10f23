package store

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netdash/internal/topology"
)

func operationOf(t testing.TB, s *Store, id int64) *topology.Operation {
	t.Helper()
	op, err := s.Operation(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func deltaOf(t testing.TB, s *Store, id int64) *topology.Delta {
	t.Helper()
	d, err := s.Delta(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDelta: what is journaled is the difference between the rows before and
// after, with the ids that the commit gave and the MACs that came with it.
func TestDelta(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	spec := star(3)
	begun := &topology.Operation{}
	if err := s.Begin(t.Context(), begun, spec); err != nil {
		t.Fatal(err)
	}
	for i := range spec.Veths { // as verify does, after Begin
		spec.Veths[i].A.Identity.MAC = "02:00:00:00:00:0" + strconv.Itoa(i)
	}
	if deltaOf(t, s, begun.ID) != nil {
		t.Error("a running operation has done something")
	}
	if err := s.Commit(t.Context(), begun, spec); err != nil {
		t.Fatal(err)
	}
	gone := commit(t, s, &topology.Spec{})
	nothing := commit(t, s, &topology.Spec{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path)
	back, conflicts := topology.Revert(load(t, s), deltaOf(t, s, gone.ID))
	if len(conflicts) > 0 {
		t.Fatal(conflicts)
	}
	same(t, back, spec, "what was deleted")
	empty, conflicts := topology.Revert(back, deltaOf(t, s, begun.ID))
	if len(conflicts) > 0 {
		t.Fatal(conflicts)
	}
	same(t, empty, &topology.Spec{}, "before there was anything")
	if deltaOf(t, s, nothing.ID) != nil {
		t.Error("an operation that changed nothing has done something")
	}
	var later []int64
	err := s.Since(t.Context(), begun.ID, func(op *topology.Operation, d *topology.Delta) {
		if d == nil {
			t.Errorf("operation %d without what it did", op.ID)
		}
		later = append(later, op.ID)
	})
	if err != nil || len(later) != 1 || later[0] != gone.ID {
		t.Errorf("since %d: %v, %v", begun.ID, later, err)
	}
}

// TestUndone: the operation, the rows and what it undoes change together.
func TestUndone(t *testing.T) {
	s := newStore(t)
	first := commit(t, s, star(1))
	second := commit(t, s, star(2))
	undo := func(id int64, target *topology.Spec) (*topology.Operation, error) {
		op := &topology.Operation{Undoes: id, Changes: []topology.ChangeRecord{}, Commands: []string{}}
		if err := s.Begin(t.Context(), op, target); err != nil {
			t.Fatal(err)
		}
		return op, s.Commit(t.Context(), op, target)
	}
	op, err := undo(second.ID, star(1))
	if err != nil {
		t.Fatal(err)
	}
	stored(t, s, op)
	if was := operationOf(t, s, second.ID); was.State != topology.OperationUndone || was.UndoneBy != op.ID {
		t.Errorf("%+v", was)
	}
	for _, id := range []int64{second.ID, 99} { // undone already, not there
		op, err := undo(id, star(5))
		if topology.CodeOf(err) != topology.CodeConflict {
			t.Errorf("operation %d: %v", id, err)
		}
		if is := operationOf(t, s, op.ID); is.State != topology.OperationRunning || is.Undoes != 0 || deltaOf(t, s, op.ID) != nil {
			t.Errorf("%+v", is)
		}
		same(t, withoutIDs(load(t, s)), star(1), "rows of an undo that failed")
		if err := s.Fail(t.Context(), op); err != nil {
			t.Fatal(err)
		}
		stored(t, s, op)
		if op.Undoes != 0 {
			t.Error("a failed operation has undone something")
		}
	}
	redo, err := undo(op.ID, star(2))
	if err != nil {
		t.Fatal(err)
	}
	_, revision, err := s.Load(t.Context())
	if err != nil || revision != redo.ID {
		t.Errorf("revision %d, %v", revision, err)
	}
	if is := operationOf(t, s, first.ID); is.State != topology.OperationCommitted || is.UndoneBy != 0 {
		t.Errorf("%+v", is)
	}
	sound(t, s)
}

// TestUndoOnFullDisk: whatever of an undo does not fit on the disk, it is the
// whole of it.
func TestUndoOnFullDisk(t *testing.T) {
	if !ownMounts(t) {
		return
	}
	dir := smallDisk(t, "size=24m")
	s := openStore(t, filepath.Join(dir, "netdash.db"))
	commit(t, s, star(20))
	done := commit(t, s, star(60))
	full := 0
	for spare := int64(0); ; spare += 4096 {
		if spare > 2<<20 {
			t.Fatal("never fine")
		}
		op := &topology.Operation{Undoes: done.ID, Changes: []topology.ChangeRecord{}, Commands: []string{}}
		if err := s.Begin(t.Context(), op, star(20)); err != nil {
			t.Fatal(err)
		}
		filler := fill(t, dir, spare)
		err := s.Commit(t.Context(), op, star(20))
		was, is := operationOf(t, s, done.ID), operationOf(t, s, op.ID)
		sound(t, s)
		if err == nil {
			if was.State != topology.OperationUndone || was.UndoneBy != op.ID || is.Undoes != done.ID || deltaOf(t, s, op.ID) == nil {
				t.Errorf("%+v undid %+v", is, was)
			}
			same(t, withoutIDs(load(t, s)), star(20), "undone")
			break
		}
		isFull(t, err, "Commit")
		full++
		if was.State != topology.OperationCommitted || was.UndoneBy != 0 || is.State != topology.OperationRunning || deltaOf(t, s, op.ID) != nil {
			t.Fatalf("half of an undo: %+v, %+v", was, is)
		}
		same(t, withoutIDs(load(t, s)), star(60), "on a full disk")
		if err := errors.Join(os.Remove(filler), s.Fail(t.Context(), op)); err != nil {
			t.Fatal(err)
		}
	}
	if full == 0 {
		t.Error("the disk was never full")
	}
	t.Logf("full %d times", full)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	ids := func() (out []int64) {
		t.Helper()
		list, err := s.Operations(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range list {
			out = append(out, op.ID)
		}
		return out
	}
	want := func(what string, want ...int64) {
		t.Helper()
		if d := cmp.Diff(want, ids()); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
	cut := &topology.Operation{} // running all the while
	if err := s.Begin(t.Context(), cut, star(1)); err != nil {
		t.Fatal(err)
	}
	for i := range 9 {
		commit(t, s, star(i+2))
	}
	want("without a setting", 10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
	if err := s.SetSetting(t.Context(), historySetting, "3"); err != nil {
		t.Fatal(err)
	}
	last := commit(t, s, star(3))
	want("three, and the one that runs", 11, 10, 9, 1)
	if err := s.Fail(t.Context(), cut); err != nil {
		t.Fatal(err)
	}
	want("it does not run any more", 11, 10, 9)
	for range 5 {
		op := &topology.Operation{}
		if err := s.Begin(t.Context(), op, star(9)); err != nil {
			t.Fatal(err)
		}
		if err := s.Fail(t.Context(), op); err != nil {
			t.Fatal(err)
		}
	}
	want("three, and the revision's own", 16, 15, 14, last.ID)
	if _, revision, err := s.Load(t.Context()); revision != last.ID || err != nil {
		t.Errorf("revision %d, %v", revision, err)
	}
	_, err := s.Operation(t.Context(), 12)
	if topology.CodeOf(err) != topology.CodeNotFound || !strings.Contains(err.Error(), "kept for 3 operations") {
		t.Errorf("pruned: %v", err)
	}
	_, err = s.Operation(t.Context(), 17)
	if topology.CodeOf(err) != topology.CodeNotFound || strings.Contains(err.Error(), "kept") {
		t.Errorf("never there: %v", err)
	}
	for _, value := range []string{"0", "no number", "-1"} {
		if err := s.SetSetting(t.Context(), historySetting, value); err != nil {
			t.Fatal(err)
		}
		before := len(ids())
		commit(t, s, star(3))
		if got := len(ids()); got != before+1 {
			t.Errorf("with %q %d operations became %d", value, before, got)
		}
	}
	// Numbers are not used again, not even those of operations that are gone.
	if _, err := s.writer.Exec(`DELETE FROM operations`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path)
	if op := commit(t, s, star(4)); op.ID != 20 {
		t.Errorf("number %d, want 20", op.ID)
	}
	sound(t, s)
}

// TestHistoryGoesBitByBit: a lowered setting does not make one commit remove
// everything.
func TestHistoryGoesBitByBit(t *testing.T) {
	s := newStore(t)
	for range pruneAtOnce + 50 {
		commit(t, s, &topology.Spec{})
	}
	if err := s.SetSetting(t.Context(), historySetting, "1"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{51, 1, 1} {
		commit(t, s, &topology.Spec{})
		list, err := s.Operations(t.Context(), 0, 10000)
		if err != nil || len(list) != want {
			t.Fatalf("%d operations, want %d (%v)", len(list), want, err)
		}
	}
}

// TestDamagedDelta: what cannot be read is said, not taken for nothing.
func TestDamagedDelta(t *testing.T) {
	s := newStore(t)
	op := commit(t, s, star(1))
	for _, text := range []string{`{`, `{"bridges":{"edits":[{"after":{"namespace":"sw","name":"br0"}}]}}`} {
		if _, err := s.writer.Exec(`UPDATE operations SET delta = ?`, text); err != nil {
			t.Fatal(err)
		}
		if d, err := s.Delta(t.Context(), op.ID); err == nil {
			t.Errorf("%s: %+v", text, d)
		}
		if err := s.Since(t.Context(), 0, func(*topology.Operation, *topology.Delta) {}); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	if _, err := s.Delta(t.Context(), 99); err == nil {
		t.Error("there is no operation 99")
	}
}
