package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netdash/internal/nettest"
)

func TestMain(m *testing.M) {
	if os.Getenv(rivalEnv) != "" {
		panic(serveRival())
	}
	nettest.Main(m)
}

// TestMeasure runs everything once, small. What the figures are is not judged:
// only that there is one wherever there should be.
func TestMeasure(t *testing.T) {
	nettest.NoLeaks(t)
	dir := t.TempDir()
	program, err := build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	small := sizes{
		rounds: 2, namespaces: 2, veths: 2, labs: 2, sweeps: 1, star: 3, gets: 2,
		requests: 10 * time.Millisecond, settle: 10 * time.Millisecond,
		stars: []starCase{{3, true, 2.5, 0}, {3, false, 6, 3}}, starRounds: 1, large: 3, storm: 300, pings: 3, matrix: 3,
		crowd: crowd{clients: 20, stuck: 2, rate: 100, long: 300 * time.Millisecond, limit: 250},
		pages: []int{3},
	}
	report, err := measure(t.Context(), small, program, dir)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.write(&text); err != nil {
		t.Fatal(err)
	}
	if len(report.rows) != 4+2+1+6+8+2+1+7+1+2+1 || len(report.info) < 5 {
		t.Errorf("%d rows with a target and %d without", len(report.rows), len(report.info))
	}
	for _, r := range append(report.rows, report.info...) {
		if r.What == "" || !strings.ContainsAny(r.Ours, "123456789") {
			t.Errorf("no figure: %+v", r)
		}
		if !strings.Contains(text.String(), r.Ours) {
			t.Errorf("not written: %+v", r)
		}
	}
	if left, _ := filepath.Glob("/run/netns/*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if t.Failed() {
		t.Log(text.String())
	}
}

func TestSamples(t *testing.T) {
	s := samples{4, 1, 3, 2}
	if got, want := s.median(), 2.5; got != want {
		t.Errorf("median of four: %g, want %g", got, want)
	}
	if got, want := s.quantile(0.99), 4.0; got != want {
		t.Errorf("p99: %g, want %g", got, want)
	}
	if got, want := (samples{612.4, 580, 1640}).String(), "612 (580–1640)"; got != want {
		t.Errorf("spread: %q, want %q", got, want)
	}
	if got, want := (samples{0.1234}).String(), "0.123"; got != want {
		t.Errorf("one round: %q, want %q", got, want)
	}
	if got := (samples{6, 9}).over(samples{2, 3}).median(); got != 3 {
		t.Errorf("ratio: %g, want 3", got)
	}
	p, rounds := pooled{{1, 2, 3}, {4, 5, 6}}.quantile(0.5)
	if p != 4 || len(rounds) != 2 || rounds[0] != 2 || rounds[1] != 5 {
		t.Errorf("pooled: %g %v", p, rounds)
	}
}
