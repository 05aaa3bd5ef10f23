package diagnose

import (
	"net/netip"
	"slices"

	"netdash/internal/topology"
)

// route asks the kernel where it sends the packet.
func (h *hop) route() bool {
	if h.answer == nil {
		var err error
		if h.answer, err = h.RouteFor(h.ctx, h.ns.Name, topology.RouteQuestion{Destination: h.dst, Source: h.src}); err != nil {
			return h.failed("route", h.ns.Name, err)
		}
	}
	a := h.answer
	if a.Refusal != "" {
		return h.stop(h.refused())
	}
	out := h.linkAt(topology.LinkRef{Namespace: h.ns.Name, Name: a.Link})
	if out == nil {
		return h.stop(Check{Check: "route", Status: Unknown, Subject: h.ns.Name, Sentence: say("route_unseen", "link", a.Link), Evidence: h.routeGet()})
	}
	h.next = h.dst
	if gw, err := netip.ParseAddr(a.Gateway); err == nil {
		h.next = gw
	}
	if !h.src.IsValid() {
		h.src, _ = netip.ParseAddr(a.Source)
		h.trace.src = h.src
	}
	if !h.asIntended() {
		return false
	}
	if h.out != out {
		if h.out = out; !h.isUp(out) || !h.carrier() {
			return false
		}
	}
	if h.next == h.dst {
		return h.ok("route", h.ns.Name, say("route_on_link", "address", h.dst, "link", subject(out)))
	}
	return h.ok("route", h.ns.Name, say("route_by_gateway", "address", h.dst, "link", subject(out), "gateway", h.next))
}

// routeGet is the question as ip(8) asks it.
func (h *hop) routeGet() string {
	s := topology.IPCommand(h.ns.Name, "route get "+h.dst.WithZone("").String())
	if h.in != nil && h.src.IsValid() {
		s += " from " + h.src.String() + " iif " + h.in.Name
	}
	return s
}

// refused is the finding of a packet that the kernel sends nowhere.
func (h *hop) refused() Check {
	c := Check{Check: "route", Subject: h.ns.Name, Evidence: h.routeGet() + ": " + string(h.answer.Refusal)}
	covering := h.covering()
	special := covering != nil && covering.Type != "unicast"
	switch {
	case special:
		c.Sentence = say("route_refuses", "namespace", h.ns.Name, "type", covering.Type, "destination", covering.Destination, "address", h.dst)
		h.replaceRoute(&c, covering)
		return c
	case h.answer.Refusal == topology.NoRoute || h.answer.Refusal == topology.Unreachable:
		c.Sentence = say("no_route", "namespace", h.ns.Name, "address", h.dst.WithZone(""))
	default:
		c.Sentence = say("policy_refuses", "namespace", h.ns.Name, "address", h.dst)
		return c
	}
	if f, ok := h.subnetsDisagree(); ok {
		return f
	}
	h.addRoute(&c)
	return c
}

// covering is the observed route of the main table that decides.
func (h *hop) covering() *topology.RouteState {
	var best *topology.RouteState
	bits := -1
	for _, r := range h.ns.Routes {
		p, ok := destination(r.Destination, h.dst)
		if !ok || r.Sync == topology.Missing || (r.Family == "inet") != h.is4() || !p.Contains(h.dst.WithZone("")) {
			continue
		}
		if p.Bits() > bits || p.Bits() == bits && r.Metric < best.Metric {
			best, bits = r, p.Bits()
		}
	}
	return best
}

// asIntended compares the kernel's choice with the intended one. A packet that
// arrives all the same is no reason to complain.
func (h *hop) asIntended() bool {
	w := h.want
	if h.reachable || !w.intended || w.link == h.answer.Link && (!w.gateway.IsValid() || w.gateway == h.next) && (w.gateway.IsValid() || h.next == h.dst) {
		return true
	}
	if f, ok := h.subnetsDisagree(); ok && !w.gateway.IsValid() {
		return h.bad(f)
	}
	c := Check{
		Check: "route", Subject: h.ns.Name, Evidence: h.routeGet(),
		Sentence: say("not_by_that_link", "namespace", h.ns.Name, "address", h.dst, "next", h.next, "link", h.answer.Link, "intended", w.link),
	}
	if w.gateway.IsValid() {
		c.Sentence = say("not_by_that_gateway", "namespace", h.ns.Name, "address", h.dst, "next", h.next, "link", h.answer.Link, "intended", w.gateway)
	}
	if r := h.covering(); r != nil {
		h.replaceRoute(&c, r)
	}
	return h.bad(c)
}

// subnetsDisagree is the finding of a target that is on the same network as a link,
// but not in its subnet.
func (h *hop) subnetsDisagree() (Check, bool) {
	if h.want.gateway.IsValid() {
		return Check{}, false
	}
	for _, out := range h.ns.Links {
		have := family(addressesOf(out), h.dst)
		if out.Kind == kindLoopback || out.Sync == topology.Missing || len(have) == 0 || slices.ContainsFunc(have, func(p netip.Prefix) bool { return p.Contains(h.dst) }) {
			continue
		}
		for _, l := range h.segment(out).links {
			if l == out || l.Namespace == h.ns.Name || !has(l, h.dst) {
				continue
			}
			c := Check{
				Check: "subnet", Subject: subject(out), Evidence: h.routeGet(),
				Sentence: say("subnets_differ", "link", subject(out), "addresses", texts(have), "other", subject(l), "other_addresses", texts(family(addressesOf(l), h.dst))),
			}
			if h.in != nil { // a router, which knows its networks better
				c.Subject = subject(l)
			}
			return c, true
		}
	}
	return Check{}, false
}

// routeIn asks the kernel what it does with a packet that came in.
func (h *hop) routeIn() bool {
	var err error
	q := topology.RouteQuestion{Destination: h.dst.WithZone(""), Source: h.src.WithZone(""), From: h.in.Name}
	if h.answer, err = h.RouteFor(h.ctx, h.ns.Name, q); err != nil {
		return h.failed("route", h.ns.Name, err)
	}
	if r := h.answer.Refusal; h.is4() && (r == topology.ReversePath || r == topology.Blackhole) {
		return h.reversePath() && h.ownSource()
	}
	return true
}

// reversePath looks whether the kernel refuses a packet for where it came from
// (__fib_validate_source in net/ipv4/fib_frontend.c). What it says of such a packet
// is the same as of others, so the question is put the other way round.
func (h *hop) reversePath() bool {
	names := []string{"net/ipv4/conf/all/rp_filter", "net/ipv4/conf/" + h.in.Name + "/rp_filter"}
	values, err := h.Sysctls(h.ctx, h.ns.Name, names...)
	if err != nil {
		return h.failed("rp_filter", h.ns.Name, err)
	}
	// The greater of the two counts: 1 wants the way back to be the same, 2 only that
	// there is one.
	mode := max(values[names[0]], values[names[1]])
	back, err := h.RouteFor(h.ctx, h.ns.Name, topology.RouteQuestion{Destination: h.src.WithZone("")})
	if err != nil {
		return h.failed("rp_filter", h.ns.Name, err)
	}
	if mode == "0" || back.Refusal == "" && (mode != "1" || back.Link == h.in.Name) {
		return true
	}
	c := Check{
		Check: "rp_filter", Subject: subject(h.in), Evidence: settings(names, values),
		Sentence: say("reverse_path", "namespace", h.ns.Name, "source", h.src, "link", h.in.Name, "back", back.Link),
	}
	if back.Refusal != "" {
		c.Sentence = say("no_reverse_path", "namespace", h.ns.Name, "source", h.src)
		return h.stop(c)
	}
	h.apply(&c, h.ns.Managed, say("rp_filter_loose"), topology.SetSysctl{Namespace: h.ns.Name, Name: names[1], Value: "2"})
	return h.stop(c)
}

// ownSource looks whether the kernel refuses a packet because it says to come from
// itself.
func (h *hop) ownSource() bool {
	for _, l := range h.ns.Links {
		if l.Sync != topology.Missing && has(l, h.src) {
			return h.stop(Check{Check: "duplicate_address", Subject: subject(l), Sentence: say("source_is_own", "link", subject(l), "source", h.src)})
		}
	}
	return true
}

// delivery ends the way where the kernel takes the packet for its own.
func (h *hop) delivery() bool {
	if h.answer.Type != "local" {
		return true
	}
	p := h.packet()
	p.In = h.in.Name
	if !h.filter(h.ns, p, h.ns.Name, at("input")) {
		return false
	}
	h.ok("firewall", h.ns.Name, say("filter_in"))
	if !h.reply && !h.echoes() {
		return false
	}
	h.delivered = true
	return true
}

// echoes looks whether the target answers at all.
func (h *hop) echoes() bool {
	setting := "net/ipv4/icmp_echo_ignore_all"
	if !h.is4() {
		setting = "net/ipv6/icmp/echo_ignore_all"
	}
	values, err := h.Sysctls(h.ctx, h.ns.Name, setting)
	if err != nil {
		return h.failed("echo", h.ns.Name, err)
	}
	if v, there := values[setting]; there && v != "0" {
		c := Check{Check: "echo", Subject: h.ns.Name, Sentence: say("echo_ignored", "namespace", h.ns.Name), Evidence: settings([]string{setting}, values)}
		h.apply(&c, h.ns.Managed, say("echo_on", "namespace", h.ns.Name), topology.SetSysctl{Namespace: h.ns.Name, Name: setting, Value: "0"})
		return h.bad(c)
	}
	return h.ok("echo", subject(h.in), say("delivered", "link", subject(h.in)))
}

// forwarding looks whether the namespace sends on what is not for it.
func (h *hop) forwarding() bool {
	names := []string{"net/ipv4/ip_forward", "net/ipv4/conf/" + h.in.Name + "/forwarding"}
	if !h.is4() {
		names = []string{"net/ipv6/conf/all/forwarding"}
	}
	values, err := h.Sysctls(h.ctx, h.ns.Name, names...)
	if err != nil {
		return h.failed("forwarding", h.ns.Name, err)
	}
	// For IPv4 the setting of the link decides; the other one, written, sets all.
	decides := names[len(names)-1]
	if values[decides] == "1" {
		return h.ok("forwarding", h.ns.Name, say("forwarding", "namespace", h.ns.Name))
	}
	c := Check{
		Check: "forwarding", Subject: h.ns.Name, Evidence: settings(names, values),
		Sentence: say("not_forwarding", "namespace", h.ns.Name, "address", h.dst),
	}
	write := names[0]
	if values[write] == "1" {
		write = decides
	}
	h.apply(&c, h.ns.Managed, say("forwarding_on", "namespace", h.ns.Name), topology.SetSysctl{Namespace: h.ns.Name, Name: write, Value: "1"})
	return h.bad(c)
}
