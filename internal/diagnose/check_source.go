package diagnose

import (
	"net/netip"
	"slices"

	"netdash/internal/topology"
)

// namespace looks whether the source, and the target's namespace if one is named,
// are there and can be read.
func (h *hop) namespace() bool {
	for _, name := range []string{h.question.Namespace, h.question.ToNamespace} {
		if name == "" {
			continue
		}
		n := h.snapshot.Namespace(name)
		switch {
		case n == nil || n.Sync == topology.Missing:
			return h.gone(name)
		case n.Incomplete != "":
			return h.stop(Check{Check: "namespace", Status: Unknown, Subject: n.Name, Sentence: say("namespace_incomplete", "namespace", n.Name), Evidence: n.Incomplete})
		}
	}
	return h.ok("namespace", h.ns.Name, say("namespace_there", "namespace", h.ns.Name))
}

func (h *hop) gone(namespace string) bool {
	c := Check{Check: "namespace", Subject: namespace, Sentence: say("namespace_gone", "namespace", namespace)}
	if h.spec.FindNamespace(namespace) != nil {
		c.Repair = reconcile(say("make_namespace", "namespace", namespace), namespace)
	}
	return h.stop(c)
}

// target decides which address is meant.
func (h *hop) target() bool {
	if a, err := netip.ParseAddr(h.ping.Address); err == nil {
		h.setTarget(a)
	} else if a, err := netip.ParseAddr(h.question.Address); err == nil {
		h.setTarget(a.Unmap())
	}
	n := h.snapshot.Namespace(h.question.ToNamespace)
	if n == nil {
		return true
	}
	if h.trace.dst.IsValid() {
		return h.wellAddressed(n)
	}
	for _, r := range h.intendedLinks(n.Name) {
		for _, p := range h.intended(r) {
			if !h.trace.dst.IsValid() || p.Addr().Is4() && h.trace.dst.Is6() {
				h.setTarget(p.Addr())
			}
		}
	}
	if !h.trace.dst.IsValid() {
		return h.stop(Check{Check: "address", Subject: n.Name, Sentence: say("no_target_address", "namespace", n.Name)})
	}
	// The address that it is to have is tried all the same, so that the tables on the
	// way are fresh.
	h.err = h.tryPing(h.dst.String(), "")
	return h.err == nil
}

func (h *hop) setTarget(a netip.Addr) { h.trace.dst, h.dst = a, a }

// wellAddressed looks whether the address that a namespace is pinged by is one
// that it is meant to have.
func (h *hop) wellAddressed(n *topology.NamespaceState) bool {
	for _, l := range n.Links {
		want := family(h.intended(meaning(l)), h.dst)
		if !has(l, h.dst) || len(want) == 0 || slices.ContainsFunc(want, func(p netip.Prefix) bool { return p.Addr() == h.dst }) {
			continue
		}
		if missing := h.missing(l); len(missing) > 0 {
			return h.bad(h.notIntended(l, missing))
		}
	}
	return true
}

// missing lists the intended addresses, of the packet's family, that a link lacks.
func (h *hop) missing(l *topology.Link) []netip.Prefix {
	have := addressesOf(l)
	return slices.DeleteFunc(family(h.intended(meaning(l)), h.dst), func(p netip.Prefix) bool { return slices.Contains(have, p) })
}

// notIntended is the finding of a link that has other addresses than it is to have.
func (h *hop) notIntended(l *topology.Link, missing []netip.Prefix) Check {
	return Check{
		Check: "subnet", Subject: subject(l),
		Sentence: say("addresses_differ", "link", subject(l), "addresses", texts(family(addressesOf(l), h.dst)), "intended", texts(missing)),
		Evidence: "ip address show",
		Repair:   reconcile(say("give_addresses", "link", subject(l)), name(meaning(l))),
	}
}

// loopback looks at lo, which carries what a namespace sends to itself.
func (h *hop) loopback() bool {
	lo := h.ns.Link(topology.LoopbackName)
	switch {
	case lo == nil:
		return true
	case lo.AdminUp:
		return h.ok("loopback", subject(lo), say("loopback_up"))
	}
	c := Check{Check: "loopback", Status: Warning, Subject: subject(lo), Sentence: say("loopback_down", "namespace", h.ns.Name)}
	if h.isLocal() {
		c.Status = Broken
	}
	h.mend(&c, lo, topology.SetUp{Namespace: h.ns.Name, Name: lo.Name, Up: true}, say("loopback_set_up", "namespace", h.ns.Name), map[string]any{"admin_up": true}, "admin_up")
	return h.bad(c)
}

// isLocal tells whether the namespace pings itself.
func (h *hop) isLocal() bool {
	return h.dst.IsLoopback() || slices.ContainsFunc(h.ns.Links, func(l *topology.Link) bool {
		return l.Sync != topology.Missing && has(l, h.dst) && !(h.dst.IsLinkLocalUnicast() && h.dst.Zone() != l.Name)
	})
}

// local is all of the way of a packet to an address of its own namespace.
func (h *hop) local() bool {
	if !h.isLocal() {
		return true
	}
	h.src, h.delivered = h.dst, true
	out, in := h.packet(), h.packet()
	out.Out, in.In = topology.LoopbackName, topology.LoopbackName
	return h.filter(h.ns, out, h.ns.Name, at("output"), at("postrouting")) && h.filter(h.ns, in, h.ns.Name, at("prerouting"), at("input")) &&
		h.ok("firewall", h.ns.Name, say("filter_through"))
}

// link looks whether the link that leads there is there and up.
func (h *hop) link() bool {
	h.want = h.meant(h.ns, h.dst)
	if h.want.link == "" {
		return h.anyLink()
	}
	wanted := topology.LinkRef{Namespace: h.ns.Name, Name: h.want.link}
	if h.out = h.linkAt(wanted); h.out == nil {
		return h.stop(h.missingLink(wanted))
	}
	return h.isUp(h.out) && h.ok("link", subject(h.out), say("link_up", "link", subject(h.out)))
}

// anyLink is link where no link in particular leads there.
func (h *hop) anyLink() bool {
	links, up := 0, false
	for _, l := range h.ns.Links {
		if l.Kind != kindLoopback && l.Sync != topology.Missing {
			links++
			up = up || l.AdminUp
		}
	}
	switch {
	case links == 0:
		return h.stop(Check{Check: "link", Subject: h.ns.Name, Sentence: say("no_links", "namespace", h.ns.Name)})
	case !up:
		return h.stop(Check{Check: "link", Subject: h.ns.Name, Sentence: say("no_link_up", "namespace", h.ns.Name)})
	}
	return true
}

// missingLink is the finding of a link that is not where it is to be.
func (h *hop) missingLink(r topology.LinkRef) Check {
	c := Check{Check: "link", Subject: r.Namespace, Sentence: say("link_missing", "namespace", r.Namespace, "link", r.Name)}
	if !h.isIntended(r) {
		return c
	}
	c.Subject = name(r)
	c.Repair = reconcile(say("link_put_back", "link", name(r)), name(r))
	if is := h.linkOf(r); is != nil {
		c.Subject, c.Sentence = subject(is), say("link_elsewhere", "link", name(r), "now", subject(is))
	}
	return c
}

// isUp looks whether a link is up.
func (h *hop) isUp(l *topology.Link) bool {
	if l.AdminUp {
		return true
	}
	c := Check{Check: "link", Subject: subject(l), Sentence: say("link_down", "link", subject(l))}
	switch {
	case l.Kind == kindBridge && l != h.out:
		c.Check = "bridge"
	case l.Master != "":
		c.Check, c.Sentence = "port", say("port_down", "port", subject(l))
	case l != h.out:
		c.Check, c.Sentence = "carrier", say("peer_down", "link", subject(l))
	}
	h.mend(&c, l, topology.SetUp{Namespace: l.Namespace, Name: l.Name, Up: true}, say("link_set_up", "link", subject(l)), map[string]any{"admin_up": true}, "admin_up")
	return h.bad(c)
}

// carrier looks whether the link's other end is there and up.
func (h *hop) carrier() bool {
	l := h.out
	if l == nil {
		return true
	}
	if l.Kind == kindVeth {
		p := h.peerOf(l)
		if p == nil {
			return h.noPeer(l)
		}
		if meaning(p).Namespace != p.Namespace {
			return h.stop(h.missingLink(meaning(p)))
		}
		if !h.isUp(p) {
			return false
		}
	}
	if !l.Carrier {
		return h.bad(Check{Check: "carrier", Subject: subject(l), Sentence: say("no_carrier", "link", subject(l)), Evidence: "state " + l.OperState})
	}
	return h.ok("carrier", subject(l), say("carrier", "link", subject(l)))
}

// noPeer is about a veth whose other end cannot be seen.
func (h *hop) noPeer(l *topology.Link) bool {
	if p, intended := h.intendedPeer(meaning(l)); intended {
		return h.stop(Check{
			Check: "peer", Subject: subject(l),
			Sentence: say("peer_gone", "link", subject(l), "peer", name(p)),
			Repair:   reconcile(say("connect", "link", name(meaning(l)), "peer", name(p)), name(meaning(l)), name(p)),
		})
	}
	return h.stop(peerUnseen(l))
}

func peerUnseen(l *topology.Link) Check {
	return Check{Check: "peer", Status: Unknown, Subject: subject(l), Sentence: say("peer_unseen", "link", subject(l))}
}

// address looks whether the link has an address to send from.
func (h *hop) address() bool {
	l := h.out
	if l == nil || h.dst.IsLinkLocalUnicast() {
		return true
	}
	have := family(addressesOf(l), h.dst)
	if len(have) > 0 {
		return h.uniqueSource(l) && h.ok("address", subject(l), say("has_addresses", "link", subject(l), "addresses", texts(have)))
	}
	missing := h.missing(l)
	if len(missing) == 0 && (h.in != nil || !h.want.intended) {
		return true // it may send from an address of another link
	}
	return h.bad(h.noAddress(l, missing))
}

// noAddress is the finding of a link without an address.
func (h *hop) noAddress(l *topology.Link, missing []netip.Prefix) Check {
	kind := map[bool]string{true: "IPv4", false: "IPv6"}[h.is4()]
	c := Check{Check: "address", Subject: subject(l), Sentence: say("no_address", "link", subject(l), "family", kind), Evidence: "ip address show"}
	if len(missing) > 0 {
		c.Sentence = say("no_address_but", "link", subject(l), "family", kind, "intended", texts(missing))
		c.Repair = reconcile(say("give_address", "link", subject(l)), name(meaning(l)))
	}
	return c
}

// uniqueSource looks at what the kernel found out about IPv6 addresses.
func (h *hop) uniqueSource(l *topology.Link) bool {
	for _, a := range l.Addresses {
		if p, err := netip.ParsePrefix(a.CIDR); err == nil && p.Addr().Is4() == h.is4() && slices.Contains(a.Flags, "dadfailed") {
			return h.bad(Check{
				Check: "duplicate_address", Subject: subject(l), Evidence: "dadfailed",
				Sentence: say("address_not_unique", "address", a.CIDR, "link", subject(l)),
			})
		}
	}
	return true
}

// subnet looks whether the link is in the network that it is to be in.
func (h *hop) subnet() bool {
	l := h.out
	if l == nil || len(family(addressesOf(l), h.dst)) == 0 {
		return true
	}
	missing := slices.DeleteFunc(h.missing(l), func(p netip.Prefix) bool {
		return !p.Contains(h.dst) && !(h.want.gateway.IsValid() && p.Contains(h.want.gateway))
	})
	if len(missing) > 0 {
		return h.bad(h.notIntended(l, missing))
	}
	return true
}
