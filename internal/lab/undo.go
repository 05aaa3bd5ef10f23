package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netdash/internal/topology"
)

// maxConflicts bounds how many conflicts an error lists.
const maxConflicts = 20

// inTheWay is what draft says when an operation cannot be undone because of
// what came later. Who that was is found out when it is others' turn.
type inTheWay struct {
	operation int64
	conflicts []topology.Conflict
}

func (w *inTheWay) Error() string { return w.conflicts[0].Detail }

// Undo takes back what an operation did, as an edit of its own: that leaves
// everything later as it is, and fails with an Error of code conflict, which
// names the later operations, where that cannot be. An undo can be undone like
// any other operation.
func (l *Lab) Undo(ctx context.Context, req Request, id int64) (*Result, error) {
	result, err := l.perform(ctx, req, func() (*step, error) { return l.draftUndo(ctx, id) })
	if w, ok := errors.AsType[*inTheWay](err); ok {
		return nil, l.blame(ctx, w)
	}
	return result, err
}

func (l *Lab) draftUndo(ctx context.Context, id int64) (*step, error) {
	op, err := l.store.Operation(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("undo: %w", err)
	}
	if err := l.undoable(ctx, op); err != nil {
		return nil, err
	}
	delta, err := l.store.Delta(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("undo: %w", err)
	}
	if delta == nil {
		return nil, notUndone(id, "there is nothing to undo: it changed nothing that is intended, or is older than undo")
	}
	before, _ := l.Intended()
	after, conflicts := topology.Revert(before, delta)
	if len(conflicts) > 0 {
		return nil, &inTheWay{id, conflicts}
	}
	if topology.Equal(before, after) {
		return nil, notUndone(id, "there is nothing left to undo: what it did is gone or changed back already")
	}
	e := l.stepTo(after)
	e.undoes = op
	if op.IntentOnly {
		// It was not done to the kernel, so it is not undone there: what was
		// adopted is released, not deleted, and the other way round.
		e.plan, e.known = nil, nil
	}
	return e, nil
}

// undoable tells whether an operation is in a state to be undone.
func (l *Lab) undoable(ctx context.Context, op *topology.Operation) error {
	switch op.State {
	case topology.OperationRunning:
		return notUndone(op.ID, "it is still running").WithHint("wait until it is done")
	case topology.OperationFailed:
		return notUndone(op.ID, "it failed, and so changed nothing")
	case topology.OperationUndone:
		return l.undoneAlready(ctx, op)
	}
	return nil
}

// undoneAlready says by which operation another was undone, and what to do to
// turn that round.
func (l *Lab) undoneAlready(ctx context.Context, op *topology.Operation) error {
	last, times := op, 0
	for last.State == topology.OperationUndone {
		next, err := l.store.Operation(ctx, last.UndoneBy)
		if err != nil {
			return fmt.Errorf("undo: %w", err)
		}
		last, times = next, times+1
	}
	if times%2 == 0 {
		return notUndone(op.ID, fmt.Sprintf("it was undone by operation %d, and done again by operation %d", op.UndoneBy, last.ID)).
			WithHint("undo operation %d instead", last.ID)
	}
	return notUndone(op.ID, fmt.Sprintf("it was undone already, by operation %d", last.ID)).
		WithHint("undo operation %d to do it again", last.ID)
}

func notUndone(id int64, why string) *topology.Error {
	return topology.Errorf(topology.CodeConflict, fmt.Sprintf("operation %d", id), "operation %d cannot be undone: %s", id, why)
}

// blame makes an Error of conflicts: one field each, with the later operations
// that are to blame for it.
func (l *Lab) blame(ctx context.Context, w *inTheWay) error {
	more := max(0, len(w.conflicts)-maxConflicts)
	conflicts := w.conflicts[:len(w.conflicts)-more]
	culprits := make([]culprits, len(conflicts))
	// An operation and its undoing come to nothing, unless that was undone too.
	undoing := map[int64]bool{}
	err := l.store.Since(ctx, w.operation, func(op *topology.Operation, d *topology.Delta) {
		undoing[op.ID] = op.Undoes > w.operation && !undoing[op.Undoes]
		if op.State == topology.OperationUndone || undoing[op.ID] {
			return
		}
		for i, guilt := range topology.Blame(conflicts, d) {
			culprits[i].add(op, guilt)
		}
	})
	if err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	e := topology.Errorf(topology.CodeConflict, conflicts[0].Subject, "operation %d cannot be undone: %s", w.operation, conflicts[0].Detail)
	if len(conflicts) > 1 {
		e.Detail = fmt.Sprintf("operation %d cannot be undone because of what was done later", w.operation)
	}
	var first []int64
	for i, c := range conflicts {
		e.Fields = append(e.Fields, topology.FieldError{Detail: c.Detail + culprits[i].String()})
		for _, op := range culprits[i].operations {
			first = append(first, op.ID)
		}
	}
	if more > 0 {
		e.Fields = append(e.Fields, topology.FieldError{Detail: fmt.Sprintf("and %d more", more)})
	}
	return e.WithHint("%s", undoFirst(first))
}

// culprits are the operations that are to blame for a conflict.
type culprits struct {
	operations []*topology.Operation
	guilt      topology.Guilt // of each of them
}

func (c *culprits) add(op *topology.Operation, guilt topology.Guilt) {
	switch {
	case guilt == topology.Innocent || guilt < c.guilt:
	case guilt > c.guilt:
		c.operations, c.guilt = []*topology.Operation{op}, guilt
	default:
		c.operations = append(c.operations, op)
	}
}

// String writes them as they follow a conflict's words.
func (c *culprits) String() string {
	var each []string
	for _, op := range c.operations {
		each = append(each, fmt.Sprintf("operation %d: %s, by %s", op.ID, op.Request, op.Author))
	}
	if len(each) == 0 {
		return ""
	}
	return " (" + strings.Join(each, "; ") + ")"
}

// undoFirst writes which operations are to be undone before, the newest first.
func undoFirst(ids []int64) string {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	slices.Reverse(ids)
	switch len(ids) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("undo operation %d first", ids[0])
	}
	var words []string
	for _, id := range ids {
		words = append(words, strconv.FormatInt(id, 10))
	}
	return "undo these operations first, one after the other: " + strings.Join(words, ", ")
}
