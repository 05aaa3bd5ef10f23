package walk

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// mac is a link-layer address.
type mac [6]byte

func (m mac) String() string { return net.HardwareAddr(m[:]).String() }

func (m mac) isBroadcast() bool { return m == mac{255, 255, 255, 255, 255, 255} }
func (m mac) isGroup() bool     { return m[0]&1 != 0 }

func parseMAC(s string) mac {
	b, err := net.ParseMAC(s)
	if err != nil || len(b) != len(mac{}) {
		return mac{}
	}
	return mac(b)
}

// packet is what a frame says.
type packet struct {
	kind     Kind
	src, dst mac
	from, to netip.Addr // of ARP, sender and target
	ttl      int
	echo     echo   // it is, or that an error tells of
	asked    string // of ARP and ND, the address in question
	// key is the same for the same frame at another link. A packet that was routed
	// has another one, but the same echo.
	key string
}

// echo tells one echo of a ping from others. Both ways have the same; with a
// payload its identifier, which a translation of addresses may change, is 0.
type echo struct {
	id, seq int
	nonce   [nonceLength]byte // the first bytes of the payload, as far as there are
}

// flow is what all echoes of a ping have in common.
func (e echo) flow() echo { return echo{id: e.id, nonce: e.nonce} }

const (
	nonceLength    = 8
	ethernetHeader = 14
	ipv4Header     = 20
	ipv6Header     = 40
	icmpHeader     = 8

	typeIPv4, typeARP, typeIPv6 = 0x0800, 0x0806, 0x86dd
	protoICMP, protoICMPv6      = 1, 58
	protoFragment               = 44
)

// parse reads the start of a frame; false if it is none that can be part of a
// ping.
func parse(b []byte) (*packet, bool) {
	if len(b) < ethernetHeader {
		return nil, false
	}
	p := &packet{dst: mac(b[:6]), src: mac(b[6:12]), key: string(b)}
	body, ok := b[ethernetHeader:], false
	switch binary.BigEndian.Uint16(b[12:]) {
	case typeARP:
		ok = p.arp(body)
	case typeIPv4:
		ok = p.ipv4(body)
	case typeIPv6:
		ok = p.ipv6(body)
	}
	return p, ok
}

// arp reads ARP of Ethernet and IPv4 (RFC 826).
func (p *packet) arp(b []byte) bool {
	if len(b) < 28 || binary.BigEndian.Uint16(b[2:]) != typeIPv4 {
		return false
	}
	p.from, p.to = netip.AddrFrom4([4]byte(b[14:18])), netip.AddrFrom4([4]byte(b[24:28]))
	switch binary.BigEndian.Uint16(b[6:]) {
	case 1:
		p.kind, p.asked = ARPRequest, p.to.String()
	case 2:
		p.kind, p.asked = ARPReply, p.from.String()
	}
	return p.kind != ""
}

func (p *packet) ipv4(b []byte) bool {
	from, to, body, later, ok := splitIPv4(b)
	if !ok {
		return false
	}
	p.from, p.to, p.ttl = from, to, int(b[8])
	if later {
		p.kind, p.echo.id, p.echo.seq = Fragment, int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:])&0x1fff)
		return true
	}
	if len(body) < icmpHeader {
		return false
	}
	switch body[0] {
	case 8:
		p.kind = EchoRequest
	case 0:
		p.kind = EchoReply
	case 3, 5, 11, 12: // unreachable, redirect, time exceeded, parameter problem
		p.kind = ICMPError
		_, _, body, later, ok = splitIPv4(body[icmpHeader:])
		if !ok || later || len(body) < icmpHeader || body[0] != 8 && body[0] != 0 {
			return false
		}
	default:
		return false
	}
	p.echo = readEcho(body)
	return true
}

// splitIPv4 gives addresses and body of an ICMP packet, and whether it is a
// fragment other than the first.
func splitIPv4(b []byte) (from, to netip.Addr, body []byte, later, ok bool) {
	if len(b) < ipv4Header || b[0]>>4 != 4 || b[9] != protoICMP {
		return from, to, nil, false, false
	}
	header := int(b[0]&15) * 4
	if header < ipv4Header || header > len(b) {
		return from, to, nil, false, false
	}
	return netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20])), b[header:],
		binary.BigEndian.Uint16(b[6:])&0x1fff != 0, true
}

func (p *packet) ipv6(b []byte) bool {
	from, to, body, later, ok := splitIPv6(b)
	if !ok {
		return false
	}
	p.from, p.to, p.ttl = from, to, int(b[7])
	if later {
		header := b[ipv6Header:]
		p.kind, p.echo.id, p.echo.seq = Fragment, int(binary.BigEndian.Uint32(header[4:])), int(binary.BigEndian.Uint16(header[2:])>>3)
		return true
	}
	if len(body) < icmpHeader {
		return false
	}
	switch body[0] {
	case 128:
		p.kind = EchoRequest
	case 129:
		p.kind = EchoReply
	case 135, 136:
		if len(body) < icmpHeader+16 {
			return false
		}
		p.kind = NeighbourSolicitation
		if body[0] == 136 {
			p.kind = NeighbourAdvertisement
		}
		p.asked = netip.AddrFrom16([16]byte(body[icmpHeader : icmpHeader+16])).String()
		return true
	case 1, 2, 3, 4: // unreachable, too big, time exceeded, parameter problem
		p.kind = ICMPError
		_, _, body, later, ok = splitIPv6(body[icmpHeader:])
		if !ok || later || len(body) < icmpHeader || body[0] != 128 && body[0] != 129 {
			return false
		}
	default:
		return false
	}
	p.echo = readEcho(body)
	return true
}

// splitIPv6 is splitIPv4 for IPv6.
func splitIPv6(b []byte) (from, to netip.Addr, body []byte, later, ok bool) {
	if len(b) < ipv6Header || b[0]>>4 != 6 {
		return from, to, nil, false, false
	}
	from, to = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	next, body := b[6], b[ipv6Header:]
	if next == protoFragment && len(body) >= 8 {
		next, later, body = body[0], binary.BigEndian.Uint16(body[2:])&^7 != 0, body[8:]
	}
	return from, to, body, later, next == protoICMPv6
}

func readEcho(b []byte) echo {
	e := echo{seq: int(binary.BigEndian.Uint16(b[6:]))}
	copy(e.nonce[:], b[icmpHeader:])
	if e.nonce == [nonceLength]byte{} {
		e.id = int(binary.BigEndian.Uint16(b[4:]))
	}
	return e
}
