package store

import (
	"context"
	"database/sql"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netdash/internal/topology"
)

func openStore(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newStore(t testing.TB) *Store {
	t.Helper()
	return openStore(t, filepath.Join(t.TempDir(), "netdash.db"))
}

// commit takes target through the journal into the rows.
func commit(t testing.TB, s *Store, target *topology.Spec) *topology.Operation {
	t.Helper()
	op := &topology.Operation{Author: "test", Request: "PUT /api/v1/topology/intended"}
	if err := s.Begin(t.Context(), op, target); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), op, target); err != nil {
		t.Fatal(err)
	}
	return op
}

func load(t testing.TB, s *Store) *topology.Spec {
	t.Helper()
	spec, _, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// same compares two Specs with everything in them; only an empty list is taken
// for an absent one.
func same(t testing.TB, got, want *topology.Spec, what string) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// sound asks SQLite about the file, over a connection of its own, and compares
// what the Store remembers with what it would read.
func sound(t testing.TB, s *Store) {
	t.Helper()
	ctx := context.Background()
	var verdict string
	if err := s.readers.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity_check: %s %v", verdict, err)
	}
	rows, err := s.readers.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		t.Fatal("foreign_key_check finds a row that refers to nothing")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	var read image
	err = s.read(ctx, func(tx *sql.Tx) (err error) {
		read, err = loadImage(ctx, tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	same(t, read.spec, s.image.spec, "Spec as remembered")
	if d := cmp.Diff(s.image.places, read.places, cmp.AllowUnexported(places{}), cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("positions (-remembered +stored):\n%s", d)
	}
	if s.image.lastLink != read.lastLink {
		t.Fatalf("last link id: remembered %d, stored %d", s.image.lastLink, read.lastLink)
	}
}

func ptr[T any](v T) *T { return &v }

// star is a switch namespace with a bridge and n namespaces plugged into it,
// each with an address.
func star(n int) *topology.Spec {
	s := &topology.Spec{
		Namespaces: []topology.Namespace{{Name: "sw"}},
		Bridges:    []topology.Bridge{{Namespace: "sw", Name: "br0"}},
	}
	for i := range n {
		name := "h" + strconv.Itoa(i)
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: name})
		s.Veths = append(s.Veths, topology.Veth{
			A: topology.End{Namespace: name, Name: "eth0", Addresses: []string{"10.0." + strconv.Itoa(i/250) + "." + strconv.Itoa(i%250+1) + "/16"}},
			B: topology.End{Namespace: "sw", Name: "p" + strconv.Itoa(i), Master: "br0"},
		})
	}
	return s
}

func TestEmpty(t *testing.T) {
	s := newStore(t)
	spec, revision, err := s.Load(t.Context())
	if err != nil || revision != 0 {
		t.Fatal(revision, err)
	}
	if !reflect.DeepEqual(spec, &topology.Spec{}) {
		t.Fatalf("not empty: %+v", spec)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestEveryField holds that each field of a Spec is stored and read back, and
// that a change of nothing else is seen.
func TestEveryField(t *testing.T) {
	base := func() *topology.Spec {
		return &topology.Spec{
			Namespaces: []topology.Namespace{{Name: "A"}},
			Bridges:    []topology.Bridge{{Namespace: "A", Name: "br0", FDB: []topology.FDBSpec{{MAC: "02:00:00:00:00:01", Port: "br0"}}}},
			Veths: []topology.Veth{{
				A: topology.End{Namespace: "A", Name: "a", BridgePort: &topology.PortAttributes{}},
				B: topology.End{Namespace: topology.HostName, Name: "b", Addresses: []string{"10.0.0.1/24"}},
			}},
			Routes: []topology.Route{{Namespace: "A", Destination: "default"}},
		}
	}
	// Those that name something else need that to be there; other tests do.
	references := map[string]bool{"Namespace": true, "Port": true, "Master": true}
	for i := 0; ; i++ {
		s := newStore(t)
		spec := base()
		commit(t, s, spec)
		before := spec.Clone()
		field := alter(reflect.ValueOf(spec).Elem(), &[]int{i}[0], "")
		if field == "" {
			if i < 60 {
				t.Fatalf("only %d fields found", i)
			}
			return
		}
		name := field[strings.LastIndexByte(field, '.')+1:]
		if compare(before, spec) == compare(before, before.Clone()) && field != ".Name" && field != ".IPv6" {
			t.Errorf("%s: a change of it goes unnoticed", field)
		}
		if name == "ID" || references[name] || field == ".Namespaces.Name" || field == ".Bridges.Name" {
			continue
		}
		commit(t, s, spec)
		same(t, load(t, s), spec, field)
		sound(t, s)
	}
}

// alter changes the nth field below v, counting *n down, and tells its name.
func alter(v reflect.Value, n *int, name string) string {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := alter(v.Field(i), n, name+"."+v.Type().Field(i).Name); f != "" {
				return f
			}
		}
		return ""
	case reflect.Slice:
		for i := range v.Len() {
			if f := alter(v.Index(i), n, name); f != "" {
				return f
			}
		}
		if v.Type().Elem().Kind() != reflect.String {
			return ""
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().Kind() == reflect.Struct {
			if f := alter(v.Elem(), n, name); f != "" {
				return f
			}
		}
	}
	if *n--; *n >= 0 {
		return ""
	}
	switch v.Kind() {
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.ValueOf("fd00::1/64")))
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem())) // a set zero is no absence
		} else {
			v.SetZero()
		}
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	default:
		panic(v.Kind().String() + " " + name)
	}
	return name
}

// TestOnlyDifferencesAreWritten counts the rows a commit writes.
func TestOnlyDifferencesAreWritten(t *testing.T) {
	s := newStore(t)
	spec := star(50)
	commit(t, s, spec)
	written := func(edit func()) int {
		t.Helper()
		var before, after int
		count := func(n *int) {
			if err := s.writer.QueryRow(`SELECT total_changes()`).Scan(n); err != nil {
				t.Fatal(err)
			}
		}
		edit()
		count(&before)
		commit(t, s, spec)
		count(&after)
		same(t, load(t, s), spec, "after Commit")
		sound(t, s)
		return after - before - 2 // the operation, begun and ended
	}
	check := func(what string, want int, edit func()) {
		t.Helper()
		if n := written(edit); n != want {
			t.Errorf("%s wrote %d rows, want %d", what, n, want)
		}
	}
	check("nothing", 0, func() {})
	check("a document without identity", 0, func() { forget(spec) })
	check("a namespace", 1, func() { spec.Namespaces = append(spec.Namespaces, topology.Namespace{Name: "new"}) })
	check("an MTU", 1, func() { spec.Veths[7].A.MTU = 9000 })
	check("both ends of the list", 2, func() { spec.Veths[0].A.MTU, spec.Veths[49].A.MTU = 9000, 9000 })
	check("deleting the first namespace's pair", 4, func() {
		spec.Namespaces = append(spec.Namespaces[:1:1], spec.Namespaces[2:]...)
		spec.Veths = spec.Veths[1:]
	}) // two links, the address that goes with one, the namespace
	check("a rename", 2, func() { spec.Bridges[0].Alias, spec.Veths[3].B.Name = "", "other" }) // parked and written
}

func TestSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	if v, ok, err := s.Setting(t.Context(), "k"); v != "" || ok || err != nil {
		t.Fatal(v, ok, err)
	}
	for _, want := range []string{"one", "", "two"} {
		if err := s.SetSetting(t.Context(), "k", want); err != nil {
			t.Fatal(err)
		}
		if v, ok, err := s.Setting(t.Context(), "k"); v != want || !ok || err != nil {
			t.Fatal(v, ok, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if v, _, err := openStore(t, path).Setting(t.Context(), "k"); v != "two" || err != nil {
		t.Fatal(v, err)
	}
}

// TestReadersSeeWholeCommits reads while commits go on: each read must be of
// one revision.
func TestReadersSeeWholeCommits(t *testing.T) {
	s := newStore(t)
	ctx, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	done := make(chan error, 3)
	for range cap(done) {
		go func() {
			for ctx.Err() == nil {
				spec, revision, err := s.Load(context.Background())
				if err != nil {
					done <- err
					return
				}
				if int64(len(spec.Namespaces)) != revision || len(spec.Veths) != len(spec.Namespaces) {
					done <- topology.Errorf(topology.CodeInternal, "", "revision %d has %d namespaces and %d veths",
						revision, len(spec.Namespaces), len(spec.Veths))
					return
				}
			}
			done <- nil
		}()
	}
	spec := &topology.Spec{}
	for i := 0; ctx.Err() == nil; i++ {
		name := "n" + strconv.Itoa(i)
		spec.Namespaces = append(spec.Namespaces, topology.Namespace{Name: name})
		spec.Veths = append(spec.Veths, topology.Veth{
			A: topology.End{Namespace: name, Name: "a"}, B: topology.End{Namespace: name, Name: "b"},
		})
		commit(t, s, spec)
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
