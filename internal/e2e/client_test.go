package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"netdash/internal/topology"
)

// answer is what the server said to one request.
type answer struct {
	asked  string
	status int
	header http.Header
	body   []byte
}

// do sends a request to a path of the API, or to any path that begins with two
// slashes. A body is sent as JSON. A header is written "Name: value"; an empty
// value removes it.
func (s *server) do(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := s.try(t.Context(), method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s: %v", a.asked, err)
	}
	return a
}

// try is do for who takes no answer for an answer.
func (s *server) try(ctx context.Context, method, path, body string, headers ...string) (answer, error) {
	a := answer{asked: method + " " + path}
	if len(body) < 500 {
		a.asked += " " + body
	}
	url := s.URL + "/api/v1" + path
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		url = s.URL + "/" + rest
	}
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	if body == "" {
		r.Body, r.ContentLength = nil, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch {
		case strings.EqualFold(name, "Host"):
			r.Host = value
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, err = io.ReadAll(resp.Body)
	return a, err
}

// want fails the test unless the answer has that status.
func (a answer) want(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s: %d, want %d\n%s", a.asked, a.status, status, a.body)
	}
	return a
}

// read decodes a JSON answer.
func read[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(string(a.body)))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v\n%s", a.asked, err, a.body)
	}
	return v
}

// get reads a resource of the API.
func get[T any](t testing.TB, s *server, path string) T {
	t.Helper()
	return read[T](t, s.do(t, http.MethodGet, path, "").want(t, http.StatusOK))
}

// post creates something and gives it as the API answers it.
func post[T any](t testing.TB, s *server, path, body string) T {
	t.Helper()
	return read[T](t, s.do(t, http.MethodPost, path, body).want(t, http.StatusCreated))
}

// remove deletes something.
func (s *server) remove(t testing.TB, path string) {
	t.Helper()
	s.do(t, http.MethodDelete, path, "").want(t, http.StatusNoContent)
}

// items is a list as the API answers it.
type items[T any] struct {
	Items []T `json:"items"`
}

// veth is the answer to a new pair.
type veth struct{ A, B *topology.Link }

// problem is an error as the API answers it.
type problem struct {
	Type, Title, Detail, Code, Subject, Hint string
	Status                                   int
	Errors                                   []struct {
		Pointer, Parameter, Detail string
		Line, Column               int
	}
}

// problem fails the test unless the answer is a problem document of that status
// and code.
func (a answer) problem(t testing.TB, status int, code string) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Errorf("%s: %d %s is no JSON", a.asked, a.status, a.body)
		return p
	}
	if a.status != status || p.Status != status || p.Code != code {
		t.Errorf("%s: %d %s, want %d %s\n%s", a.asked, a.status, p.Code, status, code, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: Content-Type %q", a.asked, got)
	}
	if p.Title != http.StatusText(status) || p.Type == "" || p.Detail == "" {
		t.Errorf("%s: incomplete problem %s", a.asked, a.body)
	}
	return p
}

// pointers lists what the problem points at: JSON pointers, and parameters by
// their names with a question mark.
func (p problem) pointers() []string {
	var out []string
	for _, e := range p.Errors {
		if e.Parameter != "" {
			out = append(out, "?"+e.Parameter)
		} else {
			out = append(out, e.Pointer)
		}
	}
	slices.Sort(out)
	return out
}

// ping pings and gives the result.
func (s *server) ping(t testing.TB, body string) topology.PingResult {
	t.Helper()
	return read[topology.PingResult](t, s.do(t, http.MethodPost, "/pings", body).want(t, http.StatusOK))
}
