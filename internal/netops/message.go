package netops

import (
	"github.com/vishvananda/netlink/nl"
)

// request writes a request to the kernel.
func request(proto, flags int, header nl.NetlinkRequestData, attributes ...*nl.RtAttr) *nl.NetlinkRequest {
	r := nl.NewNetlinkRequest(proto, flags)
	r.AddData(header)
	for _, a := range attributes {
		r.AddData(a)
	}
	return r
}

// send makes one request, waits for the kernel's acknowledgement and gives its
// refusal as an error.
func (s *space) send(r *nl.NetlinkRequest) error {
	errs, err := s.exchange([]*nl.NetlinkRequest{r}, nil)
	if err != nil {
		return err
	}
	return errs[0]
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
