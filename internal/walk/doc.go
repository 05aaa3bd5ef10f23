// Package walk explains how the frames of a ping travelled: from what was
// recorded at every link, and from what is known of the bridges, to the journey
// of each frame and to what each bridge decided and why.
//
// It is pure. Scope says where to look and what for, netops records there
// (Record), and Explain makes a Walk of it.
//
// # From records to journeys
//
// A socket gives the records of one namespace in the order in which its kernel
// handled them, so that within a namespace no time stamp is needed to tell what
// followed from what: a frame that came in by a bridge port and left by others
// is one arrival with several departures. Between namespaces a veth is a queue:
// of equal frames the first to enter one end is the first to leave the other.
// A packet that a router has passed on is a frame of its own, which continues
// the one before (trace.go).
//
// # From journeys to decisions
//
// What a bridge did, the verdict, is seen: the ports a frame left by. Why it did
// so is what bridges do in net/bridge (br_handle_frame_finish, br_flood,
// should_deliver) with the MAC table and the ports as they were then: as read
// before the first packet, changed by what the kernel has told since and by what
// the frames themselves have taught (table.go, decide.go). When the two do not
// agree the Decision says so: Contradiction.
package walk
