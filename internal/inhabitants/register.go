package inhabitants

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"sync"

	"netdash/internal/topology"
)

// Register knows who lives where, and remembers what it has found out. All but
// Ask is for one goroutine.
type Register struct {
	proc    Proc
	engines *Engines
	log     *slog.Logger
	own     string // id of the container netdash itself is in

	round     int
	processes map[int]*process

	mu    sync.Mutex
	asked map[string]*answer // by container id
}

// process is what is known of one.
type process struct {
	name        string
	container   *topology.Container
	first, next int // rounds in which it was read first, and is to be read again
	seen        int // round it was last asked for
}

// answer is what the engines have said of a container.
type answer struct {
	container topology.Container // with what they said
	known     bool
	tries     int
	next      int // round in which to ask again
	seen      int
}

const (
	// rereadAfter is how many rounds at most pass before a process is read again:
	// it can change its name, and be put into another cgroup.
	rereadAfter = 15
	// maxTries is how often engines are asked about a container. One that has just
	// been made may not be known yet.
	maxTries = 5
)

// NewRegister makes one that reads a /proc and asks engines.
func NewRegister(proc Proc, engines *Engines, log *slog.Logger) *Register {
	r := &Register{proc: proc, engines: engines, log: log, processes: map[int]*process{}, asked: map[string]*answer{}}
	if c := r.containerOf("self"); c != nil {
		r.own = c.ID
	}
	return r
}

// NextRound begins a round of calls of Describe, one for each namespace. What
// was not asked for in the last one is forgotten.
func (r *Register) NextRound() {
	for pid, p := range r.processes {
		if p.seen < r.round {
			delete(r.processes, pid)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, a := range r.asked {
		if a.seen < r.round {
			delete(r.asked, id)
		}
	}
	r.round++
}

// Describe tells who the processes of one namespace are. pids are in order.
func (r *Register) Describe(pids []int) topology.Inhabitants {
	var out topology.Inhabitants
	out.ProcessCount = len(pids)
	for _, pid := range pids[:min(len(pids), topology.MaxProcesses)] {
		p := r.read(pid)
		if p.name == "" { // it has ended
			out.ProcessCount--
			continue
		}
		out.Processes = append(out.Processes, topology.Process{PID: pid, Name: p.name})
		if out.Container == nil && p.container != nil {
			out.Container = r.nameOf(p.container)
		}
	}
	return out
}

// read gives what is known of a process. It is read often while it is new.
func (r *Register) read(pid int) *process {
	p := r.processes[pid]
	if p == nil {
		p = &process{first: r.round, next: r.round}
		r.processes[pid] = p
	}
	p.seen = r.round
	if r.round >= p.next {
		p.next = r.round + min(1+(r.round-p.first)/2, rereadAfter)
		p.name = r.proc.name(pid)
		p.container = r.containerOf(strconv.Itoa(pid))
		// Who works in a namespace from netdash's own container does not live there.
		if p.container != nil && p.container.ID == r.own {
			p.container = nil
		}
	}
	return p
}

func (r *Register) containerOf(process string) *topology.Container {
	b, err := os.ReadFile(r.proc.path(process, "cgroup"))
	if err != nil { // it has ended, or the kernel has no cgroups
		return nil
	}
	return containerOf(string(b))
}

// nameOf adds to a container what the engines have said.
func (r *Register) nameOf(c *topology.Container) *topology.Container {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.asked[c.ID]
	if a == nil {
		a = &answer{container: *c, known: c.Name != ""}
		r.asked[c.ID] = a
	}
	a.seen = r.round
	named := a.container
	return &named
}

// Pending tells whether there is a container to ask the engines about.
func (r *Register) Pending() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.asked {
		if a.due(r.round) {
			return true
		}
	}
	return false
}

func (a *answer) due(round int) bool { return !a.known && a.tries < maxTries && round >= a.next }

// Ask asks the engines about the containers they were not asked about yet. It
// may take a while, and is for a goroutine of its own; what it finds out is in
// the next round.
func (r *Register) Ask(ctx context.Context) {
	r.mu.Lock()
	var due []topology.Container
	for _, a := range r.asked {
		if a.due(r.round) {
			a.tries++
			a.next = r.round + 1<<a.tries
			due = append(due, a.container)
		}
	}
	r.mu.Unlock()
	for _, c := range due {
		found, err := r.engines.Describe(ctx, c)
		if err != nil {
			r.log.Debug("ask about a container", "container", c.ID, "error", err)
		}
		if found == nil {
			continue
		}
		r.mu.Lock()
		if a := r.asked[c.ID]; a != nil {
			a.container, a.known = *found, true
		}
		r.mu.Unlock()
	}
}
