package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

const (
	// remembered is how many events netdash remembers (ringSize of internal/live).
	remembered = 4096
	// looseThreads is by how many threads the Go runtime, which keeps idle ones,
	// may have more in the end than after the first rounds.
	looseThreads = 8
	// looseHeap is by how much the live heap may grow over the second half of the
	// time, by a line through what was measured at rest: in a short run some of it
	// is still being used for the first time.
	looseHeap = 2 << 20
)

// gauge is what netdash holds at rest.
type gauge struct {
	at time.Duration
	holdings
	threads  int
	mounts   []string
	children string // processes it has started
	heap     float64
	rss      float64
	database int64
}

func (g gauge) String() string {
	return fmt.Sprintf("%d files beside the database's, %v goroutines, %d threads, %d mounts, live heap %.2f MiB, RSS %.1f MiB, database %.1f MiB",
		len(g.files), g.goroutines, g.threads, len(g.mounts), g.heap/(1<<20), g.rss/(1<<20), float64(g.database)/(1<<20))
}

// gauge measures netdash at rest.
func (k *soak) gauge() gauge {
	k.t.Helper()
	k.refillRing()
	g := gauge{heap: k.liveHeap(), rss: k.metric(k.t, "process_resident_memory_bytes"), holdings: k.atRest()}
	proc := fmt.Sprintf("/proc/%d/", k.cmd.Process.Pid)
	tasks, err := filepath.Glob(proc + "task/*")
	if err != nil {
		k.t.Fatal(err)
	}
	g.threads = len(tasks)
	for _, task := range tasks {
		if text, err := os.ReadFile(task + "/children"); err == nil { // else it has just ended
			g.children += string(text)
		}
	}
	mounts, err := os.ReadFile(proc + "mountinfo")
	if err != nil {
		k.t.Fatal(err)
	}
	for line := range bytes.Lines(mounts) {
		g.mounts = append(g.mounts, string(bytes.Fields(line)[4]))
	}
	slices.Sort(g.mounts)
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(k.DB + suffix); err == nil {
			g.database += info.Size()
		}
	}
	return g
}

// atRest tells what netdash holds, but for its database: connections to it are
// opened as they are needed, up to a bound, and kept.
func (k *soak) atRest() holdings {
	k.t.Helper()
	h := k.holdings(k.t)
	h.files = slices.DeleteFunc(h.files, func(name string) bool { return strings.HasPrefix(name, k.DB) })
	return h
}

// refillRing fills the memory of the last events with small ones that are alike
// each time, so that heaps can be compared.
func (k *soak) refillRing() {
	k.t.Helper()
	const atOnce = 256
	for from, n := k.metric(k.t, "netdash_event_seq"), 0; k.metric(k.t, "netdash_event_seq")-from <= remembered; {
		var batch strings.Builder
		for range atOnce {
			n++
			fmt.Fprintf(&batch, "link set dev lo alias event%06d\n", n)
		}
		nettest.Shell(k.t, "ip -batch - <<EOF\n"+batch.String()+"EOF")
		want := fmt.Sprintf("event%06d", n)
		eventually(k.t, func() string {
			if is := get[topology.Link](k.t, k.server, "/namespaces/host/links/lo").Alias; is != want {
				return "lo has the alias " + is + ", not " + want
			}
			return ""
		})
	}
	nettest.Shell(k.t, `ip link set dev lo alias ""`)
}

// liveHeap is how much the garbage collector finds in use. It sets its next goal
// by that: with GOGC=100 twice as high. What it finds beside what stays is of
// requests under way, so the least of several collections counts. They are
// brought about by documents of nothing but white space.
func (k *soak) liveHeap() float64 {
	k.t.Helper()
	const collections = 6
	blank := "{" + strings.Repeat(" ", 256<<10) + "}"
	least, seen := 0.0, 0
	for last := k.metric(k.t, "go_gc_duration_seconds_count"); seen < collections; {
		k.do(k.t, "PUT", "/topology/intended?dry_run=true", blank).want(k.t, 200)
		now := k.metric(k.t, "go_gc_duration_seconds_count")
		if now == last {
			continue
		}
		last = now
		seen++
		if goal := k.metric(k.t, "go_memstats_next_gc_bytes"); seen > 2 && (least == 0 || goal < least) { // pools take two to be emptied
			least = goal
		}
	}
	return least / 2
}

// compare judges the last gauge, which is measured again as long as something of
// the round may still be on its way out.
func (k *soak) compare(all []gauge) {
	first, now := all[0], &all[len(all)-1]
	wrong := func(g gauge) string {
		switch {
		case first.grown(g.holdings) != "":
			return first.grown(g.holdings)
		case !slices.Equal(g.mounts, first.mounts):
			return fmt.Sprintf("mounts %v, in the beginning %v", g.mounts, first.mounts)
		case g.children != "":
			return "it has processes: " + g.children
		}
		return ""
	}
	for end := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		text := wrong(*now)
		if text == "" {
			return
		}
		if time.Now().After(end) {
			k.quit()
			k.t.Errorf("round %d: at rest %s; its goroutines, and how many of each:\n%s", k.round, text, startedBy(k.log.String()))
			return
		}
		now.holdings = k.atRest() // looked at only: measuring the rest is work for it
	}
}

// startedBy sums up the stacks in a log: who has started the goroutines.
func startedBy(log string) string {
	count := map[string]int{}
	for line := range strings.Lines(log) {
		if _, who, ok := strings.Cut(line, "created by "); ok {
			who, _, _ = strings.Cut(who, " in goroutine")
			count[strings.TrimSpace(who)]++
		}
	}
	var lines []string
	for who, n := range count {
		lines = append(lines, fmt.Sprintf("%4d %s", n, who))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// level judges what may differ from one rest to the next, but must not grow.
func (k *soak) level(all []gauge) {
	all = all[1:]
	if len(all) < 4 || k.t.Failed() {
		k.t.Logf("%d rounds are too few to tell what grows", len(all))
		return
	}
	half := all[len(all)/2:]
	heap := growth(half, func(g gauge) float64 { return g.heap })
	k.t.Logf("over the last %s: live heap %+.0f KiB, RSS %+.0f KiB, database %+.0f KiB, threads %+.1f", (half[len(half)-1].at - half[0].at).Round(time.Second),
		heap/1024, growth(half, func(g gauge) float64 { return g.rss })/1024, growth(half, func(g gauge) float64 { return float64(g.database) })/1024,
		growth(half, func(g gauge) float64 { return float64(g.threads) }))
	if heap > looseHeap {
		k.t.Errorf("the live heap has not levelled off: it has grown by %.0f KiB", heap/1024)
	}
	early := slices.MaxFunc(all[:(len(all)+2)/3], func(a, b gauge) int { return a.threads - b.threads }).threads
	if now := all[len(all)-1].threads; now > early+looseThreads {
		k.t.Errorf("there are %d threads, %d after the first rounds", now, early)
	}
}

// growth is by how much a value rises from the first gauge to the last, on the
// line that fits all best (least squares).
func growth(all []gauge, value func(gauge) float64) float64 {
	var n, sumX, sumY, sumXX, sumXY float64
	for _, g := range all {
		x, y := g.at.Seconds(), value(g)
		n, sumX, sumY, sumXX, sumXY = n+1, sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	slope := (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
	return slope * (all[len(all)-1].at - all[0].at).Seconds()
}
