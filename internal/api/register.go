package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"netdash/internal/topology"
)

// section is a part of the API, as the document groups it.
type section struct {
	huma.API
	h   *Handler
	tag string
}

// option completes the description of an operation.
type option func(huma.Registry, *huma.Operation)

// The statuses of Problems a read and an edit can come to; huma adds 500, and
// 422 where there are parameters.
var (
	readFailures = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}
	editFailures = []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
		http.StatusNotImplemented, http.StatusServiceUnavailable, http.StatusInsufficientStorage,
	}
)

func (s section) operation(method, path, id, summary string, failures []int, options []option) huma.Operation {
	op := huma.Operation{
		OperationID: id, Method: method, Path: prefix + path, Summary: summary, Tags: []string{s.tag},
		Errors: failures, Responses: map[string]*huma.Response{},
		// readBody has read the body by then, with limits of its own. A read
		// deadline of huma's would stay on the connection and end the request.
		MaxBodyBytes: -1, BodyReadTimeout: -1,
	}
	for _, complete := range options {
		complete(s.OpenAPI().Components.Schemas, &op)
	}
	return op
}

func get[I, O any](s section, path, id, summary string, handler func(context.Context, *I) (*O, error), options ...option) {
	huma.Register(s.API, s.operation(http.MethodGet, path, id, summary, readFailures, options), handler)
}

// post registers an action that is no edit.
func post[I, O any](s section, path, id, summary string, handler func(context.Context, *I) (*O, error), options ...option) {
	plain(s, http.MethodPost, path, id, summary, handler, options...)
}

// plain registers what changes something but is no edit.
func plain[I, O any](s section, method, path, id, summary string, handler func(context.Context, *I) (*O, error), options ...option) {
	huma.Register(s.API, s.operation(method, path, id, summary, editFailures, options), handler)
}

// create registers an edit that answers 201 with a new A.
func create[A, I any, P editInput[I]](s section, path, id, summary string, handler func(context.Context, *I) (*edited, error), example string) {
	edits[I, P](s, http.MethodPost, path, id, summary, http.StatusCreated, handler, answers[A](http.StatusCreated), bodyExample(example))
}

// patch registers an edit that answers 200 with the changed A.
func patch[A, I any, P editInput[I]](s section, path, id, summary string, handler func(context.Context, *I) (*edited, error), example string) {
	edits[I, P](s, http.MethodPatch, path, id, summary, http.StatusOK, handler, answers[A](http.StatusOK), bodyExample(example))
}

// act registers an edit of no object of its own that answers 200 with an A.
func act[A, I any, P editInput[I]](s section, path, id, summary string, handler func(context.Context, *I) (*edited, error), options ...option) {
	edits[I, P](s, http.MethodPost, path, id, summary, http.StatusOK, handler, append(options, answers[A](http.StatusOK))...)
}

// assign registers an adoption or a release.
func assign(s section, path, id, summary string, handler func(context.Context, *assignInput) (*edited, error), example string) {
	edits(s, http.MethodPost, path, id, summary, http.StatusOK, handler, assignAnswers, bodyExample(example))
}

// remove registers an edit that answers 204.
func remove[I any, P editInput[I]](s section, path, id, summary string, handler func(context.Context, *I) (*edited, error)) {
	edits[I, P](s, http.MethodDelete, path, id, summary, http.StatusNoContent, handler)
}

// edits registers an edit. All edits go through Handler.answer and say so in the
// document.
func edits[I any, P editInput[I]](s section, method, path, id, summary string, status int, handler func(context.Context, *I) (*edited, error), options ...option) {
	op := s.operation(method, path, id, summary, editFailures, append(options, answersPlan, answersLater))
	op.DefaultStatus = status
	huma.Register(s.API, op, func(ctx context.Context, in *I) (*edited, error) {
		return s.h.answer(ctx, P(in).isDryRun(), func(ctx context.Context) (*edited, error) { return handler(ctx, in) })
	})
	// huma describes edited's fields whatever the status.
	done := op.Responses[strconv.Itoa(status)]
	if status == http.StatusNoContent {
		done.Content = nil
	}
	if status != http.StatusCreated {
		delete(done.Headers, "Location")
	}
	if method != http.MethodPut {
		delete(done.Headers, "ETag")
	}
	delete(done.Headers, "Preference-Applied")
}

// putDocument registers an edit whose body is a topology document.
func putDocument[I any, P editInput[I]](s section, path, id, summary string, handler func(context.Context, *I) (*edited, error)) {
	body := &huma.RequestBody{}
	edits[I, P](s, http.MethodPut, path, id, summary, http.StatusOK, handler, answers[topology.PlanRecord](http.StatusOK),
		func(_ huma.Registry, op *huma.Operation) { describeDocument(op, body) })
	schema := s.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[topology.Spec](), true, "")
	body.Content = map[string]*huma.MediaType{ // huma describes a body without form
		mediaJSON: {Schema: schema, Example: json.RawMessage(documentExample)},
		mediaYAML: {Schema: schema, Example: json.RawMessage(documentExample)},
	}
}

func describeDocument(op *huma.Operation, body *huma.RequestBody) {
	op.Errors = append(slices.Clone(op.Errors), http.StatusPreconditionFailed)
	op.RequestBody = body
	op.Description = "What the body says is intended from now on: what it lacks is deleted, what it has is made, what differs is " +
		"changed; what is the same is not touched. Links are told by their names. The answer lists what was done, with " +
		"`dry_run` what would be. The body is JSON or YAML (also as `text/yaml` or `application/x-yaml`); each of its mistakes is " +
		"told with line and column. `GET /topology/schema` is its JSON Schema."
}

const documentExample = `{"name":"two-hosts","namespaces":[{"name":"A"},{"name":"B"}],"veths":[
	{"a":{"namespace":"A","name":"eth0","addresses":["192.168.1.1/24"]},"b":{"namespace":"B","name":"eth0","addresses":["192.168.1.2/24"]}}]}`

// answers describes the answer to an edit.
func answers[A any](status int) option {
	return func(schemas huma.Registry, op *huma.Operation) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(reflect.TypeFor[A](), true, "")}},
		}
	}
}

// answersPlan describes the answer to a dry run, beside what else a 200 means.
func answersPlan(schemas huma.Registry, op *huma.Operation) {
	schema := schemas.Schema(reflect.TypeFor[topology.PlanRecord](), true, "")
	description := "With dry_run: what would be done"
	if done := op.Responses["200"]; done != nil {
		if other := done.Content["application/json"].Schema; other.Ref != schema.Ref {
			schema = &huma.Schema{OneOf: []*huma.Schema{other, schema}}
		}
		description = "OK; with dry_run what would be done"
	}
	op.Responses["200"] = &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
}

// answersLater describes the headers all edits take, and the answer to an edit that
// goes on.
func answersLater(schemas huma.Registry, op *huma.Operation) {
	text := func(doc string) *huma.Header {
		return &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: keyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString}, Example: "6f1c2a9e-create-A",
		Description: "1 to 255 printable ASCII characters that name this request: a repeat with the same key answers the same and does nothing twice.",
	}, &huma.Param{
		Name: "Prefer", In: "header", Schema: &huma.Schema{Type: huma.TypeString}, Example: "respond-async, wait=5",
		Description: "respond-async: answer 202 as soon as the operation is journaled; with wait only if it is not at its end after that many seconds (RFC 7240).",
	})
	op.Responses["202"] = &huma.Response{
		Description: "With Prefer: respond-async: the operation, which goes on",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(reflect.TypeFor[topology.Operation](), true, "")}},
		Headers: map[string]*huma.Header{
			"Location": text("Where the operation is."), "Netdash-Operation": text("Number of the operation."),
			"Preference-Applied": text("respond-async"),
		},
	}
}

// goesOn describes the answer to a call that is done later.
func goesOn(_ huma.Registry, op *huma.Operation) { op.DefaultStatus = http.StatusAccepted }

// bodyExample adds an example, written as JSON, of the request's body.
func bodyExample(text string) option {
	return func(_ huma.Registry, op *huma.Operation) {
		op.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Example: json.RawMessage(text)}}}
	}
}

// notModified describes the answer to a client that has the current state.
func notModified(_ huma.Registry, op *huma.Operation) {
	op.Responses["304"] = &huma.Response{Description: "Nothing has changed since the answer with that ETag"}
}

// intendedMedia describes the two forms of a Spec.
func intendedMedia(schemas huma.Registry, op *huma.Operation) {
	media := &huma.MediaType{Schema: schemas.Schema(reflect.TypeFor[topology.Spec](), true, "")}
	op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{"application/json": media, mediaYAML: media}}
}

// pingMedia describes the two forms of a ping's result, matrixMedia those of a
// matrix.
func pingMedia(schemas huma.Registry, op *huma.Operation) {
	lines[WalkedPing](schemas, op, reflect.TypeFor[PingReplyLine](), reflect.TypeFor[PingSummaryLine](),
		reflect.TypeFor[WalkFrameLine](), reflect.TypeFor[WalkDecisionLine](), reflect.TypeFor[WalkSummaryLine]())
}

func matrixMedia(schemas huma.Registry, op *huma.Operation) {
	lines[topology.MatrixResult](schemas, op, reflect.TypeFor[MatrixStartLine](), reflect.TypeFor[MatrixWarningLine](),
		reflect.TypeFor[MatrixCellLine](), reflect.TypeFor[MatrixSummaryLine]())
}

// lines describes an answer that is one A as JSON, and lines of some kinds as
// NDJSON.
func lines[A any](schemas huma.Registry, op *huma.Operation, kinds ...reflect.Type) {
	line := &huma.Schema{}
	for _, kind := range kinds {
		line.OneOf = append(line.OneOf, schemas.Schema(kind, true, ""))
	}
	op.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: schemas.Schema(reflect.TypeFor[A](), true, "")},
		mediaNDJSON:        {Schema: line},
	}}
}

// problemResponse describes a Problem.
func problemResponse(schemas huma.Registry, status int) *huma.Response {
	return &huma.Response{Description: http.StatusText(status), Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[Problem](), true, "")},
	}}
}
