package lab

import (
	"context"

	"netdash/internal/store"
	"netdash/internal/topology"
)

// Answer is what was answered to a request that carried an idempotency key.
type Answer = store.Answer

// Request says who asks for an edit and how.
type Request struct {
	Author string // who asked, for the journal
	Text   string // what was asked, for the journal: "POST /api/v1/veths"
	DryRun bool   // answer the Plan, change nothing
	// Revision, if set, is the one the caller has seen: at any other the edit is
	// refused (precondition_failed).
	Revision *int64
	// Started, if set, is called with the operation's number once it is
	// journaled; what is refused before that never gets one.
	Started func(operation int64)
	// Answer, if set, gives what to keep with the operation: what a repeat of
	// the request is to be answered. It is called when everything is verified and
	// observed, with the operation as it is about to be, and what it gives is kept
	// if that is committed and only then.
	Answer func(op *topology.Operation) Answer

	auto bool // netdash itself asks, see KeepRepaired
}

// answers lists what is to be kept with an operation.
func (r *Request) answers(op *topology.Operation) []Answer {
	if r.Answer == nil {
		return nil
	}
	committed := *op
	committed.State = topology.OperationCommitted
	return []Answer{r.Answer(&committed)}
}

// Result is what an edit came to.
type Result struct {
	Plan topology.Plan
	// Operation is the journaled operation; nil after a dry run and after an
	// edit that changed nothing.
	Operation *topology.Operation
	// Spec is the intended topology after the edit.
	Spec *topology.Spec
}

// Answer gives what was kept for an idempotency key; false when nothing was.
func (l *Lab) Answer(ctx context.Context, key string) (Answer, bool, error) {
	return l.store.Answer(ctx, key)
}

// Keep keeps the answer to a request that came to no operation, or a truer one
// than Request.Answer gave.
func (l *Lab) Keep(ctx context.Context, a Answer) error { return l.store.Keep(ctx, a) }
