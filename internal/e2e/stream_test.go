package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"netdash/internal/viewer"
)

type message = viewer.Message

// stream collects the messages of one websocket.
type stream struct {
	client *viewer.Client
	done   chan struct{} // closed when it has ended
	err    error         // why it ended

	mu       sync.Mutex
	messages []message
}

// listen opens the event stream until the test ends. The test fails if its
// numbers have a gap.
func (s *server) listen(t testing.TB, query string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := viewer.Dial(ctx, s.URL, query)
	if err != nil {
		t.Fatal(err)
	}
	e := &stream{client: client, done: make(chan struct{})}
	go e.follow(t)
	t.Cleanup(e.close)
	return e
}

func (e *stream) follow(t testing.TB) {
	t.Helper()
	defer close(e.done)
	for {
		m, err := e.client.Next(context.Background())
		if m.Type == "" {
			e.err = err
			return
		}
		if err != nil {
			t.Error(err)
		}
		e.mu.Lock()
		e.messages = append(e.messages, m)
		e.mu.Unlock()
	}
}

func (e *stream) close() {
	_ = e.client.Close()
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
