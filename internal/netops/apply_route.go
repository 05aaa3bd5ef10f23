package netops

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// addRoute adds a route as `ip route add` does: to the main table, by protocol
// boot, with link scope where an IPv4 route has no gateway.
func (s *space) addRoute(r topology.Route) error {
	attributes, header, err := s.route(r, nl.NewRtMsg())
	if err != nil {
		return err
	}
	if header.Family == unix.AF_INET && r.Gateway == "" {
		header.Scope = unix.RT_SCOPE_LINK
	}
	return s.send(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, header, attributes...)
}

// deleteRoute deletes the first route that matches, whoever made it, as
// `ip route delete` does.
func (s *space) deleteRoute(r topology.Route) error {
	attributes, header, err := s.route(r, nl.NewRtDelMsg())
	if err != nil {
		return err
	}
	return s.send(unix.RTM_DELROUTE, 0, header, attributes...)
}

// route writes what a route is known by: destination, gateway, link, metric.
func (s *space) route(r topology.Route, header *nl.RtMsg) ([]*nl.RtAttr, *nl.RtMsg, error) {
	var attributes []*nl.RtAttr
	var gateway netip.Addr
	if r.Gateway != "" {
		var err error
		if gateway, err = netip.ParseAddr(r.Gateway); err != nil {
			return nil, nil, topology.Errorf(topology.CodeInvalid, "", "%s is no address of a gateway", r.Gateway)
		}
		header.Family = uint8(family(gateway))
		attributes = append(attributes, nl.NewRtAttr(unix.RTA_GATEWAY, gateway.AsSlice()))
	}
	switch destination, err := netip.ParsePrefix(r.Destination); {
	case r.Destination == "default" && r.Gateway == "":
		header.Family = unix.AF_INET
	case r.Destination == "default":
	case err != nil:
		return nil, nil, topology.Errorf(topology.CodeInvalid, "", "%s is no network in CIDR form", r.Destination)
	case gateway.IsValid() && gateway.Is4() != destination.Addr().Is4():
		return nil, nil, topology.Errorf(topology.CodeInvalid, "", "gateway %s is of another family than %s", r.Gateway, r.Destination)
	default:
		header.Family = uint8(family(destination.Addr()))
		header.Dst_len = uint8(destination.Bits())
		attributes = append(attributes, nl.NewRtAttr(unix.RTA_DST, destination.Addr().AsSlice()))
	}
	if r.Link != "" {
		l, err := s.lookUp(r.Link)
		if err != nil {
			return nil, nil, err
		}
		attributes = append(attributes, u32Attr(unix.RTA_OIF, uint32(l.Ifindex)))
	}
	if r.Metric != 0 {
		attributes = append(attributes, u32Attr(unix.RTA_PRIORITY, uint32(r.Metric)))
	}
	return attributes, header, nil
}
