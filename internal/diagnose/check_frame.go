package diagnose

import (
	"fmt"
	"net/netip"
	"strings"

	"netdash/internal/topology"
)

// vlanHeader is how much longer than its MTU a link takes a frame: room for a VLAN
// tag (is_skb_forwardable in net/core/dev.c).
const vlanHeader = 4

// duplicates looks for others on the network that have an address which the
// packet is for, or from.
func (h *hop) duplicates() bool {
	for _, l := range h.network.links {
		for _, x := range []struct {
			address netip.Addr
			owner   *topology.Link
		}{{h.next, h.to}, {h.src, h.out}} {
			if l == x.owner || l.Namespace == x.owner.Namespace || !l.AdminUp || !has(l, x.address) || x.address.IsLinkLocalUnicast() && x.owner == h.out {
				continue
			}
			if !has(x.owner, x.address) { // it only passes on what is another's
				continue
			}
			wrong := l
			if r, ok := h.intendedOwner(x.address); ok && meaning(l) == r {
				wrong = x.owner
			}
			if !h.bad(h.duplicate(wrong, x.address, l, x.owner)) {
				return false
			}
		}
	}
	return true
}

func (h *hop) duplicate(wrong *topology.Link, a netip.Addr, both ...*topology.Link) Check {
	c := Check{
		Check: "duplicate_address", Subject: subject(wrong), Evidence: "ip address show",
		Sentence: say("address_twice", "link", subject(both[0]), "other", subject(both[1]), "address", a),
	}
	for _, p := range addressesOf(wrong) {
		if p.Addr() != a {
			continue
		}
		cidr := p.String()
		gone := topology.DeleteAddress{Namespace: wrong.Namespace, Link: wrong.Name, CIDR: cidr}
		what := say("take_address", "address", cidr, "link", subject(wrong))
		switch {
		case !wrong.Managed:
			c.Advice = []string{gone.Command()}
		case differs(wrong, subject(wrong)+" "+cidr):
			c.Repair = reconcile(what, name(meaning(wrong))+" "+cidr)
		default:
			c.Repair = &Repair{Sentence: what, Request: Request{Method: "DELETE", Path: linkPath(wrong) + "/addresses/" + escape(cidr)}}
		}
	}
	return c
}

// macConflict looks for others on the network that have the MAC of the frame's
// sender or receiver: a bridge sends to whom it has heard of last.
func (h *hop) macConflict() bool {
	for _, l := range h.network.links {
		for _, x := range []*topology.Link{h.to, h.out} {
			if l == x || l.MAC != x.MAC || l.MAC == "" || isPortOf(l, x) || isPortOf(x, l) {
				continue
			}
			wrong := l
			if h.ownMAC(l) == l.MAC && h.ownMAC(x) != x.MAC {
				wrong = x
			}
			if wrong == x && x.Master == "" || wrong == l {
				return h.bad(h.sameMAC(wrong, l, x))
			}
		}
	}
	return true
}

// isPortOf tells whether a link is a port of a bridge, which has the MAC of one of
// them.
func isPortOf(port, bridge *topology.Link) bool {
	return bridge.Kind == kindBridge && port.Master == bridge.Name && port.Namespace == bridge.Namespace
}

// ownMAC is the MAC that an intended link is to have, or has had from the
// beginning; empty for any other.
func (h *hop) ownMAC(l *topology.Link) string {
	r := meaning(l)
	if e := h.spec.FindEnd(r.Namespace, r.Name); e != nil {
		if e.MAC != "" {
			return strings.ToLower(e.MAC)
		}
		return e.Identity.MAC
	}
	if b := h.spec.FindBridge(r.Namespace, r.Name); b != nil {
		return strings.ToLower(b.MAC)
	}
	return ""
}

func (h *hop) sameMAC(wrong, a, b *topology.Link) Check {
	c := Check{
		Check: "mac_conflict", Subject: subject(wrong), Evidence: "ip link show",
		Sentence: say("mac_twice", "link", subject(a), "other", subject(b), "mac", a.MAC),
	}
	own := h.ownMAC(wrong)
	if own == wrong.MAC || own == "" {
		own = someMAC(wrong)
	}
	e := h.spec.FindEnd(meaning(wrong).Namespace, meaning(wrong).Name)
	set := topology.SetMAC{Namespace: wrong.Namespace, Name: wrong.Name, MAC: own}
	what := say("give_mac", "link", subject(wrong), "mac", own)
	if e != nil && e.MAC == "" && own == e.Identity.MAC {
		h.apply(&c, wrong.Managed, what, set) // none is intended, so nothing of the Spec changes
		return c
	}
	h.mend(&c, wrong, set, what, map[string]any{"mac": own}, "mac")
	return c
}

// someMAC is a MAC for a link that shares its own: locally administered, and the
// same each time it is asked for.
func someMAC(l *topology.Link) string {
	hash := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(l.Key) {
		hash = (hash ^ uint64(b)) * 1099511628211
	}
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", byte(hash), byte(hash>>8), byte(hash>>16), byte(hash>>24), byte(hash>>32))
}

// arp looks whether both ends resolve addresses at all.
func (h *hop) arp() bool {
	for _, l := range []*topology.Link{h.out, h.to} {
		for _, f := range l.Flags {
			if f != "NOARP" {
				continue
			}
			c := Check{Check: "arp", Subject: subject(l), Sentence: say("arp_off", "link", subject(l)), Evidence: "NOARP"}
			h.apply(&c, l.Managed, say("arp_on", "link", subject(l)), topology.SetARP{Namespace: l.Namespace, Name: l.Name, On: true})
			if !h.bad(c) {
				return false
			}
		}
	}
	return true
}

// macTable looks whether a bridge would send the frame, or the answer to the
// question for its receiver's MAC, out of another port.
func (h *hop) macTable() bool {
	for _, x := range crossings(h.path) {
		n := h.snapshot.Namespace(x.bridge.Namespace)
		for _, e := range n.FDB {
			toward := map[string]*topology.Link{h.to.MAC: x.out, h.out.MAC: x.in}[e.MAC]
			if e.Bridge != x.bridge.Name || toward == nil || e.Port == toward.Name {
				continue
			}
			c := Check{
				Check: "fdb", Subject: subject(x.bridge), Evidence: "bridge fdb show: " + e.MAC + " " + e.State,
				Sentence: say("fdb_wrong", "bridge", subject(x.bridge), "mac", e.MAC, "port", e.Port, "other", toward.Name),
			}
			what := say("entry_remove", "bridge", subject(x.bridge))
			gone := topology.DeleteFDB{Namespace: n.Name, Bridge: x.bridge.Name, Entry: topology.FDBSpec{MAC: e.MAC, Port: e.Port, VLAN: e.VLAN}}
			switch {
			case e.State == "learned" && h.reachable:
				continue // it moves with the next frame
			case e.State == "local":
				continue // the bridge's own, of which macConflict tells
			case e.State == "learned":
				c.Repair = &Repair{Sentence: say("learned_forget", "bridge", subject(x.bridge)), Request: Request{Method: "POST", Path: bridgePath(x.bridge) + "/fdb/flush"}, Changes: topology.Plan{gone}, Plan: topology.PlanRecord{Changes: topology.Plan{gone}.Records()}}
			case e.Managed:
				c.Repair = &Repair{Sentence: what, Request: Request{Method: "DELETE", Path: bridgePath(x.bridge) + "/fdb?mac=" + escape(e.MAC) + "&port=" + escape(e.Port)}}
			default:
				h.apply(&c, x.bridge.Managed, what, gone)
			}
			if !h.bad(c) {
				return false
			}
		}
	}
	return true
}

// flood is one of the settings by which a port gets what its bridge does not know
// to be there.
type flood struct {
	field string
	of    func(topology.PortAttributes) *bool
	on    topology.PortAttributes
}

var (
	unicast   = flood{"flood", func(a topology.PortAttributes) *bool { return a.Flood }, topology.PortAttributes{Flood: new(true)}}
	broadcast = flood{"bcast_flood", func(a topology.PortAttributes) *bool { return a.BroadcastFlood }, topology.PortAttributes{BroadcastFlood: new(true)}}
	multicast = flood{"mcast_flood", func(a topology.PortAttributes) *bool { return a.MulticastFlood }, topology.PortAttributes{MulticastFlood: new(true)}}
)

// flooding looks whether a bridge would keep from a port what it does not know to
// be there: questions for a MAC, which go to all, and frames to unknown MACs.
func (h *hop) flooding() bool {
	entry, found, err := h.entry()
	if err != nil {
		return h.failed("neighbour", subject(h.out), err)
	}
	h.resolved = found && entry.MAC != ""
	questions := broadcast
	if !h.is4() {
		questions = multicast
	}
	for _, x := range crossings(h.path) {
		if x.out != nil && !h.resolved && off(questions.of(portOf(x.out))) &&
			!h.bad(h.notFlooded(x.out, questions, say("no_question_flood", "port", subject(x.out), "setting", questions.field))) {
			return false
		}
		for port, mac := range map[*topology.Link]string{x.out: h.to.MAC, x.in: h.out.MAC} {
			if port == nil || h.reachable || !off(portOf(port).Flood) || h.isKnown(x.bridge, mac) {
				continue
			}
			why := say("no_flood", "port", subject(port), "mac", mac)
			if off(portOf(port).Learning) {
				why = say("no_flood_learning", "port", subject(port), "mac", mac)
			}
			if !h.bad(h.notFlooded(port, unicast, why)) {
				return false
			}
		}
	}
	return true
}

func portOf(l *topology.Link) topology.PortAttributes {
	if l.BridgePort == nil {
		return topology.PortAttributes{}
	}
	return l.BridgePort.PortAttributes
}

func off(v *bool) bool { return v != nil && !*v }

func (h *hop) isKnown(bridge *topology.Link, mac string) bool {
	for _, e := range h.snapshot.Namespace(bridge.Namespace).FDB {
		if e.Bridge == bridge.Name && e.MAC == mac {
			return true
		}
	}
	return false
}

func (h *hop) notFlooded(port *topology.Link, f flood, why Sentence) Check {
	c := Check{Check: "flood", Subject: subject(port), Evidence: f.field + " off", Sentence: why}
	h.mendPort(&c, port, f.field, true, f.on, f.of)
	return c
}

// entry is what the namespace's ARP or ND table says of the next address.
func (h *hop) entry() (e topology.Neighbour, found bool, err error) {
	list, err := h.Neighbours(h.ctx, h.ns.Name)
	for _, e := range list {
		if e.Link == h.out.Name && e.Address == h.next.WithZone("").String() {
			return e, true, nil
		}
	}
	return e, false, err
}

// neighbour looks whether the MAC of the next address is known, and the right one.
func (h *hop) neighbour() bool {
	e, found, err := h.entry()
	switch {
	case err != nil:
		return h.failed("neighbour", subject(h.out), err)
	case !found && h.reachable:
		return h.ok("neighbour", subject(h.out), say("neighbour_asked", "address", h.next))
	case found && e.MAC != "" && e.MAC != h.to.MAC:
		c := Check{
			Check: "neighbour", Subject: subject(h.out), Evidence: fmt.Sprintf("ip neighbour show: %s lladdr %s %s", e.Address, e.MAC, e.State),
			Sentence: say("neighbour_wrong", "namespace", h.ns.Name, "mac", e.MAC, "address", h.next, "right", h.to.MAC),
		}
		h.apply(&c, h.ns.Managed || h.out.Managed, say("neighbour_anew", "namespace", h.ns.Name), topology.DeleteNeighbour{Namespace: h.ns.Name, Link: h.out.Name, Address: e.Address})
		return h.bad(c)
	case found && e.MAC != "":
		return h.ok("neighbour", subject(h.out), say("neighbour_known", "address", h.next, "mac", e.MAC, "state", e.State))
	}
	return h.unresolved(e.State)
}

// unresolved is about a neighbour that gives no answer although nothing on the way
// to it is wrong.
func (h *hop) unresolved(state string) bool {
	// The kernel's limit on all neighbour tables together is set on the first
	// namespace alone (neigh_sysctl_register in net/core/neighbour.c).
	const limit = "net/ipv4/neigh/default/gc_thresh3"
	if strings.Contains(h.pingError(), "no buffer space") {
		values, err := h.Sysctls(h.ctx, topology.HostName, limit)
		if err != nil {
			return h.failed("neighbour", subject(h.out), err)
		}
		return h.bad(Check{
			Check: "neighbour", Subject: h.ns.Name, Evidence: h.pingError() + "; " + settings([]string{limit}, values),
			Sentence: say("neighbours_full"),
			Advice:   []string{topology.SetSysctl{Namespace: topology.HostName, Name: limit, Value: "8192"}.Command()},
		})
	}
	// Who is asked lets the question through its filter, and looks up the way back to
	// the one who asks before it answers (arp_process in net/ipv4/arp.c): what refuses
	// packets refuses questions too.
	if asked := (&hop{trace: h.trace, ns: h.snapshot.Namespace(h.to.Namespace), in: h.to, src: h.src, dst: h.next}); h.is4() && (!asked.questionIn() || !asked.routeIn()) {
		return false
	}
	if state == "" {
		state = "no entry"
	}
	return h.bad(Check{
		Check: "neighbour", Subject: subject(h.to), Evidence: "ip neighbour show: " + h.next.String() + " " + state,
		Sentence: say("no_neighbour", "namespace", h.ns.Name, "address", h.next, "link", subject(h.to)),
	})
}

// mtu looks whether the packet fits everywhere on the way.
func (h *hop) mtu() bool {
	header := 28 // IPv4 and ICMP
	if !h.is4() {
		header = 48
	}
	whole := h.question.Size + header
	if h.piece == 0 {
		h.piece = whole
	}
	if h.out.MTU > 0 && h.piece > h.out.MTU {
		// A packet that was sent whole asks not to be cut up; its sender is told, and
		// cuts up the next one. IPv6 routers never cut.
		if h.in != nil && (h.piece == whole || !h.is4()) {
			c := Check{
				Check: "mtu", Status: Warning, Subject: subject(h.out), Evidence: h.pingError(),
				Sentence: say("too_long", "size", h.piece, "link", subject(h.out), "mtu", h.out.MTU, "namespace", h.ns.Name),
			}
			if strings.Contains(c.Evidence, "Frag needed") || strings.Contains(c.Evidence, "too big") {
				c.Status = Broken
			}
			h.wider(&c, h.out, h.in.MTU)
			if !h.bad(c) {
				return false
			}
		}
		h.piece = h.out.MTU
	}
	narrow := (*topology.Link)(nil)
	for _, l := range h.path[1:] {
		if l.Kind != kindBridge && l.MTU > 0 && (narrow == nil || l.MTU < narrow.MTU) {
			narrow = l
		}
	}
	if narrow == nil || narrow.MTU >= h.out.MTU {
		return h.ok("mtu", subject(h.out), say("fits", "mtu", h.out.MTU))
	}
	c := Check{
		Check: "mtu", Subject: subject(narrow), Evidence: fmt.Sprintf("mtu %d; of %s %d", narrow.MTU, subject(h.out), h.out.MTU),
		Sentence: say("mtu_differs", "link", subject(h.out), "mtu", h.out.MTU, "narrow", subject(narrow), "narrow_mtu", narrow.MTU),
	}
	if h.piece <= narrow.MTU+vlanHeader {
		c.Status = Warning
	}
	h.wider(&c, narrow, h.out.MTU)
	return h.bad(c)
}

// wider mends an MTU.
func (h *hop) wider(c *Check, l *topology.Link, mtu int) {
	h.mend(c, l, topology.SetMTU{Namespace: l.Namespace, Name: l.Name, MTU: mtu}, say("set_mtu", "link", subject(l), "mtu", mtu), map[string]any{"mtu": mtu}, "mtu")
}
