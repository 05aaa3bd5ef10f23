// Command bench measures netdash beside what it is compared with, both sides in
// one run and by turns, and prints the figures as Markdown.
//
//	go run ./internal/bench                        # or: make bench
//	go run ./internal/bench -o docs/benchmarks.md  # written there as well
//
// It needs root, iproute2 and some ten minutes. Everything happens in network and
// mount namespaces of its own; the machine's links and /run/netns are not
// touched. The netdash it measures is the real program, in a process of its own,
// with its database on disk.
//
// What the figures mean stands in the text the program writes. It judges no
// figure by its exit code: a busy machine is no defect.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// patience bounds a whole run.
const patience = 25 * time.Minute

// sizes is how much is measured.
type sizes struct {
	only       string        // what is measured; empty: everything
	rounds     int           // of everything; each comparison takes turns this often
	namespaces int           // created and deleted one by one, in each round
	veths      int           // created one by one, in each round
	labs       int           // namespaces of the star whose events are timed
	sweeps     int           // times each of them is changed in each way, in each round
	star       int           // namespaces of the star that is read
	gets       int           // GETs of the topology of each sort, in each round
	requests   time.Duration // of small GETs, in each round
	stars      []starCase    // built and taken away as a whole
	starRounds int           // at most, of these
	crowd      crowd         // that listens at once
	large      int           // hosts of the star that shows how netdash scales
	storm      int           // changes of a storm
	pages      []int         // hosts of the labs whose page is measured
	pings      int           // requests to one address, in each round
	matrix     int           // hosts of the star that ping each other
	calm       time.Duration // left to that star to come to rest
	settle     time.Duration // left to the kernel to take deleted namespaces down
}

// full is what a run measures; only the rounds are the user's to choose.
var full = sizes{
	namespaces: 100, veths: 50, labs: 10, sweeps: 5, star: 100, gets: 40,
	requests: 500 * time.Millisecond, settle: 300 * time.Millisecond,
	stars: []starCase{{100, true, 2.5, 0}, {1000, true, 3, 0}, {1000, false, 6, 3}}, starRounds: 3,
	crowd: crowd{clients: 1000, stuck: 10, rate: 500, long: 20 * time.Second, limit: 250},
	large: 1000, storm: 20_000, calm: 20 * time.Second, pages: []int{91, 910}, pings: 200, matrix: 100,
}

func main() {
	if os.Getenv(rivalEnv) != "" {
		fmt.Fprintln(os.Stderr, "bench:", serveRival())
		os.Exit(1)
	}
	n := full
	flag.IntVar(&n.rounds, "rounds", 7, "how often each comparison takes its turn, 1 to 15")
	flag.StringVar(&n.only, "only", "", "measure one `part` alone, as named while it runs: stars, events, scale, …")
	output := flag.String("o", "", "Markdown `file` to write the figures to as well")
	dir := flag.String("dir", "/var/tmp", "`directory` for the database, on the file system to be measured")
	program := flag.String("netdash", "", "netdash `program` to measure; built from here if not given")
	flag.Parse()
	err := errors.New("-rounds must be 1 to 15, and there are no arguments")
	if n.rounds >= 1 && n.rounds <= 15 && flag.NArg() == 0 {
		err = run(n, *output, *dir, *program)
	}
	if exit, failed := errors.AsType[*exec.ExitError](err); failed && !private() {
		os.Exit(max(exit.ExitCode(), 1)) // it has said why
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures if this process is the private one, and otherwise starts it.
func run(n sizes, output, dir, program string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	temp, err := os.MkdirTemp(dir, "netdash-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }() // what is left of it does no harm
	if !private() {
		if program == "" {
			if program, err = build(ctx, temp); err != nil {
				return err
			}
		}
		restore, err := roomForNeighbours(n)
		if err != nil {
			return err
		}
		return errors.Join(again(append(os.Args[1:], "-netdash", program)...), restore())
	}
	if err := settle(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not finished within %s", patience))
	defer cancel()
	report, err := measure(ctx, n, program, temp)
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	if err := report.write(os.Stdout); err != nil || output == "" {
		return err
	}
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	return errors.Join(report.write(file), file.Close())
}

// build makes the program to measure.
func build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "netdash")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "netdash/cmd/netdash")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build netdash: %w\n%s", err, out)
	}
	return program, nil
}

// bench is a run under way.
type bench struct {
	n       sizes
	program string
	db      string
	server  *server
	inside  *shell // sees the namespaces of netdash
	outside *shell // has a /run/netns of its own, which netdash does not watch
	spaces  int    // namespaces there were before the stars
}

// measure runs everything, in a process that is in private namespaces. dir is
// where the database goes.
func measure(ctx context.Context, n sizes, program, dir string) (report *report, err error) {
	b := &bench{n: n, program: program, db: filepath.Join(dir, "netdash.db")}
	facts, err := machine(dir)
	if err != nil {
		return nil, err
	}
	if b.outside, err = newShell(ctx, true); err != nil {
		return nil, err
	}
	defer closing(&err, b.outside.close)
	if b.inside, err = newShell(ctx, false); err != nil {
		return nil, err
	}
	defer closing(&err, b.inside.close)
	if b.server, err = b.start(ctx); err != nil {
		return nil, err
	}
	defer closing(&err, func() error { return b.server.stop() })

	report, err = b.all(ctx)
	if err != nil {
		return nil, err
	}
	if facts, err = facts.finish(); err != nil {
		return nil, err
	}
	report.facts = facts
	return report, nil
}

// all takes one measurement after the other.
func (b *bench) all(ctx context.Context) (*report, error) {
	out := &report{rounds: b.n.rounds}
	for _, part := range []struct {
		what string
		take func(context.Context, *report) error
	}{
		{"create and delete namespaces", b.namespaces},
		{"create veth pairs", b.veths},
		{"stars", b.stars},
		{"events", b.events},
		{"drift", b.drift},
		{"read the topology", b.topology},
		{"walk", b.walk},
		{"crowd", b.crowd},
		{"scale", b.scale},
		{"storms", b.storms},
		{"page", b.pages},
		{"ping", b.ping},
		{"matrix", b.matrix},
	} {
		if only := b.n.only; only != "" && only != part.what {
			continue
		}
		runtime.GC() // not in the middle of what follows
		began := time.Now()
		if err := part.take(ctx, out); err != nil {
			return nil, fmt.Errorf("%s: %w\nnetdash said:\n%s", part.what, err, b.server.said())
		}
		fmt.Fprintf(os.Stderr, "bench: %s: %s\n", part.what, time.Since(began).Round(100*time.Millisecond))
	}
	return out, nil
}

// closing runs a last step and keeps its error if it is the first.
func closing(err *error, f func() error) {
	if e := f(); e != nil && *err == nil {
		*err = e
	}
}
