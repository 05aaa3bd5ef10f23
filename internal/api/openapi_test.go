package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
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
	op := section{humachi.New(chi.NewRouter(), s.handler.openAPI()), s.handler, "x"}.operation("POST", "/x", "x", "x", nil, nil)
	if op.BodyReadTimeout >= 0 || op.MaxBodyBytes >= 0 {
		t.Errorf("%+v", op)
	}
}

// noEdits are the calls that change nothing that is intended: pings and
// diagnoses; a flush, which makes a bridge forget what it learns again by itself;
// the word to an operation, which another request is answered for; and where the
// page draws things. A new call does not belong here because that is easier.
var noEdits = []string{"create-ping", "create-ping-matrix", "create-diagnosis", "flush-fdb", "cancel-operation", "put-positions", "patch-positions"}

// checkEdit holds what every edit takes and answers.
func checkEdit(t *testing.T, at string, op *openapi3.Operation) {
	t.Helper()
	for name, in := range map[string]string{"dry_run": "query", keyHeader: "header", "Prefer": "header"} {
		if p := op.Parameters.GetByInAndName(in, name); p == nil || p.Description == "" || p.Required {
			t.Errorf("%s: the parameter %s is %+v", at, name, p)
		}
	}
	done := 0
	for status, response := range op.Responses.Map() {
		headers := response.Value.Headers
		switch {
		case status == "202":
			if headers["Location"] == nil || headers["Netdash-Operation"] == nil || headers["Preference-Applied"] == nil {
				t.Errorf("%s: 202 has the headers %v", at, headers)
			}
		case status < "3" && headers["Netdash-Operation"] != nil:
			done++
			if headers[replayHeader] == nil || headers["Preference-Applied"] != nil {
				t.Errorf("%s: %s has the headers %v", at, status, headers)
			}
		}
	}
	if done != 1 || op.Responses.Status(http.StatusAccepted) == nil || op.Responses.Status(http.StatusConflict) == nil || op.Responses.Status(http.StatusOK) == nil {
		t.Errorf("%s: the answers are %v", at, op.Responses.Map())
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
	edits := 0
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
			if method != http.MethodGet && !slices.Contains(noEdits, op.OperationID) {
				edits++
				checkEdit(t, at, op)
			} else if op.Parameters.GetByInAndName("query", "dry_run") != nil || op.Parameters.GetByInAndName("header", keyHeader) != nil {
				t.Errorf("%s is no edit", at)
			}
		}
	}
	for _, want := range []string{"stream-events", "create-veth", "get-topology", "create-ping"} {
		if !ids[want] {
			t.Errorf("no operation %s", want)
		}
	}
	if edits < 10 {
		t.Errorf("only %d edits", edits)
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
