package netops

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// send makes one request, waits for the kernel's acknowledgement and gives its
// refusal as an error.
func (s *space) send(proto, flags int, header nl.NetlinkRequestData, attributes ...*nl.RtAttr) error {
	req, err := s.request(proto, flags|unix.NLM_F_ACK)
	if err != nil {
		return err
	}
	req.AddData(header)
	for _, a := range attributes {
		req.AddData(a)
	}
	_, err = req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// Attributes of a request, by the type of their value.

func stringAttr(attribute int, v string) *nl.RtAttr {
	return nl.NewRtAttr(attribute, nl.ZeroTerminated(v))
}

func u8Attr(attribute int, v uint8) *nl.RtAttr { return nl.NewRtAttr(attribute, []byte{v}) }

func u16Attr(attribute int, v uint16) *nl.RtAttr { return nl.NewRtAttr(attribute, nl.Uint16Attr(v)) }

func u32Attr(attribute int, v uint32) *nl.RtAttr { return nl.NewRtAttr(attribute, nl.Uint32Attr(v)) }

func nestAttr(attribute int, children ...*nl.RtAttr) *nl.RtAttr {
	a := nl.NewRtAttr(attribute, nil)
	for _, c := range children {
		a.AddChild(c)
	}
	return a
}
