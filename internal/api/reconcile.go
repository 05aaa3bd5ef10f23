package api

import (
	"context"
	"net/http"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

// ReconcileBody says what to repair.
type ReconcileBody struct {
	Subjects []string `json:"subjects,omitempty" doc:"What to repair, named as in differences: A, A/eth0, A/eth0 10.1.0.1/24, A 10.0.0.0/8, A/br0 02:00:00:00:00:09. Default: all that differs."`
}

type reconcileInput struct {
	DryRun
	Body *ReconcileBody
}

func (h *Handler) reconcile(ctx context.Context, in *reconcileInput) (*edited, error) {
	var subjects []string
	if in.Body != nil {
		subjects = in.Body.Subjects
	}
	return h.operate(ctx, in.DryRun, func(ctx context.Context, request lab.Request) (*lab.Result, error) {
		return h.Lab.Reconcile(ctx, request, subjects)
	}, func(_ *topology.Operation, out *edited) (err error) {
		out.Status = http.StatusOK
		out.Body, err = h.Lab.Drift(ctx)
		return err
	})
}
