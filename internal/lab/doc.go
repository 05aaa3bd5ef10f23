// Package lab is the one place where an edit happens. An edit changes a copy of
// the intended Spec; the Plan from the old to the new one is journaled, applied
// to the kernel, verified against what the kernel then reports, and committed.
//
//	edit → Validate → Diff → journal → apply → verify → commit → announce
//
// When a step fails, what is observed is led back to the old Spec
// (topology.Repair), the operation is journaled as failed, and the caller gets
// the error: nothing half-done stays. When the process dies on the way, Recover
// finds the open journal row at the next start and does the same. Edits happen
// one at a time; reading the intended Spec never waits for them.
//
// A reconcile goes the same way with the same Spec before and after, but is not
// undone when it fails: what it has mended stays. KeepRepaired reconciles by
// itself what drifts; Restore does so once after a reboot.
package lab
