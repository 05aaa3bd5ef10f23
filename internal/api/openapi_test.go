package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/go-chi/chi/v5"
)

// served loads what a site serves as its OpenAPI document.
func served(t *testing.T, s *site) *openapi3.T {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/v1/openapi.json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if s.handler.Token != "" {
		r.Header.Set("Authorization", "Bearer "+s.handler.Token)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// checkDocumented compares an answer with the OpenAPI document: its status, its
// type, its body. Every answer of every test passes through here.
func checkDocumented(t *testing.T, s *site, r *http.Request, a answer) {
	t.Helper()
	if s.document == nil {
		router, err := gorillamux.NewRouter(served(t, s))
		if err != nil {
			t.Fatal(err)
		}
		s.document = router
	}
	asked := r.Clone(context.WithoutCancel(t.Context()))
	if asked.Method == http.MethodHead {
		return
	}
	route, params, err := s.document.FindRoute(asked)
	if err != nil || a.Header.Get("Content-Encoding") != "" || a.StatusCode == http.StatusInternalServerError {
		return // not of the API, or its 404 and 405
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route},
		Status:                 a.StatusCode, Header: a.Header, Body: io.NopCloser(bytes.NewReader([]byte(a.text))),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	if media := a.Header.Get("Content-Type"); strings.HasPrefix(media, "text/") { // nothing to look into
		input.Options.ExcludeResponseBody = true
	}
	if a.StatusCode == http.StatusNotModified || a.StatusCode == http.StatusNoContent || a.Header.Get("Content-Type") == mediaNDJSON || a.Header.Get("Content-Type") == mediaYAML {
		input.Options.ExcludeResponseBody = true
	}
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		t.Errorf("%s %s: not as documented: %v", r.Method, r.URL.Path, err)
	}
}

// TestNoDeadlineOfHumas: huma would leave a read deadline on the connection, which
// ends the request, in the middle of a ping, when it passes.
func TestNoDeadlineOfHumas(t *testing.T) {
	s := serve(t, nil)
	op := section{humachi.New(chi.NewRouter(), s.handler.openAPI()), "x"}.operation("POST", "/x", "x", "x", nil, nil)
	if op.BodyReadTimeout >= 0 || op.MaxBodyBytes >= 0 {
		t.Errorf("%+v", op)
	}
}

func TestDocument(t *testing.T) {
	s := serve(t, nil)
	doc := served(t, s)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", doc.OpenAPI)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			at := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s: id %q, summary %q, tags %v", at, op.OperationID, op.Summary, op.Tags)
			}
			ids[op.OperationID] = true
			failures := 0
			for status, response := range op.Responses.Map() {
				if status < "4" {
					continue
				}
				failures++
				if response.Value.Content.Get("application/problem+json") == nil {
					t.Errorf("%s: %s is no problem", at, status)
				}
			}
			if failures < 3 {
				t.Errorf("%s: only %d failures described", at, failures)
			}
			if op.RequestBody != nil && op.RequestBody.Value.Required && op.RequestBody.Value.Content.Get("application/json").Example == nil {
				t.Errorf("%s: no example of its body", at)
			}
			edit := method != http.MethodGet && op.OperationID != "create-ping" && op.OperationID != "flush-fdb"
			if edit != (op.Parameters.GetByInAndName("query", "dry_run") != nil) {
				t.Errorf("%s: dry run %v", at, !edit)
			}
		}
	}
	for _, want := range []string{"stream-events", "create-veth", "get-topology", "create-ping"} {
		if !ids[want] {
			t.Errorf("no operation %s", want)
		}
	}
	yaml := s.do(t, "GET", "/api/v1/openapi.yaml", "").want(t, 200)
	again, err := openapi3.NewLoader().LoadFromData([]byte(yaml.text))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := again.Paths.Len(), doc.Paths.Len(); got != want {
		t.Errorf("%d paths in YAML, %d in JSON", got, want)
	}
	tag := yaml.Header.Get("ETag")
	s.do(t, "GET", "/api/v1/openapi.yaml", "", "If-None-Match: "+tag).want(t, 304)
}
