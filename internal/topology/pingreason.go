package topology

// PingReason is the kind of a failure of a ping, for programs to act on; the
// words beside it say more.
type PingReason string

// The kinds of failure. Those from no_address to own_address are known before
// anything is sent.
const (
	PingNoAddress         PingReason = "no_address"               // one of the two has no address by which it can be reached
	PingNoCommonFamily    PingReason = "no_common_family"         // one has only IPv4, the other only IPv6
	PingOwnAddress        PingReason = "own_address"              // the target's address is one of the sender's too
	PingNoRoute           PingReason = "no_route"                 // the sender has no route there
	PingLinkDown          PingReason = "link_down"                // the link it would leave by is down or has no carrier
	PingProhibited        PingReason = "prohibited"               // a packet filter or a route forbids it
	PingSendError         PingReason = "send_error"               // the kernel did not take it, for another reason
	PingNeighbourFailed   PingReason = "neighbour_failed"         // the next hop does not answer ARP or neighbour discovery
	PingNeighbourOverflow PingReason = "neighbour_table_overflow" // the machine's neighbour table is full
	PingUnreachable       PingReason = "unreachable"              // somebody on the way, or the target, refuses it
	PingTTLExceeded       PingReason = "ttl_exceeded"             // its time to live ran out on the way
	PingTooBig            PingReason = "too_big"                  // it does not fit through a link on the way
	PingICMPError         PingReason = "icmp_error"               // any other ICMP error
	PingNamespaceGone     PingReason = "namespace_gone"           // the namespace was deleted meanwhile
	PingTimeout           PingReason = "timeout"                  // nothing is known but that no reply came
)
