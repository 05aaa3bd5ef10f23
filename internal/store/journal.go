package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"netdash/internal/topology"
)

// Pending is an operation that was begun and not ended, with what it was to
// lead to.
type Pending struct {
	Operation topology.Operation
	Target    *topology.Spec
}

// Begin journals an operation before it touches the kernel. It gives op its
// number and its state, and the time unless it has one.
//
// It does not wait for the disk: should the machine die now, the namespaces die
// with it and there is nothing to repair. Should only the program die, the
// kernel keeps what was written.
func (s *Store) Begin(ctx context.Context, op *topology.Operation, target *topology.Spec) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // half a millisecond; nobody needs it cut short
	changes, err := json.Marshal(op.Changes)
	if err != nil {
		return fmt.Errorf("journal the changes: %w", err)
	}
	started := op.StartedAt
	if started.IsZero() {
		started = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := encodeTarget(s.image.spec, target)
	if err != nil {
		return fmt.Errorf("journal the target: %w", err)
	}
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return wrap(err, "begin an operation")
	}
	defer conn.Close() // back to the pool
	if _, err := conn.ExecContext(ctx, `PRAGMA synchronous = NORMAL`); err != nil {
		return wrap(err, "begin an operation")
	}
	result, err := conn.ExecContext(ctx, `INSERT INTO operations
		(state, author, request, changes, error, started_at, duration_ms, target, intent_only) VALUES ('running', ?, ?, ?, '', ?, 0, ?, ?)`,
		op.Author, op.Request, string(changes), started.UTC().Format(time.RFC3339Nano), text, op.IntentOnly)
	_, restore := conn.ExecContext(ctx, `PRAGMA synchronous = FULL`)
	if err := errors.Join(err, restore); err != nil {
		return wrap(err, "begin an operation")
	}
	id, err := result.LastInsertId()
	if err != nil {
		return wrap(err, "begin an operation")
	}
	op.ID, op.State, op.StartedAt = id, topology.OperationRunning, started
	return nil
}

// Commit makes the rows what target says and the operation committed, with what
// undoing it needs, and what it undoes (op.Undoes) undone: all or nothing. It
// gives the links of target that are new their Identity.ID, and op its state and,
// unless it has one, its duration. The oldest of the journal's operations go, if
// they are more than are to be kept. Answers are kept with it all.
//
// The kernel has the target already, so ctx cannot stop it halfway.
func (s *Store) Commit(ctx context.Context, op *topology.Operation, target *topology.Spec, answers ...Answer) error {
	ctx = context.WithoutCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.image.plan(target)
	done := *op
	done.State, done.Error = topology.OperationCommitted, ""
	delta, err := encodeDelta(s.image.spec, st.to.spec)
	if err != nil {
		return fmt.Errorf("journal what operation %d did: %w", op.ID, err)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := end(ctx, tx, &done, delta); err != nil {
			return err
		}
		if err := markUndone(ctx, tx, &done); err != nil {
			return err
		}
		if err := rebase(ctx, tx, s.image.spec); err != nil {
			return err
		}
		if err := st.write(ctx, tx); err != nil {
			return err
		}
		for _, a := range answers {
			if err := keep(ctx, tx, a); err != nil {
				return err
			}
		}
		return prune(ctx, tx)
	})
	if err != nil {
		return wrap(err, "commit operation %d", op.ID)
	}
	s.image = st.to
	*op = done
	copyIDs(st.to.spec, target)
	return nil
}

// Fail makes the operation failed, for the reason in op.Error. It gives op its
// state and, unless it has one, its duration; it undid nothing.
func (s *Store) Fail(ctx context.Context, op *topology.Operation) error {
	ctx = context.WithoutCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	done := *op
	done.State, done.Undoes = topology.OperationFailed, 0
	err := s.write(ctx, func(tx *sql.Tx) error {
		if err := end(ctx, tx, &done, sql.NullString{}); err != nil {
			return err
		}
		return prune(ctx, tx)
	})
	if err != nil {
		return wrap(err, "fail operation %d", op.ID)
	}
	*op = done
	return nil
}

// write runs f in a transaction of the writer.
func (s *Store) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// end closes a running operation, with what it did.
func end(ctx context.Context, tx *sql.Tx, op *topology.Operation, delta sql.NullString) error {
	if op.DurationMS == 0 {
		op.DurationMS = float64(time.Since(op.StartedAt).Microseconds()) / 1000
	}
	result, err := tx.ExecContext(ctx, `UPDATE operations
		SET state = ?, error = ?, duration_ms = ?, target = NULL, undoes = NULLIF(?, 0), delta = ?
		WHERE id = ? AND state = 'running'`, op.State, op.Error, op.DurationMS, op.Undoes, delta, op.ID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return topology.Errorf(topology.CodeConflict, operationSubject(op.ID), "is not running")
}

// rebase writes out the targets of other running operations, which are
// journaled as differences from rows that are about to change.
func rebase(ctx context.Context, tx *sql.Tx, base *topology.Spec) error {
	pending, err := queryPending(ctx, tx, base)
	if err != nil {
		return err
	}
	for _, p := range pending {
		text, err := encodeTarget(&topology.Spec{}, p.Target)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE operations SET target = ? WHERE id = ?`, text, p.Operation.ID); err != nil {
			return err
		}
	}
	return nil
}

// copyIDs gives target the ids that its equal has.
func copyIDs(from, target *topology.Spec) {
	for i := range target.Bridges {
		target.Bridges[i].ID = from.Bridges[i].ID
	}
	for i := range target.Veths {
		target.Veths[i].A.ID, target.Veths[i].B.ID = from.Veths[i].A.ID, from.Veths[i].B.ID
	}
}

// Pending lists the operations that are running, oldest first: right after
// Open, those that a crash cut off.
func (s *Store) Pending(ctx context.Context) ([]Pending, error) {
	s.mu.Lock() // the targets belong to the image
	defer s.mu.Unlock()
	var pending []Pending
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		pending, err = queryPending(ctx, tx, s.image.spec)
		return err
	})
	return pending, wrap(err, "read the running operations")
}

func operationSubject(id int64) string { return "operation " + strconv.FormatInt(id, 10) }
