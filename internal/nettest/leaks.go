package nettest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// settleTime is how long what a test has closed may take to be gone.
const settleTime = 2 * time.Second

// NoLeaks fails the test if, after all cleanups registered later, it has left
// open files, goroutines, mounts or files under /run/netns, or a thread in
// another network namespace. Not for tests that run in parallel with others.
func NoLeaks(t testing.TB) {
	t.Helper()
	Require(t)
	before := inventory(t)
	t.Cleanup(func() {
		if t.Skipped() {
			return
		}
		var left []string
		for end := time.Now().Add(settleTime); ; time.Sleep(10 * time.Millisecond) {
			if left = inventory(t).beyond(before); len(left) == 0 {
				return
			}
			if time.Now().After(end) {
				break
			}
		}
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	})
}

// holdings is what a process has that a test could leave behind.
type holdings struct {
	things     map[string]bool // files, mounts, names, threads
	goroutines int
}

func inventory(t testing.TB) holdings {
	t.Helper()
	h := holdings{things: map[string]bool{}, goroutines: runtime.NumGoroutine()}
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		// The runtime opens its poller when first needed and keeps it; the list
		// itself was open only while it was read.
		if err != nil || strings.HasPrefix(target, "anon_inode:[event") {
			continue
		}
		h.things["file "+fd+" -> "+target] = true
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); strings.HasPrefix(f[4], runDir+"/") {
			h.things["mount "+f[4]] = true
		}
	}
	names, err := os.ReadDir(runDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		h.things["name "+filepath.Join(runDir, n.Name())] = true
	}
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		if ns, err := os.Readlink(thread); err == nil && ns != own {
			h.things["thread "+thread+" -> "+ns] = true
		}
	}
	return h
}

// beyond lists what h has more than before.
func (h holdings) beyond(before holdings) []string {
	var more []string
	for thing := range h.things {
		if !before.things[thing] {
			more = append(more, thing)
		}
	}
	if h.goroutines > before.goroutines {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		more = append(more, fmt.Sprintf("%d goroutines, %d before:\n%s", h.goroutines, before.goroutines, stacks))
	}
	return more
}
