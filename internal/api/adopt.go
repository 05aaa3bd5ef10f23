package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

type assignInput struct {
	DryRun
	Body struct {
		Subjects []string `json:"subjects" minItems:"1" maxItems:"10000" doc:"Namespaces, each with everything in it, and links: a bridge, or a veth pair by either end." example:"[\"B\",\"host/br0\"]"`
	}
}

// assigned is the answer to an adoption or a release.
type assigned struct {
	Operation string `header:"Netdash-Operation" doc:"Number of the operation in the journal; absent when nothing was taken."`
	Body      any
}

// AdoptionPlan is the answer to a dry run: what would be taken, and the Plan,
// which is always empty.
type AdoptionPlan struct {
	topology.PlanRecord
	topology.Adoption
}

func (h *Handler) adopt(ctx context.Context, in *assignInput) (*assigned, error) {
	return h.assign(ctx, in, h.Lab.Adopt)
}

func (h *Handler) release(ctx context.Context, in *assignInput) (*assigned, error) {
	return h.assign(ctx, in, h.Lab.Release)
}

func (h *Handler) assign(ctx context.Context, in *assignInput, f func(context.Context, lab.Request, []string) (*lab.Result, *topology.Adoption, error)) (*assigned, error) {
	x := exchangeOf(ctx)
	// The journal has nothing else that says what it was about: there are no changes.
	text := x.text() + " " + abridged(in.Body.Subjects)
	result, taken, err := f(ctx, lab.Request{Author: h.Author(x.req), Text: text, DryRun: in.DryRun.DryRun}, in.Body.Subjects)
	if err != nil {
		return nil, err
	}
	if in.DryRun.DryRun {
		return &assigned{Body: AdoptionPlan{topology.PlanRecord{Changes: result.Plan.Records()}, *taken}}, nil
	}
	out := &assigned{Body: taken}
	if result.Operation != nil {
		out.Operation = strconv.FormatInt(result.Operation.ID, 10)
	}
	return out, nil
}

// abridged writes a list that may be long in one line that is not.
func abridged(list []string) string {
	const most = 20
	if len(list) > most {
		return strings.Join(list[:most], " ") + " and " + strconv.Itoa(len(list)-most) + " more"
	}
	return strings.Join(list, " ")
}

// assignAnswers describes the two forms of the answer.
func assignAnswers(schemas huma.Registry, op *huma.Operation) {
	schema := &huma.Schema{OneOf: []*huma.Schema{
		schemas.Schema(reflect.TypeFor[topology.Adoption](), true, ""), schemas.Schema(reflect.TypeFor[AdoptionPlan](), true, ""),
	}}
	op.Responses["200"] = &huma.Response{
		Description: http.StatusText(http.StatusOK) + "; with dry_run the same and an empty plan, and nothing is taken",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
}
