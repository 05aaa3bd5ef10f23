// Package live owns the observed topology. It takes what netops watches, turns
// indexes into names and peers, judges each object against the intended Spec,
// numbers every change and hands it to any number of subscribers.
//
// # Facts and objects
//
// For each namespace live keeps the facts as the kernel told them last
// (space.go). From these it derives the objects that are shown
// (derive.go): a link with its master's name, its peer, its addresses and its
// sync. Whenever a fact changes, the objects that depend on it are derived
// anew, and what differs from before is published as an event. Published
// objects are never written to again, so a Snapshot is no more than a list of
// pointers.
//
// # Peers
//
// A veth end names its peer by an ifindex and the nsid its namespace has for
// the other one. live finds a candidate among the links that name each other,
// and believes it only when the kernel confirms that the nsid stands for the
// candidate's namespace (RTM_GETNSID).
//
// # Drift
//
// Which observed link an intended one is, is remembered and followed under other
// names and into other namespaces (claims.go). Links are judged as they are
// derived. What is missing, and what the differences of a namespace come to, is
// settled some milliseconds later for the namespaces in which something has
// happened (drift.go), or at the end of the operation that is at work there.
//
// # Subscribers
//
// The newest events are kept in one ring, as ready-made frames (hub.go), from
// which every subscriber reads at its own pace; nobody waits for it. One that is
// far behind is spared what later events make worthless (frame.go); one that is
// overtaken by the ring gets a resync and a fresh Snapshot. That one is written
// down as JSON once for all who ask (picture.go).
//
// # Counters
//
// They are sampled once a second of the namespaces that somebody watches
// (stats.go). A sample is no event: it is not numbered, and of a slow subscriber
// only the newest waits.
package live
