package api

import (
	"context"
	"net/http"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

type deleteInput struct {
	DryRun
	Body struct {
		Subjects []string `json:"subjects" minItems:"1" maxItems:"10000" doc:"Managed namespaces, each with everything in it, and links: a bridge, or a veth pair by either end." example:"[\"B\",\"host/br0\"]"`
	}
}

// deleteSeveral deletes several objects as one operation, which one undo takes
// back.
func (h *Handler) deleteSeveral(ctx context.Context, in *deleteInput) (*edited, error) {
	return h.operate(ctx, in.DryRun, func(ctx context.Context, request lab.Request) (*lab.Result, error) {
		request.Text += " " + abridged(in.Body.Subjects)
		result, err := h.Lab.Edit(ctx, request, func(s *topology.Spec) error { return s.Remove(in.Body.Subjects) })
		if err != nil {
			return nil, h.explain(err, place{})
		}
		return result, nil
	}, func(op *topology.Operation, out *edited) error {
		plan := topology.PlanRecord{Changes: []topology.ChangeRecord{}}
		if op != nil {
			plan.Changes = op.Changes
		}
		out.Status, out.Body = http.StatusOK, plan
		return nil
	})
}
