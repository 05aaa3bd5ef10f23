package netops

import (
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// addAddress adds an address as `ip address add` does: without a broadcast
// address, which the library would add, and with host scope for 127.0.0.0/8.
func (s *space) addAddress(link, cidr string) error {
	return s.address(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, link, cidr)
}

func (s *space) deleteAddress(link, cidr string) error {
	return s.address(unix.RTM_DELADDR, 0, link, cidr)
}

func (s *space) address(proto, flags int, link, cidr string) error {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return topology.Errorf(topology.CodeInvalid, "", "%s is no address in CIDR form", cidr)
	}
	l, err := s.lookUp(link)
	if err != nil {
		return err
	}
	header := nl.NewIfAddrmsg(family(p.Addr()))
	header.Prefixlen = uint8(p.Bits())
	header.Index = uint32(l.Ifindex)
	if p.Addr().Is4() && p.Addr().IsLoopback() && proto == unix.RTM_NEWADDR {
		header.Scope = unix.RT_SCOPE_HOST
	}
	ip := p.Addr().AsSlice()
	return s.send(proto, flags, header, nl.NewRtAttr(unix.IFA_LOCAL, ip), nl.NewRtAttr(unix.IFA_ADDRESS, ip))
}

func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}
