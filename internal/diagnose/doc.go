// Package diagnose tells why a ping gets no answer. It follows the echo request
// from its source outward, and the reply back, the way the kernel would take
// them, and looks at each place for what would stop them there:
//
//	namespace, its lo, the link, the carrier, the address
//	→ the route, as the kernel decides it → the packet filter
//	→ the cable, the bridges and their ports, MAC tables, neighbours
//	→ the next namespace: reverse path, forwarding, its filter, its route …
//	→ the target, and all of it once more for the way back
//
// It pings first, so that neighbour and MAC tables are fresh, and the ping has the
// last word: where an answer comes, nothing is broken, whatever the looks of it.
// The first thing that would stop the packet ends the look: what lies behind
// nobody has tried. Where what can be seen ends, so does the diagnosis: the check
// is unknown, and says what is not visible.
//
// The package is pure: a Snapshot and a Spec are given, the rest it asks of an
// Evidence. Each check is a small function in one of three lists (steps.go).
package diagnose
