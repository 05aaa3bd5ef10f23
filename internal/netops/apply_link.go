package netops

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// Most requests name their link with IFLA_IFNAME and let the kernel look it
// up. Where IFLA_IFNAME says something else, or the message has no room for it,
// lookUp finds the index first.

// skipStats asks for a link without its counters (RTEXT_FILTER_SKIP_STATS in
// linux/rtnetlink.h).
const skipStats = 1 << 3

// lookUp finds a link by name.
func (s *space) lookUp(name string) (*LinkFacts, error) {
	req, err := s.request(unix.RTM_GETLINK, 0)
	if err != nil {
		return nil, err
	}
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(stringAttr(unix.IFLA_IFNAME, name))
	req.AddData(u32Attr(unix.IFLA_EXT_MASK, skipStats))
	answers, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWLINK)
	if err != nil {
		return nil, linkError(name, err)
	}
	if len(answers) == 1 {
		if l := decodeLink(answers[0]); l != nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("look up link %s: no usable answer", name)
}

// lookUpBridge finds a bridge by name.
func (s *space) lookUpBridge(name string) (*LinkFacts, error) {
	l, err := s.lookUp(name)
	if err == nil && l.Kind != "bridge" {
		err = topology.Errorf(topology.CodeConflict, "", "%s is no bridge", name)
	}
	return l, err
}

// setLink changes a link that is given by name (`ip link set NAME …`).
func (s *space) setLink(name string, attributes ...*nl.RtAttr) error {
	attributes = append([]*nl.RtAttr{stringAttr(unix.IFLA_IFNAME, name)}, attributes...)
	return linkError(name, s.send(unix.RTM_NEWLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC), attributes...))
}

func (s *space) deleteLink(name string) error {
	return linkError(name, s.send(unix.RTM_DELLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC), stringAttr(unix.IFLA_IFNAME, name)))
}

func (s *space) setUp(c topology.SetUp) error {
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Change = unix.IFF_UP
	if c.Up {
		header.Flags = unix.IFF_UP
	}
	return linkError(c.Name, s.send(unix.RTM_NEWLINK, 0, header, stringAttr(unix.IFLA_IFNAME, c.Name)))
}

func (s *space) rename(c topology.Rename) error {
	l, err := s.lookUp(c.Name)
	if err != nil {
		return err
	}
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(l.Ifindex)
	return s.send(unix.RTM_NEWLINK, 0, header, stringAttr(unix.IFLA_IFNAME, c.To))
}

// move puts a link into another namespace, under its new name at once.
func (k *Kernel) move(c topology.Move) error {
	return k.in(c.Namespace, func(from *space) error {
		return k.in(c.ToNamespace, func(to *space) error {
			l, err := from.lookUp(c.Name)
			if err != nil {
				return err
			}
			header := nl.NewIfInfomsg(unix.AF_UNSPEC)
			header.Index = int32(l.Ifindex)
			attributes := []*nl.RtAttr{u32Attr(unix.IFLA_NET_NS_FD, uint32(to.ns.Fd()))}
			if c.To != "" && c.To != c.Name {
				attributes = append(attributes, stringAttr(unix.IFLA_IFNAME, c.To))
			}
			return from.send(unix.RTM_NEWLINK, 0, header, attributes...)
		})
	})
}

func (s *space) setMAC(c topology.SetMAC) error {
	mac, err := net.ParseMAC(c.MAC)
	if err != nil {
		return topology.Errorf(topology.CodeInvalid, "", "%s is no MAC address", c.MAC)
	}
	return s.setLink(c.Name, nl.NewRtAttr(unix.IFLA_ADDRESS, mac))
}

func (s *space) setMTU(c topology.SetMTU) error {
	return s.setLink(c.Name, u32Attr(unix.IFLA_MTU, uint32(c.MTU)))
}

func (s *space) setAlias(c topology.SetAlias) error {
	return s.setLink(c.Name, nl.NewRtAttr(unix.IFLA_IFALIAS, []byte(c.Alias)))
}

func (s *space) setMaster(c topology.SetMaster) error {
	master := 0
	if c.Master != "" {
		bridge, err := s.lookUpBridge(c.Master)
		if err != nil {
			return err
		}
		master = bridge.Ifindex
	}
	return s.setLink(c.Name, u32Attr(unix.IFLA_MASTER, uint32(master)))
}

func (s *space) setAddressGeneration(c topology.SetAddressGeneration) error {
	mode := uint8(nl.IN6_ADDR_GEN_MODE_NONE)
	if c.On {
		mode = nl.IN6_ADDR_GEN_MODE_EUI64
	}
	return s.setLink(c.Name, nestAttr(unix.IFLA_AF_SPEC, nestAttr(unix.AF_INET6, u8Attr(unix.IFLA_INET6_ADDR_GEN_MODE, mode))))
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
