package api

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"netdash/internal/live"
	"netdash/internal/topology"
)

func (w *world) Version() (uint64, int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return uint64(w.revision), w.revision
}

func (w *world) Picture() (*live.Picture, error) {
	s := w.Snapshot()
	if s == nil {
		return nil, nil //nolint:nilnil // as of Snapshot
	}
	text, err := json.Marshal(s)
	return &live.Picture{Seq: s.Seq, Revision: s.Revision, JSON: text}, err
}

// TestQuickReadsAnswerAsHuma: the same request, but for an Accept that leaves it to
// huma, is answered in the same way.
func TestQuickReadsAnswerAsHuma(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	big := namespaceState("big", "4-77", false)
	big.Links, big.Incomplete = append(big.Links, link("big", "x<&>", "veth", topology.Foreign)), strings.Repeat("long ", 1000)
	s.world.foreign = append(s.world.foreign, big)
	tag := s.do(t, "GET", "/api/v1/topology", "").Header.Get("Etag")
	for _, path := range []string{
		"/api/v1/topology", "/api/v1/namespaces/A", "/api/v1/namespaces/4-77", "/api/v1/namespaces/big", "/api/v1/namespaces/none",
		"/api/v1/namespaces/host/links/dummy0", "/api/v1/namespaces/big/links/x%3C&%3E", "/api/v1/namespaces/host/links/none",
		"/api/v1/namespaces/A?x=1", "/api/v1/topology?x=1",
	} {
		for _, c := range []struct{ method, header string }{
			{"GET", ""},
			{"HEAD", ""},
			{"GET", "Accept-Encoding: gzip"},
			{"GET", "Accept-Encoding: gzip;q=0"},
			{"GET", "If-None-Match: " + tag},
			{"GET", `If-None-Match: "other"`},
		} {
			headers := []string{"Accept-Encoding: identity"}
			if c.header != "" {
				headers = append(headers, c.header)
			}
			quick := s.do(t, c.method, path, "", headers...)
			huma := s.do(t, c.method, path, "", append(headers, "Accept: application/json;q=0.9")...)
			if quick.StatusCode != huma.StatusCode || plainText(t, quick) != plainText(t, huma) {
				t.Errorf("%s %s, %q: %d %s\nhuma: %d %s", c.method, path, c.header, quick.StatusCode, quick.text, huma.StatusCode, huma.text)
			}
			for _, name := range []string{"Content-Type", "Content-Encoding", "Cache-Control", "Etag", "Vary", "Content-Security-Policy"} {
				if a, b := quick.Header.Values(name), huma.Header.Values(name); strings.Join(a, ", ") != strings.Join(b, ", ") && c.method != "HEAD" {
					t.Errorf("%s %s, %q: %s %q, huma's %q", c.method, path, c.header, name, a, b)
				}
			}
			if quick.StatusCode == http.StatusOK && quick.ContentLength <= 0 {
				t.Errorf("%s %s, %q: length %d", c.method, path, c.header, quick.ContentLength)
			}
		}
	}
}

// plainText gives what an answer says, unpacked.
func plainText(t *testing.T, a answer) string {
	t.Helper()
	text := a.text
	if a.Header.Get("Content-Encoding") == "gzip" {
		r, err := gzip.NewReader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	b, err := json.Marshal(v) // < may be written in two ways
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
