package netops

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// createVeth makes both ends of a pair in one request, each directly in its
// namespace: the peer's description carries the namespace it belongs to.
func (s *space) createVeth(c topology.CreateVeth) (prepared, error) {
	near, err := newEnd(c.A, c.OneQueue)
	if err != nil {
		return prepared{}, err
	}
	far, err := newEnd(c.B, c.OneQueue)
	if err != nil {
		return prepared{}, err
	}
	b, release, err := s.kernel.acquire(c.B.Namespace)
	if err != nil {
		return prepared{}, err
	}
	peer := nl.NewRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	for _, attribute := range append(far, u32Attr(unix.IFLA_NET_NS_FD, uint32(b.ns.Fd()))) {
		peer.AddChild(attribute)
	}
	r := request(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, nl.NewIfInfomsg(unix.AF_UNSPEC),
		append(near, nestAttr(unix.IFLA_LINKINFO,
			stringAttr(nl.IFLA_INFO_KIND, "veth"),
			nestAttr(nl.IFLA_INFO_DATA, peer)))...)
	return prepared{r, release}, nil
}

func newEnd(e topology.VethEnd, oneQueue bool) ([]*nl.RtAttr, error) {
	attributes, err := newLink(e.Name, e.MAC, e.MTU)
	if oneQueue {
		attributes = append(attributes, u32Attr(unix.IFLA_NUM_TX_QUEUES, 1), u32Attr(unix.IFLA_NUM_RX_QUEUES, 1))
	}
	return attributes, err
}

// whichEnd says of which end of a pair the name is taken, which the kernel does
// not.
func (s *space) whichEnd(c topology.CreateVeth, err error) error {
	if missing := s.lookUp(c.A.Name); missing != nil {
		return &topology.Error{
			Code: topology.CodeConflict, Subject: c.B.Namespace + "/" + c.B.Name,
			Detail: "there is already a link of this name", Err: err,
		}
	}
	return err
}
