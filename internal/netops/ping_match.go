package netops

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// icmpHeader is the length of the header of every ICMP message: type, code,
// checksum, and four bytes that an echo uses for identifier and sequence.
const icmpHeader = 8

// nonceLen is how many random bytes the payload of a request begins with.
const nonceLen = 8

// echoMatch makes the requests of one ping and knows their answers. A raw
// socket sees all ICMP messages to its namespace: other pings' as well.
type echoMatch struct {
	target  netip.Addr
	id      uint16
	payload []byte
}

// echoAnswer is what a packet says about request seq: an echo of it, or the
// problem that the sender of the packet had with it.
type echoAnswer struct {
	seq int
	problem
	about netip.Addr // the address that was asked
}

// newEchoMatch chooses an identifier and a payload of size bytes.
func newEchoMatch(target netip.Addr, size int) *echoMatch {
	var random [2 + nonceLen]byte
	_, _ = rand.Read(random[:]) // never fails
	m := &echoMatch{
		target:  target,
		id:      binary.BigEndian.Uint16(random[:]),
		payload: make([]byte, size),
	}
	for i := range m.payload {
		m.payload[i] = byte(i)
	}
	copy(m.payload, random[2:])
	return m
}

// request is the echo request of a sequence number. The kernel fills in the
// checksum of an ICMPv6 message.
func (m *echoMatch) request(seq int) ([]byte, error) {
	message := icmp.Message{
		Type: ipv4.ICMPTypeEcho,
		Body: &icmp.Echo{ID: int(m.id), Seq: seq, Data: m.payload},
	}
	if m.target.Is6() {
		message.Type = ipv6.ICMPTypeEchoRequest
	}
	return message.Marshal(nil)
}

// answer tells which request a packet answers, if it is one of this ping's. An
// echo from another address than was asked may be right, as with multicast and
// anycast, but then it must carry the whole nonce.
func (m *echoMatch) answer(packet *pingPacket) (echoAnswer, bool) {
	a, ok := m.read(packet)
	echo := a.words == ""
	return a, ok && (a.about == m.target.WithZone("") || echo && len(m.payload) >= nonceLen)
}

// read is answer whatever address was asked.
func (m *echoMatch) read(packet *pingPacket) (a echoAnswer, ok bool) {
	if len(packet.data) < icmpHeader {
		return a, false
	}
	echo, reply, read := int(ipv4.ICMPTypeEcho), int(ipv4.ICMPTypeEchoReply), problem4
	if m.target.Is6() {
		echo, reply, read = int(ipv6.ICMPTypeEchoRequest), int(ipv6.ICMPTypeEchoReply), problem6
	}
	if int(packet.data[0]) == reply {
		a.seq, a.about = seqOf(packet.data), packet.from.WithZone("")
		return a, m.idOf(packet.data) == m.id && bytes.Equal(packet.data[icmpHeader:], m.payload)
	}
	if a.problem = read(packet.data); a.words == "" {
		return a, false
	}
	// The error quotes the packet it is about, at least its IP header and the
	// first eight bytes after it (RFC 792, RFC 4443).
	to, quoted := quoted4(packet.data[icmpHeader:])
	if m.target.Is6() {
		to, quoted = quoted6(packet.data[icmpHeader:])
	}
	if len(quoted) < icmpHeader || int(quoted[0]) != echo || m.idOf(quoted) != m.id {
		return a, false
	}
	nonce := quoted[icmpHeader:]
	nonce = nonce[:min(len(nonce), len(m.payload), nonceLen)]
	a.seq, a.about = seqOf(quoted), to
	return a, bytes.HasPrefix(m.payload, nonce)
}

func (m *echoMatch) idOf(message []byte) uint16 { return binary.BigEndian.Uint16(message[4:]) }

func seqOf(message []byte) int { return int(binary.BigEndian.Uint16(message[6:])) }

// quoted4 finds destination and ICMP message in a quoted IPv4 packet. Of later
// fragments there is nothing to find.
func quoted4(b []byte) (to netip.Addr, message []byte) {
	if len(b) < ipv4.HeaderLen || b[0]>>4 != 4 || b[9] != unix.IPPROTO_ICMP || binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		return to, nil
	}
	header := int(b[0]&0x0f) * 4
	if header < ipv4.HeaderLen || header > len(b) {
		return to, nil
	}
	return netip.AddrFrom4([4]byte(b[16:20])), b[header:]
}

// quoted6 is quoted4 for IPv6. Before the message there may be a fragment
// header, where the request was too large for one packet.
func quoted6(b []byte) (to netip.Addr, message []byte) {
	if len(b) < ipv6.HeaderLen || b[0]>>4 != 6 {
		return to, nil
	}
	next, message := b[6], b[ipv6.HeaderLen:]
	if next == unix.IPPROTO_FRAGMENT {
		if len(message) < 8 || binary.BigEndian.Uint16(message[2:])&^7 != 0 {
			return to, nil
		}
		next, message = message[0], message[8:]
	}
	if next != unix.IPPROTO_ICMPV6 {
		return to, nil
	}
	return netip.AddrFrom16([16]byte(b[24:40])), message
}
