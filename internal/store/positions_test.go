package store

import (
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"netdash/internal/topology"
)

func at(object string, x, y float64, pinned bool) topology.Position {
	return topology.Position{Object: object, X: x, Y: y, Pinned: pinned}
}

func placings(positions ...topology.Position) []topology.PositionChange {
	var out []topology.PositionChange
	for _, p := range positions {
		out = append(out, p.Change())
	}
	return out
}

func TestPositions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	stored := func(want ...topology.Position) {
		t.Helper()
		got, err := s.Positions(t.Context())
		if err != nil || !reflect.DeepEqual(got, append([]topology.Position{}, want...)) {
			t.Fatalf("%v, %v; want %v", got, err, want)
		}
	}
	change := func(list []topology.PositionChange, wantMade []topology.PositionChange, wantNow ...topology.Position) {
		t.Helper()
		made, now, err := s.ChangePositions(t.Context(), list)
		if err != nil || !reflect.DeepEqual(made, wantMade) || !reflect.DeepEqual(now, append([]topology.Position{}, wantNow...)) {
			t.Fatalf("made %+v, now %v, %v; want %+v, %v", made, now, err, wantMade, wantNow)
		}
	}
	stored()
	first := placings(at("ns:B", 1, 2, false), at("ns:A", 0.1, -1e6, true))
	change(first, first, at("ns:B", 1, 2, false), at("ns:A", 0.1, -1e6, true))
	stored(at("ns:A", 0.1, -1e6, true), at("ns:B", 1, 2, false))

	// Who comes second finds it placed; who drags it moves it.
	change(placings(at("ns:A", 5, 5, false), at("ns:B", 5, 5, false)), nil, at("ns:A", 0.1, -1e6, true), at("ns:B", 1, 2, false))
	drag := placings(at("ns:B", 7, 8, true))
	change(drag, drag, at("ns:B", 7, 8, true))

	// Forgotten, once.
	forget := []topology.PositionChange{{Object: "ns:A", Forget: true}}
	change(forget, forget)
	change(forget, nil)
	stored(at("ns:B", 7, 8, true))
	change(placings(at("ns:A", 5, 5, false)), placings(at("ns:A", 5, 5, false)), at("ns:A", 5, 5, false))

	if err := s.ReplacePositions(t.Context(), []topology.Position{at("世", 1, 1, true)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, path)
	stored(at("世", 1, 1, true))

	// All or nothing.
	if _, _, err := s.ChangePositions(t.Context(), append(placings(at("new", 1, 1, true)), topology.PositionChange{Object: "x", X: new(float64), Y: notANumber()})); err == nil {
		t.Fatal("what SQLite cannot keep was taken")
	}
	stored(at("世", 1, 1, true))
}

// notANumber is NULL in SQLite.
func notANumber() *float64 {
	zero := 0.0
	zero /= zero
	return &zero
}

// TestPositionsAreBounded: those placed longest ago go, pinned ones last.
func TestPositionsAreBounded(t *testing.T) {
	s := newStore(t)
	all := make([]topology.Position, topology.MaxPositions)
	for i := range all {
		all[i] = at(fmt.Sprintf("%05d", i), 1, 1, i < 10 || i >= 15)
	}
	if err := s.ReplacePositions(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.ChangePositions(t.Context(), placings(at("00010", 3, 3, true), at("00000", 3, 3, true))); err != nil {
		t.Fatal(err)
	}
	var fresh []topology.Position
	for i := range 6 {
		fresh = append(fresh, at(fmt.Sprint("new", i), 2, 2, true))
	}
	made, _, err := s.ChangePositions(t.Context(), placings(fresh...))
	if err != nil {
		t.Fatal(err)
	}
	var gone []string
	for _, c := range made[len(fresh):] {
		if !c.Forget {
			t.Errorf("%+v", c)
		}
		gone = append(gone, c.Object)
	}
	// Four that were not pinned, then the oldest that is.
	for _, want := range []string{"00011", "00012", "00013", "00014", "00001", "00002"} {
		found := false
		for _, g := range gone {
			found = found || g == want
		}
		if !found {
			t.Errorf("%s is not among the forgotten %v", want, gone)
		}
	}
	left, err := s.Positions(t.Context())
	if err != nil || len(left) != topology.MaxPositions || len(gone) != 6 {
		t.Errorf("%d left, forgotten %v, %v", len(left), gone, err)
	}
}
