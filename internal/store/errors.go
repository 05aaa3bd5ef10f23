package store

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"netdash/internal/topology"
)

// wrap says what was being done when err happened, and, where it is SQLite's,
// what it means in words for the person who asked. No error stays none.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return meaning(fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err))
}

// meaning translates SQLite's result codes (sqlite.org/rescode.html). This is
// the only place that knows them. All of them leave the database as it was
// before the call.
func meaning(err error) error {
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return err
	}
	switch {
	case e.Code == sqlite3.ErrFull, e.SystemErrno == syscall.ENOSPC, e.SystemErrno == syscall.EDQUOT,
		// Growing the wal-index is the one write whose errno SQLite loses.
		e.ExtendedCode == sqlite3.ErrIoErrSHMSize:
		return problem(topology.CodeStorage, err, "the disk is full; nothing was changed",
			"Free space on the disk that holds the database and try again.")
	case e.Code == sqlite3.ErrBusy, e.Code == sqlite3.ErrLocked:
		return problem(topology.CodeBusy, err, "locked by another process; nothing was changed",
			"Close other programs that have the database open and try again.")
	case e.Code == sqlite3.ErrCorrupt:
		return damaged(err)
	case e.Code == sqlite3.ErrNotADB:
		return problem(topology.CodeStorage, err, "this is not a SQLite database",
			"Name another file with --db.")
	case e.Code == sqlite3.ErrReadonly, e.Code == sqlite3.ErrPerm, e.Code == sqlite3.ErrCantOpen:
		return problem(topology.CodeStorage, err, "cannot be opened for writing",
			"netdash must be able to write to the database and its directory.")
	case e.Code == sqlite3.ErrIoErr:
		return problem(topology.CodeStorage, err, "the disk reports an error; nothing was changed", "")
	case e.Code == sqlite3.ErrConstraint:
		return problem(topology.CodeConflict, err, "contradicts itself or what is stored; nothing was changed", "")
	}
	return err
}

func damaged(err error) error {
	return problem(topology.CodeStorage, err, "the file is damaged; nothing was changed",
		"Put it aside and start anew, or restore a copy.")
}

func problem(code topology.Code, err error, detail, hint string) error {
	return &topology.Error{Code: code, Subject: "database", Detail: detail, Hint: hint, Err: err}
}
