package store

import (
	"context"
	"database/sql"
	"errors"

	"netdash/internal/topology"
)

// Positions lists what is placed, by object.
func (s *Store) Positions(ctx context.Context) ([]topology.Position, error) {
	positions := []topology.Position{}
	rows, err := s.readers.QueryContext(ctx, `SELECT object, x, y, pinned FROM positions ORDER BY object`)
	if err != nil {
		return nil, wrap(err, "read the positions")
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		var p topology.Position
		if err := rows.Scan(&p.Object, &p.X, &p.Y, &p.Pinned); err != nil {
			return nil, wrap(err, "read the positions")
		}
		positions = append(positions, p)
	}
	return positions, wrap(rows.Err(), "read the positions")
}

// ReplacePositions makes the given positions the only ones.
func (s *Store) ReplacePositions(ctx context.Context, positions []topology.Position) error {
	return wrap(s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM positions`); err != nil {
			return err
		}
		w := &writer{ctx: ctx, tx: tx}
		each(w, `INSERT INTO positions (object, x, y, pinned) VALUES (?, ?, ?, ?)`, positions, placed)
		return w.err
	}), "keep the positions")
}

func placed(p topology.Position) []any { return []any{p.Object, p.X, p.Y, p.Pinned} }

// ChangePositions makes changes and gives those that made a difference, and what
// is stored then for the objects they name. One that does not pin leaves an
// object where it is. Of more than MaxPositions the oldest are forgotten, which
// is a change too; those that were pinned last.
func (s *Store) ChangePositions(ctx context.Context, changes []topology.PositionChange) (made []topology.PositionChange, now []topology.Position, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		for _, c := range changes {
			changed, err := changePosition(ctx, tx, c)
			if err != nil {
				return err
			}
			if changed {
				made = append(made, c)
			}
		}
		forgotten, err := forgetPositions(ctx, tx)
		if err != nil {
			return err
		}
		made = append(made, forgotten...)
		now, err = positionsOf(ctx, tx, changes)
		return err
	})
	if err != nil {
		return nil, nil, wrap(err, "keep positions")
	}
	return made, now, nil
}

func changePosition(ctx context.Context, tx *sql.Tx, c topology.PositionChange) (changed bool, err error) {
	var result sql.Result
	switch {
	case c.Forget:
		result, err = tx.ExecContext(ctx, `DELETE FROM positions WHERE object = ?`, c.Object)
	case c.Pinned:
		result, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO positions (object, x, y, pinned) VALUES (?, ?, ?, ?)`, placed(c.Position())...)
	default:
		result, err = tx.ExecContext(ctx, `INSERT INTO positions (object, x, y, pinned) VALUES (?, ?, ?, ?) ON CONFLICT (object) DO NOTHING`, placed(c.Position())...)
	}
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// forgetPositions removes what is too much.
func forgetPositions(ctx context.Context, tx *sql.Tx) (forgotten []topology.PositionChange, err error) {
	var count int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM positions`).Scan(&count); err != nil || count <= topology.MaxPositions {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `DELETE FROM positions WHERE id IN
		(SELECT id FROM positions ORDER BY pinned, id LIMIT ?) RETURNING object`, count-topology.MaxPositions)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err tells
	for rows.Next() {
		c := topology.PositionChange{Forget: true}
		if err := rows.Scan(&c.Object); err != nil {
			return nil, err
		}
		forgotten = append(forgotten, c)
	}
	return forgotten, rows.Err()
}

// positionsOf gives the positions of the objects that changes name.
func positionsOf(ctx context.Context, tx *sql.Tx, changes []topology.PositionChange) ([]topology.Position, error) {
	now := []topology.Position{}
	for _, c := range changes {
		p := topology.Position{Object: c.Object}
		err := tx.QueryRowContext(ctx, `SELECT x, y, pinned FROM positions WHERE object = ?`, c.Object).Scan(&p.X, &p.Y, &p.Pinned)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, err
		}
		now = append(now, p)
	}
	return now, nil
}
