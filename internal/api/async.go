package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const respondAsyncToken = "respond-async"

// maxWait bounds the wait of a Prefer header.
const maxWait = time.Hour

// respondAsync reads the header Prefer (RFC 7240): whether the client wants to
// hear no later than after wait. What is not understood is no preference, as the
// RFC has it.
func respondAsync(header http.Header) (wait time.Duration, asked bool) {
	seen := map[string]bool{} // of a preference named twice the first counts
	for one := range strings.SplitSeq(strings.Join(header.Values("Prefer"), ","), ",") {
		one, _, _ = strings.Cut(one, ";") // its parameters
		name, value, _ := strings.Cut(one, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if seen[name] {
			continue
		}
		seen[name] = true
		switch name {
		case respondAsyncToken:
			asked = true
		case "wait":
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 32)
			if err == nil {
				wait = min(time.Duration(seconds)*time.Second, maxWait)
			}
		}
	}
	return wait, asked
}

// answerInTime runs an edit. When it is journaled, but after wait not at its
// end, that is the answer, and the edit goes on without its request. One that
// has not begun ends with its request.
func (h *Handler) answerInTime(ctx context.Context, c *call, wait time.Duration, run func(context.Context) (*edited, error)) (*edited, error) {
	patience := time.NewTimer(wait)
	defer patience.Stop()
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	detach := context.AfterFunc(ctx, cancel)
	type outcome struct {
		out *edited
		err error
	}
	done := make(chan outcome, 1)
	h.edits.Go(func() {
		defer cancel()
		out, err := h.unbroken(work, c, run)
		h.forget(c) // before the answer: a repeat may follow at once
		done <- outcome{out, err}
	})
	select {
	case o := <-done:
		return o.out, o.err
	case <-c.started:
	}
	select {
	case o := <-done:
		return o.out, o.err
	case <-patience.C:
	case <-h.stopped.Done():
	case <-ctx.Done():
	}
	detach()
	return h.accepted(ctx, c)
}

// unbroken completes an edit outside of the layer that catches panics.
func (h *Handler) unbroken(ctx context.Context, c *call, run func(context.Context) (*edited, error)) (out *edited, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			x := exchangeOf(ctx)
			x.panicked(broken)
			out, err = nil, internalProblem(x)
		}
	}()
	return h.complete(ctx, c, run)
}

// accepted answers with the operation that is under way.
func (h *Handler) accepted(ctx context.Context, c *call) (*edited, error) {
	op, err := h.Lab.Operation(context.WithoutCancel(ctx), c.operation.Load())
	if err != nil {
		return nil, err
	}
	id := strconv.FormatInt(op.ID, 10)
	return &edited{
		Status: http.StatusAccepted, Operation: id, Location: location("operations", id), Applied: respondAsyncToken, Body: op,
	}, nil
}

// Wait waits for the edits that go on without their requests. No request must
// come in any more.
func (h *Handler) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		h.edits.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for edits: %w", ctx.Err())
	}
}
