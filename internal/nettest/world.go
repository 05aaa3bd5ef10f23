package nettest

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// worldEnv names the world a process started by World is.
const worldEnv = "NETDASH_TEST_WORLD"

// worldReport is the open file a world writes its report to.
const worldReport = 3

// World runs the calling test once more, in a process with a private machine
// (host and /run/netns) of its own, and gives what it reported. There,
// InWorld gives the world's name and Report the way back. Several may run at
// once.
func World(t *testing.T, name string) ([]byte, error) {
	t.Helper()
	return world(t, name, nil)
}

// UserWorld is World in a user namespace of its own, whose root is nobody
// outside: limits can be set there, and rights are missing.
func UserWorld(t *testing.T, name string) ([]byte, error) {
	t.Helper()
	return world(t, name, func(a *syscall.SysProcAttr) {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	})
}

func world(t *testing.T, name string, arrange func(*syscall.SysProcAttr)) ([]byte, error) {
	t.Helper()
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd := private("-test.run="+strings.Join(parts, "/"), "-test.v")
	if arrange != nil {
		arrange(cmd.SysProcAttr)
	}
	// The race detector would sleep for a second at the end of each process.
	cmd.Env = append(cmd.Env, worldEnv+"="+name, "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	cmd.ExtraFiles = []*os.File{write}
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	runtime.LockOSThread() // for Pdeathsig, see Main
	defer runtime.UnlockOSThread()
	err = cmd.Start()
	write.Close()
	if err != nil {
		return nil, err
	}
	report, readErr := io.ReadAll(read)
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("in world %s: %w\n%s", name, err, &output)
	}
	return report, readErr
}

// InWorld gives the name of the world this process is, empty in the test that
// called World.
func InWorld() string { return os.Getenv(worldEnv) }

// Report hands a world's result to the test that called World.
func Report(t *testing.T, report []byte) {
	t.Helper()
	f := os.NewFile(worldReport, "world report")
	if _, err := f.Write(report); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
