package diagnose

import (
	"slices"

	"netdash/internal/topology"
)

// nextHop finds the link that the frame is for.
func (h *hop) nextHop() bool {
	h.network = h.segment(h.out)
	if h.to = h.owner(); h.to != nil {
		return true
	}
	if r, ok := h.intendedOwner(h.next.WithZone("")); ok {
		return h.absent(r)
	}
	for _, n := range h.snapshot.Namespaces {
		for _, l := range n.Links {
			if l.Sync != topology.Missing && l.Kind != kindLoopback && has(l, h.next) && !h.next.IsLinkLocalUnicast() {
				return h.stop(h.apart(l))
			}
		}
	}
	if l := h.network.endsUnseen(h.trace); l != nil {
		return h.stop(Check{
			Check: "peer", Status: Unknown, Subject: subject(l),
			Sentence: say("maybe_behind", "address", h.next, "link", subject(l)),
		})
	}
	c := Check{Check: "neighbour", Subject: subject(h.out), Sentence: say("nobody", "link", subject(h.out), "address", h.next), Evidence: h.pingError()}
	if h.next != h.dst {
		c.Check, c.Subject = "gateway", h.ns.Name
		c.Sentence = say("no_gateway", "namespace", h.ns.Name, "gateway", h.next, "link", subject(h.out))
	}
	return h.stop(c)
}

// owner is the link on the network that answers for the next address: one that
// has it, the intended one first; else one whose namespace has it, for the kernel
// answers for every address it has on every link (arp_ignore).
func (h *hop) owner() *topology.Link {
	var exact, weak *topology.Link
	for _, l := range h.network.links {
		if l == h.out || l.Master != "" || l.Namespace == h.ns.Name {
			continue
		}
		switch {
		case has(l, h.next):
			if r, ok := h.intendedOwner(h.next); exact == nil || ok && meaning(l) == r {
				exact = l
			}
		case weak == nil && !h.next.IsLinkLocalUnicast():
			n := h.snapshot.Namespace(l.Namespace)
			if n != nil && slices.ContainsFunc(n.Links, func(x *topology.Link) bool { return x.Sync != topology.Missing && has(x, h.next) }) {
				weak = l
			}
		}
	}
	if exact == nil {
		return weak
	}
	return exact
}

// absent is about an intended link that is to have the address and does not, or is
// not on the network.
func (h *hop) absent(r topology.LinkRef) bool {
	n := h.snapshot.Namespace(r.Namespace)
	if n == nil || n.Sync == topology.Missing {
		return h.gone(r.Namespace)
	}
	l := h.linkAt(r)
	switch {
	case l == nil:
		return h.stop(h.missingLink(r))
	case has(l, h.next) || !h.network.has(l):
		return h.stop(h.apart(l))
	case len(family(addressesOf(l), h.next)) == 0:
		return h.isUp(l) && h.stop(h.noAddress(l, h.missing(l)))
	}
	return h.stop(h.notIntended(l, h.missing(l)))
}

// apart is the finding of two links that are not on one network: the first cable
// of the intended way between them that is not as intended; else the nearer of
// the ends that hang loose.
func (h *hop) apart(other *topology.Link) Check {
	if c, ok := h.cutIntended(meaning(h.out), meaning(other)); ok {
		return c
	}
	for i, end := range []*topology.Link{h.out, other} {
		if p := h.peerOf(end); p != nil && p.Master == "" && len(p.Addresses) == 0 {
			c := Check{Check: "plugged", Subject: subject(p), Sentence: say("not_plugged", "link", subject(p), "peer", subject(end))}
			h.plugIn(&c, p, []*topology.Link{other, h.out}[i])
			return c
		}
		if end.Kind == kindVeth && h.peerOf(end) == nil {
			return peerUnseen(end)
		}
	}
	c := Check{Check: "plugged", Subject: subject(h.out), Sentence: say("not_one_network", "link", subject(h.out), "other", subject(other))}
	if p := h.peerOf(h.out); p != nil {
		c.Subject = subject(p)
	}
	return c
}

// plugIn proposes the bridge of a loose end's namespace that the other side is on.
func (h *hop) plugIn(c *Check, loose, toward *topology.Link) {
	for _, b := range h.segment(toward).links {
		if b.Kind == kindBridge && b.Namespace == loose.Namespace {
			h.mend(c, loose, topology.SetMaster{Namespace: loose.Namespace, Name: loose.Name, Master: b.Name}, say("plug", "link", subject(loose), "bridge", subject(b)), map[string]any{"master": b.Name}, "master")
			return
		}
	}
}

// cutIntended follows the intended way between two links up to where it is not
// so.
func (h *hop) cutIntended(from, to topology.LinkRef) (Check, bool) {
	way := h.intendedWay(from, to)
	for i, r := range way {
		l := h.linkAt(r)
		if l == nil {
			return h.missingLink(r), true
		}
		if i == 0 {
			continue
		}
		before := way[i-1]
		for _, p := range []struct{ port, bridge topology.LinkRef }{{before, r}, {r, before}} {
			if e := h.spec.FindEnd(p.port.Namespace, p.port.Name); e == nil || e.Master != p.bridge.Name || e.Namespace != p.bridge.Namespace {
				continue
			}
			if l := h.linkAt(p.port); l != nil && l.Master != p.bridge.Name {
				c := Check{
					Check: "plugged", Subject: name(p.port), Sentence: say("not_plugged_but", "link", name(p.port), "intended", name(p.bridge)),
					Repair: reconcile(say("plug", "link", name(p.port), "bridge", name(p.bridge)), name(p.port)),
				}
				if l.Master != "" {
					c.Sentence = say("plugged_elsewhere", "link", name(p.port), "bridge", l.Master, "intended", name(p.bridge))
				}
				return c, true
			}
		}
		if p, ok := h.intendedPeer(before); ok && p == r {
			if x := h.linkAt(before); x != nil && h.peerOf(x) != l {
				return Check{
					Check: "peer", Subject: name(before), Sentence: say("not_peers", "link", name(before), "peer", name(r)),
					Repair: reconcile(say("connect", "link", name(before), "peer", name(r)), name(before), name(r)),
				}, true
			}
		}
	}
	return Check{}, false
}

// intendedWay is the shortest way between two links over intended cables and
// bridges; nil if there is none.
func (h *hop) intendedWay(from, to topology.LinkRef) []topology.LinkRef {
	before := map[topology.LinkRef]topology.LinkRef{from: {}}
	for queue := []topology.LinkRef{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == to {
			var way []topology.LinkRef
			for r := at; r != (topology.LinkRef{}); r = before[r] {
				way = append(way, r)
			}
			slices.Reverse(way)
			return way
		}
		for _, next := range h.intendedBeside(at) {
			if _, seen := before[next]; !seen {
				before[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

func (h *hop) intendedBeside(r topology.LinkRef) []topology.LinkRef {
	var out []topology.LinkRef
	if p, ok := h.intendedPeer(r); ok {
		out = append(out, p)
	}
	if e := h.spec.FindEnd(r.Namespace, r.Name); e != nil && e.Master != "" {
		out = append(out, topology.LinkRef{Namespace: e.Namespace, Name: e.Master})
	}
	if h.spec.FindBridge(r.Namespace, r.Name) != nil {
		for i := range h.spec.Veths {
			for _, e := range []*topology.End{&h.spec.Veths[i].A, &h.spec.Veths[i].B} {
				if e.Namespace == r.Namespace && e.Master == r.Name {
					out = append(out, end(e))
				}
			}
		}
	}
	return out
}

// cable looks at the way of the frame over cables and bridges: a way on which
// everything is up and forwards, if there is one; else what stops it on the
// shortest.
func (h *hop) cable() bool {
	if open := h.search(h.out, h.passes); open.has(h.to) {
		h.path = open.way(h.to)
		return h.throughBridges()
	}
	h.path = h.network.way(h.to)
	for _, l := range h.path[1:] {
		// A bridge that is down has all its ports disabled.
		if b := h.bridgeOf(l); !h.isUp(l) || b != nil && b != h.out && !h.isUp(b) {
			return false
		}
		if !l.Carrier && l.Kind != kindBridge {
			if p := h.peerOf(l); p != nil && !h.isUp(p) {
				return false
			}
			return h.bad(Check{Check: "carrier", Subject: subject(l), Sentence: say("no_carrier", "link", subject(l)), Evidence: "state " + l.OperState})
		}
		if l.Master != "" && l.BridgePort != nil && l.BridgePort.State != "forwarding" {
			return h.stop(h.blocked(l))
		}
	}
	for _, c := range crossings(h.path) {
		if isolated(c) {
			return h.bad(h.isolated(c))
		}
	}
	return h.stop(Check{Check: "plugged", Status: Unknown, Subject: subject(h.to), Sentence: say("no_frame_way", "link", subject(h.out), "other", subject(h.to))})
}

// passes tells whether a frame can go on from one link to the next.
func (h *hop) passes(prev, at, next *topology.Link) bool {
	if !next.AdminUp || !next.Carrier && next.Kind != kindBridge {
		return false
	}
	for _, l := range []*topology.Link{at, next} {
		if l.Master != "" && l.BridgePort != nil && l.BridgePort.State != "forwarding" {
			return false
		}
	}
	return at.Kind != kindBridge || !isolated(crossing{prev, at, next})
}

// isolated tells whether a frame would have to go from one isolated port to
// another (should_deliver in net/bridge/br_forward.c).
func isolated(c crossing) bool { return isIsolated(c.in) && isIsolated(c.out) }

func isIsolated(l *topology.Link) bool {
	return l != nil && l.BridgePort != nil && l.BridgePort.Isolated != nil && *l.BridgePort.Isolated
}

func (h *hop) isolated(c crossing) Check {
	f := Check{
		Check: "isolation", Subject: subject(c.out), Evidence: "isolated on",
		Sentence: say("isolated", "port", c.in.Name, "other", c.out.Name, "bridge", subject(c.bridge)),
	}
	h.mendPort(&f, c.out, "isolated", false, topology.PortAttributes{Isolated: new(false)}, func(a topology.PortAttributes) *bool { return a.Isolated })
	return f
}

// blocked is the finding of a port that does not forward.
func (h *hop) blocked(l *topology.Link) Check {
	c := Check{Check: "stp", Subject: subject(l), Evidence: "port state " + l.BridgePort.State}
	b := h.bridgeOf(l)
	spanning := b != nil && b.Bridge != nil && b.Bridge.STP != nil && *b.Bridge.STP
	switch state := l.BridgePort.State; {
	case !spanning:
		c.Check = "port"
		c.Sentence = say("port_state", "port", subject(l), "state", state)
		h.apply(&c, l.Managed, say("restart_port", "port", subject(l)),
			topology.SetUp{Namespace: l.Namespace, Name: l.Name}, topology.SetUp{Namespace: l.Namespace, Name: l.Name, Up: true})
	case state == "listening" || state == "learning":
		c.Status = Unknown
		c.Sentence = say("stp_not_yet", "port", subject(l), "state", state)
	default:
		c.Sentence = say("stp_blocks", "port", subject(l), "state", state)
	}
	return c
}

// throughBridges notes the way, and looks at the VLANs of the bridges on it.
func (h *hop) throughBridges() bool {
	way := ""
	for i, l := range h.path {
		if i > 0 {
			way += " → "
		}
		way += subject(l)
	}
	h.ok("plugged", subject(h.to), say("frame_way", "way", way))
	tag := 0
	for _, c := range crossings(h.path) {
		if v := c.bridge.Bridge; v == nil || v.VLANFiltering == nil || !*v.VLANFiltering {
			continue
		}
		vlans, err := h.BridgeVLANs(h.ctx, c.bridge.Namespace)
		if err != nil {
			return h.failed("vlan", subject(c.bridge), err)
		}
		if !h.vlan(c, vlans, &tag) {
			return false
		}
	}
	return true
}

// vlan follows the VLAN of a frame through a bridge that filters (br_allowed_ingress
// and br_allowed_egress in net/bridge/br_vlan.c). tag is what the frame carries.
func (h *hop) vlan(c crossing, vlans map[string]topology.VLANs, tag *int) bool {
	in, out := c.in, c.out
	if in == nil {
		in = c.bridge
	}
	if out == nil {
		out = c.bridge
	}
	vid := *tag
	if vid == 0 {
		vid = vlans[in.Name].PVID
	}
	switch {
	case vid == 0:
		return h.bad(Check{Check: "vlan", Subject: subject(in), Sentence: say("no_pvid", "link", subject(in)), Evidence: "bridge vlan show"})
	case !vlans[in.Name].Members[vid]:
		return h.bad(Check{Check: "vlan", Subject: subject(in), Sentence: say("not_in_vlan", "link", subject(in), "vlan", vid), Evidence: "bridge vlan show"})
	case !vlans[out.Name].Members[vid]:
		return h.bad(Check{
			Check: "vlan", Subject: subject(out), Evidence: "bridge vlan show",
			Sentence: say("not_out_of_vlan", "link", subject(in), "vlan", vid, "other", subject(out)),
		})
	}
	if *tag = vid; vlans[out.Name].Untagged[vid] {
		*tag = 0
	}
	return true
}
