package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/netops"
	"netdash/internal/topology"
	"netdash/internal/viewer"
)

// watcher reduces what a subscription gives, and remembers it.
type watcher struct {
	sub      *Subscription
	picture  *viewer.Picture
	order    viewer.Order
	told     []json.RawMessage
	leftOut  uint64
	messages int
}

// catchUp takes all there is.
func (w *watcher) catchUp(t *testing.T) {
	t.Helper()
	for {
		batch, _, err := w.sub.take()
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			return
		}
		for _, f := range batch {
			m, err := viewer.Parse(f.Text)
			if err = errors.Join(err, w.order.Check(&m)); err != nil {
				t.Fatal(err)
			}
			w.messages++
			w.leftOut += m.Coalesced
			if w.told = append(w.told, f.Text); w.picture == nil {
				w.picture = viewer.NewPicture(m.Topology)
			} else {
				w.picture.Take(&m)
			}
		}
	}
}

// world makes things happen at random in three namespaces.
type world struct {
	t     *testing.T
	r     *rand.Rand
	s     scripted
	l     *Live
	gone  [4]bool
	links [4][5]netops.LinkFacts // by namespace, ifindex
	op    int64
	runs  *topology.Operation
}

func (w *world) id(n int) topology.NamespaceID {
	if n == 0 {
		return hostID
	}
	return topology.NamespaceID{Dev: 4, Ino: uint64(10 + n)}
}

func (w *world) tell(n int, fact any) {
	w.s <- netops.Delta{ID: w.id(n), Facts: fact}
}

// step makes one thing happen.
func (w *world) step() {
	n, i := w.r.IntN(4), 1+w.r.IntN(4)
	if n > 0 && (w.gone[n] || w.r.IntN(40) == 0) {
		name := fmt.Sprint("n", n)
		if w.gone[n] = !w.gone[n]; w.gone[n] {
			w.s <- netops.NamespaceGone{ID: w.id(n)}
			w.links[n] = [5]netops.LinkFacts{}
		} else {
			w.s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: w.id(n), Name: name, Names: []string{name}}}
		}
		return
	}
	x := &w.links[n][i]
	if x.Ifindex == 0 {
		*x = netops.LinkFacts{PeerNSID: netops.SameNamespace}
		x.Ifindex, x.Name, x.Kind, x.MTU = i, fmt.Sprint("l", i), "dummy", 1500
		if i == 1 {
			x.Kind, x.Name, x.Bridge, x.HoldSeconds = "bridge", "br0", &topology.BridgeInfo{}, 300
		}
		taken := func(other netops.LinkFacts) bool { return other.Ifindex != i && other.Name == x.Name }
		for slices.ContainsFunc(w.links[n][:], taken) { // after names were swapped
			x.Name += "x"
		}
		w.tell(n, *x)
		return
	}
	route := netops.RouteFacts{Ifindex: i, RouteState: topology.RouteState{Family: "inet", Destination: fmt.Sprintf("10.%d.0.0/16", w.r.IntN(3)), Metric: w.r.IntN(2), Scope: "link", Protocol: "boot", Type: "unicast"}}
	address := netops.AddressFacts{Ifindex: i, Address: topology.Address{CIDR: fmt.Sprintf("10.9.%d.1/24", w.r.IntN(3)), Scope: "global"}}
	neighbour := netops.NeighbourFacts{Ifindex: i, Neighbour: topology.Neighbour{Address: fmt.Sprint("10.9.0.", w.r.IntN(3)), State: []string{"reachable", "stale", "failed"}[w.r.IntN(3)]}}
	entry := netops.FDBFacts{BridgeIndex: 1, PortIndex: i, FDBEntry: topology.FDBEntry{
		MAC: fmt.Sprintf("02:00:00:00:00:%02x", w.r.IntN(3)), VLAN: 10 * w.r.IntN(2), State: []string{"learned", "static"}[w.r.IntN(2)], AgeSeconds: new(1.5),
	}}
	switch w.r.IntN(14) {
	case 0, 1:
		x.MTU = 1400 + w.r.IntN(200)
		w.tell(n, *x)
	case 2:
		x.AdminUp = !x.AdminUp
		w.tell(n, *x)
	case 3: // names are unique in their namespace
		if other := &w.links[n][1+w.r.IntN(4)]; other.Ifindex != 0 && other != x {
			x.Name, other.Name = other.Name, x.Name
			spare := *x
			spare.Name = "spare"
			w.tell(n, spare)
			w.tell(n, *other)
			w.tell(n, *x)
		}
	case 4:
		w.tell(n, netops.Gone{Facts: *x})
		*x = netops.LinkFacts{}
	case 5:
		w.tell(n, address)
	case 6:
		w.tell(n, netops.Gone{Facts: address})
	case 7:
		w.tell(n, route)
	case 8:
		w.tell(n, netops.Gone{Facts: route})
	case 9:
		w.tell(n, neighbour)
	case 10:
		w.tell(n, netops.Gone{Facts: neighbour})
	case 11, 12:
		w.tell(n, entry)
	case 13:
		w.tell(n, netops.Gone{Facts: entry})
	}
	if w.r.IntN(30) == 0 {
		w.operate()
	}
}

// operate begins an operation, or goes on with the one under way.
func (w *world) operate() {
	w.s.flush()
	spec := spoken()
	switch {
	case w.runs == nil:
		w.op++
		w.runs = &topology.Operation{ID: w.op, State: topology.OperationRunning}
		w.l.Begin(w.runs, topology.NewIntent(spec), []string{"n1"})
	case w.r.IntN(3) > 0:
		w.runs.Progress = &topology.Progress{Done: w.r.IntN(100), Total: 100}
		w.l.Progress(w.runs)
	default:
		w.runs.State = []topology.OperationState{topology.OperationCommitted, topology.OperationFailed}[w.r.IntN(2)]
		w.l.End(w.runs, topology.NewIntent(spec), w.op)
		w.runs = nil
	}
}

// spoken is intended: some of what the world has, and some it lacks.
func spoken() *topology.Spec {
	return &topology.Spec{
		Namespaces: []topology.Namespace{{Name: "n1"}, {Name: "n2"}},
		Bridges:    []topology.Bridge{{Namespace: "n1", Name: "br0", MTU: 1500}, {Namespace: "n2", Name: "br7"}},
		Routes:     []topology.Route{{Namespace: "n1", Destination: "10.1.0.0/16", Link: "br0"}},
	}
}

// TestCoalescedIsTheSame has one client keep up and others come by now and then:
// what they are told leads to the same, by the Go client and by the page's own
// reducer.
func TestCoalescedIsTheSame(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	s := make(scripted)
	l := New(s, s, spoken(), 0, slog.New(slog.DiscardHandler))
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run() }()
	defer func() { close(s); <-ran }()
	s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: hostID, Name: "host"}}
	s.flush()
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 1)), s: s, l: l, gone: [4]bool{false, true, true, true}}
	keepsUp, slow := &watcher{sub: l.Subscribe(nil)}, &watcher{sub: l.Subscribe(nil)}
	defer keepsUp.sub.Close()
	defer slow.sub.Close()
	keepsUp.catchUp(t)
	slow.catchUp(t)
	for round := range 40 {
		for i := range 50 + w.r.IntN(500) {
			w.step()
			if i%5 == 0 {
				s.flush()
				keepsUp.catchUp(t)
			}
		}
		s.flush()
		l.Snapshot() // settles what is due
		keepsUp.catchUp(t)
		slow.catchUp(t)
		if a, b := keepsUp.picture.Lines(), slow.picture.Lines(); !slices.Equal(a, b) {
			only := func(a, b []string) string {
				return strings.Join(slices.DeleteFunc(a, func(s string) bool { return slices.Contains(b, s) }), "\n")
			}
			t.Fatalf("seed %d, round %d: with every event\n%s\nslow\n%s", seed, round, only(slices.Clone(a), b), only(b, a))
		}
	}
	t.Logf("%d messages, %d to the slow one, which was spared %d", keepsUp.messages, slow.messages, slow.leftOut)
	if keepsUp.leftOut > 0 || slow.leftOut == 0 || uint64(slow.messages) >= uint64(keepsUp.messages)*3/4 {
		t.Errorf("%d were left out for one that keeps up, %d for a slow one", keepsUp.leftOut, slow.leftOut)
	}
	samePage(t, seed, keepsUp.told, slow.told)
}

// samePage reduces two streams as the page does.
func samePage(t *testing.T, seed uint64, streams ...[]json.RawMessage) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Log("the page's reducer is not compared: there is no node")
		return
	}
	module, err := filepath.Abs("../../web/static/js/core/reduce.js")
	if err != nil {
		t.Fatal(err)
	}
	script := `import { readFileSync } from 'node:fs';
import { normalise, reduce } from '` + module + `';
const sorted = (list) => [...list].map((x) => JSON.stringify(x)).sort();
for (const file of process.argv.slice(1)) {
  let t;
  for (const m of JSON.parse(readFileSync(file))) t = m.type === 'snapshot' ? normalise(m.topology) : reduce(t, m);
  console.log(JSON.stringify(t.namespaces.map(({ links, routes, neighbours, fdb, ...n }) =>
    [n, links.map((l) => ({ ...l, addresses: sorted(l.addresses) })), sorted(routes), sorted(neighbours), sorted(fdb)])));
}`
	args := []string{"--input-type=module", "-e", script}
	for i, told := range streams {
		text, err := json.Marshal(told)
		file := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err = errors.Join(err, os.WriteFile(file, text, 0o600)); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.CommandContext(t.Context(), "node", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if lines := bytes.Split(out, []byte("\n")); len(lines) != 3 || len(lines[0]) < 100 || !bytes.Equal(lines[0], lines[1]) {
		t.Errorf("seed %d: the page shows\n%s", seed, out)
	}
}

// TestCoalesce is about what is left out, and what is not.
func TestCoalesce(t *testing.T) {
	link := func(verb, key string) *topology.Event {
		return &topology.Event{Type: "link." + verb, Link: &topology.Link{Key: key}}
	}
	space := func(verb string) *topology.Event {
		return &topology.Event{Type: "namespace." + verb, Namespace: &topology.NamespaceState{ID: "4-7"}}
	}
	operation := func(verb string, id int64) *topology.Event {
		return &topology.Event{Type: "operation." + verb, Operation: &topology.Operation{ID: id}}
	}
	fdb := func(verb, port string, vlan int) *topology.Event {
		return &topology.Event{Type: "fdb." + verb, FDB: &topology.FDBEntry{Bridge: "br0", MAC: "02::", Port: port, VLAN: vlan}}
	}
	address := &topology.Event{Type: "address.added", Address: &topology.AddressEvent{Key: "a"}}
	for name, c := range map[string]struct {
		events []*topology.Event
		left   []int
	}{
		"changed again":           {[]*topology.Event{link("changed", "a"), link("changed", "b"), link("changed", "a")}, []int{1, 2}},
		"changed and removed":     {[]*topology.Event{link("changed", "a"), link("removed", "a")}, []int{1}},
		"come and gone":           {[]*topology.Event{link("added", "a"), link("changed", "a"), link("changed", "b"), link("removed", "a")}, []int{2}},
		"gone and come":           {[]*topology.Event{link("removed", "a"), link("added", "a"), link("changed", "a")}, []int{0, 1, 2}},
		"gone, come and gone":     {[]*topology.Event{link("changed", "a"), link("removed", "a"), link("added", "a"), link("removed", "a")}, []int{1}},
		"namespaces are all told": {[]*topology.Event{space("added"), space("changed"), space("changed"), space("removed"), space("added")}, []int{0, 3, 4}},
		"progress":                {[]*topology.Event{operation("started", 1), operation("progress", 1), operation("progress", 1), operation("committed", 1), operation("progress", 2)}, []int{0, 3, 4}},
		"MACs move":               {[]*topology.Event{fdb("moved", "p1", 0), fdb("moved", "p1", 10), fdb("moved", "p2", 0), fdb("removed", "p2", 10)}, []int{2, 3}},
		"addresses":               {[]*topology.Event{address, address}, []int{0, 1}},
	} {
		var list []*Frame
		for i, e := range c.events {
			e.Seq = uint64(i)
			list = append(list, newFrame(e, nil))
		}
		var left []int
		for _, f := range coalesce(list) {
			left = append(left, int(f.seq))
		}
		if !slices.Equal(left, c.left) {
			t.Errorf("%s: %v is left, not %v", name, left, c.left)
		}
	}
}
