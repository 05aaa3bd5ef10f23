// Package store keeps netdash's database: the intended topology as rows, the
// journal of operations, answers to repeat, and settings. It is SQLite in one file.
//
// # An edit
//
// Begin journals what is about to happen and what it is to lead to. The caller
// then changes the kernel, and Commit, in one transaction, brings the rows to
// the target and closes the operation. When the program dies in between, Pending
// gives, at the next start, the operation with its target.
//
// A request that carried an idempotency key has its answer kept in the same
// transaction (answers.go): there is no moment at which a repeat could find the
// one without the other.
//
// # Cheap commits
//
// The Store remembers the Spec it last committed (image.go). Spec and target
// are compared in memory and only the part of each list in which they differ
// (span.go) is turned into rows (rows.go); of these, only the ones that differ
// are written (write.go). The journal keeps the same parts. So the cost of an
// edit follows its own size, not the size of the topology.
//
// # Durability
//
// A commit is on disk when Commit returns, whatever dies then. See open.go for
// the settings and what they cost.
package store
