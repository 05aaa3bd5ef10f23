package netops

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

const (
	ifaProto = 11 // IFA_PROTO of linux/if_addr.h, since Linux 5.18
	rtaNHID  = 30 // RTA_NH_ID of linux/rtnetlink.h, since Linux 5.3
)

func decodeAddress(b []byte) *AddressFacts {
	if len(b) < unix.SizeofIfAddrmsg {
		return nil
	}
	f := &AddressFacts{Ifindex: int(u32(b[4:]))}
	flags := uint32(b[2])
	var local, remote netip.Addr
	for t, v := range attributes(b, unix.SizeofIfAddrmsg) {
		switch t {
		case unix.IFA_LOCAL:
			local, _ = address(v)
		case unix.IFA_ADDRESS:
			remote, _ = address(v)
		case unix.IFA_FLAGS:
			flags = u32(v)
		case ifaProto:
			f.Proto = map[byte]string{1: "kernel_lo", 2: "kernel_ra", 3: "kernel_ll"}[v[0]] // IFAPROT_*
		}
	}
	if !local.IsValid() {
		local = remote // only IPv4 and point-to-point links tell the two apart
	}
	if !local.IsValid() {
		return nil
	}
	f.CIDR = netip.PrefixFrom(local, int(b[1])).String()
	f.Scope = scope(b[3])
	f.Flags = addressFlags(flags, local.Is6())
	return f
}

func addressFlags(flags uint32, is6 bool) []string {
	var out []string
	secondary := "secondary"
	if is6 {
		secondary = "temporary" // the same bit
	}
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{unix.IFA_F_SECONDARY, secondary},
		{unix.IFA_F_TENTATIVE, "tentative"},
		{unix.IFA_F_DADFAILED, "dadfailed"},
		{unix.IFA_F_DEPRECATED, "deprecated"},
		{unix.IFA_F_NODAD, "nodad"},
		{unix.IFA_F_OPTIMISTIC, "optimistic"},
		{unix.IFA_F_NOPREFIXROUTE, "noprefixroute"},
	} {
		if flags&f.bit != 0 {
			out = append(out, f.name)
		}
	}
	if flags&unix.IFA_F_PERMANENT == 0 {
		out = append(out, "dynamic")
	}
	return out
}

func scope(v byte) string {
	switch v {
	case unix.RT_SCOPE_UNIVERSE:
		return "global"
	case unix.RT_SCOPE_SITE:
		return "site"
	case unix.RT_SCOPE_LINK:
		return "link"
	case unix.RT_SCOPE_HOST:
		return "host"
	case unix.RT_SCOPE_NOWHERE:
		return "nowhere"
	}
	return strconv.Itoa(int(v))
}

// decodeRoute reads a route of the main table. Of a multipath route the first
// hop is given.
func decodeRoute(b []byte) *RouteFacts {
	if len(b) < unix.SizeofRtMsg {
		return nil
	}
	family, table, flags := b[0], uint32(b[4]), u32(b[8:])
	if family != unix.AF_INET && family != unix.AF_INET6 || flags&unix.RTM_F_CLONED != 0 {
		return nil
	}
	f := &RouteFacts{RouteState: topology.RouteState{
		Family: "inet", Protocol: protocol(b[5]), Scope: scope(b[6]), Type: routeType(b[7]),
	}}
	if family == unix.AF_INET6 {
		f.Family = "inet6"
	}
	dst := netip.IPv4Unspecified()
	if family == unix.AF_INET6 {
		dst = netip.IPv6Unspecified()
	}
	var multipath, more bool
	for t, v := range attributes(b, unix.SizeofRtMsg) {
		switch t {
		case unix.RTA_TABLE:
			table = u32(v)
		case unix.RTA_DST:
			dst, _ = address(v)
		case unix.RTA_OIF:
			f.Ifindex = int(u32(v))
		case unix.RTA_PRIORITY:
			f.Metric = int(u32(v))
		case unix.RTA_PREFSRC:
			f.Source = addressText(v)
		case unix.RTA_GATEWAY:
			f.Gateway = addressText(v)
		case unix.RTA_VIA: // struct rtvia: family, address
			f.Gateway = addressText(v[min(2, len(v)):])
		case unix.RTA_MULTIPATH:
			firstHop(f, v)
			multipath = len(v) >= unix.SizeofRtNexthop && len(v) > int(binary.NativeEndian.Uint16(v))
		case rtaNHID, unix.RTA_ENCAP, unix.RTA_METRICS:
			more = true
		}
	}
	if table != unix.RT_TABLE_MAIN {
		return nil
	}
	f.Destination = netip.PrefixFrom(dst, int(b[1])).String()
	if b[1] == 0 {
		f.Destination = "default"
	}
	f.Flags = routeFlags(flags, multipath, more || b[2]|b[3] != 0)
	return f
}

// routeFlags names those of a route and its next hop: onlink; multipath, of
// whose hops only the first is given; and attributes, of which there are more
// than a RouteState holds (a nexthop object, an encapsulation, metrics such as
// its MTU, a type of service, a source network).
func routeFlags(flags uint32, multipath, more bool) []string {
	var out []string
	// RTNH_F_DEAD and _LINKDOWN follow the link's carrier without a message of
	// their own, so they are left to the link to show.
	if flags&unix.RTNH_F_ONLINK != 0 {
		out = append(out, "onlink")
	}
	if multipath {
		out = append(out, "multipath")
	}
	if more {
		out = append(out, "attributes")
	}
	return out
}

// firstHop reads struct rtnexthop: length, flags, hops, ifindex, attributes.
func firstHop(f *RouteFacts, b []byte) {
	if len(b) < unix.SizeofRtNexthop {
		return
	}
	f.Ifindex = int(u32(b[4:]))
	size := min(int(binary.NativeEndian.Uint16(b)), len(b))
	for t, v := range attributes(b[:size], unix.SizeofRtNexthop) {
		if t == unix.RTA_GATEWAY {
			f.Gateway = addressText(v)
		}
	}
}

func addressText(v []byte) string {
	if a, ok := address(v); ok {
		return a.String()
	}
	return ""
}

func protocol(v byte) string {
	switch v { // /etc/iproute2/rt_protos
	case unix.RTPROT_REDIRECT:
		return "redirect"
	case unix.RTPROT_KERNEL:
		return "kernel"
	case unix.RTPROT_BOOT:
		return "boot"
	case unix.RTPROT_STATIC:
		return "static"
	case unix.RTPROT_RA:
		return "ra"
	case unix.RTPROT_DHCP:
		return "dhcp"
	}
	return strconv.Itoa(int(v))
}

func routeType(v byte) string {
	names := []string{"none", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw", "nat"} // RTN_*
	if int(v) < len(names) {
		return names[v]
	}
	return strconv.Itoa(int(v))
}

// decodeNeighbourMessage reads struct ndmsg: an FDB entry for AF_BRIDGE, an ARP
// or ND entry otherwise. An entry that has turned into one that is not shown
// comes as Gone.
func decodeNeighbourMessage(b []byte) any {
	if len(b) < unix.SizeofNdMsg {
		return nil
	}
	switch b[0] {
	case unix.AF_BRIDGE:
		return orNil(decodeFDB(b))
	case unix.AF_INET, unix.AF_INET6:
		f := decodeNeighbour(b)
		switch {
		case f == nil:
			return nil
		case f.State == "":
			return Gone{*f}
		}
		return *f
	}
	return nil
}

func decodeNeighbour(b []byte) *NeighbourFacts {
	state, flags := binary.NativeEndian.Uint16(b[8:]), b[10]
	f := &NeighbourFacts{Ifindex: int(u32(b[4:]))}
	f.State, f.Router = neighbourState(state), flags&unix.NTF_ROUTER != 0
	for t, v := range attributes(b, unix.SizeofNdMsg) {
		switch t {
		case unix.NDA_DST:
			f.Address = addressText(v)
		case unix.NDA_LLADDR:
			f.MAC = net.HardwareAddr(v).String()
		}
	}
	if f.Address == "" || flags&unix.NTF_PROXY != 0 {
		return nil
	}
	return f
}

// neighbourState names a state; empty for those that ip(8) does not show
// either: none, and noarp, which is what multicast addresses have.
func neighbourState(s uint16) string {
	switch s {
	case unix.NUD_INCOMPLETE:
		return "incomplete"
	case unix.NUD_REACHABLE:
		return "reachable"
	case unix.NUD_STALE:
		return "stale"
	case unix.NUD_DELAY:
		return "delay"
	case unix.NUD_PROBE:
		return "probe"
	case unix.NUD_FAILED:
		return "failed"
	case unix.NUD_PERMANENT:
		return "permanent"
	}
	return ""
}

// decodeFDB reads an entry of a bridge's MAC table. Other links have forwarding
// entries as well (multicast filters, vxlan); these name no master.
func decodeFDB(b []byte) *FDBFacts {
	f := &FDBFacts{PortIndex: int(u32(b[4:]))}
	f.State = "learned"
	switch state := binary.NativeEndian.Uint16(b[8:]); { // fdb_to_nud in net/bridge/br_fdb.c
	case state&unix.NUD_PERMANENT != 0:
		f.State = "local"
	case state&unix.NUD_NOARP != 0:
		f.State = "static"
	}
	for t, v := range attributes(b, unix.SizeofNdMsg) {
		switch t {
		case unix.NDA_LLADDR:
			f.MAC = net.HardwareAddr(v).String()
		case unix.NDA_VLAN:
			f.VLAN = int(u32(v))
		case unix.NDA_MASTER:
			f.BridgeIndex = int(u32(v))
		case unix.NDA_CACHEINFO: // struct nda_cacheinfo: confirmed, used, updated, refcnt; in USER_HZ
			if f.State == "learned" && len(v) >= 12 {
				f.AgeSeconds = new(float64(u32(v[8:])) / 100)
			}
		}
	}
	if f.BridgeIndex == 0 || f.MAC == "" {
		return nil
	}
	return f
}
