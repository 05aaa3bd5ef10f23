package netops

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
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

// problem4 reads an ICMP error, which has a whole header; empty for any other
// message.
func problem4(b []byte) string {
	switch code := b[1]; ipv4.ICMPType(b[0]) {
	case ipv4.ICMPTypeDestinationUnreachable:
		if code == 4 {
			return fmt.Sprintf("%s (mtu = %d)", unreachable4[code], binary.BigEndian.Uint16(b[6:]))
		}
		return word(unreachable4, code)
	case ipv4.ICMPTypeTimeExceeded:
		return word(exceeded4, code)
	case ipv4.ICMPTypeParameterProblem:
		return fmt.Sprintf("Parameter problem: pointer = %d", b[4])
	}
	return ""
}

// problem6 is problem4 for ICMPv6.
func problem6(b []byte) string {
	switch code, value := b[1], binary.BigEndian.Uint32(b[4:]); ipv6.ICMPType(b[0]) {
	case ipv6.ICMPTypeDestinationUnreachable:
		return "Destination unreachable: " + word(unreachable6, code)
	case ipv6.ICMPTypePacketTooBig:
		return fmt.Sprintf("Packet too big: mtu=%d", value)
	case ipv6.ICMPTypeTimeExceeded:
		return "Time exceeded: " + word(exceeded6, code)
	case ipv6.ICMPTypeParameterProblem:
		return fmt.Sprintf("Parameter problem: %s at %d", word(parameter6, code), value)
	}
	return ""
}
