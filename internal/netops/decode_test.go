package netops

import (
	"testing"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// TestPeerInDyingNamespace: while the namespace of a veth's other end is being
// taken down the kernel has no nsid for it. That end is nowhere to be seen then,
// least of all in the link's own namespace, where another link may have its index.
func TestPeerInDyingNamespace(t *testing.T) {
	for name, c := range map[string]struct {
		nsid *nl.RtAttr
		same bool
	}{
		"dying":     {u32Attr(unix.IFLA_LINK_NETNSID, 0xffffffff), false},
		"elsewhere": {u32Attr(unix.IFLA_LINK_NETNSID, 3), false},
		"here":      {nil, true},
	} {
		head := nl.NewIfInfomsg(unix.AF_UNSPEC)
		head.Index = 7
		b := append(head.Serialize(), u32Attr(unix.IFLA_LINK, 2).Serialize()...)
		if c.nsid != nil {
			b = append(b, c.nsid.Serialize()...)
		}
		f := decodeLink(b)
		if f.PeerIndex != 2 || (f.PeerNSID == SameNamespace) != c.same {
			t.Errorf("%s: index %d, nsid %d", name, f.PeerIndex, f.PeerNSID)
		}
	}
}
