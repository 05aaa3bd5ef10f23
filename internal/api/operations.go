package api

import (
	"context"

	"netdash/internal/topology"
)

type listOperationsInput struct {
	Limit  int   `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many."`
	Before int64 `query:"before" minimum:"0" doc:"Only operations with a smaller id: the last one of the page before. Default: from the newest."`
}

func (h *Handler) listOperations(ctx context.Context, in *listOperationsInput) (*list[topology.Operation], error) {
	operations, err := h.Lab.Operations(ctx, in.Before, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(operations), nil
}

type operationPath struct {
	ID int64 `path:"id" minimum:"1" doc:"Number of the operation, as in the header Netdash-Operation." example:"1"`
}

func (h *Handler) getOperation(ctx context.Context, in *operationPath) (*one[*topology.Operation], error) {
	operation, err := h.Lab.Operation(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[*topology.Operation]{operation}, nil
}
