package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"netdash/internal/topology"
)

func TestHost(t *testing.T) {
	s := serve(t, func(c *Config) { c.Hosts = []string{"lab.example:8080", "192.0.2.5:8080"} })
	for host, ok := range map[string]bool{
		"localhost": true, "LocalHost:9": true, "127.0.0.1": true, "127.8.9.1:80": true, "[::1]:8080": true, "[::1]": true,
		"lab.example": true, "LAB.example:1": true, "192.0.2.5": true,
		"evil.example": false, "evil.example:8080": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false,
		"192.0.2.6": false, "lab.example.evil": false, "0.0.0.0": false,
	} {
		a := s.do(t, "GET", "/healthz", "", "Host: "+host)
		if ok {
			a.want(t, 200)
		} else {
			a.problem(t, topology.CodeForbidden)
		}
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`, "Host: evil.example").problem(t, topology.CodeForbidden)
	if len(s.world.requests) != 0 {
		t.Error("an edit got through")
	}

	all := parseHosts([]string{"0.0.0.0:8080", ""})
	if !all.allow("192.0.2.6:8080") || !all.allow("[2001:db8::1]:8080") || all.allow("evil.example") || all.allow("") {
		t.Errorf("%+v", all)
	}
	if none := parseHosts([]string{""}); none.allow("192.0.2.6") {
		t.Error("an empty entry admits addresses")
	}
}

func TestOrigin(t *testing.T) {
	s := serve(t, nil)
	own := strings.TrimPrefix(s.URL, "http://")
	for origin, ok := range map[string]bool{
		"http://" + own: true, "https://" + own: true,
		"http://evil.example": false, "null": false, "http://localhost": false, "http://" + own + "0": false,
		"ftp://" + own: false, "http://" + own + ".evil.example": false,
	} {
		for _, c := range [][2]string{{"GET", "/api/v1/topology"}, {"DELETE", "/api/v1/namespaces/A"}, {"GET", "/api/v1/events"}, {"GET", "/"}} {
			s.world.requests = nil
			a := s.do(t, c[0], c[1], "", "Origin: "+origin)
			if refused := a.StatusCode == http.StatusForbidden; refused == ok {
				t.Errorf("%v from %s: %d", c, origin, a.StatusCode)
			}
			if !ok {
				a.problem(t, topology.CodeForbidden)
			}
			if a.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("a CORS header")
			}
		}
	}
}

func TestFetchMetadata(t *testing.T) {
	s := serve(t, nil)
	link := []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	for _, c := range []struct {
		method, site string
		more         []string
		ok           bool
	}{
		{"GET", "same-origin", nil, true},
		{"GET", "none", link, true},
		{"GET", "cross-site", link, true}, // a link to the page
		{"GET", "cross-site", nil, false},
		{"GET", "cross-site", []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, false},
		{"GET", "same-site", []string{"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, false},
		{"POST", "cross-site", link, false},
		{"POST", "same-site", nil, false},
		{"DELETE", "cross-site", nil, false},
		{"POST", "same-origin", nil, true},
	} {
		a := s.do(t, c.method, "/api/v1/namespaces", "", append(c.more, "Sec-Fetch-Site: "+c.site)...)
		if refused := a.StatusCode == http.StatusForbidden; refused == c.ok {
			t.Errorf("%+v: %d", c, a.StatusCode)
		}
	}
	if len(s.world.requests) != 0 {
		t.Error("an edit got through")
	}
}

func TestToken(t *testing.T) {
	s := serve(t, func(c *Config) { c.Token = "s3cret" })
	for _, header := range []string{"Authorization: ", "Authorization: Bearer wrong", "Authorization: Bearer s3cret2", "Authorization: Bearer ", "Authorization: Basic s3cret", "Authorization: s3cret"} {
		for _, path := range []string{"/api/v1/topology", "/api/v1/openapi.json", "/api/v1/events", "/api/nothing"} {
			a := s.do(t, "GET", path, "", header)
			a.problem(t, codeUnauthenticated)
			if a.Header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		}
	}
	s.do(t, "GET", "/api/v1/topology", "", "Authorization: Bearer s3cret").want(t, 200)
	s.do(t, "GET", "/", "").want(t, 200)
	s.do(t, "GET", "/healthz", "").want(t, 200)
}

func TestHeaders(t *testing.T) {
	s := serve(t, nil)
	for _, path := range []string{"/", "/docs", "/static/js/main.js", "/api/v1/topology", "/api/v1/nothing", "/healthz", "/metrics"} {
		h := s.do(t, "GET", path, "").Header
		want := map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
				"worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		}
		if strings.HasPrefix(path, "/api/") { // nothing of it is a page
			want["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
			want["Referrer-Policy"], want["Cross-Origin-Opener-Policy"] = "", ""
		}
		for name, want := range want {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if h.Get("X-Request-Id") == "" || h.Get("Content-Type") == "" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, h)
		}
	}
	evil := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/", nil)
	s.handler.ServeHTTP(evil, r)
	if evil.Header().Get("Content-Security-Policy") == "" {
		t.Error("a refusal without the headers")
	}
}
