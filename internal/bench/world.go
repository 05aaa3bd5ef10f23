package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const runDir = "/run/netns"

// privateEnv marks the process that runs in namespaces of its own.
const privateEnv = "NETDASH_BENCH_PRIVATE"

func private() bool { return os.Getenv(privateEnv) != "" }

// again runs this program once more, in new network, mount and pid namespaces:
// netdash would find the namespaces of other processes.
func again(args ...string) error {
	runtime.LockOSThread() // Pdeathsig is about the thread that starts the child
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), privateEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("make private namespaces, which needs root: %w", err)
	}
	return cmd.Wait()
}

// settle furnishes the new namespaces: lo up, their own /proc, and an empty
// /run/netns on tmpfs as distributions have it.
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
	if err := unix.Mount("bench", runDir, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount %s: %w", runDir, err)
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("bring lo up: %w: %s", err, out)
	}
	return nil
}

// shell is one sh that runs scripts one after the other, so that starting it is
// no part of what is measured.
type shell struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	said bytes.Buffer // its stderr; complete once it has ended
}

// newShell starts a shell. An apart one has an empty /run/netns of its own:
// nobody else notices what it does there.
func newShell(ctx context.Context, apart bool) (*shell, error) {
	s := &shell{cmd: exec.CommandContext(ctx, "sh")}
	s.cmd.Stderr = &s.said
	s.cmd.SysProcAttr = &syscall.SysProcAttr{}
	if apart {
		s.cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWNS
	}
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.in, s.out = in, bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start sh: %w", err)
	}
	if apart {
		if _, err := s.run("mount --make-rprivate /; umount " + runDir + "; mount -t tmpfs bench " + runDir); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// run tells how long a script takes. What it prints is thrown away. The first
// command that fails ends it.
func (s *shell) run(script string) (time.Duration, error) {
	began := time.Now()
	if _, err := fmt.Fprintf(s.in, "(set -e\n%s\n) >/dev/null; echo $?\n", script); err != nil {
		return 0, fmt.Errorf("sh: %w", err)
	}
	status, err := s.out.ReadString('\n')
	took := time.Since(began)
	if err == nil && status == "0\n" {
		return took, nil
	}
	_ = s.close() // for all that it said; the script's failure is the one to tell
	return 0, fmt.Errorf("sh: status %q: %s\n%.200s", strings.TrimSpace(status), &s.said, script)
}

func (s *shell) close() error {
	_ = s.in.Close() // ends it; a second time it is closed already
	if s.cmd.ProcessState != nil {
		return nil
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("sh: %w: %s", err, &s.said)
	}
	return nil
}

// each repeats a command for the numbers below n, which it has as $i.
func each(n int, command string) string {
	return fmt.Sprintf("i=0; while [ $i -lt %d ]; do %s; i=$((i+1)); done", n, command)
}
