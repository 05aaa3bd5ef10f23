package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"netdash/internal/topology"
)

func TestRespondAsyncHeader(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": -1, "wait=5": -1, "handling=lenient": -1, "respond": -1, "respond-asyncs": -1,
		"respond-async": 0, "Respond-Async": 0, "respond-async; x=y": 0, "handling=lenient , respond-async": 0,
		"respond-async, wait=5": 5 * time.Second, "wait = 5; a=b , respond-async": 5 * time.Second, `respond-async,wait="7"`: 7 * time.Second,
		"respond-async, wait=-5": 0, "respond-async, wait=x": 0, "respond-async, wait": 0,
		"respond-async, wait=3, wait=9": 3 * time.Second, "respond-async, wait=4294967295": maxWait,
	} {
		wait, asked := respondAsync(http.Header{"Prefer": {text}})
		if asked != (want >= 0) || asked && wait != want {
			t.Errorf("%q: %v %s", text, asked, wait)
		}
	}
	if wait, asked := respondAsync(http.Header{"Prefer": {"wait=2", "respond-async"}}); !asked || wait != 2*time.Second {
		t.Error("two lines")
	}
}

// until waits for something that happens beside.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: ", what)
		}
	}
}

// TestAsync: an edit that is not at its end in time is answered with its
// operation and goes on; its key has the final answer.
func TestAsync(t *testing.T) {
	s := serve(t, nil)
	s.world.hold = make(chan struct{})
	ask := func(headers ...string) answer {
		return s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, append(headers, keyHeader+": k")...)
	}
	began := time.Now()
	a := ask("Prefer: respond-async, wait=1").want(t, 202)
	if took := time.Since(began); took < time.Second {
		t.Errorf("answered after %s", took)
	}
	op := read[topology.Operation](t, a)
	if a.Header.Get("Location") != "/api/v1/operations/1" || a.Header.Get("Netdash-Operation") != "1" || a.Header.Get("Preference-Applied") != "respond-async" {
		t.Errorf("%v", a.Header)
	}
	if op.ID != 1 || op.State != topology.OperationRunning || op.Progress == nil || op.Progress.Done != 3 {
		t.Errorf("%+v", op)
	}
	if now := read[topology.Operation](t, s.do(t, "GET", a.Header.Get("Location"), "").want(t, 200)); now.State != topology.OperationRunning || now.Progress == nil {
		t.Errorf("%+v", now)
	}
	for range 2 {
		ask("Prefer: respond-async").problem(t, topology.CodeBusy)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if s.handler.Wait(short) == nil {
		t.Error("nobody waits for the edit")
	}
	close(s.world.hold)
	if err := s.handler.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := ask().want(t, 201)
	if again.Header.Get(replayHeader) != "true" || read[topology.NamespaceState](t, again).Name != "A" || s.world.revision != 1 || len(s.world.requests) != 1 {
		t.Errorf("%s", again.text)
	}
}

// TestAsyncInTime: what ends in time, is refused, or has nothing to do is
// answered as without the preference.
func TestAsyncInTime(t *testing.T) {
	s := serve(t, nil)
	const prefer = "Prefer: respond-async, wait=10"
	if a := s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, prefer).want(t, 201); a.Header.Get("Preference-Applied") != "" || a.Header.Get("Netdash-Operation") != "1" {
		t.Errorf("%v", a.Header)
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, "Prefer: respond-async").problem(t, topology.CodeConflict)
	s.do(t, "DELETE", "/api/v1/namespaces/B", "", "Prefer: respond-async").problem(t, topology.CodeNotFound)
	s.do(t, "POST", "/api/v1/namespaces", `{"nam":"A"}`, "Prefer: respond-async").problem(t, topology.CodeInvalid)
	s.do(t, "PATCH", "/api/v1/namespaces/A/links/lo", `{}`, "Prefer: respond-async").want(t, 200)
	s.do(t, "DELETE", "/api/v1/namespaces/A", "", prefer).want(t, 204)
}

// TestAsyncRequestGone: an edit that has begun does not need its client any more,
// and a stop of netdash does not wait for a client's patience.
func TestAsyncRequestGone(t *testing.T) {
	s := serve(t, nil)
	s.world.hold = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/namespaces", strings.NewReader(`{"name":"A"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Prefer", "respond-async, wait=60")
	gone := make(chan error, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			resp.Body.Close()
		}
		gone <- err
	}()
	<-s.world.begun
	cancel()
	if <-gone == nil {
		t.Error("answered")
	}
	close(s.world.hold)
	until(t, "the edit ends", func() bool { _, revision := s.world.Intended(); return revision == 1 })

	s.world.hold = make(chan struct{})
	answered := make(chan answer, 1)
	go func() {
		answered <- s.do(t, "POST", "/api/v1/namespaces", `{"name":"B"}`, "Prefer: respond-async, wait=60")
	}()
	<-s.world.begun
	s.handler.Close()
	(<-answered).want(t, 202)
	close(s.world.hold)
	if err := s.handler.Wait(t.Context()); err != nil || s.world.revision != 2 {
		t.Error(err, s.world.revision)
	}
}

// TestAsyncPanic: a panic beside the request does not end the program, and its
// key is free again.
func TestAsyncPanic(t *testing.T) {
	s := serve(t, nil)
	s.world.panics = true
	p := s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, "Prefer: respond-async", keyHeader+": k").problem(t, topology.CodeInternal)
	if log := s.log.String(); !strings.Contains(log, "handler panicked") || !strings.Contains(log, p.RequestID) {
		t.Errorf("log %s", log)
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k").problem(t, topology.CodeInternal)
	s.world.panics = false
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k").want(t, 201)
}

// TestCancel: the operation's own request is answered that it was cancelled.
func TestCancel(t *testing.T) {
	s := serve(t, func(c *Config) { c.Author = func(*http.Request) string { return "teacher" } })
	s.world.hold = make(chan struct{})
	ask := func() answer {
		return s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k", "Prefer: respond-async")
	}
	ask().want(t, 202)
	a := s.do(t, "POST", "/api/v1/operations/1/cancel", "").want(t, 202)
	if read[topology.Operation](t, a).ID != 1 || a.Header.Get("Netdash-Operation") != "1" {
		t.Errorf("%s", a.text)
	}
	if err := s.handler.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := ask()
	p := again.problem(t, topology.CodeConflict)
	if p.Detail != "cancelled by teacher" || again.Header.Get(replayHeader) != "true" || again.Header.Get("Netdash-Operation") != "1" {
		t.Errorf("%s", again.text)
	}
	s.do(t, "POST", "/api/v1/operations/7/cancel", "").problem(t, topology.CodeConflict)
	for _, id := range []string{"x", "0"} {
		s.do(t, "POST", "/api/v1/operations/"+id+"/cancel", "").problem(t, topology.CodeInvalid)
	}
}
