package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"netdash/internal/topology"
)

// historySetting is the key of the setting that says how many operations the
// journal keeps, 0 for all of them; defaultHistory is for when it is not set.
const (
	historySetting = "history"
	defaultHistory = 10000
)

// pruneAtOnce bounds how many operations one commit removes: when the setting
// was lowered it takes a few of them.
const pruneAtOnce = 200

// Delta gives what an operation did to the intended topology; nil when that was
// nothing, or it was not kept.
func (s *Store) Delta(ctx context.Context, id int64) (*topology.Delta, error) {
	var text sql.NullString
	err := s.readers.QueryRowContext(ctx, `SELECT delta FROM operations WHERE id = ?`, id).Scan(&text)
	if err != nil {
		return nil, wrap(err, "read what operation %d did", id)
	}
	return decodeDelta(id, text)
}

// Since calls f with each operation after the given one that changed the
// intended topology, oldest first, and with what it did.
func (s *Store) Since(ctx context.Context, id int64, f func(*topology.Operation, *topology.Delta)) error {
	rows, err := s.readers.QueryContext(ctx, `SELECT `+operationColumns+`, delta FROM operations
		WHERE id > ? AND delta IS NOT NULL ORDER BY id`, id)
	if err != nil {
		return wrap(err, "read the journal")
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var text sql.NullString
		op, err := scanOperation(rows, &text)
		if err != nil {
			return wrap(err, "read the journal")
		}
		d, err := decodeDelta(op.ID, text)
		if err != nil {
			return err
		}
		f(op, d)
	}
	return wrap(rows.Err(), "read the journal")
}

func decodeDelta(id int64, text sql.NullString) (*topology.Delta, error) {
	if !text.Valid {
		return nil, nil
	}
	d := &topology.Delta{}
	if err := json.Unmarshal([]byte(text.String), d); err != nil {
		return nil, fmt.Errorf("what operation %d did: %w", id, err)
	}
	return d, nil
}

func encodeDelta(before, after *topology.Spec) (sql.NullString, error) {
	d := topology.DeltaOf(before, after)
	if d.Empty() {
		return sql.NullString{}, nil
	}
	text, err := json.Marshal(d)
	return sql.NullString{String: string(text), Valid: true}, err
}

// markUndone journals that what a committed operation undoes is undone.
func markUndone(ctx context.Context, tx *sql.Tx, op *topology.Operation) error {
	if op.Undoes == 0 {
		return nil
	}
	result, err := tx.ExecContext(ctx, `UPDATE operations SET state = 'undone', undone_by = ?
		WHERE id = ? AND state = 'committed'`, op.ID, op.Undoes)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return topology.Errorf(topology.CodeConflict, operationSubject(op.Undoes), "is not there to be undone any more")
}

// prune removes the oldest operations beyond those that are to be kept, but none
// that is running and not the one whose number is the revision. Numbers have no
// gaps: each is given to a row, and rows go from the oldest on.
func prune(ctx context.Context, tx *sql.Tx) error {
	keep, err := history(ctx, tx)
	if err != nil || keep == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM operations WHERE id IN (
		SELECT id FROM operations
		WHERE id <= (SELECT max(id) FROM operations) - ? AND state != 'running'
			AND id != (SELECT id FROM operations WHERE state IN ('committed', 'undone') ORDER BY id DESC LIMIT 1)
		ORDER BY id LIMIT ?)`, keep, pruneAtOnce)
	return err
}

// history tells how many operations are kept, 0 for all: also when the setting
// is no number, as nothing should go because of a slip.
func history(ctx context.Context, from rowQuerier) (int, error) {
	value, ok, err := setting(ctx, from, historySetting)
	if err != nil || !ok {
		return defaultHistory, err
	}
	n, _ := strconv.Atoi(value)
	return max(n, 0), nil
}

// noOperation is the error for the number of an operation that is not there.
func (s *Store) noOperation(ctx context.Context, id int64) error {
	var given int64
	err := s.readers.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'operations'`).Scan(&given)
	if err != nil {
		return wrap(err, "read operation %d", id)
	}
	if id > given {
		return topology.Errorf(topology.CodeNotFound, operationSubject(id), "there is no such operation")
	}
	keep, err := history(ctx, s.readers)
	if err != nil {
		return err
	}
	return topology.Errorf(topology.CodeNotFound, operationSubject(id),
		"it is not in the journal any more: the history is kept for %d operations", keep)
}
