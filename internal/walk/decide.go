package walk

import (
	"slices"
	"time"

	"netdash/internal/topology"
)

// judge makes Decisions, in order: it knows each bridge as of the last one.
type judge struct {
	bridges map[topology.LinkRef]*bridge
}

func newJudge(e *Evidence) *judge {
	j := &judge{map[topology.LinkRef]*bridge{}}
	for _, t := range e.Tables {
		j.bridges[topology.LinkRef{Namespace: t.Namespace, Name: t.Bridge}] = newBridge(e.Snapshot, t, e.Events)
	}
	return j
}

// decisions judges every crossing of a bridge, which begins with a hop in by a
// port or out by the bridge itself.
func (j *judge) decisions(hops []*hop, start time.Time) []Decision {
	out := []Decision{}
	for _, h := range hops {
		if h.link == nil {
			continue
		}
		name := ""
		switch {
		case h.Out && h.link.Kind == "bridge":
			name = h.link.Name
		case !h.Out:
			name = h.link.Master
		}
		b := j.bridges[topology.LinkRef{Namespace: h.namespace, Name: name}]
		if b == nil {
			continue
		}
		b.advance(h.at)
		d := b.decide(h)
		if d.Contradiction != "" {
			// What the kernel has told a little later may have been so already.
			if then := b.ahead(h.at).decide(h); then.Contradiction == "" {
				d = then
			}
		}
		if !h.Out {
			d.Learned = b.learn(h)
		}
		d.ID, d.Bridge, d.Frame, d.Hop = len(out)+1, b.namespace+"/"+b.name, h.frame.ID, h.id
		d.At, d.US, d.InPort = h.at, microseconds(h.at.Sub(start)), h.link.Name
		out = append(out, *d)
	}
	return out
}

// crossing is a frame at a bridge: what was seen, and what should have been.
type crossing struct {
	*bridge
	*hop
	in     *topology.Link // nil for what the bridge itself sends
	out    []string       // ports it was seen to leave by
	itself bool           // it was seen to be handed to the bridge's namespace

	may     []string // ports it may go to
	skipped []Skip   // ports it may not
}

// decide tells what a bridge did with a frame, and why.
func (b *bridge) decide(h *hop) *Decision {
	c := &crossing{bridge: b, hop: h}
	if !h.Out {
		if c.in = b.ports[h.link.Name]; c.in == nil {
			c.in = h.link
		}
	}
	for _, k := range h.kids {
		if k.Out {
			c.out = append(c.out, k.linkName())
		} else if k.link.Kind == "bridge" {
			c.itself = true
		}
	}
	slices.Sort(c.out)
	d := &Decision{OutPorts: append([]string{}, c.out...), ToItself: c.itself}
	e := b.table[address{h.dst.String(), b.vlan(h)}]
	switch s := portReason(c.in); {
	case s != "":
		d.Verdict, d.Reason = c.seen(), s
		d.Detail = "port " + c.in.Name + " is " + words[s]
		c.expect(d, nil, false)
	case h.dst.isGroup():
		c.group(d)
	case e == nil && h.dst != parseMAC(b.mac()):
		c.unknown(d)
	default:
		if e == nil {
			e = &entry{port: b.name, state: "local"}
		}
		d.Entry = e.shown(h.at)
		c.known(d, e)
	}
	d.Skipped = c.skipped
	return d
}

func (b *bridge) mac() string {
	if b.link == nil {
		return ""
	}
	return b.link.MAC
}

func (e *entry) shown(at time.Time) *TableEntry {
	out := &TableEntry{Port: e.port, State: e.state}
	if e.state == "learned" && !e.seen.IsZero() {
		age := max(at.Sub(e.seen), 0).Seconds()
		out.AgeSeconds = &age
	}
	return out
}

// seen is the verdict by what was seen alone.
func (c *crossing) seen() Verdict {
	switch {
	case len(c.out) > 1:
		return Flood
	case len(c.out) == 1:
		return Forward
	case c.itself:
		return Local
	}
	return Drop
}

// group judges a frame to many: broadcast or multicast.
func (c *crossing) group(d *Decision) {
	d.Reason = Multicast
	if c.dst.isBroadcast() {
		d.Reason = Broadcast
	}
	c.ports(func(p *topology.PortInfo) bool {
		if c.in == nil {
			return true // br_flood: what the bridge itself sends goes everywhere
		}
		if d.Reason == Broadcast {
			return isTrue(p.BroadcastFlood, true)
		}
		return isTrue(p.MulticastFlood, true)
	})
	c.flooded(d)
	snooping := c.bridge.link != nil && c.bridge.link.Bridge != nil && isTrue(c.bridge.link.Bridge.MulticastSnooping, true)
	if d.Reason == Multicast && snooping && len(c.out) < len(c.may) && contains(c.may, c.out) {
		d.Detail = "multicast; snooping (mcast_snooping) sends it to the ports that listen"
		return
	}
	c.expect(d, c.may, c.itself)
}

// unknown judges a frame to an address that the MAC table does not have.
func (c *crossing) unknown(d *Decision) {
	d.Reason = Unknown
	c.ports(func(p *topology.PortInfo) bool { return isTrue(p.Flood, true) })
	c.flooded(d)
	if len(c.out) == 1 && len(c.may) > 1 {
		d.Verdict = Forward
	}
	c.expect(d, c.may, c.itself)
}

// flooded words a flood, or why there was nothing to flood to.
func (c *crossing) flooded(d *Decision) {
	d.Verdict = c.seen()
	if len(c.out) > 0 {
		d.Verdict = Flood
	}
	d.Detail = words[d.Reason] + c.everyOther()
	if len(c.may) > 0 || d.Verdict != Drop {
		return
	}
	d.Detail = words[d.Reason] + ", and there is no other port to send it to" + c.notTo()
	d.Reason = NoPort
	if len(c.skipped) > 0 && !slices.ContainsFunc(c.skipped, func(s Skip) bool { return s.Reason != c.skipped[0].Reason }) {
		d.Reason = c.skipped[0].Reason
	}
}

// known judges a frame to an address that the MAC table has.
func (c *crossing) known(d *Decision, e *entry) {
	d.Verdict, d.Reason = c.seen(), Known
	if e.state == "local" {
		d.Reason, d.Detail = ForBridge, c.dst.String()+" is an address of the bridge itself"
		if c.bridge.link != nil && !c.bridge.link.AdminUp && !c.itself {
			d.Reason, d.Detail = BridgeDown, d.Detail+", which is down"
			c.expect(d, nil, false)
			return
		}
		c.expect(d, nil, true)
		return
	}
	d.Detail = c.onPort(e)
	port := c.bridge.ports[e.port]
	if port == nil {
		c.expect(d, []string{e.port}, false)
		return
	}
	if c.in != nil && c.in.Name == e.port && !hairpin(c.in) {
		d.Reason, d.Detail = SamePort, "the destination is on "+e.port+", where the frame came from, and hairpin is off there"
		if d.Verdict == Drop {
			d.Verdict = Filter
		}
		c.expect(d, nil, false)
		return
	}
	if why := c.refuses(port); why != "" {
		c.skipped = append(c.skipped, Skip{e.port, why})
		d.Reason, d.Detail = why, d.Detail+", but "+c.butPort(e.port, why)
		c.expect(d, nil, false)
		return
	}
	c.expect(d, []string{e.port}, false)
}

// ports finds out which ports a flood may go to.
func (c *crossing) ports(floods func(*topology.PortInfo) bool) {
	for _, name := range sortedNames(c.bridge.ports) {
		p := c.bridge.ports[name]
		if p == c.in && !hairpin(p) {
			continue
		}
		why := c.refuses(p)
		if why == "" && p.BridgePort != nil && !floods(p.BridgePort) {
			why = FloodOff
		}
		if why == "" {
			c.may = append(c.may, name)
		} else {
			c.skipped = append(c.skipped, Skip{name, why})
		}
	}
}

// refuses tells why a bridge does not send a frame to a port (should_deliver in
// net/bridge/br_forward.c, is_skb_forwardable for the length).
func (c *crossing) refuses(p *topology.Link) Reason {
	const tag = 4
	isolated := func(l *topology.Link) bool {
		return l != nil && l.BridgePort != nil && isTrue(l.BridgePort.Isolated, false)
	}
	switch why := portReason(p); {
	case why != "":
		return why
	case isolated(c.in) && isolated(p):
		return Isolated
	case p.MTU > 0 && c.Length > p.MTU+ethernetHeader+tag:
		return TooLong
	}
	return ""
}

// portReason tells why a port passes nothing; empty if it does.
func portReason(p *topology.Link) Reason {
	if p == nil || p.BridgePort == nil || p.BridgePort.State == "forwarding" || p.BridgePort.State == "" {
		return ""
	}
	return Reason(p.BridgePort.State)
}

func hairpin(p *topology.Link) bool {
	return p.BridgePort != nil && isTrue(p.BridgePort.Hairpin, false)
}

// expect compares what was seen with what should have been.
func (c *crossing) expect(d *Decision, ports []string, itself bool) {
	switch {
	case slices.Equal(c.out, ports) && c.itself == itself:
		return
	case len(c.out) == 0 && !c.itself && len(ports) > 0:
		d.Reason = Unexplained
		d.Contradiction = "it should have been sent to " + list(ports) + ", but was not: neither MAC table nor ports say why; a packet filter may"
	case !slices.Equal(c.out, ports):
		d.Contradiction = "by MAC table and ports it should have been sent to " + listOr(ports, "no port") + ", but it was sent to " + listOr(c.out, "none")
	case c.itself:
		d.Contradiction = "the bridge's own namespace got it, too"
	default:
		d.Reason = Unexplained
		d.Contradiction = "the bridge's own namespace should have got it, but did not"
	}
	if v := c.bridge.link; v != nil && v.Bridge != nil && isTrue(v.Bridge.VLANFiltering, false) {
		d.Contradiction += "; netdash does not know which VLANs the ports belong to"
	}
}
