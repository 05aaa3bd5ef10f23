package diagnose

import (
	"fmt"
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
		return h.stop(Check{Check: "route", Status: Unknown, Subject: h.ns.Name, Detail: "the route leads to " + a.Link + ", which is not to be seen", Evidence: h.routeGet()})
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
		return h.ok("route", h.ns.Name, "%s is on the network of %s", h.dst, subject(out))
	}
	return h.ok("route", h.ns.Name, "the way to %s leads through %s to %s", h.dst, subject(out), h.next)
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
		c.Detail = fmt.Sprintf("%s has a route of the type %s to %s, which covers %s", h.ns.Name, covering.Type, covering.Destination, h.dst)
		h.replaceRoute(&c, covering)
		return c
	case h.answer.Refusal == topology.NoRoute || h.answer.Refusal == topology.Unreachable:
		c.Detail = h.ns.Name + " has no route to " + h.dst.WithZone("").String()
	default:
		c.Detail = fmt.Sprintf("%s refuses to send to %s; a rule of its routing policy may say so", h.ns.Name, h.dst)
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
	meant := "directly through " + w.link
	if w.gateway.IsValid() {
		meant = "to " + w.gateway.String()
	}
	c := Check{
		Check: "route", Subject: h.ns.Name, Evidence: h.routeGet(),
		Detail: fmt.Sprintf("%s sends packets for %s to %s through %s; intended is %s", h.ns.Name, h.dst, h.next, h.answer.Link, meant),
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
				Detail: fmt.Sprintf("%s, with %s, and %s, with %s, are on one network but not in one subnet", subject(out), texts(have), subject(l), texts(family(addressesOf(l), h.dst))),
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
		Detail: fmt.Sprintf("%s drops what comes from %s in by %s, because it would send answers by %s (rp_filter)", h.ns.Name, h.src, h.in.Name, back.Link),
	}
	if back.Refusal != "" {
		c.Detail = fmt.Sprintf("%s drops what comes from %s, because it has no route back to there (rp_filter)", h.ns.Name, h.src)
		return h.stop(c)
	}
	h.apply(&c, h.ns.Managed, "ask only for some way back, not for the same one (loose mode)", topology.SetSysctl{Namespace: h.ns.Name, Name: names[1], Value: "2"})
	return h.stop(c)
}

// ownSource looks whether the kernel refuses a packet because it says to come from
// itself.
func (h *hop) ownSource() bool {
	for _, l := range h.ns.Links {
		if l.Sync != topology.Missing && has(l, h.src) {
			return h.stop(Check{
				Check: "duplicate_address", Subject: subject(l),
				Detail: fmt.Sprintf("%s has the sender's address %s too, and so takes nothing from there", subject(l), h.src),
			})
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
	h.ok("firewall", h.ns.Name, "the packet filter lets it in")
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
		c := Check{Check: "echo", Subject: h.ns.Name, Detail: h.ns.Name + " is told to answer no echo requests", Evidence: settings([]string{setting}, values)}
		h.apply(&c, h.ns.Managed, "have "+h.ns.Name+" answer echo requests", topology.SetSysctl{Namespace: h.ns.Name, Name: setting, Value: "0"})
		return h.bad(c)
	}
	return h.ok("echo", subject(h.in), "%s takes it for its own", subject(h.in))
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
		return h.ok("forwarding", h.ns.Name, "%s forwards", h.ns.Name)
	}
	c := Check{
		Check: "forwarding", Subject: h.ns.Name, Evidence: settings(names, values),
		Detail: fmt.Sprintf("%s does not forward packets, and %s is not its own", h.ns.Name, h.dst),
	}
	write := names[0]
	if values[write] == "1" {
		write = decides
	}
	h.apply(&c, h.ns.Managed, "have "+h.ns.Name+" forward packets", topology.SetSysctl{Namespace: h.ns.Name, Name: write, Value: "1"})
	return h.bad(c)
}
