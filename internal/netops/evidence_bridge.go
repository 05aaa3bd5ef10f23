package netops

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// inside gives the value at a path of nested attributes; nil when it is not there.
func inside(b []byte, header int, path ...uint16) []byte {
	for _, want := range path {
		var next []byte
		for t, v := range attributes(b, header) {
			if t == want {
				next = v
			}
		}
		b, header = next, 0
	}
	return b
}

// BridgeCalls tells whether a bridge hands the packets it forwards to the filter
// of their own protocol as well, by a setting of its own (br_nf_pre_routing of
// net/bridge/br_netfilter_hooks.c); that of its namespace is
// net/bridge/bridge-nf-call-iptables and -ip6tables.
func (k *Kernel) BridgeCalls(_ context.Context, namespace, bridge string) (ipv4, ipv6 bool, err error) {
	err = k.in(namespace, func(s *space) error {
		r := request(unix.RTM_GETLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC),
			stringAttr(unix.IFLA_IFNAME, bridge), u32Attr(unix.IFLA_EXT_MASK, skipStats))
		is := func(body []byte, setting uint16) bool {
			v := inside(body, unix.SizeofIfInfomsg, unix.IFLA_LINKINFO, unix.IFLA_INFO_DATA, setting)
			return len(v) > 0 && v[0] != 0
		}
		errs, err := s.exchange([]*nl.NetlinkRequest{r}, func(_ int, body []byte) {
			ipv4, ipv6 = is(body, unix.IFLA_BR_NF_CALL_IPTABLES), is(body, unix.IFLA_BR_NF_CALL_IP6TABLES)
		})
		return errors.Join(append(errs, err)...)
	})
	return ipv4, ipv6, refusal(namespace+"/"+bridge, err)
}

// BridgeVLANs lists the VLANs of the bridges and bridge ports of a namespace, by
// link.
func (k *Kernel) BridgeVLANs(ctx context.Context, namespace string) (map[string]topology.VLANs, error) {
	out := map[string]topology.VLANs{}
	err := k.in(namespace, func(s *space) error {
		return s.dumpAgain(ctx, func() error {
			clear(out)
			r := request(unix.RTM_GETLINK, unix.NLM_F_DUMP, linkRequest(unix.AF_BRIDGE), u32Attr(unix.IFLA_EXT_MASK, nl.RTEXT_FILTER_BRVLAN))
			return s.dumpList(r, func(b []byte) {
				if name := text(inside(b, unix.SizeofIfInfomsg, unix.IFLA_IFNAME)); name != "" {
					out[name] = decodeVLANs(inside(b, unix.SizeofIfInfomsg, unix.IFLA_AF_SPEC))
				}
			})
		})
	})
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("list VLANs: %w", err))
	}
	return out, nil
}

// decodeVLANs reads the struct bridge_vlan_info of a port: flags, vid.
func decodeVLANs(b []byte) topology.VLANs {
	vlans := topology.VLANs{Members: map[int]bool{}, Untagged: map[int]bool{}}
	for t, v := range attributes(b, 0) {
		if t != nl.IFLA_BRIDGE_VLAN_INFO || len(v) < 4 {
			continue
		}
		flags, vid := binary.NativeEndian.Uint16(v), int(binary.NativeEndian.Uint16(v[2:]))
		vlans.Members[vid] = true
		if flags&nl.BRIDGE_VLAN_INFO_PVID != 0 {
			vlans.PVID = vid
		}
		if flags&nl.BRIDGE_VLAN_INFO_UNTAGGED != 0 {
			vlans.Untagged[vid] = true
		}
	}
	return vlans
}
