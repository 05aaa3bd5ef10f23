package api

import (
	"context"

	"netdash/internal/topology"
)

// getDrift answers in what the observed topology is not the intended one.
func (h *Handler) getDrift(ctx context.Context, _ *struct{}) (*one[*topology.DriftReport], error) {
	if _, err := h.snapshot(); err != nil {
		return nil, err
	}
	report, err := h.Lab.Drift(ctx)
	if err != nil {
		return nil, err
	}
	return &one[*topology.DriftReport]{Body: report}, nil
}
