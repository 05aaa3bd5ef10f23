package api

import (
	"context"

	"netdash/internal/topology"
)

func (h *Handler) listFirewall(ctx context.Context, in *NamespacePath) (*list[topology.FirewallChain], error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	chains, err := h.Kernel.Firewall(ctx, ns.Name)
	if err != nil {
		return nil, err
	}
	return listOf(chains), nil
}
