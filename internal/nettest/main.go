// Package nettest helps tests that need a kernel: a private machine of network,
// mount and pid namespaces to run in, namespaces for one test, iproute2's own
// view as a judge, and leak checks.
//
// A test package that uses it has
//
//	func TestMain(m *testing.M) { nettest.Main(m) }
//
// and may then treat "host", /run/netns and /proc as its own: what other tests
// run at the same time is not there.
package nettest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// privateEnv marks the process that Main has started in namespaces of its own.
const privateEnv = "NETDASH_TEST_PRIVATE"

// requireEnv set to 1 makes the lack of a kernel to test on a failure.
const requireEnv = "NETDASH_REQUIRE_KERNEL"

// wholeEnv set to 1 says that nothing else runs on the machine: its limits, which
// all network namespaces share, may be used up.
const wholeEnv = "NETDASH_TEST_WHOLE_MACHINE"

// missing is why no kernel test can run; empty if they can.
var missing string

// Main runs the tests inside network, mount and pid namespaces of their own,
// with lo up and an empty /run/netns, by executing the test program there once
// more. What the tests leave running ends with it; what they leave lying is for
// after to remove. It does not return.
func Main(m *testing.M, after ...func()) {
	if os.Getenv(privateEnv) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "nettest:", err)
			os.Exit(2)
		}
		code := m.Run()
		for _, f := range after {
			f()
		}
		os.Exit(code)
	}
	runtime.LockOSThread() // Pdeathsig is about the thread that starts the child
	cmd := private(os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	exit, ran := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		os.Exit(0)
	case ran && exit.ExitCode() >= 0:
		os.Exit(exit.ExitCode())
	case ran:
		fmt.Fprintln(os.Stderr, "nettest:", err)
		os.Exit(2)
	}
	missing = fmt.Sprintf("needs root to make network and mount namespaces: %v", err)
	os.Exit(m.Run())
}

// Require skips the test where there is no kernel to test on, saying why, or
// fails it if NETDASH_REQUIRE_KERNEL=1. Every other helper calls it.
func Require(t testing.TB) {
	t.Helper()
	switch {
	case missing != "" && os.Getenv(requireEnv) == "1":
		t.Fatal(missing)
	case missing != "":
		t.Skip(missing)
	case os.Getenv(privateEnv) == "":
		t.Fatal("the package's TestMain does not call nettest.Main")
	}
}

// RequireWholeMachine skips the test where others would feel what it does. It runs
// on the stock kernel (scripts/stock-kernel), which is booted for these tests.
func RequireWholeMachine(t testing.TB) {
	t.Helper()
	Require(t)
	if os.Getenv(wholeEnv) != "1" {
		t.Skip("uses up what all of the machine shares: set " + wholeEnv + "=1 where nothing else runs")
	}
}

// private is this test program in new network, mount and pid namespaces.
func private(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), privateEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	return cmd
}

// settle furnishes the new namespaces.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := os.MkdirAll(runDir, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("nettest", runDir, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount %s: %w", runDir, err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("bring lo up: %w: %s", err, out)
	}
	return nil
}
