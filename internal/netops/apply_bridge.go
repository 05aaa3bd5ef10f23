package netops

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// clockTicks is the kernel's unit of bridge times, USER_HZ: 1/100 s on every
// architecture Go runs on.
const clockTicks = 100

// createBridge makes a bridge with all of its settings in one request. The
// kernel undoes it if one of them is refused.
func (s *space) createBridge(c topology.CreateBridge) (*nl.NetlinkRequest, error) {
	settings, err := s.bridgeSettings(c.Attributes)
	if err != nil {
		return nil, err
	}
	link, err := newLink(c.Name, c.MAC, c.MTU)
	if err != nil {
		return nil, err
	}
	return request(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, nl.NewIfInfomsg(unix.AF_UNSPEC),
		append(link, bridgeInfo(settings))...), nil
}

func (s *space) setBridge(c topology.SetBridge, find *finder) (*nl.NetlinkRequest, error) {
	settings, err := s.bridgeSettings(c.Attributes)
	if err != nil {
		return nil, err
	}
	if _, err := find.bridge(c.Name); err != nil {
		return nil, err
	}
	return setLink(c.Name, bridgeInfo(settings)), nil
}

func bridgeInfo(settings []*nl.RtAttr) *nl.RtAttr {
	return nestAttr(unix.IFLA_LINKINFO,
		stringAttr(nl.IFLA_INFO_KIND, "bridge"),
		nestAttr(nl.IFLA_INFO_DATA, settings...))
}

// bridgeSettings writes the settings that are asked for (IFLA_BR_* in
// linux/if_link.h, in the sizes br_policy of net/bridge/br_netlink.c wants).
func (s *space) bridgeSettings(a topology.BridgeAttributes) ([]*nl.RtAttr, error) {
	var out []*nl.RtAttr
	flag32 := func(attribute int, v *bool) {
		if v != nil {
			out = append(out, u32Attr(attribute, number(*v)))
		}
	}
	flag8 := func(attribute int, v *bool) {
		if v != nil {
			out = append(out, u8Attr(attribute, uint8(number(*v))))
		}
	}
	seconds := func(attribute int, v *int) {
		if v != nil {
			out = append(out, u32Attr(attribute, uint32(*v*clockTicks)))
		}
	}
	// A kernel without VLAN filtering refuses the attribute, on or off, but only
	// after it has changed what comes before it (br_changelink).
	if a.VLANFiltering != nil && !s.kernel.features()[topology.FeatureVLANFiltering] {
		return nil, unsupported(topology.FeatureVLANFiltering)
	}
	flag32(nl.IFLA_BR_STP_STATE, a.STP)
	seconds(nl.IFLA_BR_AGEING_TIME, a.AgeingSeconds)
	seconds(nl.IFLA_BR_FORWARD_DELAY, a.ForwardDelaySeconds)
	seconds(nl.IFLA_BR_HELLO_TIME, a.HelloSeconds)
	seconds(nl.IFLA_BR_MAX_AGE, a.MaxAgeSeconds)
	if a.Priority != nil {
		out = append(out, u16Attr(nl.IFLA_BR_PRIORITY, uint16(*a.Priority)))
	}
	flag8(nl.IFLA_BR_MCAST_SNOOPING, a.MulticastSnooping)
	flag8(nl.IFLA_BR_VLAN_FILTERING, a.VLANFiltering)
	return out, nil
}

// setPort changes a port's settings, as `ip link set NAME type bridge_slave`.
func setPort(c topology.SetPort) *nl.NetlinkRequest {
	return setLink(c.Name, nestAttr(unix.IFLA_LINKINFO,
		stringAttr(nl.IFLA_INFO_SLAVE_KIND, "bridge"),
		nestAttr(nl.IFLA_INFO_SLAVE_DATA, portSettings(c.Attributes)...)))
}

// portSettings writes the settings that are asked for (IFLA_BRPORT_*, in the
// sizes br_port_policy of net/bridge/br_netlink.c wants).
func portSettings(a topology.PortAttributes) []*nl.RtAttr {
	var out []*nl.RtAttr
	flag := func(attribute int, v *bool) {
		if v != nil {
			out = append(out, u8Attr(attribute, uint8(number(*v))))
		}
	}
	if a.Cost != nil {
		out = append(out, u32Attr(nl.IFLA_BRPORT_COST, uint32(*a.Cost)))
	}
	if a.Priority != nil {
		out = append(out, u16Attr(nl.IFLA_BRPORT_PRIORITY, uint16(*a.Priority)))
	}
	flag(nl.IFLA_BRPORT_MODE, a.Hairpin)
	flag(nl.IFLA_BRPORT_GUARD, a.Guard)
	flag(nl.IFLA_BRPORT_PROTECT, a.RootBlock)
	flag(nl.IFLA_BRPORT_FAST_LEAVE, a.FastLeave)
	flag(nl.IFLA_BRPORT_LEARNING, a.Learning)
	flag(nl.IFLA_BRPORT_UNICAST_FLOOD, a.Flood)
	flag(nl.IFLA_BRPORT_MCAST_FLOOD, a.MulticastFlood)
	flag(nl.IFLA_BRPORT_BCAST_FLOOD, a.BroadcastFlood)
	flag(nl.IFLA_BRPORT_ISOLATED, a.Isolated)
	return out
}

func number(v bool) uint32 {
	if v {
		return 1
	}
	return 0
}
