package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestOpenAPI: the document is there, and describes every call of the design.
func TestOpenAPI(t *testing.T) {
	s := start(t)
	a := s.do(t, "GET", "/openapi.json", "").want(t, http.StatusOK)
	var document struct {
		OpenAPI string
		Info    struct{ Title, Version string }
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Responses   map[string]any
		}
	}
	if err := json.Unmarshal(a.body, &document); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(document.OpenAPI, "3.1") || document.Info.Title == "" {
		t.Errorf("%s %+v", document.OpenAPI, document.Info)
	}
	const ns = "/namespaces/{namespace}"
	for call, methods := range map[string]string{
		"/namespaces": "get post", ns: "get delete", ns + "/links": "get", ns + "/links/{link}": "get patch delete",
		"/veths": "get post", "/bridges": "get post", ns + "/links/{link}/addresses": "get post", ns + "/links/{link}/addresses/{cidr}": "delete",
		ns + "/routes": "get post delete", ns + "/neighbours": "get", ns + "/firewall": "get",
		ns + "/bridges/{bridge}/fdb": "get post delete", ns + "/bridges/{bridge}/fdb/flush": "post",
		"/topology": "get", "/topology/intended": "get put", "/operations/{id}/undo": "post", "/topology/drift": "get", "/operations": "get", "/operations/{id}": "get", "/topology/export": "get", "/topology/schema": "get", "/topology/adopt": "post", "/topology/release": "post", "/topology/delete": "post",
		"/pings": "post", "/capabilities": "get", "/events": "get",
	} {
		for method := range strings.FieldsSeq(methods) {
			op, found := document.Paths["/api/v1"+call][method]
			if !found || op.OperationID == "" || op.Summary == "" || len(op.Responses) < 2 {
				t.Errorf("%s %s is described as %+v", method, call, op)
			}
		}
	}
}

var (
	references = regexp.MustCompile(`(?:src|href)="([^"]+)"`)
	outside    = regexp.MustCompile(`(?i)(?:\burl\(\s*["']?|@import\s+["']|\bfrom\s*["']|\bimport\s*\(?["']|(?:src|href)=["'])(?:https?:)?//[a-z0-9]`)
)

// TestPagesAreSelfContained: the page and the API's documentation load nothing
// from elsewhere, and everything they name is there.
func TestPagesAreSelfContained(t *testing.T) {
	s := start(t)
	for _, page := range []string{"//", "//docs"} {
		a := s.do(t, "GET", page, "").want(t, http.StatusOK)
		if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
			t.Errorf("%s is %s", page, got)
		}
		policy := a.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: policy %q lacks %s", page, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "unsafe-eval") {
			t.Errorf("%s: policy %q", page, policy)
		}
		seen := map[string]bool{}
		for _, m := range references.FindAllSubmatch(a.body, -1) {
			s.follow(t, page, string(m[1]), seen)
		}
		if len(seen) < 3 {
			t.Errorf("%s names only %v", page, seen)
		}
		if m := outside.Find(a.body); m != nil {
			t.Errorf("%s: %s", page, m)
		}
		t.Logf("%s: %d files", page, len(seen))
	}
}

// imports finds what a module loads; types in comments, import('…'), are not loaded.
var imports = regexp.MustCompile(`(?m)^\s*(?:import\s*|(?:import|export)\b[^'"();]*\bfrom\s*)['"](\.{0,2}/[^'"]+)['"]`)

// follow fetches what a page or module names, and what that names in turn.
func (s *server) follow(t *testing.T, from, to string, seen map[string]bool) {
	t.Helper()
	to, _, _ = strings.Cut(to, "#")
	if !strings.HasPrefix(to, "/") {
		to = path.Join(path.Dir(strings.TrimPrefix(from, "/")), to)
	}
	if to == "" || to == "/" || seen[to] {
		return
	}
	seen[to] = true
	a := s.do(t, "GET", "/"+to, "")
	if a.status != http.StatusOK {
		t.Errorf("%s names %s: %d", from, to, a.status)
		return
	}
	isModule := strings.Contains(a.header.Get("Content-Type"), "javascript")
	if isModule || strings.Contains(a.header.Get("Content-Type"), "css") {
		if m := outside.Find(a.body); m != nil && !strings.Contains(to, "/vendor/") {
			t.Errorf("%s has %s", to, m)
		}
	}
	if isModule && !strings.Contains(to, "/vendor/") {
		for _, m := range imports.FindAllSubmatch(a.body, -1) {
			s.follow(t, "/"+to, string(m[1]), seen)
		}
	}
}

// TestHealth: what a supervisor and a monitoring system ask for.
func TestHealth(t *testing.T) {
	s := start(t)
	for _, p := range []string{"//healthz", "//readyz"} {
		if a := s.do(t, "GET", p, "").want(t, http.StatusOK); strings.TrimSpace(string(a.body)) != `{"status":"ok"}` {
			t.Errorf("%s: %s", p, a.body)
		}
	}
	s.do(t, "POST", "/namespaces", `{"name":"A"}`).want(t, http.StatusCreated)
	text := s.do(t, "GET", "//metrics", "").want(t, http.StatusOK).body
	for _, want := range []string{
		"netdash_namespaces 2\n", "netdash_links 2\n", "netdash_subscribers 0\n", "go_goroutines ", "process_open_fds ", "process_max_fds ",
		"netdash_namespaces_incomplete 0\n", "netdash_netlink_overruns_total 0\n", "netdash_dumps_interrupted_total ", "netdash_event_resyncs_total 0\n",
		"netdash_dumps_total ",
		`netdash_http_requests_total{method="POST",route="/api/v1/namespaces",status="201"} 1`,
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if c := s.do(t, "GET", "/capabilities", "").want(t, http.StatusOK); !bytes.Contains(c.body, []byte(`"mode":"host"`)) {
		t.Errorf("capabilities %s", c.body)
	}
}

// TestTokenIsRequired: with a token nothing of the API is given away without it.
func TestTokenIsRequired(t *testing.T) {
	s := start(t, "--token", "secret")
	for _, call := range [][3]string{
		{"GET", "/topology", ""}, {"POST", "/namespaces", `{"name":"A"}`}, {"GET", "/openapi.json", ""}, {"GET", "/events", ""}, {"GET", "/nope", ""},
	} {
		for _, header := range []string{"X: y", "Authorization: Bearer wrong", "Authorization: Basic secret", "Authorization: secret"} {
			a := s.do(t, call[0], call[1], call[2], header)
			a.problem(t, http.StatusUnauthorized, "unauthenticated")
			if a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no WWW-Authenticate", a.asked)
			}
		}
	}
	if slices.Contains(namespaces(t), "A") {
		t.Error("A was made")
	}
	s.do(t, "GET", "/topology", "", "Authorization: Bearer secret").want(t, http.StatusOK)
}

// TestWillNotListenOpenly: without a token netdash serves this machine only.
func TestWillNotListenOpenly(t *testing.T) {
	out, err := exec.Command(binary(t, false), "serve", "--listen", "0.0.0.0:0", "--db", t.TempDir()+"/netdash.db").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--token") {
		t.Errorf("%v %s", err, out)
	}
}
