package store

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"netdash/internal/topology"
)

const (
	insideEnv = "NETDASH_TEST_INSIDE"    // set in the process that has its own mounts
	kernelEnv = "NETDASH_REQUIRE_KERNEL" // 1: a test that cannot run fails
)

// ownMounts runs the test again in a process whose mounts are its own, and
// tells whether this is that process.
func ownMounts(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideEnv) != "" {
		return true
	}
	attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
	}
	inside := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	inside.Env = append(os.Environ(), insideEnv+"=1")
	inside.SysProcAttr = attr
	out, err := inside.CombinedOutput()
	if errors.Is(err, syscall.EPERM) && os.Getenv(kernelEnv) != "1" {
		t.Skip("needs a mount namespace of its own: ", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("did not run inside:\n%s", out)
	}
	return false
}

// smallDisk mounts a file system of a size, e.g. "size=1m".
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err) // something is still open there
		}
	})
	return dir
}

// fill leaves about spare bytes of the disk and gives the file that takes the
// rest.
func fill(t *testing.T, dir string, spare int64) string {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(max(0, info.Size()-spare)); err != nil {
		t.Fatal(err)
	}
	return name
}

// isFull holds that err, if there is one, says that the disk is full.
func isFull(t *testing.T, err error, what string) bool {
	t.Helper()
	if err == nil {
		return false
	}
	if e, ok := errors.AsType[*topology.Error](err); !ok || !strings.Contains(e.Detail, "the disk is full") || e.Hint == "" {
		t.Fatalf("%s on a full disk: %v", what, err)
	}
	return true
}

// TestFullDisk leaves more and more room, so that the disk fills up at each
// step of an edit in turn.
func TestFullDisk(t *testing.T) {
	if !ownMounts(t) {
		return
	}
	dir := smallDisk(t, "size=24m") // room for a log before it is moved into the file
	s := openStore(t, filepath.Join(dir, "netdash.db"))
	spec := star(20)
	commit(t, s, spec)
	var atBegin, atCommit, fine int
	for spare := int64(0); fine < 3; spare += 4096 {
		target := star(60)
		target.Name = "spare"
		key := strconv.FormatInt(spare, 10)
		filler := fill(t, dir, spare)
		op := &topology.Operation{Request: "PUT", Changes: []topology.ChangeRecord{}, Commands: []string{}}
		begin := s.Begin(t.Context(), op, target)
		if isFull(t, begin, "Begin") {
			atBegin++
		} else if isFull(t, s.Commit(t.Context(), op, target, answerTo(key)), "Commit") {
			atCommit++
			stored(t, s, op) // still running
			if kept(t, s, answerTo(key)) {
				t.Error("its answer is there, but not the operation")
			}
		} else {
			fine++
			if !kept(t, s, answerTo(key)) {
				t.Error("its answer is lost")
			}
			spec = target
		}
		same(t, load(t, s), spec, "on a full disk")
		sound(t, s)
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if op.State == topology.OperationRunning { // goes on where it stood
			if err := s.Commit(t.Context(), op, target); err != nil {
				t.Fatal(err)
			}
			same(t, load(t, s), target, "with room again")
		}
		spec = star(20)
		commit(t, s, spec)
		sound(t, s)
		if spare > 2<<20 {
			t.Fatal("never fine")
		}
	}
	if atBegin == 0 || atCommit == 0 {
		t.Errorf("full at Begin %d times, at Commit %d times: want each", atBegin, atCommit)
	}
	t.Logf("full at Begin %d times, at Commit %d times", atBegin, atCommit)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, filepath.Join(dir, "netdash.db"))
	same(t, load(t, s), spec, "opened again")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpenOnFullDisk makes and reopens a database with ever more room.
func TestOpenOnFullDisk(t *testing.T) {
	if !ownMounts(t) {
		return
	}
	dir := smallDisk(t, "size=1m")
	for _, existing := range []bool{false, true} {
		path := filepath.Join(dir, map[bool]string{false: "new.db", true: "old.db"}[existing])
		spec := &topology.Spec{}
		if existing {
			spec = star(20)
			s := openStore(t, path)
			commit(t, s, spec)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		refusals := 0
		step := int64(12288) // few, as goose tries for 3 s to make its table
		if existing {
			step = 4096
		}
		for spare := int64(0); ; spare += step {
			filler := fill(t, dir, spare)
			s, err := Open(t.Context(), path)
			switch {
			case err == nil:
				same(t, load(t, s), spec, "on a full disk")
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			case strings.Contains(err.Error(), "no space left on device"): // the lock or the file itself
				refusals++
			default:
				isFull(t, err, "Open")
				refusals++
			}
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			if err == nil {
				break
			}
		}
		if !existing && refusals == 0 {
			t.Error("a new database needed no room")
		}
		t.Logf("existing %v: refused %d times", existing, refusals)
		s := openStore(t, path)
		same(t, load(t, s), spec, "with room again")
		commit(t, s, star(3))
		sound(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadOnlyDisk(t *testing.T) {
	if !ownMounts(t) {
		return
	}
	dir := smallDisk(t, "size=1m")
	path := filepath.Join(dir, "netdash.db")
	s := openStore(t, path)
	spec := star(3)
	commit(t, s, spec)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	refused(t, path, topology.CodeInternal, "read-only file system")
	if _, err := Open(t.Context(), filepath.Join(dir, "new", "netdash.db")); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
	remount(0)
	s = openStore(t, path)
	same(t, load(t, s), spec, "writable again")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
