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

type undoOperationInput struct {
	OperationPath
	DryRun
}

// undoOperation answers the operation that undid the other one.
func (h *Handler) undoOperation(ctx context.Context, in *undoOperationInput) (*edited, error) {
	x := exchangeOf(ctx)
	result, err := h.Lab.Undo(ctx, lab.Request{Author: h.Author(x.req), Text: x.text(), DryRun: in.DryRun.DryRun}, in.ID)
	if err != nil {
		return nil, err
	}
	if in.DryRun.DryRun {
		return &edited{Status: http.StatusOK, Body: topology.PlanRecord{Changes: result.Plan.Records()}}, nil
	}
	return &edited{Status: http.StatusOK, Operation: strconv.FormatInt(result.Operation.ID, 10), Body: result.Operation}, nil
}
