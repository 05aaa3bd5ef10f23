package walk

import (
	"net/netip"
	"time"
)

// Record is a frame as a packet socket saw it at one link.
type Record struct {
	Ifindex int
	Out     bool // it was sent by the link, not received
	At      time.Time
	VLAN    int    // of its tag, 0 for none
	Length  int    // of the whole frame, in bytes
	Data    []byte // its first bytes, from the Ethernet header on, without a tag
}

// Recording is what was recorded in each namespace, in the order in which it
// happened there.
type Recording struct {
	Records    map[string][]Record
	Dropped    int      // records that did not fit in
	Incomplete []string // why some may be missing
}

// Flow is what to look for: ICMP from or to one of the Ends, and the ARP or ND
// that asks for one of the Neighbours.
type Flow struct {
	Ends       []netip.Addr
	Neighbours []netip.Addr
}

// Place is a namespace to look in.
type Place struct {
	Namespace string
	Links     int // it has
}
