package live_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
)

// TestTooFewFiles: what cannot be watched for lack of files is shown, with the
// reason, and watched as soon as there are more.
func TestTooFewFiles(t *testing.T) {
	const limit, watched, there = 100, 25, 40
	if nettest.InWorld() == "" {
		if _, err := nettest.World(t, "with few files"); err != nil {
			t.Fatal(err)
		}
		return
	}
	nettest.Shell(t, fmt.Sprintf("for i in $(seq 2 %d); do ip netns add n$i; done", there))
	set := func(n uint64) {
		t.Helper()
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: 4096}); err != nil {
			t.Fatal(err)
		}
	}
	set(limit)
	l, _ := watching(t)
	blind := func() (n int, why string) {
		for _, ns := range l.Snapshot().Namespaces {
			if ns.Incomplete != "" {
				n++
				why = ns.Incomplete
			} else if len(ns.Links) == 0 {
				t.Errorf("%s has no links and is not incomplete", ns.Name)
			}
		}
		return n, why
	}
	eventually(t, func() string {
		if n, why := blind(); len(l.Snapshot().Namespaces) != there || n != there-watched ||
			!strings.Contains(why, "100 files open") || !strings.Contains(why, "25 namespaces") || !strings.Contains(why, "LimitNOFILE=") {
			return fmt.Sprintf("%d of %d namespaces are incomplete: %s", n, len(l.Snapshot().Namespaces), why)
		}
		return ""
	})
	set(4096)
	eventually(t, func() string {
		if n, why := blind(); n != 0 {
			return fmt.Sprintf("with more files %d namespaces are incomplete: %s", n, why)
		}
		return agrees(t, l)
	})
}
