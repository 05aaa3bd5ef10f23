package api

import (
	"context"
	"net/http"
	"strconv"

	"netdash/internal/lab"
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

// OperationPath names an operation.
type OperationPath struct {
	ID int64 `path:"id" minimum:"1" doc:"Number of the operation, as in the header Netdash-Operation." example:"1"`
}

func (h *Handler) getOperation(ctx context.Context, in *OperationPath) (*one[*topology.Operation], error) {
	operation, err := h.Lab.Operation(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[*topology.Operation]{operation}, nil
}

type cancelled struct {
	Operation string `header:"Netdash-Operation" doc:"Number of the operation that is cancelled."`
	Body      *topology.Operation
}

func (h *Handler) cancelOperation(ctx context.Context, in *OperationPath) (*cancelled, error) {
	if err := h.Lab.Cancel(ctx, in.ID, h.Author(exchangeOf(ctx).req)); err != nil {
		return nil, err
	}
	operation, err := h.Lab.Operation(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &cancelled{strconv.FormatInt(operation.ID, 10), operation}, nil
}

type undoOperationInput struct {
	OperationPath
	DryRun
}

// undoOperation answers the operation that undid the other one.
func (h *Handler) undoOperation(ctx context.Context, in *undoOperationInput) (*edited, error) {
	return h.operate(ctx, in.DryRun, func(ctx context.Context, request lab.Request) (*lab.Result, error) {
		return h.Lab.Undo(ctx, request, in.ID)
	}, func(op *topology.Operation, out *edited) error {
		out.Status, out.Body = http.StatusOK, op
		return nil
	})
}
