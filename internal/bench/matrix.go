package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"netdash/internal/topology"
)

// fpings is how many of them run at once.
const fpings = 32

// gcThresh3 is how many neighbours the machine's namespaces may have together. It
// is to be found only in the first namespace, and 1024 where nobody has set it.
const (
	gcThresh3        = "/proc/sys/net/ipv4/neigh/default/gc_thresh3"
	defaultGCThresh3 = 1024
)

// roomForNeighbours lets the machine have the neighbours of the matrix, until
// restore is called. Where it cannot the matrix says so.
func roomForNeighbours(n sizes) (restore func() error, err error) {
	if n.only != "" && n.only != "matrix" {
		return func() error { return nil }, nil
	}
	want := 4 * n.matrix * n.matrix
	return limitNeighbours(func(now int) int { return max(now, want) })
}

// limitNeighbours sets how many neighbours the machine may have, until restore is
// called; nothing where that is not for this process to set.
func limitNeighbours(to func(now int) int) (restore func() error, err error) {
	nothing := func() error { return nil }
	text, err := os.ReadFile(gcThresh3)
	if errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	if err != nil {
		return nil, err
	}
	now, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || to(now) == now {
		return nothing, err
	}
	err = os.WriteFile(gcThresh3, []byte(strconv.Itoa(to(now))), 0)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	return func() error { return os.WriteFile(gcThresh3, text, 0) }, err
}

// fpingMatrix has one fping a host ask all hosts, some at once.
func fpingMatrix(hosts int) string {
	return "T=$(mktemp)\n" + each(hosts, "echo 10.77.$(((i+1)>>8)).$(((i+1)&255))") + " > $T\n" +
		fmt.Sprintf("seq 0 %d | xargs -P%d -I{} nsenter --net=%s/h{} fping -q -r1 -i1 -t500 -a -f $T 2>&1\nrm $T", hosts-1, fpings, runDir)
}

// matrix measures how long it takes to ping from each host of a star to each other,
// with empty neighbour tables and with full ones.
func (b *bench) matrix(ctx context.Context, out *report) error {
	hosts := b.n.matrix
	document, err := starDocument(hosts, true)
	if err != nil {
		return err
	}
	if err := b.put(ctx, document); err != nil {
		return err
	}
	forget := each(hosts, "ip -n h$i neigh flush all || true") // it fails on entries that go meanwhile
	var cold, warm, tight, fping samples                       // ms
	var short string                                           // why not all was reached
	ask := func() (float64, error) {
		var r topology.MatrixResult
		took, err := timed(func() error { return b.server.ask(ctx, "/ping-matrix", "{}", &r) })
		if err == nil && r.Summary.Reached != hosts*(hosts-1) {
			short = fmt.Sprintf("only %d of %d pairs reached; %s", r.Summary.Reached, r.Summary.Pairs, strings.Join(r.Summary.Warnings, "; "))
		}
		return took, err
	}
	for round := range b.n.rounds + 1 {
		if _, err := b.inside.run(forget); err != nil {
			return err
		}
		var took [3]float64
		for i := range took[:2] {
			if took[i], err = ask(); err != nil {
				return err
			}
		}
		rival, err := b.inside.run(fpingMatrix(hosts))
		if err != nil {
			return err
		}
		if _, err := b.inside.run(forget); err != nil {
			return err
		}
		restore, err := limitNeighbours(func(int) int { return defaultGCThresh3 })
		if err != nil {
			return err
		}
		took[2], err = ask()
		if err := errors.Join(err, restore()); err != nil {
			return err
		}
		if round > 0 {
			cold, warm, tight, fping = append(cold, took[0]), append(warm, took[1]), append(tight, took[2]), append(fping, milliseconds(rival))
		}
	}
	what, ratio := fmt.Sprintf("ping matrix of %d namespaces (%d pairs), ", hosts, hosts*(hosts-1)), fping.over(warm)
	met := func(target string, met bool) string {
		if short != "" {
			return target + ": " + short
		}
		return wanted(target, met)
	}
	out.rows = append(out.rows,
		row1(what+"neighbour tables empty, ms", cold.String(), met("≤ 1500 ms", cold.median() <= 1500)),
		row{
			What: what + "neighbours known, ms", Ours: warm.String(),
			Other: fmt.Sprintf("one `fping` a namespace, %d at once: %s", fpings, fping), Ratio: ratio.String() + "×",
			Target: met("≤ 300 ms", warm.median() <= 300) + ", " + met("≥ 2×", ratio.median() >= 2),
		})
	out.info = append(out.info, row{
		What: fmt.Sprintf("%sneighbour tables empty, with room for %d neighbours as the kernel has it, ms", what, defaultGCThresh3),
		Ours: tight.String(),
	})
	return b.put(ctx, "{}")
}
