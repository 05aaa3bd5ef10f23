package netops

import (
	"encoding/binary"
	"net"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// filteredPacket is a packet as the rules of nf_tables read it: its headers, in
// bytes, and what the kernel knows of it beside these.
type filteredPacket struct {
	topology.Packet
	link, network, transport []byte // headers
	ethertype                uint16
	protocol                 byte // of what is in the IP packet; 0 for ARP
}

// Lengths of headers without options.
const (
	ipv4Header = 20
	ipv6Header = 40
)

func newFilteredPacket(p topology.Packet) *filteredPacket {
	f := &filteredPacket{Packet: p}
	switch {
	case p.ARP:
		f.ethertype = unix.ETH_P_ARP
		f.network = arpRequest(p)
	case p.Destination.Is4():
		f.ethertype, f.protocol = unix.ETH_P_IP, unix.IPPROTO_ICMP
		f.transport = echoHeader(8, 0, p.Reply)
		f.network = make([]byte, ipv4Header)
		f.network[0] = 0x45 // version 4, five words
		binary.BigEndian.PutUint16(f.network[2:], uint16(ipv4Header+icmpHeader+p.Size))
		f.network[6] = 0x40 // do not fragment
		f.network[8], f.network[9] = byte(p.TTL), f.protocol
		copy(f.network[12:], p.Source.AsSlice())
		copy(f.network[16:], p.Destination.AsSlice())
	default:
		f.ethertype, f.protocol = unix.ETH_P_IPV6, unix.IPPROTO_ICMPV6
		f.transport = echoHeader(128, 129, p.Reply)
		f.network = make([]byte, ipv6Header)
		f.network[0] = 0x60 // version 6
		binary.BigEndian.PutUint16(f.network[4:], uint16(icmpHeader+p.Size))
		f.network[6], f.network[7] = f.protocol, byte(p.TTL)
		copy(f.network[8:], p.Source.AsSlice())
		copy(f.network[24:], p.Destination.AsSlice())
	}
	if from, err := net.ParseMAC(p.SourceMAC); err == nil {
		to, err := net.ParseMAC(p.DestinationMAC)
		if p.ARP || err != nil {
			to = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		}
		f.link = binary.BigEndian.AppendUint16(append(append(f.link, to...), from...), f.ethertype)
	}
	return f
}

func echoHeader(request, reply byte, isReply bool) []byte {
	h := make([]byte, icmpHeader)
	if h[0] = request; isReply {
		h[0] = reply
	}
	return h
}

// arpRequest is struct arphdr with what follows it for IPv4 over Ethernet.
func arpRequest(p topology.Packet) []byte {
	b := []byte{0, 1, 8, 0, 6, 4, 0, 1}
	from, err := net.ParseMAC(p.SourceMAC)
	if err != nil {
		from = make(net.HardwareAddr, 6)
	}
	b = append(append(b, from...), p.Source.AsSlice()...)
	return append(append(b, make([]byte, 6)...), p.Destination.AsSlice()...)
}

// length is what the kernel takes for the packet's (skb->len): from the network
// header on.
func (f *filteredPacket) length() int {
	if f.ARP {
		return len(f.network)
	}
	return len(f.network) + len(f.transport) + f.Size
}

// header gives bytes of a header, nil beyond what is known.
func (f *filteredPacket) header(base, offset, length uint32) []byte {
	var from []byte
	switch base {
	case unix.NFT_PAYLOAD_LL_HEADER:
		from = f.link
	case unix.NFT_PAYLOAD_NETWORK_HEADER:
		from = f.network
	case unix.NFT_PAYLOAD_TRANSPORT_HEADER:
		from = f.transport
		if offset+length > 4 && f.protocol != 0 { // checksum, identifier, sequence: not known beforehand
			return nil
		}
	}
	if base == unix.NFT_PAYLOAD_NETWORK_HEADER && f.ethertype == unix.ETH_P_IP && (overlaps(offset, length, 4, 6) || overlaps(offset, length, 10, 12)) {
		return nil // identification and checksum
	}
	if uint64(offset)+uint64(length) > uint64(len(from)) {
		return nil
	}
	return from[offset : offset+length]
}

func overlaps(offset, length, from, to uint32) bool { return offset < to && from < offset+length }

// ctState is the state conntrack gives the packet, where it looks: the first
// echo request is new, a reply belongs to what is established. ARP it does not
// track.
func (f *filteredPacket) ctState() uint32 {
	const established, fresh, untracked = 2, 8, 64 // NF_CT_STATE_BIT
	switch {
	case f.ARP:
		return untracked
	case f.Reply:
		return established
	}
	return fresh
}
