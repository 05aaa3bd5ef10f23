package topology

import (
	"reflect"
	"slices"
	"strings"
)

// View is what has to be known of everything else to judge one object. A nil
// View is that of a world in which everything is in its place.
type View struct {
	// Astray holds the observed links that are not where they are intended: by
	// the place at which they are, which intended links they are. What refers to
	// such a link (its peer, its ports, its routes) is judged as if it were in its
	// place: one rename is one difference.
	Astray map[LinkRef]LinkRef
	// Blind holds the namespaces that are incomplete: what seems to be missing
	// there may be there.
	Blind map[string]bool
}

// is gives which intended link the one at a place is, if it is one.
func (v *View) is(place LinkRef) LinkRef {
	if v != nil {
		if is, astray := v.Astray[place]; astray {
			return is
		}
	}
	return place
}

// name is what the link of that name is intended to be called in its namespace.
func (v *View) name(namespace, name string) string {
	if is := v.is(LinkRef{namespace, name}); is.Namespace == namespace {
		return is.Name
	}
	return name
}

// peer tells whether the other end of a veth is the intended one, as far as can
// be seen.
func (v *View) peer(p *Peer, want *link) bool {
	if p == nil || !p.Known {
		return v != nil && v.Blind[want.namespace]
	}
	return v.is(LinkRef{p.Namespace, p.Name}) == want.ref()
}

// Fits tells whether an observed link of which nothing else is known can be the
// intended one of its place: it is of its kind, and a veth's end leads to the
// other intended end, or has the MAC that the kernel once drew for it. That one
// is proof enough where a peer went astray before netdash was started.
func (x *Intent) Fits(o *Link, v *View) bool {
	want := x.state.link(linkKey{o.Namespace, o.Name})
	switch {
	case want == nil || want.kind != o.Kind:
		return false
	case want.peer == nil:
		return true
	case v.peer(o.Peer, want.peer):
		return true
	}
	return want.knownMAC != "" && strings.EqualFold(want.knownMAC, o.MAC)
}

// Link lists in what an observed link, with its addresses, differs from the
// intended one that it is, or whose place it has taken.
func (x *Intent) Link(is LinkRef, o *Link, v *View) []Difference {
	want := x.state.link(is.key())
	if want == nil {
		return nil
	}
	var d differences
	differ(&d, want, "namespace", want.namespace, o.Namespace)
	differ(&d, want, "name", want.name, o.Name)
	if want.kind != o.Kind {
		differ(&d, want, "kind", want.kind, o.Kind)
		return d
	}
	have := seeLink(o, want)
	if want.mac != "" {
		differ(&d, want, "mac", want.mac, have.mac)
	}
	if want.mtu != 0 {
		differ(&d, want, "mtu", want.mtu, have.mtu)
	}
	differ(&d, want, "alias", want.alias, have.alias)
	differ(&d, want, "admin_up", want.up, have.up)
	differ(&d, want, "master", want.master, v.name(o.Namespace, have.master))
	if o.AddressGeneration != "" && want.kind != kindLoopback {
		differ(&d, want, "addr_gen_mode", generation(want.quiet), generation(have.quiet))
	}
	if want.peer != nil && !v.peer(o.Peer, want.peer) {
		differ(&d, want, "peer", want.peer.String(), peerName(o.Peer))
	}
	attributesDiffer(&d, want, "bridge.", want.bridge, have.bridge)
	attributesDiffer(&d, want, "bridge_port.", want.port, have.port)
	addressesDiffer(&d, want, have)
	return d
}

type differences []Difference

// differ notes a field that is not as intended.
func differ[T comparable](d *differences, of *link, field string, intended, observed T) {
	if intended != observed {
		*d = append(*d, Difference{of.String(), DifferenceChanged, field, intended, observed})
	}
}

func generation(quiet bool) string {
	if quiet {
		return "none"
	}
	return "eui64"
}

func peerName(p *Peer) string {
	if p == nil || !p.Known {
		return ""
	}
	return linkKey{p.Namespace, p.Name}.String()
}

func addressesDiffer(d *differences, want, have *link) {
	for _, a := range want.addresses {
		if !slices.Contains(have.addresses, a) && (want.up || !is6(a)) {
			*d = append(*d, Difference{Subject: want.String() + " " + a, Kind: DifferenceMissing})
		}
	}
	for _, a := range have.addresses {
		if !slices.Contains(want.addresses, a) {
			*d = append(*d, Difference{Subject: want.String() + " " + a, Kind: DifferenceUnexpected})
		}
	}
}

func attributesDiffer[T comparable](d *differences, of *link, prefix string, want, have T) {
	var none T
	if want == none {
		return
	}
	h, w := fields(have), fields(want)
	for i := range reflect.TypeFor[T]().NumField() {
		name := jsonName(reflect.TypeFor[T]().Field(i))
		if v, asked := w[name]; asked {
			differ(d, of, prefix+name, v, h[name])
		}
	}
}

// Taken tells that a link has an intended one's place while that one goes by
// another name or lives elsewhere.
func Taken(is LinkRef, realIndex, otherIndex int) Difference {
	return Difference{is.key().String(), DifferenceChanged, "ifindex", realIndex, otherIndex}
}
