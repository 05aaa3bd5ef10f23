// Package topology is netdash's vocabulary and all of its pure logic: what is
// intended (Spec), what is observed (Snapshot), the atomic steps between two
// states (Change, Plan), validation, and the iproute2 command each Change
// stands for. It imports only the standard library and never touches a kernel,
// a database or the network.
//
// # The model
//
// A Spec is what somebody asked for: plain data, written by hand or by the
// API. A Snapshot is what the kernel reports. Both are reduced to one flat
// internal form (state.go), so that one planner (plan.go) serves two pure
// functions:
//
//	Diff(from, to Spec) Plan                 every edit
//	Drift(intended Spec, observed Snapshot)  every repair
//
// The planner works on a simulation of the kernel: each Change it emits is
// applied to a working copy, with the kernel's side effects (taking a link
// down drops its routes and its IPv6 addresses, moving it resets it, and so
// on), so that what a step breaks on the way is mended by a later step of the
// same Plan.
//
// # Names
//
// Names are the kernel's: namespace, link, kind, ifindex, peer, master, bridge
// port, FDB entry, neighbour, nsid. A namespace is identified by the device and
// inode of its nsfs file, a link by its namespace and ifindex; names are
// labels. The namespace netdash runs in is called HostName ("host").
package topology
