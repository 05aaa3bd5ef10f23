package api

import (
	"context"
	"net/http"

	"netdash/internal/topology"
)

func (h *Handler) getSettings(context.Context, *struct{}) (*one[topology.Settings], error) {
	return &one[topology.Settings]{h.Lab.Settings()}, nil
}

type patchSettingsInput struct {
	DryRun
	Body topology.SettingsPatch
}

// patchSettings is no operation: it does nothing to the kernel, so the Plan of a
// dry run is empty.
func (h *Handler) patchSettings(ctx context.Context, in *patchSettingsInput) (*edited, error) {
	settings, err := h.Lab.SetSettings(ctx, in.Body, in.DryRun.DryRun)
	if err != nil {
		return nil, err
	}
	out := &edited{Status: http.StatusOK, Body: settings}
	if in.DryRun.DryRun {
		out.Body = topology.PlanRecord{Changes: []topology.ChangeRecord{}}
	}
	return out, nil
}
