package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// stopTime is how soon the program has to be gone after SIGTERM.
const stopTime = 2 * time.Second

// TestStop: a stop in the midst of everything is quick and orderly, takes
// nothing down, and the next start finds all as it was.
func TestStop(t *testing.T) {
	s := start(t)
	furnish(t, s)
	var streams []*stream
	for range 5 {
		e := s.listen(t, "")
		e.snapshot(t)
		streams = append(streams, e)
	}
	pinged := make(chan string, 1)
	go func() { pinged <- s.longPing() }()
	var w worker
	w.run(s)
	eventually(t, func() string {
		if w.answered.Load() < 5 || s.metric(t, "netdash_pings_running") != 1 {
			return "not under way"
		}
		return ""
	})

	took := s.stop(t)
	t.Logf("gone after %s, %d edits answered", took, w.answered.Load())
	if took > stopTime+busySlack {
		t.Errorf("it took %s", took)
	}
	w.wait()
	for _, e := range streams {
		<-e.done
		if websocket.CloseStatus(e.err) != websocket.StatusGoingAway {
			t.Errorf("a websocket ended with %v", e.err)
		}
	}
	if end := <-pinged; !strings.Contains(end, `"type":"summary"`) {
		t.Errorf("the ping ended with %s", end)
	}

	left := calmWorld(t)
	next := startOn(t, s.DB)
	w.check(t, next)
	if d := difference(left, calmWorld(t)); d != "" {
		t.Errorf("the next start has changed:\n%s", d)
	}
	for _, pair := range [][2]string{{"A", "10.1.0.254"}, {"B", "192.168.1.1"}} {
		if r := next.ping(t, fmt.Sprintf(`{"namespace":%q,"address":%q,"count":1,"timeout_ms":5000}`, pair[0], pair[1])); r.Received != 1 {
			t.Errorf("ping from %s: %+v", pair[0], r)
		}
	}
}

// TestKill: killed at any moment, netdash finds either all of an edit or nothing
// of it at its next start, and the kernel has the same.
func TestKill(t *testing.T) {
	s := start(t)
	var w worker
	for range 8 {
		w.run(s)
		time.Sleep(time.Duration(20+rand.IntN(300)) * time.Millisecond)
		s.kill()
		w.wait()
		s = startOn(t, s.DB)
		w.check(t, s)
	}
	t.Logf("%d edits answered", w.answered.Load())
}

// longPing runs a ping of a minute and gives the last line of its answer.
func (s *server) longPing() string {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.URL+"/api/v1/pings",
		strings.NewReader(`{"namespace":"A","address":"10.1.0.254","count":60,"interval_ms":1000}`))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/x-ndjson")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Sprint(lines[len(lines)-1], err)
}

// worker edits one after the other until the server is gone: it adds a
// namespace, plugs it into the host, and removes an earlier one.
type worker struct {
	answered atomic.Int64
	done     chan struct{}
	next     int
	expected []string // namespaces by the answers so far
	unsure   string   // the one whose edit was not answered
}

func (w *worker) run(s *server) {
	w.done = make(chan struct{})
	go func() {
		defer close(w.done)
		for ; ; w.next++ {
			name := fmt.Sprintf("w%d", w.next)
			w.unsure = name
			if !w.edit(s, http.MethodPost, "/namespaces", fmt.Sprintf(`{"name":%q}`, name)) {
				w.next++
				return
			}
			w.expected = append(w.expected, name)
			if !w.edit(s, http.MethodPost, "/veths", fmt.Sprintf(
				`{"a":{"namespace":%q,"name":"eth0","addresses":["10.200.0.%d/24"]},"b":{"namespace":"host","name":%q}}`, name, 1+w.next%250, "h"+name)) {
				w.unsure = ""
				w.next++
				return
			}
			if len(w.expected) > 3 {
				w.unsure = w.expected[0]
				w.expected = w.expected[1:]
				if !w.edit(s, http.MethodDelete, "/namespaces/"+w.unsure, "") {
					w.next++
					return
				}
			}
		}
	}()
}

// edit tells whether the edit was answered, and well.
func (w *worker) edit(s *server, method, path, body string) bool {
	r, err := http.NewRequestWithContext(context.Background(), method, s.URL+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		return false
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode/100 != 2 {
		return false
	}
	w.answered.Add(1)
	return true
}

func (w *worker) wait() { <-w.done }

// check compares what is intended, what is observed, what ip says, and what the
// worker was told.
func (w *worker) check(t *testing.T, s *server) {
	t.Helper()
	snapshot := get[topology.Snapshot](t, s, "/topology")
	spec := get[topology.Spec](t, s, "/topology/intended")
	var intended []string
	for _, n := range spec.Namespaces {
		if strings.HasPrefix(n.Name, "w") {
			intended = append(intended, n.Name)
		}
		if state := snapshot.Namespace(n.Name); state == nil || state.Sync != topology.InSync || !state.Managed {
			t.Errorf("%s is %+v", n.Name, state)
		}
		if !slices.Contains(namespaces(t), n.Name) {
			t.Errorf("ip does not list %s", n.Name)
		}
	}
	for _, name := range namespaces(t)[1:] {
		if name != "F" && spec.FindNamespace(name) == nil {
			t.Errorf("%s is there, but not intended: %s", name, nettest.Shell(t, "stat -f -c %T /run/netns/"+name+"; stat -c '%F' /run/netns/"+name))
		}
	}
	for _, n := range snapshot.Namespaces {
		for _, l := range n.Links {
			foreign := n.Name == "F" || l.Name == "fb" || n.Name == "host" && l.Name == "lo"
			if !foreign && l.Sync != topology.InSync {
				t.Errorf("%s/%s is %s", l.Namespace, l.Name, l.Sync)
			}
		}
	}
	want := slices.Clone(w.expected)
	if slices.Contains(intended, w.unsure) && !slices.Contains(want, w.unsure) {
		want = append(want, w.unsure)
	}
	slices.Sort(want)
	slices.Sort(intended)
	if !slices.Equal(want, intended) {
		t.Errorf("intended are %q, by the answers %q", intended, want)
	}
	w.expected = intended
	var hosted []string
	for _, l := range nettest.IP(t, "host", "link", "show", "type", "veth") {
		if name := l["ifname"].(string); strings.HasPrefix(name, "hw") {
			hosted = append(hosted, name)
		}
	}
	if len(hosted) > len(intended) {
		t.Errorf("on host are %q, for %q", hosted, intended)
	}
	for _, op := range get[items[topology.Operation]](t, s, "/operations?limit=20").Items {
		if op.State == topology.OperationRunning {
			t.Errorf("operation %d still runs: %s", op.ID, op.Request)
		}
	}
}
