package diagnose

import (
	"net/netip"
	"slices"
	"strings"

	"netdash/internal/topology"
)

// What the Spec says of the objects on the way: it tells which of two things that
// do not fit together is the one that went wrong.

// intended are the addresses of an intended link; nil for one that is not.
func (t *trace) intended(r topology.LinkRef) []netip.Prefix {
	var list []string
	if b := t.spec.FindBridge(r.Namespace, r.Name); b != nil {
		list = b.Addresses
	} else if e := t.spec.FindEnd(r.Namespace, r.Name); e != nil {
		list = e.Addresses
	} else if n := t.spec.FindNamespace(r.Namespace); n != nil && r.Name == topology.LoopbackName {
		list = n.LoopbackAddresses
	}
	return prefixes(list)
}

func prefixes(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range list {
		if p, err := netip.ParsePrefix(c); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// isIntended tells whether netdash manages a link of that place.
func (t *trace) isIntended(r topology.LinkRef) bool {
	return t.spec.FindBridge(r.Namespace, r.Name) != nil || t.spec.FindEnd(r.Namespace, r.Name) != nil
}

// intendedLinks lists the intended links of a namespace; of all if it is empty.
func (t *trace) intendedLinks(namespace string) []topology.LinkRef {
	var out []topology.LinkRef
	add := func(ns, link string) {
		if namespace == "" || ns == namespace {
			out = append(out, topology.LinkRef{Namespace: ns, Name: link})
		}
	}
	for i := range t.spec.Veths {
		add(t.spec.Veths[i].A.Namespace, t.spec.Veths[i].A.Name)
		add(t.spec.Veths[i].B.Namespace, t.spec.Veths[i].B.Name)
	}
	for i := range t.spec.Bridges {
		add(t.spec.Bridges[i].Namespace, t.spec.Bridges[i].Name)
	}
	return out
}

// intendedOwner is the link that is to have an address.
func (t *trace) intendedOwner(a netip.Addr) (topology.LinkRef, bool) {
	for _, r := range t.intendedLinks("") {
		if slices.ContainsFunc(t.intended(r), func(p netip.Prefix) bool { return p.Addr() == a }) {
			return r, true
		}
	}
	return topology.LinkRef{}, false
}

// intendedPeer is the other end that a veth is to have.
func (t *trace) intendedPeer(r topology.LinkRef) (topology.LinkRef, bool) {
	for i := range t.spec.Veths {
		a, b := end(&t.spec.Veths[i].A), end(&t.spec.Veths[i].B)
		switch r {
		case a:
			return b, true
		case b:
			return a, true
		}
	}
	return topology.LinkRef{}, false
}

func end(e *topology.End) topology.LinkRef {
	return topology.LinkRef{Namespace: e.Namespace, Name: e.Name}
}

// meaning is which intended link an observed one is.
func meaning(l *topology.Link) topology.LinkRef {
	if l.Intended != nil {
		return *l.Intended
	}
	return ref(l)
}

// egress is where a packet is to leave a namespace.
type egress struct {
	link     string
	gateway  netip.Addr // invalid: the destination is on the link
	route    string     // of the intended route, if it is one
	intended bool
}

// meant tells where a packet is to leave a namespace: as the Spec has it; else by
// the addresses of its links, those that are down included; else by the only link
// there is. Empty if that cannot be said.
func (t *trace) meant(n *topology.NamespaceState, to netip.Addr) egress {
	best, bits := egress{}, -1
	consider := func(p netip.Prefix, e egress) {
		if p.Contains(to) && p.Bits() > bits {
			best, bits = e, p.Bits()
		}
	}
	for _, r := range t.intendedLinks(n.Name) {
		for _, p := range t.intended(r) {
			consider(p, egress{link: r.Name, intended: true})
		}
	}
	for _, r := range t.spec.Routes {
		gw, err := netip.ParseAddr(r.Gateway)
		p, ok := destination(r.Destination, to)
		if r.Namespace != n.Name || !ok || err == nil && gw.Is4() != to.Is4() {
			continue
		}
		e := egress{link: r.Link, route: r.Destination, intended: true}
		if err == nil {
			e.gateway = gw
			if e.link == "" {
				e.link = t.toward(n.Name, gw)
			}
		}
		consider(p, e)
	}
	if bits >= 0 {
		return best
	}
	var only []string
	for _, l := range n.Links {
		if l.Kind == kindLoopback || l.Master != "" {
			continue
		}
		only = append(only, l.Name)
		for _, p := range addressesOf(l) {
			consider(p, egress{link: l.Name})
		}
	}
	if bits < 0 && len(only) == 1 {
		best.link = only[0]
	}
	return best
}

// toward is the intended link with a gateway's network.
func (t *trace) toward(namespace string, gw netip.Addr) string {
	for _, r := range t.intendedLinks(namespace) {
		if slices.ContainsFunc(t.intended(r), func(p netip.Prefix) bool { return p.Contains(gw) }) {
			return r.Name
		}
	}
	return ""
}

// destination reads that of a route, of the family of an address.
func destination(s string, like netip.Addr) (netip.Prefix, bool) {
	if s == "default" {
		return netip.PrefixFrom(like, 0).Masked(), true
	}
	p, err := netip.ParsePrefix(s)
	return p, err == nil && p.Addr().Is4() == like.Is4()
}

// addressesOf lists the addresses a link has.
func addressesOf(l *topology.Link) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range l.Addresses {
		if p, err := netip.ParsePrefix(a.CIDR); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// family keeps what is of the family of an address; of IPv6, link-local addresses
// only where that is one.
func family(list []netip.Prefix, like netip.Addr) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(list), func(p netip.Prefix) bool {
		return p.Addr().Is4() != like.Is4() || p.Addr().Is6() && p.Addr().IsLinkLocalUnicast() != like.IsLinkLocalUnicast()
	})
}

func has(l *topology.Link, a netip.Addr) bool {
	return slices.ContainsFunc(addressesOf(l), func(p netip.Prefix) bool { return p.Addr() == a.WithZone("") })
}

func texts(list []netip.Prefix) string {
	var out []string
	for _, p := range list {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}
