package netops

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Rules that iptables(8) makes in nf_tables are in part expressions, in part
// matches and targets of the older x_tables, which come with structures of their
// own (linux/netfilter/xt_….h).

// match runs a match of x_tables.
func (m *filterMachine) match(e expression) (fits bool, doubt string) {
	name, info := text(e.attribute(unix.NFTA_MATCH_NAME)), e.attribute(unix.NFTA_MATCH_INFO)
	switch {
	case name == "comment":
		return true, ""
	case (name == "icmp" || name == "icmp6") && len(info) >= 4:
		return m.isICMP(info), ""
	case name == "conntrack" && len(info) >= 152:
		return m.isTracked(info)
	}
	return true, "whether it fits is up to the match " + name
}

// isICMP reads struct ipt_icmp or ip6t_icmp: type, codes from and to, inversion.
func (m *filterMachine) isICMP(info []byte) bool {
	h := m.packet.transport
	if len(h) < 2 {
		return false
	}
	// 255 is any type, in ip_tables only.
	is := info[0] == 255 && m.packet.Destination.Is4() || info[0] == h[0] && info[1] <= h[1] && h[1] <= info[2]
	return is != (info[3]&1 != 0)
}

// isTracked reads struct xt_conntrack_mtinfo, revisions 2 and 3, as far as it is
// about states.
func (m *filterMachine) isTracked(info []byte) (fits bool, doubt string) {
	const state = 1 // XT_CONNTRACK_STATE
	flags, invert, mask := binary.NativeEndian.Uint16(info[146:]), binary.NativeEndian.Uint16(info[148:]), binary.NativeEndian.Uint16(info[150:])
	if flags&state == 0 || flags&^state != 0 {
		return true, "whether it fits is up to the match conntrack"
	}
	// XT_CONNTRACK_STATE_BIT numbers the states as nf_tables does.
	return (uint32(mask)&m.packet.ctState() != 0) != (invert&state != 0), ""
}

// target runs a target of x_tables.
func (m *filterMachine) target(e expression) (fits bool, doubt string, v *nftVerdict) {
	switch name := text(e.attribute(unix.NFTA_TARGET_NAME)); name {
	case "LOG", "NFLOG", "MARK", "CONNMARK", "CHECKSUM", "TCPMSS", "CT", "NOTRACK", "TTL", "DSCP", "CLASSIFY":
		return true, "", nil
	case "REJECT":
		return true, "", &nftVerdict{word: rejects}
	case "MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP":
		return true, "", &nftVerdict{word: translates}
	default:
		return true, "what the target " + name + " does cannot be told", &nftVerdict{code: nfDrop}
	}
}
