package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"netdash/internal/live"
	"netdash/internal/topology"
)

// feed is a Subscription that a test fills.
type feed struct {
	frames  chan []byte
	err     error
	closed  atomic.Bool
	watches chan []string // what it was told to watch; nil: nobody looks
}

func (f *feed) Next(ctx context.Context) ([]*live.Frame, error) {
	select {
	case frame, ok := <-f.frames:
		if !ok {
			return nil, f.err
		}
		batch := []*live.Frame{{Text: frame}}
		for range min(len(f.frames), 15) {
			batch = append(batch, &live.Frame{Text: <-f.frames})
		}
		return batch, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (f *feed) Watch(namespaces []string) {
	if f.watches != nil {
		f.watches <- namespaces
	}
}

func (f *feed) Close() { f.closed.Store(true) }

// listen opens the websocket and answers it with the header it came with and
// what the Handler made of ?since.
func (s *site) listen(t *testing.T, query string, f *feed) (*websocket.Conn, http.Header, *uint64) {
	t.Helper()
	since := make(chan *uint64, 1)
	s.world.subscribe = func(n *uint64) Subscription { since <- n; return f }
	conn, resp, err := websocket.Dial(t.Context(), s.URL+"/api/v1/events"+query, &websocket.DialOptions{CompressionMode: websocket.CompressionNoContextTakeover}) //nolint:bodyclose // the answer to an upgrade has none
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn, resp.Header, <-since
}

func next(t *testing.T, conn *websocket.Conn) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, frame, err := conn.Read(ctx)
	return string(frame), err
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within 5 s: " + what)
		}
	}
}

func TestEvents(t *testing.T) {
	s := serve(t, nil)
	f := &feed{frames: make(chan []byte, 10)}
	big := `{"type":"snapshot","x":"` + strings.Repeat("netdash ", 2000) + `"}`
	f.frames <- []byte(big)
	f.frames <- []byte(`{"type":"link.added"}`)
	conn, header, since := s.listen(t, "?since=18446744073709551615", f)
	if since == nil || *since != 1<<64-1 {
		t.Errorf("since %v", since)
	}
	if !strings.Contains(header.Get("Sec-Websocket-Extensions"), "permessage-deflate") || header.Get("Content-Security-Policy") == "" {
		t.Errorf("headers %v", header)
	}
	conn.SetReadLimit(1 << 20)
	for _, want := range []string{big, `{"type":"link.added"}`} {
		if got, err := next(t, conn); got != want || err != nil {
			t.Fatalf("%.80s, %v", got, err)
		}
	}
	if got := s.do(t, "GET", "/metrics", "").want(t, 200).text; !strings.Contains(got, "netdash_subscribers 1") {
		t.Error("the subscriber is not counted")
	}
	_ = conn.Close(websocket.StatusNormalClosure, "")
	eventually(t, "subscription closed", f.closed.Load)
	eventually(t, "place free", func() bool { return len(s.handler.sockets) == 0 })
}

func TestEventsRefused(t *testing.T) {
	s := serve(t, nil)
	s.world.subscribe = func(*uint64) Subscription { t.Error("subscribed"); return &feed{} }
	upgrade := []string{"Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="}
	with := func(more ...string) []string { return append(append([]string{}, upgrade...), more...) }
	for _, c := range []struct {
		query   string
		headers []string
		code    topology.Code
	}{
		{"", nil, codeUpgradeRequired},
		{"", with("Sec-WebSocket-Version: 12"), codeUpgradeRequired},
		{"", with("Upgrade: h2c"), codeUpgradeRequired},
		{"", with("Sec-WebSocket-Key: short"), topology.CodeMalformed},
		{"", with("Sec-WebSocket-Key: "), topology.CodeMalformed},
		{"?since=-1", upgrade, topology.CodeMalformed},
		{"?since=", upgrade, topology.CodeMalformed},
		{"?since=x", upgrade, topology.CodeMalformed},
		{"", with("Origin: http://evil.example"), topology.CodeForbidden},
		{"", with("Origin: null"), topology.CodeForbidden},
		{"", with("Host: evil.example"), topology.CodeForbidden},
		{"", with("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: websocket"), topology.CodeForbidden},
	} {
		s.do(t, "GET", "/api/v1/events"+c.query, "", c.headers...).problem(t, c.code)
	}
}

func TestTooManySockets(t *testing.T) {
	s := serve(t, nil, func(h *Handler) { h.sockets = make(chan struct{}, 1) })
	s.listen(t, "", &feed{})
	_, resp, err := websocket.Dial(t.Context(), s.URL+"/api/v1/events", nil)
	if resp != nil {
		defer resp.Body.Close()
	}
	if err == nil || resp == nil || resp.StatusCode != statusOf[topology.CodeBusy] || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v %v", resp, err)
	}
}

// TestEventsEnd: each side that has enough leaves a reason, and nothing stays
// behind.
func TestEventsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(*site, *feed, *websocket.Conn)
		code   websocket.StatusCode
		reason string
	}{
		"netdash stops":  {func(s *site, _ *feed, _ *websocket.Conn) { s.handler.Close() }, websocket.StatusGoingAway, "netdash is stopping"},
		"the events end": {func(_ *site, f *feed, _ *websocket.Conn) { close(f.frames) }, websocket.StatusInternalError, "the events ended"},
		"client talks": {func(_ *site, _ *feed, conn *websocket.Conn) {
			_ = conn.Write(context.Background(), websocket.MessageText, []byte("{}"))
		}, websocket.StatusPolicyViolation, `all there is to say is {"watch": [namespaces]}`},
		"client is gone": {func(_ *site, _ *feed, conn *websocket.Conn) { _ = conn.CloseNow() }, -1, ""},
		"client is large": {func(_ *site, _ *feed, conn *websocket.Conn) {
			_ = conn.Write(context.Background(), websocket.MessageText, make([]byte, 1<<20))
		}, -1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, nil)
			before := runtime.NumGoroutine()
			f := &feed{frames: make(chan []byte), err: errors.New("ended")}
			conn, _, _ := s.listen(t, "", f)
			go c.end(s, f, conn)
			_, err := next(t, conn)
			if got := websocket.CloseStatus(err); c.code != -1 && got != c.code {
				t.Errorf("closed with %d (%v), want %d", got, err, c.code)
			}
			if closed, ok := errors.AsType[websocket.CloseError](err); c.reason != "" && (!ok || closed.Reason != c.reason) {
				t.Errorf("closed because %v, want %q", err, c.reason)
			}
			eventually(t, "subscription closed", f.closed.Load)
			// After Close every place is taken, for good.
			eventually(t, "place free", func() bool { return len(s.handler.sockets) == 0 || s.handler.stopped.Err() != nil })
			_ = conn.CloseNow()
			eventually(t, fmt.Sprintf("goroutines back at %d", before), func() bool { return runtime.NumGoroutine() <= before })
		})
	}
}

// TestSilentClient: one that takes no more and answers no ping is cut off.
func TestSilentClient(t *testing.T) {
	s := serve(t, nil, func(h *Handler) { h.limits.keepAlive, h.limits.frameTime = 10*time.Millisecond, 50*time.Millisecond })
	f := &feed{frames: make(chan []byte)}
	s.listen(t, "", f) // never reads, so it never answers a ping
	eventually(t, "silent client cut off", f.closed.Load)

	full := &feed{frames: make(chan []byte, 1000)}
	s = serve(t, nil, func(h *Handler) { h.limits.frameTime = 50 * time.Millisecond })
	s.listen(t, "", full)
	frame := []byte(`"` + randomText(1<<20) + `"`)
	go func() {
		for range 1000 {
			full.frames <- frame
		}
	}()
	eventually(t, "full client cut off", full.closed.Load)
}

// randomText does not pack well.
func randomText(n int) string {
	var b strings.Builder
	for x := uint32(1); b.Len() < n; x = x*1664525 + 1013904223 {
		fmt.Fprintf(&b, "%08x", x)
	}
	return b.String()
}

// TestPatientClient: pings that are answered keep a quiet connection alive.
func TestPatientClient(t *testing.T) {
	s := serve(t, nil, func(h *Handler) { h.limits.keepAlive, h.limits.frameTime = 10*time.Millisecond, time.Second })
	f := &feed{frames: make(chan []byte)}
	conn, _, _ := s.listen(t, "", f)
	go func() { time.Sleep(200 * time.Millisecond); f.frames <- []byte("late") }()
	if got, err := next(t, conn); got != "late" {
		t.Error(got, err)
	}
}
