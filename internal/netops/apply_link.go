package netops

import (
	"net"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// setLink changes a link that is given by name (`ip link set NAME …`).
func setLink(name string, attributes ...*nl.RtAttr) *nl.NetlinkRequest {
	attributes = append([]*nl.RtAttr{stringAttr(unix.IFLA_IFNAME, name)}, attributes...)
	return request(unix.RTM_NEWLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC), attributes...)
}

func deleteLink(name string) *nl.NetlinkRequest {
	return request(unix.RTM_DELLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC), stringAttr(unix.IFLA_IFNAME, name))
}

func setUp(c topology.SetUp) *nl.NetlinkRequest {
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Change = unix.IFF_UP
	if c.Up {
		header.Flags = unix.IFF_UP
	}
	return request(unix.RTM_NEWLINK, 0, header, stringAttr(unix.IFLA_IFNAME, c.Name))
}

func setARP(c topology.SetARP) *nl.NetlinkRequest {
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Change = unix.IFF_NOARP
	if !c.On {
		header.Flags = unix.IFF_NOARP
	}
	return request(unix.RTM_NEWLINK, 0, header, stringAttr(unix.IFLA_IFNAME, c.Name))
}

func rename(c topology.Rename, find *finder) (*nl.NetlinkRequest, error) {
	l, err := find.link(c.Name)
	if err != nil {
		return nil, err
	}
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(l.Ifindex)
	return request(unix.RTM_NEWLINK, 0, header, stringAttr(unix.IFLA_IFNAME, c.To)), nil
}

// move puts a link into another namespace, under its new name at once.
func (s *space) move(c topology.Move, find *finder) (prepared, error) {
	l, err := find.link(c.Name)
	if err != nil {
		return prepared{}, err
	}
	to, release, err := s.kernel.acquire(c.ToNamespace)
	if err != nil {
		return prepared{}, err
	}
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(l.Ifindex)
	attributes := []*nl.RtAttr{u32Attr(unix.IFLA_NET_NS_FD, uint32(to.ns.Fd()))}
	if c.To != "" && c.To != c.Name {
		attributes = append(attributes, stringAttr(unix.IFLA_IFNAME, c.To))
	}
	return prepared{request(unix.RTM_NEWLINK, 0, header, attributes...), release}, nil
}

func setMAC(c topology.SetMAC) (*nl.NetlinkRequest, error) {
	mac, err := net.ParseMAC(c.MAC)
	if err != nil {
		return nil, topology.Errorf(topology.CodeInvalid, "", "%s is no MAC address", c.MAC)
	}
	return setLink(c.Name, nl.NewRtAttr(unix.IFLA_ADDRESS, mac)), nil
}

func setMTU(c topology.SetMTU) *nl.NetlinkRequest {
	return setLink(c.Name, u32Attr(unix.IFLA_MTU, uint32(c.MTU)))
}

func setAlias(c topology.SetAlias) *nl.NetlinkRequest {
	return setLink(c.Name, nl.NewRtAttr(unix.IFLA_IFALIAS, []byte(c.Alias)))
}

func setMaster(c topology.SetMaster, find *finder) (*nl.NetlinkRequest, error) {
	master := 0
	if c.Master != "" {
		bridge, err := find.bridge(c.Master)
		if err != nil {
			return nil, err
		}
		master = bridge.Ifindex
	}
	return setLink(c.Name, u32Attr(unix.IFLA_MASTER, uint32(master))), nil
}

func setAddressGeneration(c topology.SetAddressGeneration) *nl.NetlinkRequest {
	mode := uint8(nl.IN6_ADDR_GEN_MODE_NONE)
	if c.On {
		mode = nl.IN6_ADDR_GEN_MODE_EUI64
	}
	return setLink(c.Name, nestAttr(unix.IFLA_AF_SPEC, nestAttr(unix.AF_INET6, u8Attr(unix.IFLA_INET6_ADDR_GEN_MODE, mode))))
}

// newLink gives the attributes of a link that is being made: its name, and
// what the kernel shall not choose itself.
func newLink(name, mac string, mtu int) ([]*nl.RtAttr, error) {
	attributes := []*nl.RtAttr{stringAttr(unix.IFLA_IFNAME, name)}
	if mac != "" {
		address, err := net.ParseMAC(mac)
		if err != nil {
			return nil, topology.Errorf(topology.CodeInvalid, "", "%s is no MAC address", mac)
		}
		attributes = append(attributes, nl.NewRtAttr(unix.IFLA_ADDRESS, address))
	}
	if mtu != 0 {
		attributes = append(attributes, u32Attr(unix.IFLA_MTU, uint32(mtu)))
	}
	return attributes, nil
}
