package netops

import (
	"context"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// nextHop is where the kernel would send what is for an address, and what it knows
// of the neighbour there.
type nextHop struct {
	link    int        // ifindex
	addr    netip.Addr // of the gateway, or of the destination itself
	gateway bool
	state   string // of the neighbour, as NeighbourFacts have it; empty if there is none
	err     error  // there is no route
}

// neighbourKey is whom a neighbour entry is about.
type neighbourKey struct {
	link int
	addr netip.Addr
}

// neighbourStates reads the ARP and ND tables of the namespace.
func (s *space) neighbourStates(ctx context.Context) (map[neighbourKey]string, error) {
	var list []NeighbourFacts
	if err := dumpInto(ctx, s, &list, unix.RTM_GETNEIGH, neighbourRequest{}); err != nil {
		return nil, err
	}
	states := make(map[neighbourKey]string, len(list))
	for _, f := range list {
		if a, err := netip.ParseAddr(f.Address); err == nil {
			states[neighbourKey{f.Ifindex, a}] = f.State
		}
	}
	return states, nil
}

// nextHops asks the kernel for the ways from the namespace to some addresses.
func (s *space) nextHops(ctx context.Context, addresses []netip.Addr) ([]nextHop, error) {
	states, err := s.neighbourStates(ctx)
	if err != nil {
		return nil, err
	}
	hops := make([]nextHop, len(addresses))
	for from := 0; from < len(addresses); from += exchangeSize {
		to := min(from+exchangeSize, len(addresses))
		if err := s.routesTo(addresses[from:to], hops[from:to]); err != nil {
			return nil, err
		}
	}
	for i := range hops {
		hops[i].state = states[neighbourKey{hops[i].link, hops[i].addr}]
	}
	return hops, nil
}

// routesTo fills in the hops to some addresses, in one exchange.
func (s *space) routesTo(addresses []netip.Addr, hops []nextHop) error {
	requests := make([]*nl.NetlinkRequest, len(addresses))
	for i, a := range addresses {
		header := &nl.RtMsg{}
		header.Family, header.Dst_len = unix.AF_INET, uint8(a.BitLen())
		if a.Is6() {
			header.Family = unix.AF_INET6
		}
		requests[i] = request(unix.RTM_GETROUTE, 0, header, nl.NewRtAttr(unix.RTA_DST, a.AsSlice()))
		hops[i].addr = a
	}
	errs, err := s.exchange(requests, func(i int, body []byte) {
		for kind, v := range attributes(body, unix.SizeofRtMsg) {
			switch kind {
			case unix.RTA_OIF:
				hops[i].link = int(u32(v))
			case unix.RTA_GATEWAY:
				if a, ok := netip.AddrFromSlice(v); ok {
					hops[i].addr, hops[i].gateway = a, true
				}
			case unix.RTA_VIA: // a gateway of the other family: struct rtvia
				if a, ok := netip.AddrFromSlice(v[min(2, len(v)):]); ok {
					hops[i].addr, hops[i].gateway = a, true
				}
			}
		}
	})
	for i := range errs {
		hops[i].err = errs[i]
	}
	return err
}
