package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"netdash/internal/topology"
)

// MatrixStartLine is the first line of a streamed matrix: its rows and columns.
type MatrixStartLine struct {
	Type       string   `json:"type" enum:"start"`
	Namespaces []string `json:"namespaces" doc:"In the order of the request."`
}

// MatrixCellLine is a line of a streamed matrix: one pair.
type MatrixCellLine struct {
	Type string `json:"type" enum:"cell"`
	topology.MatrixCell
}

// MatrixWarningLine is a line of a streamed matrix: a warning, which the summary
// has too.
type MatrixWarningLine struct {
	Type   string `json:"type" enum:"warning"`
	Detail string `json:"detail"`
}

// MatrixSummaryLine is the last line of a streamed matrix. One that broke off has
// its reason in error.
type MatrixSummaryLine struct {
	Type string `json:"type" enum:"summary"`
	topology.MatrixSummary
}

type createMatrixInput struct {
	Accept string `header:"Accept" hidden:"true"`
	Body   topology.MatrixRequest
}

type createMatrixOutput struct{ Body func(huma.Context) }

func (h *Handler) createMatrix(_ context.Context, in *createMatrixInput) (*createMatrixOutput, error) {
	request, err := h.matrixRequest(in.Body)
	if err != nil {
		return nil, err
	}
	return &createMatrixOutput{func(hc huma.Context) {
		r, w := humachi.Unwrap(hc)
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		forget := context.AfterFunc(h.stopped, cancel)
		defer forget()
		if wantsLines(in.Accept) {
			h.streamMatrix(ctx, cancel, w, r, request)
			return
		}
		result := topology.MatrixResult{Namespaces: request.Namespaces, Cells: []topology.MatrixCell{}}
		summary, err := h.matrix(ctx, request, func(part topology.MatrixPart) { result.Cells = append(result.Cells, part.Cells...) })
		if err != nil {
			fail(w, r, err)
			return
		}
		result.Summary = *summary
		sortCells(result.Cells, request.Namespaces)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result) // the client's loss if it is gone
	}}, nil
}

// matrix pings. One that a stop of netdash ends says so; there may be a summary up
// to there as well.
func (h *Handler) matrix(ctx context.Context, request topology.MatrixRequest, report func(topology.MatrixPart)) (*topology.MatrixSummary, error) {
	summary, err := h.Kernel.PingMatrix(ctx, request, report)
	if err != nil && h.stopped.Err() != nil {
		err = topology.Errorf(topology.CodeIncomplete, "", "netdash was stopped during the ping matrix")
	}
	return summary, err
}

// streamMatrix sends cells as they become known, some at a time. Until the first
// line is sent a failure is still answered as a Problem.
func (h *Handler) streamMatrix(ctx context.Context, cancel context.CancelFunc, w http.ResponseWriter, r *http.Request, request topology.MatrixRequest) {
	lines := h.lineWriter(w, cancel)
	summary, err := h.matrix(ctx, request, func(part topology.MatrixPart) {
		batch := make([]any, 0, 1+len(part.Cells)+len(part.Warnings))
		if !lines.begun() {
			batch = append(batch, MatrixStartLine{"start", request.Namespaces})
		}
		for _, warning := range part.Warnings {
			batch = append(batch, MatrixWarningLine{"warning", warning})
		}
		for _, cell := range part.Cells {
			batch = append(batch, MatrixCellLine{"cell", cell})
		}
		lines.write(batch...)
	})
	switch {
	case err != nil && !lines.begun():
		fail(w, r, err)
		return
	case err != nil:
		if summary == nil {
			summary = &topology.MatrixSummary{Warnings: []string{}}
		}
		summary.Error = problemOf(r.Context(), err).Detail
	}
	lines.write(MatrixSummaryLine{"summary", *summary})
}

// matrixRequest puts names in the place of ids, or of nothing.
func (h *Handler) matrixRequest(in topology.MatrixRequest) (topology.MatrixRequest, error) {
	names := in.Namespaces
	if len(names) == 0 {
		s, err := h.snapshot()
		if err != nil {
			return in, err
		}
		names = pingedByDefault(s)
		if len(names) < 2 {
			return in, topology.Errorf(topology.CodeConflict, "", "fewer than two namespaces with a name have an address").
				WithHint("give links addresses, or name the namespaces to ping")
		}
	}
	if len(names) < 2 || len(names) > topology.MaxMatrix {
		return in, invalidField("/namespaces", fmt.Sprintf("%d namespaces; 2 to %d can be pinged at once", len(names), topology.MaxMatrix))
	}
	in.Namespaces = make([]string, 0, len(names))
	for i, name := range names {
		ns, err := h.find(name)
		switch {
		case err != nil:
			return in, err
		case slices.Contains(in.Namespaces, ns.Name):
			return in, invalidField(fmt.Sprintf("/namespaces/%d", i), ns.Name+" is named twice")
		}
		in.Namespaces = append(in.Namespaces, ns.Name)
	}
	return in, nil
}

// pingedByDefault are the namespaces with a name and an address by which others
// could reach them. host has others that are none of the lab's business, so that
// it is one of them only with an address on a link that is managed.
func pingedByDefault(s *topology.Snapshot) (names []string) {
	for _, ns := range s.Namespaces {
		if len(ns.Names) == 0 && ns.Name != topology.HostName || ns.Sync == topology.Missing {
			continue
		}
		reachable := slices.ContainsFunc(ns.Links, func(l *topology.Link) bool {
			return (l.Managed || ns.Name != topology.HostName) && l.Sync != topology.Missing &&
				slices.ContainsFunc(l.Addresses, func(a topology.Address) bool { return a.Scope == "global" || a.Scope == "site" })
		})
		if reachable {
			names = append(names, ns.Name)
		}
	}
	return names
}

// sortCells puts cells row by row in the order of the namespaces.
func sortCells(cells []topology.MatrixCell, namespaces []string) {
	at := make(map[string]int, len(namespaces))
	for i, name := range namespaces {
		at[name] = i
	}
	slices.SortFunc(cells, func(a, b topology.MatrixCell) int {
		return cmp.Or(cmp.Compare(at[a.From], at[b.From]), cmp.Compare(at[a.To], at[b.To]))
	})
}
