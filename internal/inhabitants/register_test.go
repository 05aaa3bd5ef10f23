package inhabitants

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"netdash/internal/topology"
)

// fakeProc is a /proc with some processes.
type fakeProc struct {
	*testing.T
	dir string
}

func newProc(t *testing.T) fakeProc {
	t.Helper()
	return fakeProc{t, t.TempDir()}
}

func (p fakeProc) put(pid, namespace, comm, cgroup string) {
	p.Helper()
	dir := filepath.Join(p.dir, pid)
	write(p.T, dir+"/comm", comm+"\n")
	write(p.T, dir+"/cgroup", cgroup)
	if err := os.MkdirAll(dir+"/ns", 0o755); err != nil {
		p.Fatal(err)
	}
	_ = os.Remove(dir + "/ns/net")
	if err := os.Symlink(namespace, dir+"/ns/net"); err != nil {
		p.Fatal(err)
	}
}

func (p fakeProc) end(pid string) {
	p.Helper()
	if err := os.RemoveAll(filepath.Join(p.dir, pid)); err != nil {
		p.Fatal(err)
	}
}

func TestNamespaces(t *testing.T) {
	p := newProc(t)
	p.put("10", "net:[5]", "b", "")
	p.put("9", "net:[5]", "a", "")
	p.put("11", "net:[6]", "c", "")
	p.put("12", "mnt:[6]", "no network namespace", "")
	p.put("13", "net:[6", "short", "")
	p.put("cpuinfo", "net:[6]", "no process", "")
	p.put("14", "net:[x]", "no number", "")
	got, err := Proc(p.dir).Namespaces()
	if want := map[uint64][]int{5: {9, 10}, 6: {11, 13}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if lives := Proc(p.dir).Lives([]int{9, 10, 11, 99}, 5); !reflect.DeepEqual(lives, []int{9, 10}) {
		t.Errorf("in 5 live %v", lives)
	}
	if _, err := Proc(p.dir + "/none").Namespaces(); err == nil {
		t.Error("no error where there is no /proc: it would look as if nobody lived anywhere")
	}
}

// TestNamespacesOfThisProcess reads the real /proc.
func TestNamespacesOfThisProcess(t *testing.T) {
	want, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	all, err := DefaultProc.Namespaces()
	if err != nil {
		t.Fatal(err)
	}
	for ino, pids := range all {
		for _, pid := range pids {
			if pid == os.Getpid() && fmt.Sprintf("net:[%d]", ino) == want {
				return
			}
		}
	}
	t.Errorf("process %d is not in %s: %v", os.Getpid(), want, all)
}

func TestRegister(t *testing.T) {
	var asked atomic.Int32
	answer := knows(id1, "web", "nginx")
	socket := engine(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); answer(w, r) })
	p := newProc(t)
	write(t, p.dir+"/self/cgroup", "0::/docker/"+id2+"\n")
	p.put("20", "net:[5]", "shell", "0::/docker/"+id2+"\n")
	p.put("21", "net:[5]", "nginx", "0::/docker/"+id1+"\n")
	r := NewRegister(Proc(p.dir), &Engines{Docker: []string{socket}}, slog.New(slog.DiscardHandler))
	round := func(pids ...int) topology.Inhabitants {
		r.NextRound()
		return r.Describe(pids)
	}
	want := topology.Inhabitants{
		Processes: []topology.Process{{PID: 20, Name: "shell"}, {PID: 21, Name: "nginx"}}, ProcessCount: 2,
		Container: &topology.Container{ID: id1, Engine: "docker"},
	}
	if got := round(20, 21); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !r.Pending() {
		t.Fatal("nobody is to be asked for the name")
	}
	r.Ask(t.Context())
	want.Container = &topology.Container{ID: id1, Engine: "docker", Name: "web", Image: "nginx"}
	if got := round(20, 21); !reflect.DeepEqual(got, want) {
		t.Errorf("once it is asked for: %+v, want %+v", got.Container, want.Container)
	}
	for range 40 {
		round(20, 21)
		if r.Pending() {
			t.Fatal("it is to be asked for again")
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the engine was asked %d times", n)
	}
	// A process changes its name, one ends, its pid is given to another.
	p.put("20", "net:[5]", "server", "0::/\n")
	p.end("21")
	for range rereadAfter + 1 {
		round(20)
	}
	if got := round(20); !reflect.DeepEqual(got, topology.Inhabitants{Processes: []topology.Process{{PID: 20, Name: "server"}}, ProcessCount: 1}) {
		t.Errorf("%+v", got)
	}
	p.put("21", "net:[5]", "other", "0::/\n")
	if got := round(20, 21); len(got.Processes) != 2 || got.Processes[1].Name != "other" || got.Container != nil {
		t.Errorf("%+v", got)
	}
	if got := round(); got.Processes != nil || got.ProcessCount != 0 || got.Container != nil {
		t.Errorf("of nobody: %+v", got)
	}
	round()
	if len(r.processes)+len(r.asked) > 0 {
		t.Errorf("%d processes and %d containers are remembered", len(r.processes), len(r.asked))
	}
}

// TestRegisterGivesUp: an engine that does not know a container is asked a few
// times, ever more seldom.
func TestRegisterGivesUp(t *testing.T) {
	var asked atomic.Int32
	socket := engine(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); http.NotFound(w, r) })
	p := newProc(t)
	p.put("21", "net:[5]", "nginx", "0::/docker/"+id1+"\n")
	r := NewRegister(Proc(p.dir), &Engines{Docker: []string{socket}}, slog.New(slog.DiscardHandler))
	for range 200 {
		r.NextRound()
		r.Describe([]int{21})
		if r.Pending() {
			r.Ask(t.Context())
		}
	}
	if n := asked.Load(); n != maxTries {
		t.Errorf("it was asked %d times, not %d", n, maxTries)
	}
}

func TestManyProcesses(t *testing.T) {
	p := newProc(t)
	var pids []int
	for pid := 100; pid < 200; pid++ {
		p.put(strconv.Itoa(pid), "net:[5]", "worker", "0::/\n")
		pids = append(pids, pid)
	}
	r := NewRegister(Proc(p.dir), &Engines{}, slog.New(slog.DiscardHandler))
	r.NextRound()
	if got := r.Describe(pids); len(got.Processes) != topology.MaxProcesses || got.ProcessCount != 100 || got.Processes[0].PID != 100 {
		t.Errorf("%d processes of %d, from %+v", len(got.Processes), got.ProcessCount, got.Processes[0])
	}
}

// BenchmarkNamespaces looks where the processes are, as the watch does once a
// second, on a machine with 300 and with 3000 of them.
func BenchmarkNamespaces(b *testing.B) {
	for _, n := range []int{300, 3000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			stop := sleepers(b, n)
			defer stop()
			for b.Loop() {
				all, err := DefaultProc.Namespaces()
				if err != nil {
					b.Fatal(err)
				}
				count := 0
				for _, pids := range all {
					count += len(pids)
				}
				if count < n {
					b.Fatalf("%d processes", count)
				}
			}
		})
	}
}

// BenchmarkDescribe tells who 1000 namespaces of three processes each belong to, in
// the rounds that a minute has.
func BenchmarkDescribe(b *testing.B) {
	stop := sleepers(b, 3000)
	defer stop()
	all, err := DefaultProc.Namespaces()
	if err != nil {
		b.Fatal(err)
	}
	var pids []int
	for _, some := range all {
		pids = append(pids, some...)
	}
	r := NewRegister(DefaultProc, &Engines{}, slog.New(slog.DiscardHandler))
	for b.Loop() {
		r.NextRound()
		for i := range 1000 {
			r.Describe(pids[3*i : 3*i+3])
		}
	}
}

// sleepers starts n processes, and gives what ends them: they are a process group.
func sleepers(b *testing.B, n int) (stop func()) {
	b.Helper()
	cmd := exec.Command("sh", "-c", fmt.Sprintf(`for i in $(seq %d); do sleep 100 & done; echo started; wait`, n))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}
	line := make([]byte, len("started\n"))
	if _, err := io.ReadFull(out, line); err != nil {
		stop()
		b.Fatal(err)
	}
	time.Sleep(time.Second) // until all are sleep
	return stop
}
