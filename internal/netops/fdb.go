package netops

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// FDB reads the MAC table of one bridge, with ages.
func (k *Kernel) FDB(ctx context.Context, namespace, bridge string) ([]FDBFacts, error) {
	var list []FDBFacts
	err := k.in(namespace, func(s *space) (err error) {
		list, err = s.macTable(ctx, bridge)
		return err
	})
	return list, refusal(namespace+"/"+bridge, err)
}

// FlushFDB removes the learned entries of a bridge's MAC table and tells how
// many. Static and local ones stay.
func (k *Kernel) FlushFDB(ctx context.Context, namespace, bridge string) (int, error) {
	n := 0
	err := k.in(namespace, func(s *space) error {
		list, err := s.macTable(ctx, bridge)
		if err != nil {
			return err
		}
		for _, f := range list {
			if f.State != "learned" {
				continue
			}
			err := s.deleteLearned(f)
			if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
				continue // expired meanwhile, or its port is gone
			}
			if err != nil {
				return fmt.Errorf("remove %s: %w", f.MAC, err)
			}
			n++
		}
		return nil
	})
	return n, refusal(namespace+"/"+bridge, err)
}

func (s *space) macTable(ctx context.Context, bridge string) ([]FDBFacts, error) {
	b, err := s.lookUpBridge(bridge)
	if err != nil {
		return nil, err
	}
	var list []FDBFacts
	err = dumpInto(ctx, s, &list, unix.RTM_GETNEIGH, linkRequest(unix.AF_BRIDGE), u32Attr(unix.IFLA_MASTER, uint32(b.Ifindex)))
	if err != nil {
		return nil, fmt.Errorf("read the MAC table: %w", err)
	}
	return list, nil
}

func (s *space) deleteLearned(f FDBFacts) error {
	mac, err := net.ParseMAC(f.MAC)
	if err != nil {
		return err
	}
	attributes := []*nl.RtAttr{nl.NewRtAttr(unix.NDA_LLADDR, mac)}
	if f.VLAN != 0 {
		attributes = append(attributes, u16Attr(unix.NDA_VLAN, uint16(f.VLAN)))
	}
	header := &netlink.Ndmsg{Family: unix.AF_BRIDGE, Index: uint32(f.PortIndex), Flags: unix.NTF_MASTER}
	return s.send(request(unix.RTM_DELNEIGH, 0, header, attributes...))
}
