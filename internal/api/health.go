package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"netdash/internal/topology"
)

// healthz says that the program runs and answers.
func (h *Handler) healthz(w http.ResponseWriter, _ *http.Request) { answerOK(w) }

// readyz says whether it can do its work: the first picture of the kernel is
// there and the database answers.
func (h *Handler) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := h.Live.Ready(); err != nil {
		fail(w, r, notReady(err, "the kernel is not observed yet"))
		return
	}
	if err := h.Ready(ctx); err != nil {
		fail(w, r, notReady(err, "the database does not answer"))
		return
	}
	answerOK(w)
}

// notReady makes any error a 503; one with a meaning keeps its own words.
func notReady(err error, detail string) error {
	if e, ok := errors.AsType[*topology.Error](err); ok && e.Code != topology.CodeInternal {
		detail = e.Detail
	}
	return &topology.Error{Code: topology.CodeIncomplete, Detail: detail, Err: err}
}

func answerOK(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"status":"ok"}` + "\n")) // the client's loss if it is gone
}
