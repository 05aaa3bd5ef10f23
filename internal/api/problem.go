package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"netdash/internal/topology"
)

// Codes that only HTTP knows, beside topology's.
const (
	codeUnauthenticated  topology.Code = "unauthenticated"
	codeMethodNotAllowed topology.Code = "method_not_allowed"
	codeMediaType        topology.Code = "unsupported_media_type"
	codeUpgradeRequired  topology.Code = "upgrade_required"
)

// statusOf is the one table from code to status.
var statusOf = map[topology.Code]int{
	topology.CodeMalformed:    http.StatusBadRequest,
	codeUnauthenticated:       http.StatusUnauthorized,
	topology.CodeForbidden:    http.StatusForbidden,
	topology.CodeNotFound:     http.StatusNotFound,
	codeMethodNotAllowed:      http.StatusMethodNotAllowed,
	topology.CodeConflict:     http.StatusConflict,
	topology.CodeNotManaged:   http.StatusConflict,
	topology.CodeBusy:         http.StatusConflict,
	topology.CodePrecondition: http.StatusPreconditionFailed,
	topology.CodeTooLarge:     http.StatusRequestEntityTooLarge,
	codeMediaType:             http.StatusUnsupportedMediaType,
	topology.CodeInvalid:      http.StatusUnprocessableEntity,
	codeUpgradeRequired:       http.StatusUpgradeRequired,
	topology.CodeInternal:     http.StatusInternalServerError,
	topology.CodeStorage:      http.StatusInsufficientStorage,
	topology.CodeUnsupported:  http.StatusNotImplemented,
	topology.CodeIncomplete:   http.StatusServiceUnavailable,
}

// Problem is a failure as the API answers it (RFC 9457).
type Problem struct {
	Type      string         `json:"type" doc:"Always about:blank: the code says more than an address would." example:"about:blank"`
	Title     string         `json:"title" doc:"The status in words." example:"Unprocessable Entity"`
	Status    int            `json:"status" example:"422"`
	Detail    string         `json:"detail" doc:"What went wrong this time." example:"the request is not valid"`
	Code      topology.Code  `json:"code" doc:"Which kind of failure it is." example:"invalid"`
	Subject   string         `json:"subject,omitempty" doc:"The object it is about." example:"A/eth0"`
	Hint      string         `json:"hint,omitempty" doc:"What can be done about it."`
	RequestID string         `json:"request_id,omitempty" doc:"Number of the request in the log; also the X-Request-Id header."`
	Errors    []ProblemField `json:"errors,omitempty" doc:"What is wrong, one by one."`
}

// ProblemField says what is wrong with one part of a request: of its body, or
// one of its parameters.
type ProblemField struct {
	Pointer   string `json:"pointer,omitempty" doc:"JSON pointer (RFC 6901) into the body; absent for the body as a whole." example:"/a/name"`
	Parameter string `json:"parameter,omitempty" doc:"Name of a path or query parameter." example:"dry_run"`
	Detail    string `json:"detail" example:"is required"`
	Line      int    `json:"line,omitempty" doc:"Line of the document, from 1."`
	Column    int    `json:"column,omitempty" doc:"Column of the document, from 1."`
}

// Error gives the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus tells huma the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType tells huma the media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func newProblem(code topology.Code, detail string) *Problem {
	status, ok := statusOf[code]
	if !ok {
		code, status = topology.CodeInternal, http.StatusInternalServerError
	}
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// problemOf makes a Problem of any error. What an error without a meaning says
// goes to the log only, under the number the caller gets.
func problemOf(ctx context.Context, err error) *Problem {
	x := exchangeOf(ctx)
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	e, ok := errors.AsType[*topology.Error](err)
	if _, known := statusOf[codeIn(e)]; ok && known && e.Code != topology.CodeInternal {
		p := newProblem(e.Code, e.Detail)
		p.Subject, p.Hint = e.Subject, e.Hint
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, ProblemField{Pointer: f.Pointer, Detail: f.Detail, Line: f.Line, Column: f.Column})
		}
		if e.Err != nil {
			x.log.Info("request refused", slog.String("request_id", x.id), slog.String("code", string(e.Code)), slog.Any("error", err))
		}
		return p
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return newProblem(topology.CodeIncomplete, "the request was given up before it was done")
	}
	x.log.Error("request failed", slog.String("request_id", x.id), slog.String("request", x.text()), slog.Any("error", err))
	return internalProblem(x)
}

func codeIn(e *topology.Error) topology.Code {
	if e == nil {
		return ""
	}
	return e.Code
}

func internalProblem(x *exchange) *Problem {
	p := newProblem(topology.CodeInternal, "netdash failed to do this; its log says why")
	p.RequestID = x.id
	return p
}

// fail answers a request with an error, for the handlers that are not huma's.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(r.Context(), err)
	header := w.Header()
	header.Set("Content-Type", p.ContentType(""))
	header.Set("Cache-Control", "no-store")
	for _, own := range []string{"Etag", "Content-Length", "Content-Encoding"} {
		header.Del(own) // those of the answer that was to be given
	}
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		exchangeOf(r.Context()).log.Debug("answer not taken", slog.Any("error", err))
	}
}
