package topology

import (
	"reflect"
	"slices"
)

// The comparisons below tell whether two versions of an object say the same,
// what is remembered of it (Identity) included. They take an empty list for an
// absent one. A test in store holds that they see every field.

// SameNamespace compares two versions of a namespace.
func SameNamespace(a, b *Namespace) bool {
	return a.Name == b.Name && samePtr(a.LoopbackUp, b.LoopbackUp) && samePtr(a.IPv6, b.IPv6) &&
		slices.Equal(a.LoopbackAddresses, b.LoopbackAddresses)
}

// SameBridge compares two versions of a bridge.
func SameBridge(a, b *Bridge) bool {
	return a.Identity == b.Identity && a.Namespace == b.Namespace && a.Name == b.Name &&
		a.MAC == b.MAC && a.MTU == b.MTU && a.Alias == b.Alias && samePtr(a.AdminUp, b.AdminUp) &&
		slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.FDB, b.FDB) &&
		(a.BridgeAttributes == b.BridgeAttributes || reflect.DeepEqual(a.BridgeAttributes, b.BridgeAttributes))
}

// SameVeth compares two versions of a veth pair.
func SameVeth(a, b *Veth) bool { return sameEnd(&a.A, &b.A) && sameEnd(&a.B, &b.B) }

func sameEnd(a, b *End) bool {
	return a.Identity == b.Identity && a.Namespace == b.Namespace && a.Name == b.Name &&
		a.MAC == b.MAC && a.MTU == b.MTU && a.Alias == b.Alias && samePtr(a.AdminUp, b.AdminUp) &&
		a.Master == b.Master && slices.Equal(a.Addresses, b.Addresses) && samePort(a.BridgePort, b.BridgePort)
}

// SameRoute compares two versions of a route.
func SameRoute(a, b *Route) bool { return *a == *b }

// samePort compares the attributes' pointers first: an untouched attribute is
// shared between versions of a Spec.
func samePort(a, b *PortAttributes) bool {
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

// CommonEnds tells how many items two versions of a list have in common at its
// head and, of the rest, at its tail.
func CommonEnds[T any](from, to []T, same func(a, b *T) bool) (head, tail int) {
	n := min(len(from), len(to))
	for head < n && same(&from[head], &to[head]) {
		head++
	}
	for tail < n-head && same(&from[len(from)-1-tail], &to[len(to)-1-tail]) {
		tail++
	}
	return head, tail
}
