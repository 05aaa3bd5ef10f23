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

// AdoptionPlan is the answer to a dry run: what would be taken, and the Plan,
// which is always empty.
type AdoptionPlan struct {
	topology.PlanRecord
	topology.Adoption
}

func (h *Handler) adopt(ctx context.Context, in *assignInput) (*edited, error) {
	return h.assign(ctx, in, h.Lab.Adopt)
}

func (h *Handler) release(ctx context.Context, in *assignInput) (*edited, error) {
	return h.assign(ctx, in, h.Lab.Release)
}

func (h *Handler) assign(ctx context.Context, in *assignInput, f func(context.Context, lab.Request, []string, *topology.Adoption) (*lab.Result, error)) (*edited, error) {
	taken := &topology.Adoption{}
	out, err := h.operate(ctx, in.DryRun, func(ctx context.Context, request lab.Request) (*lab.Result, error) {
		// The journal has nothing else that says what it was about: there are no
		// changes.
		request.Text += " " + abridged(in.Body.Subjects)
		return f(ctx, request, in.Body.Subjects, taken)
	}, func(_ *topology.Operation, out *edited) error {
		out.Status, out.Body = http.StatusOK, taken
		return nil
	})
	if err == nil && in.DryRun.DryRun {
		out.Body = AdoptionPlan{topology.PlanRecord{Changes: []topology.ChangeRecord{}}, *taken}
	}
	return out, err
}

// abridged writes a list that may be long in one line that is not.
func abridged(list []string) string {
	const most = 20
	if len(list) > most {
		return strings.Join(list[:most], " ") + " and " + strconv.Itoa(len(list)-most) + " more"
	}
	return strings.Join(list, " ")
}

// assignAnswers describes the answer, and that to a dry run.
func assignAnswers(schemas huma.Registry, op *huma.Operation) {
	schema := &huma.Schema{OneOf: []*huma.Schema{
		schemas.Schema(reflect.TypeFor[topology.Adoption](), true, ""), schemas.Schema(reflect.TypeFor[AdoptionPlan](), true, ""),
	}}
	op.Responses["200"] = &huma.Response{Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}
