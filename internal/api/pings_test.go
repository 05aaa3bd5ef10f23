package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"netdash/internal/topology"
)

func pingResult(r topology.PingRequest, replies ...topology.PingReply) *topology.PingResult {
	if replies == nil {
		replies = []topology.PingReply{}
	}
	return &topology.PingResult{Namespace: r.Namespace, Address: r.Address, Sent: r.Count, Received: len(replies), Replies: replies}
}

func TestPing(t *testing.T) {
	s := serve(t, nil)
	var asked topology.PingRequest
	s.world.ping = func(_ context.Context, r topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
		asked = r
		reply := topology.PingReply{Seq: 1, From: r.Address, TTL: 64, RTTMS: 0.05}
		each(reply)
		return pingResult(r, reply), nil
	}
	a := s.do(t, "POST", "/api/v1/pings", `{"namespace":"4-1","address":"127.0.0.1"}`).want(t, 200)
	if result := read[topology.PingResult](t, a); result.Received != 1 || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v", a.text, a.Header)
	}
	if want := (topology.PingRequest{Namespace: "host", Address: "127.0.0.1", Count: 3, IntervalMS: 200, TimeoutMS: 1000, Size: 56, TTL: 64}); asked != want {
		t.Errorf("asked %+v", asked)
	}
	s.world.ping = func(context.Context, topology.PingRequest, func(topology.PingReply)) (*topology.PingResult, error) {
		return nil, topology.Errorf(topology.CodeNotFound, "A", "gone")
	}
	for _, accept := range []string{"application/json", mediaNDJSON} {
		s.do(t, "POST", "/api/v1/pings", `{"namespace":"host","address":"127.0.0.1"}`, "Accept: "+accept).problem(t, topology.CodeNotFound)
	}
}

func TestPingToNamespace(t *testing.T) {
	s := serve(t, nil)
	var asked topology.PingRequest
	s.world.ping = func(_ context.Context, r topology.PingRequest, _ func(topology.PingReply)) (*topology.PingResult, error) {
		asked = r
		return pingResult(r), nil
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"B"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/pings", `{"namespace":"host","to_namespace":"4-2B"}`).want(t, 200) // by id
	if asked.ToNamespace != "B" || asked.Address != "" {
		t.Errorf("%+v", asked)
	}
	s.do(t, "POST", "/api/v1/pings", `{"namespace":"host","to_namespace":"none"}`).problem(t, topology.CodeNotFound)
}

// stream starts a streamed ping.
func (s *site) stream(ctx context.Context, t *testing.T) (http.Header, *bufio.Scanner) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/pings", strings.NewReader(`{"namespace":"host","address":"127.0.0.1"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", mediaNDJSON)
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d", resp.StatusCode)
	}
	return resp.Header, bufio.NewScanner(resp.Body)
}

// TestStreamedPing: each line is with the client before the next reply is there,
// also when the whole takes longer than a body may.
func TestStreamedPing(t *testing.T) {
	s := serve(t, nil, func(h *Handler) { h.limits.bodyTime = 50 * time.Millisecond })
	taken := make(chan struct{})
	s.world.ping = func(ctx context.Context, r topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
		for seq := 1; seq <= 3; seq++ {
			each(topology.PingReply{Seq: seq, From: r.Address})
			select {
			case <-taken:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return pingResult(r), nil
	}
	header, lines := s.stream(t.Context(), t)
	if header.Get("Content-Type") != mediaNDJSON || header.Get("Content-Encoding") != "" {
		t.Fatalf("%v", header)
	}
	for seq := 1; seq <= 3; seq++ {
		var line map[string]any
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &line) != nil || line["type"] != "reply" || line["seq"] != float64(seq) {
			t.Fatalf("line %d: %s", seq, lines.Text())
		}
		taken <- struct{}{}
	}
	var last map[string]any
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &last) != nil || last["type"] != "summary" || last["sent"] != 3.0 {
		t.Fatalf("last line: %s", lines.Text())
	}
	if lines.Scan() {
		t.Errorf("one more line: %s", lines.Text())
	}
}

func TestStreamedPingThatBreaksOff(t *testing.T) {
	s := serve(t, nil)
	s.world.ping = func(_ context.Context, _ topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
		each(topology.PingReply{Seq: 1})
		return nil, errors.New("the socket at /secret broke")
	}
	_, lines := s.stream(t.Context(), t)
	lines.Scan()
	var last PingSummaryLine
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &last) != nil || last.Type != "summary" || last.Error == "" || strings.Contains(last.Error, "secret") {
		t.Errorf("last line: %s", lines.Text())
	}
}

// TestPingEnds: a ping ends when nobody waits for it any more.
func TestPingEnds(t *testing.T) {
	for name, end := range map[string]func(context.CancelFunc, *site){
		"the client goes": func(cancel context.CancelFunc, _ *site) { cancel() },
		"netdash stops":   func(_ context.CancelFunc, s *site) { s.handler.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, nil)
			ended := make(chan struct{})
			s.world.ping = func(ctx context.Context, _ topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
				defer close(ended)
				each(topology.PingReply{Seq: 1})
				<-ctx.Done()
				return nil, ctx.Err()
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, lines := s.stream(ctx, t)
			lines.Scan()
			end(cancel, s)
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Fatal("the ping goes on")
			}
		})
	}
}

func TestTooManyPings(t *testing.T) {
	s := serve(t, nil, func(h *Handler) { h.pinging = make(chan struct{}, 1) })
	running, release := make(chan struct{}), make(chan struct{})
	s.world.ping = func(_ context.Context, r topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
		each(topology.PingReply{Seq: 1})
		close(running)
		<-release
		return pingResult(r), nil
	}
	_, lines := s.stream(t.Context(), t)
	<-running
	s.do(t, "POST", "/api/v1/pings", `{"namespace":"host","address":"127.0.0.1"}`).problem(t, topology.CodeBusy)
	close(release)
	for lines.Scan() {
		t.Log(lines.Text())
	}
	s.world.ping = func(_ context.Context, r topology.PingRequest, _ func(topology.PingReply)) (*topology.PingResult, error) {
		return pingResult(r), nil
	}
	deadline := time.Now().Add(5 * time.Second)
	for len(s.handler.pinging) > 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	s.do(t, "POST", "/api/v1/pings", `{"namespace":"host","address":"127.0.0.1"}`).want(t, 200)
}

// stuckClient is a connection whose other side takes nothing any more.
type stuckClient struct {
	http.ResponseWriter
	header   http.Header
	deadline time.Time
}

func (c *stuckClient) Header() http.Header                 { return c.header }
func (c *stuckClient) WriteHeader(int)                     {}
func (c *stuckClient) Flush()                              {}
func (c *stuckClient) SetWriteDeadline(at time.Time) error { c.deadline = at; return nil }
func (c *stuckClient) Write(p []byte) (int, error) {
	if c.deadline.IsZero() {
		return len(p), nil
	}
	time.Sleep(time.Until(c.deadline))
	return 0, errors.New("i/o timeout")
}

func TestStuckClientEndsThePing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := &stuckClient{header: http.Header{}}
	lines := &lineWriter{w: c, conn: http.NewResponseController(c), patience: 10 * time.Millisecond, broken: cancel}
	lines.write(PingReplyLine{"reply", topology.PingReply{}})
	if ctx.Err() == nil {
		t.Error("the ping goes on for a client that takes nothing")
	}
}
