package netops

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

const (
	// filesPerSpace is how many files a watched namespace takes: its own and two
	// sockets, one for requests and one that listens.
	filesPerSpace = 3
	// greatestReserve is how many files are left for everything else at most: the
	// database, two thousand websockets, pings. Of a low limit it is a quarter.
	greatestReserve = 4096
	// enoughFiles is what is asked for where the machine allows it: fs.nr_open's
	// default, room for a third of a million namespaces.
	enoughFiles = 1 << 20
)

// FileLimit is how many files this process may have open.
type FileLimit uint64

// Namespaces is for how many watched namespaces that is enough.
func (l FileLimit) Namespaces() int {
	return int((uint64(l) - min(uint64(l)/4, greatestReserve)) / filesPerSpace)
}

// RaiseHint says how the limit is raised by who runs netdash.
const RaiseHint = "raise it: LimitNOFILE= in the systemd unit, ulimit -n in a shell, --ulimit nofile= of docker run, and fs.nr_open where that is lower"

// RaiseFileLimit raises RLIMIT_NOFILE as far as it goes: the soft limit to the
// hard one and, with CAP_SYS_RESOURCE in the first user namespace, the hard one to
// what is enough, at most fs.nr_open. It gives the limit in force; an error means
// that it could not be found out.
func RaiseFileLimit() (FileLimit, error) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		return 0, os.NewSyscallError("getrlimit", err)
	}
	most := uint64(enoughFiles)
	if text, err := os.ReadFile("/proc/sys/fs/nr_open"); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			most = min(most, n)
		}
	}
	for _, to := range []uint64{max(most, was.Max), was.Max} {
		// The first is refused without the capability (do_prlimit in kernel/sys.c).
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: to, Max: to}) == nil {
			return FileLimit(to), nil
		}
	}
	return FileLimit(was.Cur), nil
}

// fileBudget counts the namespaces that are watched, so that they leave files for
// the rest of the program: without one it cannot even take a connection.
type fileBudget struct{ watched atomic.Int64 }

// take admits one more namespace, or says why not. The limit is looked up each
// time: it can be changed from outside (prlimit(1)).
func (b *fileBudget) take(id topology.NamespaceID) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	if n := FileLimit(limit.Cur).Namespaces(); b.watched.Add(1) > int64(n) {
		b.watched.Add(-1)
		return topology.Errorf(topology.CodeIncomplete, id.String(),
			"not watched: netdash may have %d files open, which is enough for %d namespaces; %s", limit.Cur, n, RaiseHint)
	}
	return nil
}

func (b *fileBudget) giveBack() { b.watched.Add(-1) }

// outOfFiles words the errors of the limits themselves, which are met when
// something else takes many files.
func outOfFiles(err error) error {
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		errno, _ := errors.AsType[unix.Errno](err)
		m := general(errno)
		return fmt.Errorf("%s; %s: %w", m.detail, m.hint, err)
	}
	return err
}
