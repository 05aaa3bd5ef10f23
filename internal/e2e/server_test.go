package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"netdash/internal/nettest"
)

// patience is how long anything may take that has no limit of its own: the
// machine may be busy with other tests.
const patience = 30 * time.Second

// startLimit bounds the wait for a start: on a machine of two cores with ten times
// as much to do, the race detector's netdash took more than half a minute.
const startLimit = 3 * time.Minute

// builds gives netdash's file, open, built once: the directory is removed at
// once, so that nothing has to be cleaned up after the last test.
var builds = map[bool]func() (*os.File, error){
	false: sync.OnceValues(func() (*os.File, error) { return build() }),
	true:  sync.OnceValues(func() (*os.File, error) { return build("-race") }),
}

func build(flags ...string) (*os.File, error) {
	dir, err := os.MkdirTemp("", "netdash-e2e-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // below the system's own for such
	binary := filepath.Join(dir, "netdash")
	args := append([]string{"build", "-buildvcs=false", "-o", binary}, flags...)
	if out, err := exec.Command("go", append(args, "netdash/cmd/netdash")...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build netdash: %w\n%s", err, out)
	}
	return os.Open(binary)
}

// binary gives a path to run netdash by, for most tests without the race
// detector: it watches the tests of the parts, and here the soak, which does
// everything at once. Elsewhere it would only make each start take seconds.
func binary(t testing.TB, race bool) string {
	t.Helper()
	nettest.Require(t)
	file, err := builds[race]()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), file.Fd())
}

// server is a running netdash.
type server struct {
	URL string // without a slash at the end
	DB  string // its database file

	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended
	log  logText
	over bool // its end has been judged
}

// start runs netdash with a database of its own until the test ends. It fails
// the test if the program does not end cleanly, or has logged an error.
func start(t testing.TB, flags ...string) *server {
	t.Helper()
	return startOn(t, filepath.Join(t.TempDir(), "netdash.db"), flags...)
}

// startOn is start with an existing database.
func startOn(t testing.TB, db string, flags ...string) *server {
	t.Helper()
	return run(t, binary(t, false), db, flags...)
}

// run starts a build of netdash.
func run(t testing.TB, program, db string, flags ...string) *server {
	t.Helper()
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--db", db}, flags...)
	s := &server{DB: db, cmd: exec.Command(program, args...), done: make(chan struct{})}
	s.log.said = make(chan struct{}, 1)
	s.cmd.Args[0] = "netdash"
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	// The program must not outlive a test that is killed.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() { clearMachine(t) }) // after the stop, which leaves the lab as it is
	t.Cleanup(func() {
		s.stop(t)
		if t.Failed() {
			t.Logf("netdash said:\n%s", s.log.String())
		}
	})
	s.URL = s.announced(t)
	eventually(t, func() string {
		resp, err := http.Get(s.URL + "/readyz")
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(resp.Body)
			return fmt.Sprintf("readyz: %s %s", resp.Status, text)
		}
		return ""
	})
	return s
}

// clearMachine removes all namespaces, and all links of the host but lo.
func clearMachine(t testing.TB) {
	t.Helper()
	nettest.Shell(t, `
		for name in $(ls /run/netns); do ip netns delete $name; done
		for link in /proc/sys/net/ipv4/conf/*; do
			case ${link##*/} in all|default|lo) ;; *) ip link delete dev ${link##*/} 2>/dev/null ;; esac
		done
		true`)
}

var announcement = regexp.MustCompile(`(?m)^netdash serves (http://\S+?)/$`)

// announced waits until the program prints where it can be reached.
func (s *server) announced(t testing.TB) string {
	t.Helper()
	deadline := time.After(startLimit)
	for {
		if m := announcement.FindStringSubmatch(s.log.String()); m != nil {
			return m[1]
		}
		select {
		case <-s.log.said:
		case <-s.done:
			t.Fatalf("netdash ended at once: %v\n%s", s.err, s.log.String())
		case <-deadline:
			t.Fatalf("netdash does not say where it serves:\n%s", s.log.String())
		}
	}
}

// trouble is what a healthy program never logs.
var trouble = regexp.MustCompile(`.*(level=ERROR|WARNING: DATA RACE|panic: |fatal error: ).*`)

// stop ends the program as a service manager does and tells how long that took.
func (s *server) stop(t testing.TB) time.Duration {
	t.Helper()
	began := time.Now()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.done:
	case <-time.After(patience):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // for the stacks
		<-s.done
		t.Errorf("netdash does not end on SIGTERM:\n%s", s.log.String())
	}
	took := time.Since(began)
	if s.over {
		return took
	}
	s.over = true
	if s.err != nil {
		t.Errorf("netdash ended with %v", s.err)
	}
	if said := trouble.FindString(s.log.String()); said != "" {
		t.Errorf("netdash said %s", said)
	}
	return took
}

// kill ends the program without a chance to tidy up.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
	s.err = nil // as it was asked
}

// logText collects what a program says.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
	said chan struct{}
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.said <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

// forget drops what was said, when an error among it was meant to be.
func (l *logText) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// eventually waits until check finds nothing wrong, and tells how long it took.
func eventually(t testing.TB, check func() string) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		wrong := check()
		took := time.Since(began)
		if wrong == "" {
			return took
		}
		if took > patience {
			t.Fatalf("after %s still: %s", took, wrong)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// shell runs a script with sh and gives all it wrote, however it ended.
func shell(ctx context.Context, script string, env ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = time.Second // what it has started may outlive it
	out, err := cmd.CombinedOutput()
	return strings.TrimRight(string(out), "\n"), err
}
