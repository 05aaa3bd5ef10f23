package api

import (
	"compress/gzip"
	"context"
	"errors"
	"html/template"
	"io"
	"strings"
	"testing"

	"netdash/internal/topology"
)

func TestPage(t *testing.T) {
	s := serve(t, nil)
	index := s.do(t, "GET", "/", "").want(t, 200)
	if index.text != "<!doctype html><title>netdash test</title>" || index.Header.Get("Content-Type") != "text/html; charset=utf-8" || index.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", index.text, index.Header)
	}
	if docs := s.do(t, "GET", "/docs", "").want(t, 200); !strings.Contains(docs.text, "docs") {
		t.Error(docs.text)
	}
	asset := s.do(t, "GET", "/static/js/main.js", "").want(t, 200)
	if asset.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || asset.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%v", asset.Header)
	}
	s.do(t, "GET", "/static/js/main.js", "", "If-None-Match: "+asset.Header.Get("ETag")).want(t, 304)
	if other := s.do(t, "GET", "/static/css/a.css", ""); other.Header.Get("ETag") == asset.Header.Get("ETag") || other.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%v", other.Header)
	}
	if head := s.do(t, "HEAD", "/static/js/main.js", "").want(t, 200); head.text != "" || head.Header.Get("ETag") == "" {
		t.Errorf("%v", head.Header)
	}
}

func TestCompression(t *testing.T) {
	s := serve(t, nil)
	for path, packed := range map[string]bool{"/static/js/main.js": true, "/api/v1/openapi.json": true, "/": false, "/api/v1/capabilities": false} {
		a := s.do(t, "GET", path, "", "Accept-Encoding: gzip").want(t, 200)
		if got := a.Header.Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("%s: %v", path, a.Header)
		}
		if packed {
			r, err := gzip.NewReader(strings.NewReader(a.text))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if plain := s.do(t, "GET", path, "", "Accept-Encoding: identity"); err != nil || string(text) != plain.text {
				t.Errorf("%s differs when packed (%v)", path, err)
			}
		}
	}
}

func TestHealth(t *testing.T) {
	var database error
	s := serve(t, func(c *Config) { c.Ready = func(context.Context) error { return database } })
	s.do(t, "GET", "/healthz", "").want(t, 200)
	s.do(t, "GET", "/readyz", "").want(t, 200)
	database = errors.New("locked at /secret")
	if a := s.do(t, "GET", "/readyz", ""); strings.Contains(a.text, "secret") {
		t.Error(a.text)
	} else {
		a.problem(t, topology.CodeIncomplete)
	}
	database, s.world.ready = nil, topology.Errorf(topology.CodeIncomplete, "A", "the dump of A failed")
	if p := s.do(t, "GET", "/readyz", "").problem(t, topology.CodeIncomplete); p.Detail != "the dump of A failed" {
		t.Errorf("%+v", p)
	}
	s.do(t, "GET", "/healthz", "").want(t, 200)
}

func TestMetrics(t *testing.T) {
	count := func(n uint64) func() uint64 { return func() uint64 { return n } }
	s := serve(t, func(c *Config) {
		c.Watch = Watch{Overruns: count(11), Dumps: count(12), Interrupted: count(13), Resyncs: count(14)}
	})
	dark := namespaceState("dark", "4-77", false)
	dark.Incomplete = "it cannot be read"
	s.world.foreign = append(s.world.foreign, dark)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	s.do(t, "GET", "/api/v1/namespaces/A", "")
	s.do(t, "GET", "/api/v1/namespaces/none", "")
	s.do(t, "GET", "/some/where", "")
	s.do(t, "BREW", "/", "")
	text := s.do(t, "GET", "/metrics", "").want(t, 200).text
	for _, want := range []string{
		`netdash_http_requests_total{method="POST",route="/api/v1/namespaces",status="201"} 1`,
		`netdash_http_requests_total{method="GET",route="/api/v1/namespaces/{namespace}",status="200"} 1`,
		`netdash_http_requests_total{method="GET",route="/api/v1/namespaces/{namespace}",status="404"} 1`,
		`netdash_http_requests_total{method="GET",route="none",status="404"} 1`,
		`netdash_http_requests_total{method="other",route="none",status="405"} 1`,
		`netdash_http_request_duration_seconds_count{method="POST",route="/api/v1/namespaces"} 1`,
		"netdash_namespaces 3", "netdash_namespaces_incomplete 1", "netdash_links 4", "go_goroutines ", "process_open_fds ", "process_max_fds ",
		"netdash_netlink_overruns_total 11", "netdash_dumps_total 12", "netdash_dumps_interrupted_total 13", "netdash_event_resyncs_total 14",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestNewRefusesBrokenParts(t *testing.T) {
	w := &world{spec: &topology.Spec{}}
	if _, err := New(Config{Lab: w, Live: w, Kernel: w}); err == nil {
		t.Error("an incomplete configuration is taken")
	}
	cfg := serve(t, nil).handler.Config
	cfg.Templates = template.Must(template.New("index.html").Parse(`{{.NoSuchField}}`))
	if _, err := New(cfg); err == nil {
		t.Error("a broken template is taken")
	}
}
