package topology

import (
	"fmt"
	"net/netip"
	"strings"
)

// subject is what a Difference is about, or what somebody wants repaired, taken
// apart: "A", "A/eth0", "A/eth0 10.0.0.1/24", "A/br0 02:00:00:00:00:09" or
// "A 10.0.0.0/8".
type subject struct {
	namespace, link string
	part            string // an address, a MAC or a destination, written as in a state
}

func (s subject) key() linkKey { return linkKey{s.namespace, s.link} }

func (s subject) String() string {
	out := s.namespace
	if s.link != "" {
		out = s.key().String()
	}
	if s.part != "" {
		out += " " + s.part
	}
	return out
}

// parseSubject takes a subject apart, or tells what is wrong with it. Names hold
// neither white space nor slashes.
func parseSubject(text string) (s subject, problem string) {
	object, part, hasPart := strings.Cut(text, " ")
	namespace, name, hasLink := strings.Cut(object, "/")
	s = subject{namespace: namespace, link: name}
	if problem := NamespaceNameProblem(namespace); problem != "" && namespace != HostName {
		return s, fmt.Sprintf("%q: the namespace %s", text, problem)
	}
	if hasLink {
		if problem := LinkNameProblem(name); problem != "" {
			return s, fmt.Sprintf("%q: the link %s", text, problem)
		}
	}
	if !hasPart {
		return s, ""
	}
	prefix, err := netip.ParsePrefix(part)
	switch {
	case err == nil && hasLink:
		s.part = prefix.String()
	case err == nil:
		s.part = writePrefix(prefix)
	case !hasLink && part == "default":
		s.part = part
	case hasLink && macProblem(part) == "":
		s.part = strings.ToLower(part)
	case hasLink:
		return s, fmt.Sprintf("%q: what follows the link is neither an address in CIDR form nor a MAC address", text)
	default:
		return s, fmt.Sprintf("%q: what follows the namespace is no network in CIDR form, nor default", text)
	}
	return s, ""
}
