package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"netdash/internal/topology"
)

func TestInvalidFields(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/bridges", `{"namespace":"A","name":"br0"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/veths", `{"a":{"namespace":"A","name":"e0","addresses":["10.0.0.1/24"]},"b":{"namespace":"A","name":"e1","master":"br0"}}`).want(t, 201)
	revision := s.world.revision
	for _, c := range []struct{ method, path, body, pointer string }{
		// what huma sees
		{"POST", "/namespaces", `{}`, "/name"},
		{"POST", "/namespaces", `{"name":7}`, "/name"},
		{"POST", "/namespaces", `{"name":null}`, "/name"},
		{"POST", "/namespaces", `{"name":"B","colour":"red"}`, "/colour"},
		{"POST", "/namespaces", `{"name":"B","Name":"C"}`, "/Name"},
		{"POST", "/namespaces", `{"NAME":"B"}`, "/NAME"},
		{"POST", "/namespaces", `{"name":"B","a/b~c":1}`, "/a~1b~0c"},
		{"POST", "/namespaces", `["B"]`, ""},
		{"POST", "/namespaces", `null`, ""},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"x"},"b":{"namespace":"A"}}`, "/b/name"},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"x","addresses":[5]},"b":{"namespace":"A","name":"y"}}`, "/a/addresses/0"},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"x","bridge_port":{"cots":1}},"b":{"namespace":"A","name":"y"}}`, "/a/bridge_port/cots"},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"x","ID":5},"b":{"namespace":"A","name":"y"}}`, "/a/ID"},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"x","Identity":{}},"b":{"namespace":"A","name":"y"}}`, "/a/Identity"},
		{"POST", "/bridges", `{"namespace":"A","name":"b","hello_seconds":99}`, "/hello_seconds"},
		{"POST", "/bridges", `{"namespace":"A","name":"b","BridgeAttributes":{}}`, "/BridgeAttributes"},
		{"POST", "/bridges", `{"namespace":"A","name":"b","mtu":1e30}`, ""},
		{"POST", "/bridges", `{"namespace":"A","name":"b","mtu":1500.5}`, "/mtu"},
		{"PATCH", "/namespaces/A/links/br0", `{"bridge":{"ageing_seconds":-1}}`, "/bridge/ageing_seconds"},
		{"PATCH", "/namespaces/A/links/e1", `{"bridge_port":{"cost":0}}`, "/bridge_port/cost"},
		{"PATCH", "/namespaces/A/links/e1", `{"bridge_port":{"cost":"1"}}`, "/bridge_port/cost"},
		{"PATCH", "/namespaces/A/links/e1", `{"peer":"x"}`, "/peer"},
		{"POST", "/namespaces/A/routes", `{"destination":"default","namespace":"A"}`, "/namespace"},
		// what Validate sees
		{"POST", "/namespaces", `{"name":"a b"}`, "/name"},
		{"POST", "/namespaces", `{"name":"B","loopback_addresses":["x"]}`, "/loopback_addresses/0"},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"x"},"b":{"namespace":"A","name":"much-too-long-name"}}`, "/b/name"},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"x","mac":"01:00:00:00:00:01"},"b":{"namespace":"A","name":"y"}}`, "/a/mac"},
		{"POST", "/veths", `{"a":{"namespace":"nope","name":"x"},"b":{"namespace":"A","name":"y"}}`, "/a/namespace"},
		{"POST", "/bridges", `{"namespace":"A","name":"b","addresses":["10.0.0.1/24","10.0.0.1"]}`, "/addresses/1"},
		{"POST", "/namespaces/A/links/e0/addresses", `{"cidr":"10.0.0.300/24"}`, "/cidr"},
		{"POST", "/namespaces/A/links/lo/addresses", `{"cidr":"x"}`, "/cidr"},
		{"POST", "/namespaces/A/links/br0/addresses", `{"cidr":"x"}`, "/cidr"},
		{"POST", "/namespaces/A/routes", `{"destination":"10.0.0.1/8","link":"e0"}`, "/destination"},
		{"POST", "/namespaces/A/bridges/br0/fdb", `{"mac":"x","port":"e1"}`, "/mac"},
		{"POST", "/namespaces/A/bridges/br0/fdb", `{"mac":"02:00:00:00:00:01","port":"e0"}`, "/port"},
		{"PATCH", "/namespaces/A/links/e0", `{"mtu":5}`, "/mtu"},
		{"PATCH", "/namespaces/A/links/e0", `{"name":"a/b"}`, "/name"},
		{"PATCH", "/namespaces/A/links/e0", `{"namespace":"nope"}`, "/namespace"},
		{"PATCH", "/namespaces/A/links/br0", `{"master":"br0"}`, "/master"},
		{"PATCH", "/namespaces/A/links/e1", `{"master":"nope"}`, "/master"},
		// pings
		{"POST", "/pings", `{"namespace":"A"}`, "/address"},
		{"POST", "/pings", `{"namespace":"A","address":"10.0.0.1","to_namespace":"A"}`, "/address"},
		{"POST", "/pings", `{"namespace":"A","address":"10.0.0.1","count":1000}`, "/count"},
		{"POST", "/pings", `{"namespace":"A","address":"10.0.0.1","count":100,"interval_ms":10000}`, "/count"},
	} {
		p := s.do(t, c.method, "/api/v1"+c.path, c.body).problem(t, topology.CodeInvalid)
		found := false
		for _, f := range p.Errors {
			found = found || f.Pointer == c.pointer && f.Detail != "" && f.Parameter == ""
			if strings.Contains(f.Detail, "Go ") || strings.Contains(f.Detail, "json:") {
				t.Errorf("%s %s %s: %q is Go's", c.method, c.path, c.body, f.Detail)
			}
		}
		if !found {
			t.Errorf("%s %s %s: want pointer %q, got %+v", c.method, c.path, c.body, c.pointer, p.Errors)
		}
	}
	for _, path := range []string{"/namespaces?colour=red", "/operations/x", "/operations/0"} {
		if p := s.do(t, "GET", "/api/v1"+path, "").problem(t, topology.CodeInvalid); len(p.Errors) != 1 || p.Errors[0].Parameter == "" {
			t.Errorf("%s: %+v", path, p.Errors)
		}
	}
	for _, path := range []string{"/namespaces/A/routes", "/namespaces/A/bridges/br0/fdb"} {
		if p := s.do(t, "DELETE", "/api/v1"+path, "").problem(t, topology.CodeInvalid); len(p.Errors) != 1 || p.Errors[0].Parameter == "" {
			t.Errorf("%s: %+v", path, p.Errors)
		}
	}
	if s.world.revision != revision {
		t.Error("something changed")
	}
}

// TestRebase: what is wrong elsewhere in the Spec has no place
// in this request's body.
func TestRebase(t *testing.T) {
	at := place{spec: "/veths/1", body: ""}
	for spec, want := range map[string]string{
		"/veths/1": "", "/veths/1/a/name": "/a/name", "/veths/10/a/name": "", "/bridges/1/name": "", "/master": "/master",
	} {
		if got := at.rebase(spec); got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
	}
	if got := (place{}).rebase("/namespaces/0/name"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestBodies(t *testing.T) {
	s := serve(t, func(c *Config) { c.MaxBody = 1000 })
	long := `{"name":"` + strings.Repeat("x", 1000) + `"}`
	for _, c := range []struct {
		body, header string
		code         topology.Code
	}{
		{`{"name":`, "", topology.CodeMalformed},
		{`{"name":"A"} {}`, "", topology.CodeMalformed},
		{`name=A`, "", topology.CodeMalformed},
		{``, "", topology.CodeMalformed},
		{"{\"name\":\"\xff\"}", "", topology.CodeMalformed},
		{long, "", topology.CodeTooLarge},
		{`{"name":"A"}`, "Content-Type: text/plain", codeMediaType},
		{`{"name":"A"}`, "Content-Type: application/x-www-form-urlencoded", codeMediaType},
		{`{"name":"A"}`, "Content-Type: ", codeMediaType},
		{`{"name":"A"}`, "Content-Type: application/json-not", codeMediaType},
		{`{"name":"A"}`, "Content-Encoding: gzip", codeMediaType},
		{``, "Content-Type: application/x-www-form-urlencoded", codeMediaType},
	} {
		headers := []string{}
		if c.header != "" {
			headers = append(headers, c.header)
		}
		s.do(t, "POST", "/api/v1/namespaces", c.body, headers...).problem(t, c.code)
	}
	s.do(t, "POST", "/api/v1/namespaces/A/bridges/b/fdb/flush", "", "Content-Type: text/plain").problem(t, codeMediaType)
	if len(s.world.requests) != 0 {
		t.Error("an edit got through")
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, "Content-Type: application/json; charset=utf-8").want(t, 201)
	exact := `{"name":"B"}`
	s.do(t, "POST", "/api/v1/namespaces", exact+strings.Repeat(" ", 1000-len(exact))).want(t, 201)
}

// raw sends bytes as they are and reads the answer's status and body.
func raw(t *testing.T, s *site, request string, end bool) (int, string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if end {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

const head = "POST /api/v1/namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

func TestBodyThatNeverEnds(t *testing.T) {
	s := serve(t, func(c *Config) { c.MaxBody = 1000 }, func(h *Handler) { h.limits.bodyTime = 100 * time.Millisecond })
	if status, text := raw(t, s, head+"Content-Length: 20\r\n\r\n{", false); status != 400 || !strings.Contains(text, "did not arrive") {
		t.Errorf("slow: %d %s", status, text)
	}
	if status, text := raw(t, s, head+"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"nam\r\n", true); status != 400 || !strings.Contains(text, "cut off") {
		t.Errorf("cut off: %d %s", status, text)
	}
	chunk := strings.Repeat("x", 600)
	if status, text := raw(t, s, head+"Transfer-Encoding: chunked\r\n\r\n258\r\n"+chunk+"\r\n258\r\n"+chunk+"\r\n", false); status != 413 {
		t.Errorf("chunked: %d %s", status, text)
	}
}

// TestSlowWork: the time a body may take is not the time its request may take.
func TestSlowWork(t *testing.T) {
	s := serve(t, nil, func(h *Handler) { h.limits.bodyTime = 50 * time.Millisecond })
	s.do(t, "POST", "/api/v1/bridges", `{"namespace":"host","name":"br0"}`).want(t, 201)
	s.world.flushTime = 200 * time.Millisecond
	s.do(t, "POST", "/api/v1/namespaces/host/bridges/br0/fdb/flush", "").want(t, 200)
}

func TestNoSuchRoute(t *testing.T) {
	s := serve(t, nil)
	for _, path := range []string{"/nothing", "/api/v1/nothing", "/api/v1", "/static/nothing.js", "/static/", "/static/js", "/static/js/", "/static/../page.go", "/api/v1/namespaces/"} {
		s.do(t, "GET", path, "").problem(t, topology.CodeNotFound)
	}
	for _, c := range [][3]string{
		{"PUT", "/api/v1/namespaces", "GET, POST, HEAD"},
		{"POST", "/api/v1/namespaces/A%2Fx/links/eth0", "GET, PATCH, DELETE, HEAD"},
		{"DELETE", "/healthz", "GET, HEAD"},
		{"OPTIONS", "/api/v1/topology", "GET, HEAD"},
		{"POST", "/", "GET, HEAD"},
		{"BREW", "/api/v1/pings", "POST"},
	} {
		a := s.do(t, c[0], c[1], "")
		a.problem(t, codeMethodNotAllowed)
		if a.Header.Get("Allow") != c[2] {
			t.Errorf("%s %s: Allow %q", c[0], c[1], a.Header.Get("Allow"))
		}
	}
	s.do(t, "BREW", "/nothing", "").problem(t, topology.CodeNotFound)
}

// TestEveryCode: each code that lab can give has its own status.
func TestEveryCode(t *testing.T) {
	s := serve(t, nil)
	for code, status := range map[topology.Code]int{
		topology.CodeInvalid: 422, topology.CodeMalformed: 400, topology.CodeNotFound: 404, topology.CodeConflict: 409,
		topology.CodeNotManaged: 409, topology.CodeBusy: 409, topology.CodeUnsupported: 501,
		topology.CodeIncomplete: 503, topology.CodeForbidden: 403, topology.CodeTooLarge: 413,
		topology.CodeStorage: 507,
	} {
		cause := errors.New("the cause with its secrets")
		s.world.editErr = fmt.Errorf("lab: %w", &topology.Error{Code: code, Subject: "Z/z", Detail: "words", Hint: "do this", Err: cause})
		a := s.do(t, "DELETE", "/api/v1/namespaces/A", "").problem(t, topology.CodeNotFound)
		if a.Subject != "A" {
			t.Errorf("%+v", a)
		}
		got := s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`)
		p := got.problem(t, code)
		if got.StatusCode != status || p.Subject != "Z/z" || p.Detail != "words" || p.Hint != "do this" || strings.Contains(got.text, "secrets") {
			t.Errorf("%s: %s", code, got.text)
		}
		if !strings.Contains(s.log.String(), "secrets") {
			t.Error("the cause is not in the log")
		}
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	if statusOf[topology.CodePrecondition] != 412 || statusOf[codeUnauthenticated] != 401 || statusOf[codeMediaType] != 415 {
		t.Errorf("%v", statusOf)
	}
}

func TestInternalErrors(t *testing.T) {
	s := serve(t, nil)
	for _, err := range []error{
		errors.New("disk on fire at /secret"),
		topology.Errorf(topology.CodeInternal, "/secret", "row 7 at /secret"),
		topology.Errorf("unheard_of", "", "at /secret"),
	} {
		s.world.editErr = err
		a := s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`)
		p := a.problem(t, topology.CodeInternal)
		if strings.Contains(a.text, "secret") || p.RequestID == "" || p.RequestID != a.Header.Get("X-Request-Id") {
			t.Errorf("%s", a.text)
		}
		if log := s.log.String(); !strings.Contains(log, "/secret") || !strings.Contains(log, p.RequestID) {
			t.Errorf("log %s", log)
		}
	}
}

func TestPanic(t *testing.T) {
	s := serve(t, nil)
	s.world.firewall = func() (*topology.Firewall, error) { panic("at /secret") }
	for _, accept := range []string{"gzip", "identity"} {
		a := s.do(t, "GET", "/api/v1/namespaces/host/firewall", "", "Accept-Encoding: "+accept)
		p := a.problem(t, topology.CodeInternal)
		if strings.Contains(a.text, "secret") || p.RequestID == "" {
			t.Errorf("%s", a.text)
		}
		if log := s.log.String(); !strings.Contains(log, "/secret") || !strings.Contains(log, "firewall.go") || !strings.Contains(log, p.RequestID) {
			t.Errorf("log %s", log)
		}
	}

	// A panic in the middle of an answer must not look like its end.
	s.world.ping = func(_ context.Context, _ topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
		each(topology.PingReply{Seq: 1})
		panic("midway")
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/pings", strings.NewReader(`{"namespace":"host","address":"127.0.0.1"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", mediaNDJSON)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("a broken answer looks whole: %s", text)
	}
}
