package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

const (
	// soakEnv says how long TestSoak runs, as in 30m.
	soakEnv = "NETDASH_SOAK"
	// soakTime is how long it runs otherwise.
	soakTime = 2 * time.Minute
	// bustle is how long a round is busy before it comes to rest.
	bustle = 10 * time.Second
	// soakPatience is how long one request may take amid all the others.
	soakPatience = time.Minute
	// lastActions is how many actions a failure is told with.
	lastActions = 400
)

// expectedTrouble are the errors the program may log in a rough round, each with
// its reason.
var expectedTrouble = map[*regexp.Regexp]string{
	regexp.MustCompile(`msg="an operation could not be undone whole"`): "somebody changes by hand what is being taken back; what is left shows as drift",
}

// soak is work of all kinds on one server, and what has come of it.
type soak struct {
	*server
	t    *testing.T
	seed uint64

	// rough: things are done by hand too in this round. What netdash has begun may
	// then fail half-way, and what it takes back may be changed meanwhile.
	rough bool

	mu       sync.Mutex
	tally    map[string]map[string]int // by kind of work, by outcome
	last     []string                  // actions
	round    int
	endRound context.CancelFunc
}

// somebody is one of those who work at the same time.
type somebody struct {
	*soak
	*rand.Rand
	ctx  context.Context // of the round: what is under way when it ends is finished
	name string
}

// TestSoak has everything happen at once, again and again: edits, things done by
// hand, clients of the event stream that come and go. After each round the lab is
// taken down, and netdash must then hold what it held in the beginning, and show
// what ip shows. NETDASH_TEST_SEED repeats the choices of a run, though not their
// order in time.
func TestSoak(t *testing.T) {
	length := soakTime
	if text := os.Getenv(soakEnv); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", soakEnv, err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("NETDASH_TEST_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("%s, NETDASH_TEST_SEED=%d", length, seed)
	k := &soak{server: run(t, binary(t, raceDetector), t.TempDir()+"/netdash.db"), t: t, seed: seed, tally: map[string]map[string]int{}}
	defer k.postMortem()

	warmUp(t, k.server)
	k.clear()
	gauges := []gauge{k.gauge()}
	t.Logf("at the beginning: %s", gauges[0])
	began := time.Now()
	for end := began.Add(length); time.Now().Before(end) && !t.Failed(); {
		k.round++
		k.rough = k.round%2 == 1
		var phases []time.Duration
		phase := func(f func()) {
			from := time.Now()
			f()
			phases = append(phases, time.Since(from).Round(100*time.Millisecond))
		}
		phase(k.bustle)
		if t.Failed() {
			return
		}
		phase(k.judge)
		phase(k.clear)
		var now gauge
		phase(func() { now = k.gauge() })
		now.at = time.Since(began)
		gauges = append(gauges, now)
		k.compare(gauges)
		t.Logf("%4.0fs round %d (busy, judged, cleared, measured: %v): %s; %s", now.at.Seconds(), k.round, phases, now, k.summary())
	}
	k.level(gauges)
	k.everyKind()
}

// byHandName is who works with ip and bridge, in every other round.
const byHandName = "by hand"

// crowd is who takes part in a round, how many of each.
var crowd = []struct {
	name   string
	number int
	act    func(*somebody)
}{
	{"editor", 3, (*somebody).edit},
	{byHandName, 2, (*somebody).meddle},
	{"reader", 1, (*somebody).read},
	{"pinger", 1, (*somebody).pingAround},
	{"nuisance", 1, (*somebody).annoy},
	{"listener", 6, (*somebody).visit},
}

// bustle is the busy part of a round.
func (k *soak) bustle() {
	ctx, cancel := context.WithTimeout(k.t.Context(), bustle)
	defer cancel()
	k.endRound = cancel
	var all sync.WaitGroup
	for i, c := range crowd {
		if c.name == byHandName && !k.rough {
			continue
		}
		for j := range c.number {
			s := &somebody{
				soak: k, ctx: ctx, name: fmt.Sprint(c.name, " ", j+1),
				Rand: rand.New(rand.NewPCG(k.seed, uint64(k.round<<16+i<<8+j))),
			}
			all.Go(func() {
				for ctx.Err() == nil {
					c.act(s)
				}
			})
		}
	}
	all.Wait()
}

// wrong is what must not happen. It ends the round.
func (k *soak) wrong(format string, args ...any) {
	k.t.Errorf("round %d: %s", k.round, fmt.Sprintf(format, args...))
	k.endRound()
}

// note counts what came of an action and remembers it for a while.
func (s *somebody) note(kind, outcome, action string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tally[kind] == nil {
		s.tally[kind] = map[string]int{}
	}
	s.tally[kind][outcome]++
	if strings.HasPrefix(kind, "GET") || strings.HasPrefix(kind, "refused") || kind == "ping" {
		return // these tell nothing
	}
	if len(s.last) >= lastActions {
		s.last = slices.Delete(s.last, 0, len(s.last)-lastActions+1)
	}
	s.last = append(s.last, fmt.Sprintf("%s %-11s %-18s %s: %s", time.Now().Format("15:04:05.000"), s.name, kind, action, outcome))
}

// summary counts what was done so far.
func (k *soak) summary() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	count := map[string]int{}
	for kind, outcomes := range k.tally {
		group, _, _ := strings.Cut(kind, " ")
		switch group = strings.TrimSuffix(group, ":"); group {
		case "by", "client", "GET", "ping", "refused":
		default:
			group = "edits"
		}
		for outcome, n := range outcomes {
			count[group] += n
			if good(outcome) {
				count[group+" good"] += n
			}
		}
	}
	return fmt.Sprintf("so far %d edits (%d were done, the others refused), %d commands by hand (%d worked), %d visits to the events, %d pings, %d reads, %d bad requests",
		count["edits"], count["edits good"], count["by"], count["by good"], count["client"], count["ping"], count["GET"], count["refused"])
}

// good tells of an outcome whether what was tried has worked.
func good(outcome string) bool { return outcome == "ok" || outcome[0] == '2' || outcome[0] == '3' }

// chances is how often a kind of work must have been tried to say that it never
// goes well: of the rarest that do, one in ten does.
const chances = 60

// everyKind fails the test if a kind of work has never gone well: then it says
// nothing about it.
func (k *soak) everyKind() {
	if k.t.Failed() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, kind := range slices.Sorted(maps.Keys(k.tally)) {
		worked, tried := false, 0
		for outcome, n := range k.tally[kind] {
			worked = worked || good(outcome)
			tried += n
		}
		k.t.Logf("%-30s %v", kind, k.tally[kind])
		if !worked && tried >= chances {
			k.t.Errorf("%s has never worked", kind)
		}
	}
}

// judge compares what netdash shows of what is left of a round, before anything
// is tidied up, with what ip shows, and looks through the log.
func (k *soak) judge() {
	t := k.t
	k.do(t, "PATCH", "/settings", `{"repair":"manual"}`).want(t, 200)
	// By now it may stand in its own way, or somebody else's.
	if a := k.do(t, "POST", "/topology/reconcile", ""); a.status != 200 && a.status != 409 {
		t.Errorf("%s: %d %s", a.asked, a.status, a.body)
	}
	// Where a loop has been plugged together frames circle, and MACs move, for ever.
	nettest.Shell(t, `
		for name in $(ls /run/netns) ""; do
			ip ${name:+-n $name} -o link show type bridge | awk -F': ' '{print "link set dev " $2 " down"}' | ip ${name:+-n $name} -batch -
		done`)
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		snapshot := get[topology.Snapshot](t, k.server, "/topology")
		wrong := nettest.Disagreement(t, &snapshot)
		if wrong == "" {
			break
		}
		if time.Since(began) > patience {
			t.Fatalf("round %d: %s after the last change netdash does not agree with ip: %s\nit shows\n%s", k.round, patience, wrong,
				k.do(t, "GET", "/topology", "").body)
		}
	}
	for _, op := range get[items[topology.Operation]](t, k.server, "/operations?limit=500").Items {
		if op.State == topology.OperationRunning {
			t.Errorf("operation %d still runs: %s", op.ID, op.Request)
		}
	}
	k.audit()
}

// audit looks through the log, and drops it: it would grow by the hour.
func (k *soak) audit() {
	for _, said := range trouble.FindAllString(k.log.String(), -1) {
		expected := false
		for pattern := range expectedTrouble {
			expected = expected || k.rough && pattern.MatchString(said)
		}
		if !expected {
			k.t.Errorf("round %d: netdash said %s", k.round, said)
		}
	}
	if !k.t.Failed() {
		k.log.forget()
	}
}

// clear takes everything down, netdash's by netdash and the rest by hand, and
// waits until nothing is left of it in netdash or the kernel.
func (k *soak) clear() {
	t := k.t
	// A namespace with a number here is listed by the kernel until it is dead,
	// however it is called and by whomever it is held.
	nettest.Shell(t, "for name in $(ls /run/netns); do ip netns set $name auto 2>/dev/null; done; true")
	k.takeDown()
	clearMachine(t)
	eventually(t, func() string {
		snapshot := get[topology.Snapshot](t, k.server, "/topology")
		report := get[topology.DriftReport](t, k.server, "/topology/drift")
		switch ids := strings.TrimSpace(nettest.Shell(t, "ip netns list-id")); {
		case ids != "":
			return "namespaces live on: " + ids
		case len(snapshot.Namespaces) != 1:
			return fmt.Sprintf("netdash still shows %d namespaces", len(snapshot.Namespaces))
		case !report.InSync || len(report.Differences) > 0:
			return fmt.Sprintf("with nothing intended it differs: %+v", report)
		}
		return nettest.Disagreement(t, &snapshot)
	})
	if spec := get[topology.Spec](t, k.server, "/topology/intended"); !topology.Equal(&spec, &topology.Spec{}) {
		t.Errorf("intended is %+v", spec)
	}
	http.DefaultClient.CloseIdleConnections()
}

// takeDown has netdash delete what it manages. What is in the way of that, because
// somebody has put it in the place of something of netdash's, is removed by hand,
// as the hint says.
func (k *soak) takeDown() {
	const most = 100
	for range most {
		a := k.do(k.t, "PUT", "/topology/intended", "{}")
		if a.status == http.StatusOK {
			return
		}
		_, command, ok := strings.Cut(a.problem(k.t, http.StatusConflict, "conflict").Hint, "remove it with: ")
		if !ok {
			k.t.Fatalf("taking everything down: %d %s", a.status, a.body)
		}
		_, _ = shell(k.t.Context(), command) // it may have gone with another
	}
	k.t.Fatalf("%d things are in the way of taking everything down", most)
}

// postMortem tells of a failed test what may help to understand it: what was done
// last, what is open, and where every goroutine is.
func (k *soak) postMortem() {
	if !k.t.Failed() {
		return
	}
	defer func() { k.over = true }() // its end is no clean one
	k.t.Logf("NETDASH_TEST_SEED=%d, the last actions:\n%s", k.seed, strings.Join(k.last, "\n"))
	if files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", k.cmd.Process.Pid)); err == nil {
		var open []string
		for _, f := range files {
			target, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", k.cmd.Process.Pid, f.Name())) // it may just be closed
			open = append(open, target)
		}
		slices.Sort(open)
		k.t.Logf("%d files are open:\n%s", len(open), strings.Join(open, "\n"))
	}
	k.quit()
}

// quit ends netdash in the way that has it write all its stacks to its log.
func (k *soak) quit() {
	if err := k.cmd.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		k.t.Error(err)
	}
	select {
	case <-k.server.done:
	case <-time.After(patience):
		k.t.Error("netdash does not even end on SIGQUIT")
	}
}
