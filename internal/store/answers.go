package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// What is kept of answers: for how long, how many, and, counted when one is
// large, how many bytes.
const (
	answerAge   = 24 * time.Hour
	answerCount = 4096
	answerBytes = 64 << 20
	largeAnswer = 16 << 10
)

// Answer is what was answered to a request that carried an idempotency key.
type Answer struct {
	Key       string
	Request   []byte // fingerprint of the request
	Operation int64  // the operation it came to; 0 for none
	Content   []byte // the answer, as whoever gave it writes it
}

// Answer reads what was kept for a key; false when nothing was, or too long ago.
func (s *Store) Answer(ctx context.Context, key string) (Answer, bool, error) {
	a := Answer{Key: key}
	err := s.readers.QueryRowContext(ctx, `SELECT request, operation, content FROM answers WHERE key = ? AND at >= ?`,
		key, time.Now().Add(-answerAge).Unix()).Scan(&a.Request, &a.Operation, &a.Content)
	if errors.Is(err, sql.ErrNoRows) {
		return Answer{}, false, nil
	}
	if err != nil {
		return Answer{}, false, wrap(err, "read an answer")
	}
	return a, true, nil
}

// Keep keeps an answer, in place of an earlier one with its key. That of an
// operation is better kept by Commit.
func (s *Store) Keep(ctx context.Context, a Answer) error {
	return wrap(s.write(ctx, func(tx *sql.Tx) error { return keep(ctx, tx, a) }), "keep an answer")
}

// keep keeps an answer and lets go of those that are too old or too many.
func keep(ctx context.Context, tx *sql.Tx, a Answer) error {
	now := time.Now()
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO answers (key, request, operation, content, at)
		VALUES (?, ?, ?, ?, ?)`, a.Key, a.Request, a.Operation, a.Content, now.Unix())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM answers WHERE at < ? OR id <= (SELECT max(id) FROM answers) - ?`,
		now.Add(-answerAge).Unix(), answerCount)
	if err != nil || len(a.Content) < largeAnswer {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM answers WHERE id IN (SELECT id FROM
		(SELECT id, sum(length(content)) OVER (ORDER BY id DESC) AS newer FROM answers) WHERE newer > ?)`, answerBytes)
	return err
}
