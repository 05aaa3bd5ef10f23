package api

import (
	"context"

	"netdash/internal/topology"
)

func (h *Handler) getFirewall(ctx context.Context, in *NamespacePath) (*one[*topology.Firewall], error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	firewall, err := h.Kernel.Firewall(ctx, ns.Name)
	if err != nil {
		return nil, err
	}
	return &one[*topology.Firewall]{firewall}, nil
}
