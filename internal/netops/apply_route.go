package netops

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// addRoute adds a route as `ip route add` does: to the main table, by protocol
// boot, with link scope where an IPv4 route has no gateway.
func addRoute(r topology.Route, find *finder) (*nl.NetlinkRequest, error) {
	attributes, header, err := route(r, nl.NewRtMsg(), find)
	if err != nil {
		return nil, err
	}
	if header.Family == unix.AF_INET && r.Gateway == "" {
		header.Scope = unix.RT_SCOPE_LINK
	}
	return request(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, header, attributes...), nil
}

// deleteRoute deletes the first route that matches, whoever made it, as
// `ip route delete` does.
func deleteRoute(r topology.Route, find *finder) (*nl.NetlinkRequest, error) {
	attributes, header, err := route(r, nl.NewRtDelMsg(), find)
	if err != nil {
		return nil, err
	}
	return request(unix.RTM_DELROUTE, 0, header, attributes...), nil
}

// route writes what a route is known by: destination, gateway, link, metric.
func route(r topology.Route, header *nl.RtMsg, find *finder) ([]*nl.RtAttr, *nl.RtMsg, error) {
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
		l, err := find.link(r.Link)
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
