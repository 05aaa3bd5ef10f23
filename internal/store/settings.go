package store

import (
	"context"
	"database/sql"
	"errors"
)

// Setting reads a setting; false when it was never set.
func (s *Store) Setting(ctx context.Context, key string) (string, bool, error) {
	return setting(ctx, s.readers, key)
}

// rowQuerier is a pool of connections or a transaction.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func setting(ctx context.Context, from rowQuerier, key string) (string, bool, error) {
	var value string
	err := from.QueryRowContext(ctx, `SELECT value FROM settings WHERE key = ?`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, wrap(err, "read setting %s", key)
	}
	return value, true, nil
}

// SetSetting keeps a setting.
func (s *Store) SetSetting(ctx context.Context, key, value string) error {
	_, err := s.writer.ExecContext(ctx, `INSERT INTO settings (key, value) VALUES (?, ?)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return wrap(err, "keep setting %s", key)
}
