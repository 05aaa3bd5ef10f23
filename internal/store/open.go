package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	_ "github.com/mattn/go-sqlite3" // the driver

	"netdash/internal/topology"
)

// readerCount bounds the connections that read beside the writer.
const readerCount = 4

// Store is the open database. All methods may be called concurrently.
type Store struct {
	// writer has one connection: SQLite takes one writer at a time, and
	// waiting for one's turn is better done in Go than by polling its lock.
	writer  *sql.DB
	readers *sql.DB
	lock    *os.File

	// mu serialises the writes that go by the image, and guards it.
	mu    sync.Mutex
	image image
}

// Open opens the database at path, making it and its directory where they are
// missing, and brings its schema up to date. One process at a time may have it
// open. An error leaves an existing file as it was.
func Open(ctx context.Context, path string) (*Store, error) {
	s, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string) (_ *Store, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	// SQLite follows a symbolic link before it names its further files; the
	// lock must stand beside those, or two names of one file had two locks.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	s := &Store{}
	defer func() {
		if err != nil {
			s.Close() // the first error is the one to tell
		}
	}()
	if s.lock, err = acquire(path + ".lock"); err != nil {
		return nil, err
	}
	// SQLite would make the file readable for everybody.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}

	if s.readers, err = sql.Open("sqlite3", readerDSN(path)); err != nil {
		return nil, err
	}
	s.readers.SetMaxOpenConns(readerCount)
	s.readers.SetMaxIdleConns(readerCount)
	if err := check(ctx, s.readers); err != nil {
		return nil, err
	}
	if s.writer, err = sql.Open("sqlite3", writerDSN(path)); err != nil {
		return nil, err
	}
	s.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, s.writer); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(tx *sql.Tx) (err error) {
		s.image, err = loadImage(ctx, tx)
		return err
	})
	if err = wrap(err, "load the topology"); err != nil {
		return nil, err
	}
	return s, nil
}

// Close closes the database. The writer goes last, because only it can move
// the log's content into the file, and then the lock.
func (s *Store) Close() error {
	var errs []error
	for _, c := range []*sql.DB{s.readers, s.writer} {
		if c != nil {
			errs = append(errs, wrap(c.Close(), "close database"))
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Ping tells whether the database can be read.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return wrap(s.readers.QueryRowContext(ctx, `SELECT count(*) FROM lab`).Scan(&n), "read database")
}

// acquire takes the lock that makes this process the only netdash on a
// database. The kernel releases it when the process ends, however it ends. The
// file stays: removing it would let two processes lock two files of one name.
func acquire(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		owner, _ := io.ReadAll(io.LimitReader(f, 20)) // only to name it
		return nil, topology.Errorf(topology.CodeBusy, "", "in use by another netdash (process %s)",
			strings.TrimSpace(string(owner))).
			WithHint("Stop that one, or name another file with --db.")
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := fmt.Fprintln(f, os.Getpid()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// The connection strings. Whatever a connection needs stands here, so that
// each new one of a pool has it.

// writerDSN is for the one connection that writes.
//
// WAL lets readers go on while it does. synchronous FULL makes each commit wait
// until the log is on disk: what a client was told is done survives a power
// cut. NORMAL would survive only the death of the process; what FULL costs is
// one fsync an edit (0.14 ms where this was measured, see
// BenchmarkSynchronous). Begin does without, see there. busy_timeout is for
// somebody with a sqlite3 shell; _txlock=immediate takes the write lock when a
// transaction begins, where waiting for it is possible.
func writerDSN(path string) string {
	return dsn(path, url.Values{
		"mode":             {"rw"},
		"_journal_mode":    {"WAL"},
		"_synchronous":     {"FULL"},
		"_foreign_keys":    {"on"},
		"_busy_timeout":    {"5000"},
		"_txlock":          {"immediate"},
		"_stmt_cache_size": {"64"},
	})
}

// readerDSN is for connections that only read.
func readerDSN(path string) string {
	return dsn(path, url.Values{
		"mode":          {"ro"},
		"_query_only":   {"on"},
		"_busy_timeout": {"5000"},
	})
}

func dsn(path string, options url.Values) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String()
}
