// Package export writes an intended topology in other tools' languages: a
// POSIX shell script for iproute2, Graphviz, Mermaid, and a containerlab
// topology. Like its parent it is pure: the same Spec gives the same bytes.
//
// An export is made of what was asked for, as the document a Spec is read from:
// the MAC addresses the kernel has chosen are not part of it.
//
// Each language has its own characters with a meaning. Names of namespaces and
// links can hold nearly all of them, so each file here has one function through
// which every name goes.
package export

import (
	"strings"
	"unicode"

	"netdash/internal/topology"
)

// FileName makes a lab's name one that a file, a URL and a shell take as it
// is; a lab without one is called lab. It has no extension.
func FileName(lab string) string {
	name := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r)) {
			return r
		}
		return '-'
	}, lab)
	name = strings.Trim(name[:min(len(name), 60)], "-._")
	if name == "" {
		return "lab"
	}
	return name
}

// plain is a Spec as its document has it, without what netdash remembers of its
// links.
func plain(s *topology.Spec) *topology.Spec {
	s = s.Clone()
	for i := range s.Bridges {
		s.Bridges[i].Identity = topology.Identity{}
	}
	for i := range s.Veths {
		s.Veths[i].A.Identity, s.Veths[i].B.Identity = topology.Identity{}, topology.Identity{}
	}
	return s
}

// title is a lab's name as one line of text; empty for a lab without one.
// Nothing checks it: it can hold any bytes.
func title(s *topology.Spec) string {
	name := strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s.Name, "?"))
	return strings.Join(strings.Fields(name), " ")
}
