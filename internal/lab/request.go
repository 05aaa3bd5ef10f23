package lab

import "netdash/internal/topology"

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
