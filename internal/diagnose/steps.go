package diagnose

import (
	"net/netip"

	"netdash/internal/topology"
)

// hop is a packet in one namespace, on its way into the next.
type hop struct {
	*trace
	ns       *topology.NamespaceState
	in       *topology.Link // by which it came; nil where it was sent
	src, dst netip.Addr     // of the packet; src is known once the kernel has chosen it
	reply    bool
	hops     int // routers behind it
	piece    int // bytes of its largest fragment, IP header included; 0 before it is sent

	want      egress // where it is meant to leave
	out       *topology.Link
	answer    *topology.RouteAnswer // the kernel's, once asked
	next      netip.Addr            // whom the frame is for: gateway, or destination
	network   reached               // of out
	to        *topology.Link        // which has next
	path      []*topology.Link      // from out to there
	resolved  bool                  // the MAC of next is known
	delivered bool
}

// step is one check; false ends the look.
type step func(*hop) bool

// The checks, in the order in which a packet meets what they look at.
var (
	atSource = []step{(*hop).namespace, (*hop).target, (*hop).loopback, (*hop).local}
	sending  = []step{
		(*hop).link, (*hop).carrier, (*hop).address, (*hop).subnet, (*hop).route, (*hop).filterOut,
		(*hop).nextHop, (*hop).cable,
		(*hop).duplicates, (*hop).macConflict, (*hop).arp, (*hop).macTable, (*hop).flooding, (*hop).bridgeFilter,
		(*hop).neighbour, (*hop).mtu,
	}
	arriving = []step{(*hop).filterIn, (*hop).routeIn, (*hop).delivery, (*hop).forwarding}
)

func (h *hop) each(steps []step) bool {
	for _, s := range steps {
		if h.delivered {
			return true
		}
		if !s(h) || h.err != nil {
			return false
		}
	}
	return true
}

// packet is what a packet filter sees of it.
func (h *hop) packet() topology.Packet {
	return topology.Packet{
		Source: h.src.WithZone(""), Destination: h.dst.WithZone(""), Size: h.question.Size, TTL: defaultTTL - h.hops, Reply: h.reply,
	}
}

func (h *hop) is4() bool { return h.dst.Is4() }
