package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"netdash/internal/topology"
)

// missingProperty is huma's word for a required field that is not there; it
// reports the object that lacks it, fieldOf the field itself.
const missingProperty = "lacks the field "

// tameHuma makes huma's own errors Problems and its reading of requests strict.
// huma keeps these settings in package variables, so it is done once.
var tameHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	validation.MsgUnexpectedProperty = "is no known field"
	validation.MsgExpectedRequiredProperty = missingProperty + "%s"
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(context.Background(), status, msg, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(ctx.Context(), status, msg, errs)
	}
})

// humaProblem makes a Problem of what huma found wrong with a request, or of
// what a handler returned, which huma reports as status 500.
func humaProblem(ctx context.Context, status int, msg string, errs []error) *Problem {
	if status >= http.StatusInternalServerError {
		if len(errs) == 0 {
			errs = []error{errors.New(msg)}
		}
		return problemOf(ctx, errors.Join(errs...))
	}
	p := newProblem(humaCode(status), msg)
	if p.Code == topology.CodeInvalid {
		p.Detail = "the request is not valid"
	}
	for _, err := range errs {
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			p.Errors = append(p.Errors, fieldOf(d))
		} else if err != nil {
			p.Errors = append(p.Errors, ProblemField{Detail: err.Error()})
		}
	}
	return p
}

// humaCode gives the code for a status huma itself answers with.
func humaCode(status int) topology.Code {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return topology.CodeTooLarge
	case http.StatusUnsupportedMediaType:
		return codeMediaType
	case http.StatusUnprocessableEntity:
		return topology.CodeInvalid
	}
	return topology.CodeMalformed
}

// fieldOf turns huma's "body.a.addresses[0]" into a JSON pointer and its
// "query.dry_run" into a parameter.
func fieldOf(d *huma.ErrorDetail) ProblemField {
	f := ProblemField{Detail: d.Message}
	where, rest, _ := strings.Cut(d.Location, ".")
	if where != "body" && !strings.HasPrefix(where, "body[") {
		f.Parameter = rest
		return f
	}
	parts := strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(d.Location), ".")
	for _, part := range parts[1:] {
		f.Pointer += "/" + pointerEscape.Replace(part)
	}
	if name, ok := strings.CutPrefix(d.Message, missingProperty); ok {
		f.Pointer += "/" + pointerEscape.Replace(name)
		f.Detail = "is required"
	}
	return f
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")
