package netops

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// RouteFor asks the kernel where it would send a packet, as `ip route get` does:
// for one that comes in by a link that is all the kernel does with it up to then,
// the reverse path filter and the question whether it forwards at all included
// (inet_rtm_getroute in net/ipv4/route.c).
func (k *Kernel) RouteFor(ctx context.Context, namespace string, q topology.RouteQuestion) (*topology.RouteAnswer, error) {
	var answer *topology.RouteAnswer
	err := k.in(namespace, func(s *space) error {
		links, err := s.links(ctx)
		if err != nil {
			return err
		}
		r, err := routeQuestion(q, links)
		if err != nil {
			return err
		}
		errs, err := s.exchange([]*nl.NetlinkRequest{r}, func(_ int, body []byte) { answer = decodeRouteAnswer(body, links) })
		switch {
		case err != nil:
			return err
		case errs[0] != nil:
			answer, err = refusedRoute(errs[0])
			return err
		case answer == nil:
			return fmt.Errorf("the kernel gave no route to %s", q.Destination)
		}
		return nil
	})
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("look up the route to %s: %w", q.Destination, err))
	}
	return answer, nil
}

// links lists the links of a namespace.
func (s *space) links(ctx context.Context) ([]LinkFacts, error) {
	var links []LinkFacts
	err := dumpInto(ctx, s, &links, unix.RTM_GETLINK, linkRequest(unix.AF_UNSPEC), u32Attr(unix.IFLA_EXT_MASK, skipStats))
	return links, err
}

func routeQuestion(q topology.RouteQuestion, links []LinkFacts) (*nl.NetlinkRequest, error) {
	header := &nl.RtMsg{}
	header.Family = uint8(family(q.Destination))
	header.Dst_len = uint8(q.Destination.BitLen())
	attributes := []*nl.RtAttr{nl.NewRtAttr(unix.RTA_DST, q.Destination.AsSlice())}
	if q.Source.IsValid() {
		header.Src_len = uint8(q.Source.BitLen())
		attributes = append(attributes, nl.NewRtAttr(unix.RTA_SRC, q.Source.AsSlice()))
	}
	by, attribute := q.From, unix.RTA_IIF
	if zone := q.Destination.Zone(); by == "" && zone != "" {
		by, attribute = zone, unix.RTA_OIF
	}
	if by != "" {
		index := 0
		for _, l := range links {
			if l.Name == by {
				index = l.Ifindex
			}
		}
		if index == 0 {
			return nil, linkError(by, unix.ENODEV)
		}
		attributes = append(attributes, u32Attr(attribute, uint32(index)))
	}
	return request(unix.RTM_GETROUTE, 0, header, attributes...), nil
}

// rtaxMTU is RTAX_MTU of linux/rtnetlink.h.
const rtaxMTU = 2

func decodeRouteAnswer(b []byte, links []LinkFacts) *topology.RouteAnswer {
	if len(b) < unix.SizeofRtMsg {
		return nil
	}
	a := &topology.RouteAnswer{Type: routeType(b[7])}
	errno := unix.Errno(0)
	for t, v := range attributes(b, unix.SizeofRtMsg) {
		switch t {
		case unix.RTA_OIF:
			for _, l := range links {
				if l.Ifindex == int(u32(v)) {
					a.Link = l.Name
				}
			}
		case unix.RTA_GATEWAY:
			a.Gateway = addressText(v)
		case unix.RTA_VIA: // struct rtvia: family, address
			a.Gateway = addressText(v[min(2, len(v)):])
		case unix.RTA_PREFSRC:
			a.Source = addressText(v)
		case unix.RTA_CACHEINFO: // struct rta_cacheinfo: its fourth word is rta_error
			if len(v) >= 16 {
				errno = unix.Errno(-int32(u32(v[12:])))
			}
		case unix.RTA_METRICS:
			for metric, value := range attributes(v, 0) {
				if metric == rtaxMTU {
					a.MTU = int(u32(value))
				}
			}
		}
	}
	// IPv6 answers a route that leads nowhere, with its error (rt6_fill_node).
	if a.Type == "blackhole" || a.Type == "unreachable" || a.Type == "prohibit" || errno != 0 {
		if refused, err := refusedRoute(errno); err == nil {
			return refused
		}
		a.Refusal = topology.OtherRefuse
	}
	return a
}

// refusedRoute is the answer that an errno stands for.
func refusedRoute(err error) (*topology.RouteAnswer, error) {
	for errno, r := range map[unix.Errno]topology.RouteRefusal{
		unix.ENETUNREACH: topology.NoRoute, unix.EHOSTUNREACH: topology.Unreachable, unix.EACCES: topology.Prohibited,
		unix.EINVAL: topology.Blackhole, unix.EXDEV: topology.ReversePath,
	} {
		if errors.Is(err, errno) {
			return &topology.RouteAnswer{Refusal: r}, nil
		}
	}
	return nil, err
}

// Neighbours lists the ARP and ND table of a namespace.
func (k *Kernel) Neighbours(ctx context.Context, namespace string) ([]topology.Neighbour, error) {
	var out []topology.Neighbour
	err := k.in(namespace, func(s *space) error {
		links, err := s.links(ctx)
		if err != nil {
			return err
		}
		var facts []NeighbourFacts
		if err := dumpInto(ctx, s, &facts, unix.RTM_GETNEIGH, neighbourRequest{}); err != nil {
			return err
		}
		for _, f := range facts {
			for _, l := range links {
				if l.Ifindex == f.Ifindex {
					f.Namespace, f.Link = namespace, l.Name
				}
			}
			out = append(out, f.Neighbour)
		}
		return nil
	})
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("list the neighbours: %w", err))
	}
	return out, nil
}

// deleteNeighbour removes an entry of the ARP or ND table.
func deleteNeighbour(c topology.DeleteNeighbour, find *finder) (*nl.NetlinkRequest, error) {
	l, err := find.link(c.Link)
	if err != nil {
		return nil, err
	}
	a, err := netip.ParseAddr(c.Address)
	if err != nil {
		return nil, topology.Errorf(topology.CodeInvalid, "", "%s is no IP address", c.Address)
	}
	return neighbourRemoval(l.Ifindex, a), nil
}
