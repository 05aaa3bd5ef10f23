package netops

import (
	"errors"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// createVeth makes both ends of a pair in one request, each directly in its
// namespace: the peer's description carries the namespace it belongs to.
func (k *Kernel) createVeth(c topology.CreateVeth) error {
	return k.in(c.A.Namespace, func(a *space) error {
		return k.in(c.B.Namespace, func(b *space) error {
			near, err := newLink(c.A.Name, c.A.MAC, c.A.MTU)
			if err != nil {
				return err
			}
			far, err := newLink(c.B.Name, c.B.MAC, c.B.MTU)
			if err != nil {
				return err
			}
			peer := nl.NewRtAttr(nl.VETH_INFO_PEER, nil)
			nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
			for _, attribute := range append(far, u32Attr(unix.IFLA_NET_NS_FD, uint32(b.ns.Fd()))) {
				peer.AddChild(attribute)
			}
			err = a.send(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, nl.NewIfInfomsg(unix.AF_UNSPEC),
				append(near, nestAttr(unix.IFLA_LINKINFO,
					stringAttr(nl.IFLA_INFO_KIND, "veth"),
					nestAttr(nl.IFLA_INFO_DATA, peer)))...)
			if errors.Is(err, unix.EEXIST) {
				// The kernel does not say which of the two.
				if _, missing := a.lookUp(c.A.Name); missing != nil {
					return &topology.Error{
						Code: topology.CodeConflict, Subject: c.B.Namespace + "/" + c.B.Name,
						Detail: "there is already a link of this name", Err: err,
					}
				}
			}
			return err
		})
	})
}
