package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"netdash/internal/topology"
)

const operationColumns = `id, state, author, request, changes, error, started_at, duration_ms,
	coalesce(undoes, 0), coalesce(undone_by, 0), intent_only`

// Operations lists the journal, newest first: up to limit operations with
// numbers below before, or from the newest when before is 0.
func (s *Store) Operations(ctx context.Context, before int64, limit int) ([]topology.Operation, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	operations := []topology.Operation{}
	rows, err := s.readers.QueryContext(ctx, `SELECT `+operationColumns+` FROM operations
		WHERE id < ? ORDER BY id DESC LIMIT ?`, before, max(limit, 0))
	if err != nil {
		return nil, wrap(err, "read the journal")
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		op, err := scanOperation(rows)
		if err != nil {
			return nil, wrap(err, "read the journal")
		}
		operations = append(operations, *op)
	}
	return operations, wrap(rows.Err(), "read the journal")
}

// Operation reads one operation; a *topology.Error not_found when there is no
// such number, or none any more.
func (s *Store) Operation(ctx context.Context, id int64) (*topology.Operation, error) {
	op, err := scanOperation(s.readers.QueryRowContext(ctx,
		`SELECT `+operationColumns+` FROM operations WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, s.noOperation(ctx, id)
	}
	return op, wrap(err, "read operation %d", id)
}

func queryPending(ctx context.Context, tx *sql.Tx, base *topology.Spec) ([]Pending, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+operationColumns+`, target FROM operations
		WHERE state = 'running' ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err tells
	var pending []Pending
	for rows.Next() {
		var target string
		op, err := scanOperation(rows, &target)
		if err != nil {
			return nil, err
		}
		spec, err := decodeTarget(base, target)
		if err != nil {
			return nil, fmt.Errorf("target of operation %d: %w", op.ID, err)
		}
		pending = append(pending, Pending{Operation: *op, Target: spec})
	}
	return pending, rows.Err()
}

// scanOperation reads operationColumns, and what follows them into more.
func scanOperation(row interface{ Scan(...any) error }, more ...any) (*topology.Operation, error) {
	var op topology.Operation
	var changes, started string
	err := row.Scan(append([]any{
		&op.ID, &op.State, &op.Author, &op.Request, &changes, &op.Error,
		&started, &op.DurationMS, &op.Undoes, &op.UndoneBy, &op.IntentOnly,
	}, more...)...)
	if err != nil {
		return nil, err
	}
	if op.StartedAt, err = time.Parse(time.RFC3339Nano, started); err != nil {
		return nil, fmt.Errorf("start of operation %d: %w", op.ID, err)
	}
	if err := json.Unmarshal([]byte(changes), &op.Changes); err != nil {
		return nil, fmt.Errorf("changes of operation %d: %w", op.ID, err)
	}
	if op.Changes == nil {
		op.Changes = []topology.ChangeRecord{}
	}
	op.Commands = make([]string, len(op.Changes))
	for i, c := range op.Changes {
		op.Commands[i] = c.Command
	}
	return &op, nil
}
