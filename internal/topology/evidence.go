package topology

import "net/netip"

// What a diagnosis asks the kernel beside what a Snapshot holds: each is a
// question to one namespace and what it answers.

// RouteQuestion asks where a namespace sends a packet.
type RouteQuestion struct {
	Destination netip.Addr
	// Source is the packet's; the zero Addr leaves it to the kernel.
	Source netip.Addr
	// From is the link it comes in by; empty for one that is sent from here.
	From string
}

// RouteAnswer is what the kernel decides (RTM_GETROUTE).
type RouteAnswer struct {
	Type    string // unicast, local, broadcast, …; empty with a Refusal
	Link    string // it leaves by
	Gateway string // next hop; empty when the destination is on the link
	Source  string // address it is sent from
	MTU     int    // bytes, where the kernel has learned that less fits than the link takes; else 0
	Refusal RouteRefusal
}

// RouteRefusal is why the kernel does not send a packet anywhere.
type RouteRefusal string

// The refusals, by the errno that stands for each (fib_props in
// net/ipv4/fib_semantics.c, fib_validate_source in fib_frontend.c).
const (
	NoRoute     RouteRefusal = "no_route"    // ENETUNREACH
	Unreachable RouteRefusal = "unreachable" // EHOSTUNREACH: such a route; of what comes in, also that it is not forwarded
	Prohibited  RouteRefusal = "prohibited"  // EACCES
	Blackhole   RouteRefusal = "blackhole"   // EINVAL; of what comes in, also a source that cannot be
	ReversePath RouteRefusal = "rp_filter"   // EXDEV; EINVAL since Linux 6.14
	OtherRefuse RouteRefusal = "refused"
)

// Packet is an echo request or reply, or an ARP request, as a packet filter
// meets it.
type Packet struct {
	Source, Destination       netip.Addr
	SourceMAC, DestinationMAC string // where they are known
	In, Out                   string // links, as far as it has got; for the bridge family its ports
	Size                      int    // payload of the echo, bytes
	TTL                       int    // time to live, or hop limit, as it comes in
	Reply                     bool
	ARP                       bool // an ARP request of Source for Destination
}

// FilterHook is a place at which a packet filter looks at packets: a hook of one
// of the protocols.
type FilterHook struct {
	Bridge bool   // of the bridge family; else of the packet's own
	Hook   string // prerouting, input, forward, output, postrouting, ingress
}

// FilterVerdict is what the packet filter does with a packet.
type FilterVerdict struct {
	Verdict string `json:"verdict" enum:"accept,drop,reject,translate,unknown"`
	// Rule is the one that decided, or of which it is not known whether it fits;
	// without a Handle it is the policy of its chain.
	Rule  FilterRule
	Doubt string // of unknown: what could not be told
}

// FilterRule names a rule of a packet filter.
type FilterRule struct {
	Family, Table, Chain, Hook string
	Handle                     uint64
	Text                       string // as nft, or iptables-save, writes it
	Legacy                     bool   // of ip_tables, which nft knows nothing of
}

// VLANs are the VLANs of a bridge port, or of the bridge itself.
type VLANs struct {
	PVID     int // of frames that come in without a tag; 0: these are dropped
	Members  map[int]bool
	Untagged map[int]bool // leave without a tag
}
