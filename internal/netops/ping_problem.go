package netops

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// The codes of ICMP errors in the words of ping(8): print_icmph in iputils'
// ping.c and print_icmp in its ping6_common.c.
var (
	unreachable4 = []string{
		"Destination Net Unreachable", "Destination Host Unreachable",
		"Destination Protocol Unreachable", "Destination Port Unreachable",
		"Frag needed and DF set", "Source Route Failed",
		"Destination Net Unknown", "Destination Host Unknown", "Source Host Isolated",
		"Destination Net Prohibited", "Destination Host Prohibited",
		"Destination Net Unreachable for Type of Service",
		"Destination Host Unreachable for Type of Service",
		"Packet filtered", "Precedence Violation", "Precedence Cutoff",
	}
	redirect4 = []string{
		"Redirect Network", "Redirect Host", "Redirect Type of Service and Network", "Redirect Type of Service and Host",
	}
	exceeded4    = []string{"Time to live exceeded", "Frag reassembly time exceeded"}
	unreachable6 = []string{
		"No route", "Administratively prohibited", "Beyond scope of source address",
		"Address unreachable", "Port unreachable",
		"Source address failed ingress/egress policy", "Reject route to destination", // RFC 4443
	}
	exceeded6  = []string{"Hop limit", "Defragmentation failure"}
	parameter6 = []string{"Wrong header field", "Unknown header", "Unknown option"}
)

func word(words []string, code byte) string {
	if int(code) < len(words) {
		return words[code]
	}
	return fmt.Sprintf("Unknown code %d", code)
}

// problem is what an ICMP message about a request says. Of a redirect the words
// are a notice: the request goes on.
type problem struct {
	words  string
	reason topology.PingReason
	notice bool
	// host tells that the next hop was not found: what the sender of a request
	// hears from itself when a neighbour does not answer (ipv4_link_failure in
	// net/ipv4/route.c, ndisc_error_report in net/ipv6/ndisc.c).
	host bool
}

// problem4 reads an ICMP error, which has a whole header; without words for any
// other message.
func problem4(b []byte) problem {
	switch code := b[1]; ipv4.ICMPType(b[0]) {
	case ipv4.ICMPTypeDestinationUnreachable:
		p := problem{words: word(unreachable4, code), reason: topology.PingUnreachable, host: code == 1}
		switch code {
		case 4:
			p.reason = topology.PingTooBig
			p.words = fmt.Sprintf("%s (mtu = %d)", p.words, binary.BigEndian.Uint16(b[6:]))
		case 9, 10, 13:
			p.reason = topology.PingProhibited
		}
		return p
	case ipv4.ICMPTypeRedirect:
		to := netip.AddrFrom4([4]byte(b[4:8]))
		return problem{words: fmt.Sprintf("%s (New nexthop: %s)", word(redirect4, code), to), notice: true}
	case ipv4.ICMPTypeTimeExceeded:
		return problem{words: word(exceeded4, code), reason: exceeded(code)}
	case ipv4.ICMPTypeParameterProblem:
		return problem{words: fmt.Sprintf("Parameter problem: pointer = %d", b[4]), reason: topology.PingICMPError}
	}
	return problem{}
}

// problem6 is problem4 for ICMPv6, whose redirects are messages of neighbour
// discovery with a form of their own.
func problem6(b []byte) problem {
	switch code, value := b[1], binary.BigEndian.Uint32(b[4:]); ipv6.ICMPType(b[0]) {
	case ipv6.ICMPTypeDestinationUnreachable:
		p := problem{words: "Destination unreachable: " + word(unreachable6, code), reason: topology.PingUnreachable, host: code == 3}
		if code == 1 || code == 5 {
			p.reason = topology.PingProhibited
		}
		return p
	case ipv6.ICMPTypePacketTooBig:
		return problem{words: fmt.Sprintf("Packet too big: mtu=%d", value), reason: topology.PingTooBig}
	case ipv6.ICMPTypeTimeExceeded:
		return problem{words: "Time exceeded: " + word(exceeded6, code), reason: exceeded(code)}
	case ipv6.ICMPTypeParameterProblem:
		return problem{words: fmt.Sprintf("Parameter problem: %s at %d", word(parameter6, code), value), reason: topology.PingICMPError}
	}
	return problem{}
}

// exceeded is the kind of a time that was exceeded: on the way, or for putting
// fragments together.
func exceeded(code byte) topology.PingReason {
	if code == 0 {
		return topology.PingTTLExceeded
	}
	return topology.PingICMPError
}

// sendReason is the kind of a failure to send.
func sendReason(err error) topology.PingReason {
	errno, _ := errors.AsType[unix.Errno](err)
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH:
		return topology.PingNoRoute
	case unix.EPERM, unix.EACCES: // netfilter's drop on the way out; a prohibit route
		return topology.PingProhibited
	case unix.ENETDOWN:
		return topology.PingLinkDown
	case unix.EMSGSIZE:
		return topology.PingTooBig
	case unix.ENOBUFS:
		return topology.PingNeighbourOverflow
	}
	return topology.PingSendError
}
