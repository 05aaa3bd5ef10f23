package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"netdash/internal/topology"
)

// message is a frame of the event stream: a snapshot or an event.
type message struct {
	topology.Event
	Revision int64              `json:"revision"`
	Topology *topology.Snapshot `json:"topology"`

	got time.Time
}

// stream collects the messages of one websocket.
type stream struct {
	conn *websocket.Conn
	done chan struct{} // closed when it has ended
	err  error         // why it ended

	mu       sync.Mutex
	messages []message
}

// listen opens the event stream until the test ends. The test fails if its
// numbers have a gap.
func (s *server) listen(t testing.TB, query string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, s.URL+"/api/v1/events"+query, nil) //nolint:bodyclose // the answer to an upgrade has none
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(16 << 20)
	e := &stream{conn: conn, done: make(chan struct{})}
	go e.follow(t)
	t.Cleanup(e.close)
	return e
}

func (e *stream) follow(t testing.TB) {
	t.Helper()
	defer close(e.done)
	last := uint64(0)
	for {
		_, frame, err := e.conn.Read(context.Background())
		if err != nil {
			e.err = err
			return
		}
		m := message{got: time.Now()}
		if err := json.Unmarshal(frame, &m); err != nil {
			t.Errorf("frame %.200s: %v", frame, err)
		}
		if m.Topology == nil && last != 0 && m.Seq != last+1 {
			t.Errorf("event %d follows %d: %.200s", m.Seq, last, frame)
		}
		last = m.Seq
		e.mu.Lock()
		e.messages = append(e.messages, m)
		e.mu.Unlock()
	}
}

func (e *stream) close() {
	_ = e.conn.CloseNow()
	<-e.done
}

// all gives what has come so far.
func (e *stream) all() []message {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.messages[:len(e.messages):len(e.messages)]
}

// since gives what has come after the first n messages.
func (e *stream) since(n int) []message { return e.all()[n:] }

// await waits for a message that fits, after the first n ones.
func (e *stream) await(t testing.TB, n int, what string, fits func(message) bool) message {
	t.Helper()
	var found message
	eventually(t, func() string {
		for _, m := range e.since(n) {
			if fits(m) {
				found = m
				return ""
			}
		}
		return fmt.Sprintf("no %s among %v", what, types(e.since(n)))
	})
	return found
}

// snapshot gives the message every stream begins with.
func (e *stream) snapshot(t testing.TB) message {
	t.Helper()
	return e.await(t, 0, "snapshot", func(m message) bool { return m.Topology != nil })
}

// types lists messages by what they are about, for a failed test.
func types(list []message) []string {
	var out []string
	for _, m := range list {
		about := ""
		switch {
		case m.Namespace != nil:
			about = m.Namespace.Name
		case m.Link != nil:
			about = m.Link.Namespace + "/" + m.Link.Name
		case m.Address != nil:
			about = m.Address.Namespace + "/" + m.Address.Link + " " + m.Address.CIDR
		case m.Route != nil:
			about = m.Route.Namespace + " " + m.Route.Destination
		case m.Neighbour != nil:
			about = m.Neighbour.Namespace + "/" + m.Neighbour.Link + " " + m.Neighbour.Address
		case m.FDB != nil:
			about = m.FDB.Namespace + "/" + m.FDB.Bridge + " " + m.FDB.MAC + " " + m.FDB.Port
		case m.Drift != nil:
			about = fmt.Sprint(m.Drift.Namespace, ": ", m.Drift.Differences)
		case m.Operation != nil:
			about = fmt.Sprint(m.Operation.ID)
		}
		out = append(out, m.Type+"("+about+")")
	}
	return out
}
