package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"netdash/internal/topology"
)

func answerTo(key string) Answer {
	return Answer{Key: key, Request: []byte("POST " + key), Operation: 7, Content: []byte("<answer to " + key + ">")}
}

// kept tells whether there is an answer, which must be want.
func kept(t *testing.T, s *Store, want Answer) bool {
	t.Helper()
	got, known, err := s.Answer(t.Context(), want.Key)
	if err != nil {
		t.Fatal(err)
	}
	if known && !reflect.DeepEqual(got, want) {
		t.Fatalf("kept for %s: operation %d, %.100s", want.Key, got.Operation, got.Content)
	}
	return known
}

func TestAnswers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	first, second := answerTo("a"), answerTo("b")
	if kept(t, s, first) {
		t.Error("nothing was kept yet")
	}
	for _, a := range []Answer{first, second} {
		if err := s.Keep(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	truer := first
	truer.Content = []byte("truer")
	if err := s.Keep(t.Context(), truer); err != nil {
		t.Fatal(err)
	}
	if !kept(t, s, truer) || !kept(t, s, second) || kept(t, s, answerTo("A")) {
		t.Error("a and b were kept, and nothing else")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path)
	if !kept(t, s, truer) || !kept(t, s, second) {
		t.Error("not kept over a restart")
	}
}

// count is how many answers the database holds.
func count(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.readers.QueryRowContext(t.Context(), `SELECT count(*) FROM answers`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOldAnswersGo(t *testing.T) {
	s := newStore(t)
	for _, key := range []string{"old", "young"} {
		if err := s.Keep(t.Context(), answerTo(key)); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, s.writer, `UPDATE answers SET at = at - 86402 WHERE key = 'old'`, `UPDATE answers SET at = at - 86000 WHERE key = 'young'`)
	if kept(t, s, answerTo("old")) || !kept(t, s, answerTo("young")) || count(t, s) != 2 {
		t.Error("an answer is kept for a day")
	}
	if err := s.Keep(t.Context(), answerTo("new")); err != nil {
		t.Fatal(err)
	}
	if count(t, s) != 2 || !kept(t, s, answerTo("young")) {
		t.Errorf("%d are left", count(t, s))
	}
}

// TestAnswersAreBounded: too many, or too large ones, make the oldest go.
func TestAnswersAreBounded(t *testing.T) {
	s := newStore(t)
	err := s.write(t.Context(), func(tx *sql.Tx) error {
		for i := range answerCount + 100 {
			if err := keep(t.Context(), tx, answerTo(strconv.Itoa(i))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != answerCount || kept(t, s, answerTo("99")) || !kept(t, s, answerTo("100")) {
		t.Errorf("%d are left", n)
	}
	for i := range 100 {
		large := answerTo(fmt.Sprint("large ", i))
		large.Content = bytes.Repeat([]byte("x"), 1<<20)
		if err := s.Keep(t.Context(), large); err != nil {
			t.Fatal(err)
		}
		if !kept(t, s, large) {
			t.Fatal("not even the newest is kept")
		}
	}
	var size int64
	if err := s.readers.QueryRowContext(t.Context(), `SELECT sum(length(content)) FROM answers`).Scan(&size); err != nil {
		t.Fatal(err)
	}
	if size > answerBytes || size < answerBytes/2 {
		t.Errorf("%d bytes are left", size)
	}
}

// TestAnswerOfACommit: an answer is kept if the operation is committed, and only
// then.
func TestAnswerOfACommit(t *testing.T) {
	s := newStore(t)
	spec := star(2)
	op := &topology.Operation{}
	if err := s.Begin(t.Context(), op, spec); err != nil {
		t.Fatal(err)
	}
	if kept(t, s, answerTo("k")) {
		t.Error("kept before the commit")
	}
	twice := spec.Clone()
	twice.Veths[0].A.Addresses = []string{"10.0.0.1/24", "10.0.0.1/24"}
	if err := s.Commit(t.Context(), op, twice, answerTo("k")); err == nil || kept(t, s, answerTo("k")) {
		t.Errorf("after a failed commit: %v", err)
	}
	if err := s.Commit(t.Context(), op, spec, answerTo("k")); err != nil || !kept(t, s, answerTo("k")) {
		t.Errorf("not kept: %v", err)
	}
	if err := s.Commit(t.Context(), op, spec, answerTo("other")); err == nil || kept(t, s, answerTo("other")) {
		t.Errorf("kept with an operation that had ended: %v", err)
	}
	sound(t, s)
}
