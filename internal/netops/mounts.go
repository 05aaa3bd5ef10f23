package netops

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"netdash/internal/inhabitants"
	"netdash/internal/topology"
)

// mountTable tells which network namespaces are mounted somewhere, and so live
// on without a process (proc_pid_mountinfo(5)): the names under RunDir, and what
// others mount for themselves, as Docker does under /run/docker/netns. Reading
// the table finds all of them, wherever they are, and says when something else
// is mounted on a name, of which inotify tells nothing. It is read only after the
// kernel has said that it is another now.
type mountTable struct {
	runDir string
	file   *os.File // for poll; nil where there is no table

	names  map[string]topology.NamespaceID   // by name under RunDir
	points map[topology.NamespaceID][]string // mount points elsewhere
	named  map[topology.NamespaceID][]string // names by namespace
}

const mountInfo = "/proc/self/mountinfo"

func openMounts(runDir string) (*mountTable, error) {
	m := &mountTable{runDir: runDir}
	if resolved, err := filepath.EvalSymlinks(runDir); err == nil {
		m.runDir = resolved
	}
	// os.Open would give it to the runtime's poller, which then hears of changes
	// in our place.
	fd, err := unix.Open(mountInfo, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return m, &os.PathError{Op: "open", Path: mountInfo, Err: err}
	}
	m.file = os.NewFile(uintptr(fd), mountInfo)
	return m, nil
}

func (m *mountTable) close() error {
	if m.file == nil {
		return nil
	}
	return m.file.Close()
}

// refresh reads the table again if it is another now, and tells whether it was.
func (m *mountTable) refresh() (changed bool, err error) {
	if m.file == nil {
		return false, nil
	}
	// A change is reported once to each open file (mounts_poll in
	// fs/proc_namespace.c), with POLLERR as well, which is not asked for.
	fds := []unix.PollFd{{Fd: int32(m.file.Fd()), Events: unix.POLLPRI}}
	n, err := unix.Poll(fds, 0)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return false, os.NewSyscallError("poll", err)
	}
	if n == 0 && m.names != nil {
		return false, nil
	}
	table, err := os.ReadFile(mountInfo)
	if err != nil {
		m.names = nil // so that it is tried again
		return false, err
	}
	m.parse(string(table))
	return true, nil
}

func (m *mountTable) parse(table string) {
	m.names = map[string]topology.NamespaceID{}
	m.points = map[topology.NamespaceID][]string{}
	m.named = map[topology.NamespaceID][]string{}
	for line := range strings.Lines(table) {
		// number, parent, major:minor, root, point: "76 30 0:4 net:[4026532281] /run/netns/x …"
		f := strings.SplitN(line, " ", 6)
		if len(f) < 6 {
			continue
		}
		ino, isNamespace := inhabitants.Inode(f[3])
		dev, ok := deviceNumber(f[2])
		if !isNamespace || !ok {
			continue
		}
		id := topology.NamespaceID{Dev: dev, Ino: ino}
		point := unescape.Replace(f[4])
		if dir, name := filepath.Split(point); filepath.Clean(dir) == m.runDir {
			m.names[name] = id // the last of several is on top
			m.named[id] = append(m.named[id], name)
			continue
		}
		m.points[id] = append(m.points[id], point)
	}
}

// unescape undoes what the kernel does to a path in the table (mangle in
// fs/proc_namespace.c).
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\043`, "#")

// deviceNumber reads "major:minor".
func deviceNumber(text string) (dev uint64, ok bool) {
	major, minor, _ := strings.Cut(text, ":")
	x, errMajor := strconv.ParseUint(major, 10, 32)
	y, errMinor := strconv.ParseUint(minor, 10, 32)
	return unix.Mkdev(uint32(x), uint32(y)), errMajor == nil && errMinor == nil
}
