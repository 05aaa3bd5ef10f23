package api

import (
	"context"

	"netdash/internal/topology"
)

func (h *Handler) listNeighbours(_ context.Context, in *NamespacePath) (*list[*topology.Neighbour], error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	return listOf(ns.Neighbours), nil
}
