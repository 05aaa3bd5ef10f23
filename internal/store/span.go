package store

import (
	"reflect"
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
		Namespaces: differ(from.Namespaces, to.Namespaces, sameNamespace),
		Bridges:    differ(from.Bridges, to.Bridges, sameBridge),
		Veths:      differ(from.Veths, to.Veths, sameVeth),
		Routes:     differ(from.Routes, to.Routes, func(a, b *topology.Route) bool { return *a == *b }),
	}
}

func differ[T any](from, to []T, same func(a, b *T) bool) span {
	n := min(len(from), len(to))
	var s span
	for s.Head < n && same(&from[s.Head], &to[s.Head]) {
		s.Head++
	}
	for s.Tail < n-s.Head && same(&from[len(from)-1-s.Tail], &to[len(to)-1-s.Tail]) {
		s.Tail++
	}
	return s
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

// The comparisons below take an empty list for an absent one, as the rows do.
// A test holds that they see every field.

func sameNamespace(a, b *topology.Namespace) bool {
	return a.Name == b.Name && samePtr(a.LoopbackUp, b.LoopbackUp) && samePtr(a.IPv6, b.IPv6) &&
		slices.Equal(a.LoopbackAddresses, b.LoopbackAddresses)
}

func sameBridge(a, b *topology.Bridge) bool {
	return a.Identity == b.Identity && a.Namespace == b.Namespace && a.Name == b.Name &&
		a.MAC == b.MAC && a.MTU == b.MTU && a.Alias == b.Alias && samePtr(a.AdminUp, b.AdminUp) && samePtr(a.IPv6, b.IPv6) &&
		slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.FDB, b.FDB) &&
		(a.BridgeAttributes == b.BridgeAttributes || reflect.DeepEqual(a.BridgeAttributes, b.BridgeAttributes))
}

func sameVeth(a, b *topology.Veth) bool { return sameEnd(&a.A, &b.A) && sameEnd(&a.B, &b.B) }

func sameEnd(a, b *topology.End) bool {
	return a.Identity == b.Identity && a.Namespace == b.Namespace && a.Name == b.Name &&
		a.MAC == b.MAC && a.MTU == b.MTU && a.Alias == b.Alias && samePtr(a.AdminUp, b.AdminUp) && samePtr(a.IPv6, b.IPv6) &&
		a.Master == b.Master && slices.Equal(a.Addresses, b.Addresses) && samePort(a.BridgePort, b.BridgePort)
}

// samePort compares the attributes' pointers first: an untouched attribute is
// shared between versions of a Spec.
func samePort(a, b *topology.PortAttributes) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b || reflect.DeepEqual(a, b)
}

func samePtr[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
