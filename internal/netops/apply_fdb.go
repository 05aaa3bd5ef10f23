package netops

import (
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// addFDB adds a static entry to a bridge's MAC table: towards a port as
// `bridge fdb add … master static`, towards the bridge itself as `… self local`.
func (s *space) addFDB(bridge string, e topology.FDBSpec, find *finder) (*nl.NetlinkRequest, error) {
	return s.fdb(unix.RTM_NEWNEIGH, unix.NLM_F_CREATE|unix.NLM_F_EXCL, bridge, e, find)
}

func (s *space) deleteFDB(bridge string, e topology.FDBSpec, find *finder) (*nl.NetlinkRequest, error) {
	return s.fdb(unix.RTM_DELNEIGH, 0, bridge, e, find)
}

func (s *space) fdb(proto, flags int, bridge string, e topology.FDBSpec, find *finder) (*nl.NetlinkRequest, error) {
	mac, err := net.ParseMAC(e.MAC)
	if err != nil {
		return nil, topology.Errorf(topology.CodeInvalid, "", "%s is no MAC address", e.MAC)
	}
	if e.VLAN != 0 && !s.kernel.features()[topology.FeatureVLANFiltering] {
		return nil, unsupported(topology.FeatureVLANFiltering)
	}
	b, err := find.bridge(bridge)
	if err != nil {
		return nil, err
	}
	header := &netlink.Ndmsg{Family: unix.AF_BRIDGE}
	if e.Port == bridge {
		header.Index = uint32(b.Ifindex)
		header.Flags = unix.NTF_SELF
		header.State = unix.NUD_NOARP | unix.NUD_PERMANENT
	} else {
		port, err := find.link(e.Port)
		if err != nil {
			return nil, err
		}
		if port.MasterIndex != b.Ifindex {
			return nil, topology.Errorf(topology.CodeConflict, "", "%s is no port of %s", e.Port, bridge)
		}
		header.Index = uint32(port.Ifindex)
		header.Flags = unix.NTF_MASTER
		header.State = unix.NUD_NOARP | unix.NUD_REACHABLE
	}
	attributes := []*nl.RtAttr{nl.NewRtAttr(unix.NDA_LLADDR, mac)}
	if e.VLAN != 0 {
		attributes = append(attributes, u16Attr(unix.NDA_VLAN, uint16(e.VLAN)))
	}
	return request(proto, flags, header, attributes...), nil
}
