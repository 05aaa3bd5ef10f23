package netops

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// addAddress adds an address as `ip address add` does: without a broadcast
// address, which the library would add, and with host scope for 127.0.0.0/8.
func addAddress(link, cidr string, find *finder) (*nl.NetlinkRequest, error) {
	return addressRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, link, cidr, find)
}

func deleteAddress(link, cidr string, find *finder) (*nl.NetlinkRequest, error) {
	return addressRequest(unix.RTM_DELADDR, 0, link, cidr, find)
}

func addressRequest(proto, flags int, link, cidr string, find *finder) (*nl.NetlinkRequest, error) {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil, topology.Errorf(topology.CodeInvalid, "", "%s is no address in CIDR form", cidr)
	}
	l, err := find.link(link)
	if err != nil {
		return nil, err
	}
	header := nl.NewIfAddrmsg(family(p.Addr()))
	header.Prefixlen = uint8(p.Bits())
	header.Index = uint32(l.Ifindex)
	if p.Addr().Is4() && p.Addr().IsLoopback() && proto == unix.RTM_NEWADDR {
		header.Scope = unix.RT_SCOPE_HOST
	}
	ip := p.Addr().AsSlice()
	return request(proto, flags, header, nl.NewRtAttr(unix.IFA_LOCAL, ip), nl.NewRtAttr(unix.IFA_ADDRESS, ip)), nil
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
