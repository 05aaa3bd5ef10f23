package store

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"netdash/internal/topology"
	"netdash/migrations"
)

// raw opens a database as another program would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, q := range statements {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// refused opens path, which must fail with all of the words and leave the file
// as it is.
func refused(t *testing.T, path string, code topology.Code, words ...string) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path)
	if err == nil {
		s.Close()
		t.Fatal("opened")
	}
	if topology.CodeOf(err) != code {
		t.Errorf("code %s, want %s", topology.CodeOf(err), code)
	}
	for _, w := range append(words, path) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestOpenMakesPrivateFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ?#%", "b", "net dash.db") // nothing in a path is special
	s := openStore(t, path)
	commit(t, s, star(1))
	for name, want := range map[string]os.FileMode{
		"": 0o600, "-wal": 0o600, "-shm": 0o600, ".lock": 0o600,
	} {
		info, err := os.Stat(path + name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", info.Name(), info.Mode().Perm(), want)
		}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
}

// TestEveryConnection holds that each connection of both pools has its
// settings.
func TestEveryConnection(t *testing.T) {
	s := newStore(t)
	commit(t, s, star(1))
	check := func(c *sql.Conn, want map[string]string) {
		t.Helper()
		for pragma, value := range want {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != value {
				t.Errorf("%s is %s, want %s (%v)", pragma, got, value, err)
			}
		}
	}
	w, err := s.writer.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	check(w, map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"})
	for range readerCount {
		r, err := s.readers.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		check(r, map[string]string{"query_only": "1", "busy_timeout": "5000"})
		if _, err := r.ExecContext(t.Context(), `PRAGMA query_only = off; DELETE FROM lab`); err == nil {
			t.Error("a reader can write")
		}
	}
}

func TestOnlyOneNetdash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	refused(t, path, topology.CodeBusy, "in use by another netdash", "process")
	link := filepath.Join(t.TempDir(), "other.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	refused(t, link, topology.CodeBusy, "in use by another netdash")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openStore(t, path)
}

func TestNewerDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	commit(t, s, star(3))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	execute(t, db, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, path, topology.CodeConflict, "newer netdash", "version 999", "up to ")
}

func TestNotOurDatabase(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("no database\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, text, topology.CodeStorage, "not a SQLite database")

	other := filepath.Join(dir, "other.db")
	db := raw(t, other)
	execute(t, db, `CREATE TABLE notes (text)`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, other, topology.CodeConflict, "database of another program")

	if _, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Error(err)
	}
}

func TestDamagedDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	commit(t, s, star(100))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	var journal int // the page where its table begins, which Open has no other reason to read
	db := raw(t, path)
	if err := db.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'operations'`).Scan(&journal); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"pages of noise": func(b []byte) []byte {
			copy(b[page:], bytes.Repeat([]byte{0xa5}, len(b)-page))
			return b
		},
		"a page of noise in the journal": func(b []byte) []byte {
			copy(b[(journal-1)*page:], bytes.Repeat([]byte{0xa5}, page))
			return b
		},
		"cut off": func(b []byte) []byte { return b[:len(b)/page/2*page] },
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, damage(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, path, topology.CodeStorage, "damaged")
		})
	}
	// A row that the schema allows and no Spec can have.
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	db = raw(t, path)
	execute(t, db, `UPDATE links SET pair_end = 'a' WHERE id = 5`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, path, topology.CodeInternal, "half a pair")
}

// TestLockedByAnotherProgram has somebody write in a shell of sqlite3 for
// longer than netdash waits.
func TestLockedByAnotherProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	execute(t, s.writer, `PRAGMA busy_timeout = 50`)
	spec := star(1)
	commit(t, s, spec)
	next := star(2)
	op := &topology.Operation{}
	if err := s.Begin(t.Context(), op, next); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	execute(t, db, `BEGIN IMMEDIATE`)
	for what, err := range map[string]error{
		"Begin":      s.Begin(t.Context(), &topology.Operation{}, next),
		"Commit":     s.Commit(t.Context(), op, next),
		"Fail":       s.Fail(t.Context(), op),
		"Keep":       s.Keep(t.Context(), answerTo("k")),
		"SetSetting": s.SetSetting(t.Context(), "k", "v"),
	} {
		if topology.CodeOf(err) != topology.CodeBusy || !strings.Contains(err.Error(), "locked by another process") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if op.State != topology.OperationRunning {
		t.Errorf("the operation is %s", op.State)
	}
	same(t, load(t, s), spec, "while locked") // readers go on
	execute(t, db, `ROLLBACK`)
	if err := s.Commit(t.Context(), op, next); err != nil {
		t.Fatal(err)
	}
	same(t, load(t, s), next, "after the lock")
	sound(t, s)
}

func TestCancelledOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, path); err == nil {
		t.Fatal("opened")
	}
	commit(t, openStore(t, path), star(1)) // also holds that the lock is free again
}

// TestMigrationsDown takes the schema away and brings it back.
func TestMigrationsDown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	spec := star(3)
	spec.Bridges[0].FDB = []topology.FDBSpec{{MAC: "02:00:00:00:00:01", Port: "p1"}}
	commit(t, s, spec)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", writerDSN(path))
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	var left int
	err = db.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'`).Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d tables and indexes are left, %v", left, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path)
	same(t, load(t, s), &topology.Spec{}, "after down and up")
	commit(t, s, star(3))
	sound(t, s)
}
