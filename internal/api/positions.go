package api

import (
	"context"
	"slices"
	"strings"

	"netdash/internal/topology"
)

type positionsInput struct{ Body Items[topology.Position] }

type positionChangesInput struct {
	Body Items[topology.PositionChange]
}

func (h *Handler) listPositions(ctx context.Context, _ *struct{}) (*list[topology.Position], error) {
	positions, err := h.Lab.Positions(ctx)
	if err != nil {
		return nil, err
	}
	return listOf(positions), nil
}

// putPositions replaces all positions.
func (h *Handler) putPositions(ctx context.Context, in *positionsInput) (*list[topology.Position], error) {
	positions := in.Body.Items
	changes := make([]topology.PositionChange, len(positions))
	for i, p := range positions {
		changes[i] = p.Change()
	}
	if err := topology.ValidatePositions(changes); err != nil {
		return nil, err
	}
	slices.SortFunc(positions, byObject)
	if err := h.Lab.PutPositions(ctx, positions); err != nil {
		return nil, err
	}
	return listOf(positions), nil
}

// patchPositions changes the positions that are named.
func (h *Handler) patchPositions(ctx context.Context, in *positionChangesInput) (*list[topology.Position], error) {
	if err := topology.ValidatePositions(in.Body.Items); err != nil {
		return nil, err
	}
	positions, err := h.Lab.PatchPositions(ctx, in.Body.Items)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(positions, byObject)
	return listOf(positions), nil
}

func byObject(a, b topology.Position) int { return strings.Compare(a.Object, b.Object) }
