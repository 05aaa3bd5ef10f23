package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

// replays fails unless an answer is another one given again.
func (a answer) replays(t *testing.T, first answer) {
	t.Helper()
	if a.Header.Get(replayHeader) != "true" || first.Header.Get(replayHeader) != "" {
		t.Errorf("%s is %q, at first %q", replayHeader, a.Header.Get(replayHeader), first.Header.Get(replayHeader))
	}
	if a.StatusCode != first.StatusCode || a.text != first.text {
		t.Errorf("%d %s\nat first %d %s", a.StatusCode, a.text, first.StatusCode, first.text)
	}
	for _, name := range []string{"Netdash-Operation", "Location", "Content-Type", "Content-Length"} {
		if a.Header.Get(name) != first.Header.Get(name) {
			t.Errorf("%s: %q, at first %q", name, a.Header.Get(name), first.Header.Get(name))
		}
	}
}

// TestReplay: one of each form of answer is given again, also by the next
// netdash, and nothing is done for it.
func TestReplay(t *testing.T) {
	s := serve(t, nil)
	for i, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/namespaces", `{"name":"A"}`, 201},
		{"POST", "/namespaces", `{"name":"A"}`, 409},
		{"POST", "/namespaces", `{"name":"a b"}`, 422},
		{"POST", "/bridges", `{"namespace":"A","name":"<&>","addresses":["10.0.0.1/24"]}`, 201},
		{"PATCH", "/namespaces/A/links/<&>", `{"mtu":1400}`, 200},
		{"PATCH", "/namespaces/A/links/<&>", `{"mtu":1400}`, 200}, // nothing to do
		{"DELETE", "/namespaces/A/links/lo2", "", 404},
		{"DELETE", "/namespaces/A", "", 204},
		{"DELETE", "/namespaces/A", "", 404},
	} {
		key := fmt.Sprintf("%s: key %d", keyHeader, i)
		first := s.do(t, c.method, "/api/v1"+c.path, c.body, key).want(t, c.status)
		if i == 3 && !strings.Contains(first.text, "<&>") {
			t.Errorf("%s", first.text)
		}
		edits := len(s.world.requests)
		s.do(t, c.method, "/api/v1"+c.path, c.body, key).replays(t, first)
		next := serve(t, func(cfg *Config) { cfg.Lab = s.world })
		next.do(t, c.method, "/api/v1"+c.path, c.body, key, "Prefer: respond-async").replays(t, first)
		if len(s.world.requests) != edits {
			t.Errorf("%s %s was done again", c.method, c.path)
		}
		changed := c.status < 300 && i != 5
		if operation := first.Header.Get("Netdash-Operation"); changed != (operation != "") {
			t.Errorf("%s %s is operation %q", c.method, c.path, operation)
		}
		for _, other := range []struct{ method, path, body string }{
			{"POST", "/namespaces", `{"name":"other"}`},
			{"POST", "/bridges", `{"namespace":"host","name":"br9"}`},
			{c.method, c.path + "?dry_run=false", c.body},
			{c.method, c.path, c.body + " "},
		} {
			if other.body == " " {
				continue // no JSON
			}
			p := s.do(t, other.method, "/api/v1"+other.path, other.body, key).problem(t, topology.CodeConflict)
			if !strings.Contains(p.Detail, "another request") || p.Hint == "" || changed != strings.Contains(p.Detail, "operation") {
				t.Errorf("%+v", p)
			}
		}
		if len(s.world.requests) != edits {
			t.Error("the key of another request let one through")
		}
	}
}

// TestNotKept: a refusal that speaks of the moment is no answer to a repeat.
func TestNotKept(t *testing.T) {
	if decided(topology.CodePrecondition) {
		t.Error("an edit with an old revision can be mended")
	}
	s := serve(t, nil)
	for code, kept := range map[topology.Code]bool{
		topology.CodeNotFound: true, topology.CodeConflict: true, topology.CodeNotManaged: true, topology.CodeInvalid: true,
		topology.CodeBusy: false, topology.CodeForbidden: false, topology.CodeIncomplete: false,
		topology.CodeStorage: false, topology.CodeInternal: false, topology.CodeUnsupported: false, topology.CodeTooLarge: false,
	} {
		ask := func() answer {
			return s.do(t, "POST", "/api/v1/namespaces", fmt.Sprintf(`{"name":%q}`, code), keyHeader+": "+string(code))
		}
		s.world.editErr = topology.Errorf(code, "A", "refused")
		first := ask()
		first.problem(t, code)
		s.world.editErr = nil
		again := ask()
		if kept {
			again.replays(t, first)
		} else if again.want(t, 201).Header.Get(replayHeader) != "" {
			t.Errorf("%s was kept", code)
		}
	}
	// What is refused before it is an edit leaves its key free.
	for _, body := range []string{`{"name":`, `{"nam":"A"}`, `{"name":7}`} {
		if status := s.do(t, "POST", "/api/v1/namespaces", body, keyHeader+": k").StatusCode; status != 400 && status != 422 {
			t.Errorf("%d", status)
		}
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k").want(t, 201)
}

// TestCommittedIsKept: what was done is never done again, also if its answer was
// that it cannot be seen.
func TestCommittedIsKept(t *testing.T) {
	s := serve(t, nil)
	s.world.blind = true
	first := s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k")
	first.problem(t, topology.CodeIncomplete)
	s.world.blind = false
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k").replays(t, first)
	if first.Header.Get("Netdash-Operation") != "1" || s.world.revision != 1 {
		t.Errorf("operation %q, revision %d", first.Header.Get("Netdash-Operation"), s.world.revision)
	}
}

// TestKeptWithOperation: the answer to an operation is committed with it, and
// written again only if it has become another one.
func TestKeptWithOperation(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k1").want(t, 201)
	if n := s.world.keeps.Load(); n != 0 || len(s.world.answers) != 1 {
		t.Errorf("kept %d times beside the operation", n)
	}
	s.do(t, "DELETE", "/api/v1/namespaces/A", "", keyHeader+": k2").want(t, 204)
	s.do(t, "DELETE", "/api/v1/namespaces/A", "", keyHeader+": k3").want(t, 404)
	if n := s.world.keeps.Load(); n != 1 {
		t.Errorf("%d", n)
	}
	// Without a key nothing is looked up or kept.
	lookups := s.world.lookups
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"B"}`).want(t, 201)
	s.do(t, "DELETE", "/api/v1/namespaces/B", "").want(t, 204)
	if s.world.lookups != lookups || len(s.world.answers) != 3 || s.world.requests[len(s.world.requests)-1].Answer != nil {
		t.Error("a request without a key has paid for one")
	}
}

func TestDryRunHasNoKey(t *testing.T) {
	s := serve(t, nil)
	for range 2 {
		a := s.do(t, "POST", "/api/v1/namespaces?dry_run=true", `{"name":"A"}`, keyHeader+": k", "Prefer: respond-async").want(t, 200)
		if a.Header.Get(replayHeader) != "" || len(s.world.answers) != 0 {
			t.Error("a dry run was kept")
		}
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k").want(t, 201)
	if a := s.do(t, "POST", "/api/v1/namespaces?dry_run=true", `{"name":"B"}`, keyHeader+": k").want(t, 200); a.Header.Get(replayHeader) != "" {
		t.Error("a dry run was replayed")
	}
}

func TestBadKeys(t *testing.T) {
	s := serve(t, nil)
	send := func(keys ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/namespaces", strings.NewReader(`{"name":"A"}`))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		r.Header[keyHeader] = keys
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w
	}
	for _, keys := range [][]string{{""}, {strings.Repeat("k", 256)}, {"é"}, {"a\tb"}, {"a\x7f"}, {"a", "a"}} {
		if w := send(keys...); w.Code != 400 || !strings.Contains(w.Body.String(), `"malformed"`) || !strings.Contains(w.Body.String(), keyHeader) {
			t.Errorf("%q: %d %s", keys, w.Code, w.Body)
		}
	}
	if len(s.world.requests) != 0 {
		t.Error("an edit got through")
	}
	all := ""
	for c := byte(' '); c <= '~'; c++ {
		all += string(c)
	}
	if w := send(all + strings.Repeat("k", 255-len(all))); w.Code != 201 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestOneKeyAtOnce: of many requests with one key at once one is done.
func TestOneKeyAtOnce(t *testing.T) {
	s := serve(t, nil)
	s.world.hold = make(chan struct{})
	const many = 20
	answers := make(chan *httptest.ResponseRecorder, many)
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/api/v1/namespaces", strings.NewReader(`{"name":"A"}`))
			r.Host = "localhost"
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(keyHeader, "k")
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			answers <- w
		})
	}
	for range many - 1 { // all but the one that is held
		w := <-answers
		if w.Code != 409 || !strings.Contains(w.Body.String(), `"busy"`) || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	other := s.do(t, "POST", "/api/v1/namespaces", `{"name":"B"}`, keyHeader+": k").problem(t, topology.CodeConflict)
	if !strings.Contains(other.Detail, "operation 1") {
		t.Errorf("%+v", other)
	}
	again := s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k")
	if p := again.problem(t, topology.CodeBusy); p.Subject != "operation 1" || again.Header.Get("Netdash-Operation") != "1" || !strings.Contains(p.Hint, "/api/v1/operations/1") {
		t.Errorf("%+v", p)
	}
	close(s.world.hold)
	all.Wait()
	if w := <-answers; w.Code != 201 || s.world.revision != 1 || len(s.world.requests) != 1 {
		t.Errorf("%d %s, revision %d", w.Code, w.Body, s.world.revision)
	}
	for range many { // repeats never stand in each other's way
		all.Go(func() {
			if a := s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k"); a.StatusCode != http.StatusCreated || a.Header.Get(replayHeader) != "true" {
				t.Errorf("%d %s", a.StatusCode, a.text)
			}
		})
	}
	all.Wait()
}

// TestAnswersCannotBeKept: without the database an edit with a key is refused,
// and a refusal that cannot be kept is answered all the same.
func TestAnswersCannotBeKept(t *testing.T) {
	s := serve(t, nil)
	s.world.lookupErr = topology.Errorf(topology.CodeStorage, "database", "gone")
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k").problem(t, topology.CodeStorage)
	if len(s.world.requests) != 0 {
		t.Error("done without knowing whether it had been")
	}
	s.world.lookupErr, s.world.keepErr = nil, errors.New("full")
	s.do(t, "DELETE", "/api/v1/namespaces/A", "", keyHeader+": k").problem(t, topology.CodeNotFound)
	if !strings.Contains(s.log.String(), "could not be kept") {
		t.Errorf("log %s", s.log.String())
	}
	s.world.answers = map[string]lab.Answer{}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, keyHeader+": k").want(t, 201) // the key is free
}
