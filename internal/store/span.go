package store

import (
	"slices"

	"netdash/internal/topology"
)

// span is where two versions of a list differ: they have the first Head and
// the last Tail items in common.
type span struct {
	Head, Tail int
}

// spans are the differing parts of two Specs' lists.
type spans struct {
	Namespaces, Bridges, Veths, Routes span
}

// compare finds where the lists of two Specs differ.
func compare(from, to *topology.Spec) spans {
	return spans{
		Namespaces: differ(from.Namespaces, to.Namespaces, topology.SameNamespace),
		Bridges:    differ(from.Bridges, to.Bridges, topology.SameBridge),
		Veths:      differ(from.Veths, to.Veths, topology.SameVeth),
		Routes:     differ(from.Routes, to.Routes, topology.SameRoute),
	}
}

func differ[T any](from, to []T, same func(a, b *T) bool) span {
	head, tail := topology.CommonEnds(from, to, same)
	return span{head, tail}
}

// cut gives the differing parts of s as a Spec that shares them with s.
func (p spans) cut(s *topology.Spec) *topology.Spec {
	return &topology.Spec{
		Name:       s.Name,
		IPv6:       s.IPv6,
		Namespaces: middle(s.Namespaces, p.Namespaces),
		Bridges:    middle(s.Bridges, p.Bridges),
		Veths:      middle(s.Veths, p.Veths),
		Routes:     middle(s.Routes, p.Routes),
	}
}

// paste puts part in the place of what cut gives of s. Neither is changed; the
// result shares with both.
func (p spans) paste(s, part *topology.Spec) *topology.Spec {
	return &topology.Spec{
		Name:       part.Name,
		IPv6:       part.IPv6,
		Namespaces: replace(s.Namespaces, p.Namespaces, part.Namespaces),
		Bridges:    replace(s.Bridges, p.Bridges, part.Bridges),
		Veths:      replace(s.Veths, p.Veths, part.Veths),
		Routes:     replace(s.Routes, p.Routes, part.Routes),
	}
}

func middle[T any](list []T, s span) []T { return list[s.Head : len(list)-s.Tail] }

func replace[T any](list []T, s span, part []T) []T {
	if len(part) == 0 && s.Head+s.Tail == len(list) {
		return list
	}
	return slices.Concat(list[:s.Head], part, list[len(list)-s.Tail:])
}

func samePtr[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
