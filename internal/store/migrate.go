package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"

	"netdash/internal/topology"
	"netdash/migrations"
)

// applicationID is what migration 1 writes into the file's header.
const applicationID = 0x6e657464 // "netd"

// check refuses a file that is not for this program to open for writing: one
// that is damaged, or not SQLite's, or another program's, or written by a newer
// netdash. It only reads.
func check(ctx context.Context, db *sql.DB) error {
	var id, tables int64
	if err := db.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id); err != nil {
		return wrap(err, "read the file's header")
	}
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return wrap(err, "read the schema")
	}
	if tables == 0 {
		return nil // new
	}
	if id != applicationID {
		// A first start that died after goose had made its own table.
		var others int64
		err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema
			WHERE type = 'table' AND name NOT LIKE 'goose\_%' ESCAPE '\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`).Scan(&others)
		if err != nil {
			return wrap(err, "read the schema")
		}
		if others > 0 {
			return topology.Errorf(topology.CodeConflict, "", "this is the database of another program")
		}
	}
	// Writing to a damaged file would spread the damage.
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return wrap(err, "check the file")
	}
	if verdict != "ok" {
		return damaged(errors.New(verdict))
	}
	return checkVersion(ctx, db)
}

func checkVersion(ctx context.Context, db *sql.DB) error {
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	var known int64
	for _, m := range provider.ListSources() {
		known = max(known, m.Version)
	}
	// goose's own reader would first make its table.
	var version int64
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version`).Scan(&version)
	if err != nil {
		return wrap(err, "read the schema's version")
	}
	if version > known {
		return topology.Errorf(topology.CodeConflict, "",
			"written by a newer netdash: its schema has version %d, this program knows up to %d", version, known).
			WithHint("Use the newer netdash, or name another file with --db.")
	}
	return nil
}

// migrate brings the schema to the newest version this program knows. Each
// migration is one transaction: it happens or it does not.
func migrate(ctx context.Context, db *sql.DB) error {
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return wrap(err, "bring the schema up to date")
}

func newProvider(db *sql.DB) (*goose.Provider, error) {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}
