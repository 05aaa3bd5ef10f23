package netops

import (
	"testing"

	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
)

// TestRaiseFileLimit: to what the machine allows, for root beyond the hard limit.
func TestRaiseFileLimit(t *testing.T) {
	switch nettest.InWorld() {
	case "":
		if _, err := nettest.World(t, "of root"); err != nil {
			t.Error(err)
		}
		if _, err := nettest.UserWorld(t, "without rights"); err != nil {
			t.Error(err)
		}
	case "of root":
		if mayRaise(t) {
			raised(t, 200, 300, enoughFiles)
			return
		}
		raised(t, 200, 300, 300)
	default:
		raised(t, 200, 300, 300)
	}
}

// mayRaise tells whether this process has CAP_SYS_RESOURCE, which containers often
// lack.
func mayRaise(t *testing.T) bool {
	t.Helper()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		t.Fatal(err)
	}
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
}

func raised(t *testing.T, soft, hard, want uint64) {
	t.Helper()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: soft, Max: hard}); err != nil {
		t.Fatal(err)
	}
	limit, err := RaiseFileLimit()
	var is unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &is); err != nil {
		t.Fatal(err)
	}
	if err != nil || uint64(limit) != want || is.Cur != want {
		t.Errorf("from %d and %d to %d, in force %d, %v; want %d", soft, hard, limit, is.Cur, err, want)
	}
}

func TestFileLimitNamespaces(t *testing.T) {
	for limit, want := range map[FileLimit]int{0: 0, 100: 25, 1024: 256, 20000: 5301, enoughFiles: 348160} {
		if got := limit.Namespaces(); got != want {
			t.Errorf("%d files are enough for %d namespaces, want %d", limit, got, want)
		}
	}
}
