package netops

import (
	"context"
	"fmt"
	"net/netip"

	"netdash/internal/topology"
)

// silence is what is known of a pair whose requests were sent and not answered.
type silence struct {
	hop   nextHop
	out   *LinkFacts    // the link of hop; nil if it is not known
	loUp  bool          // at the sender
	there string        // why the target's link carries nothing; empty if it does
	fulls uint64        // times the machine's neighbour table was full meanwhile
	back  func() string // state of the target's entry for the next hop to the sender, empty if there is none
}

// explain looks for the reasons of the pairs of a node that were not answered, and
// tells them.
func (w *matrixWorker) explain(ctx context.Context, n *matrixNode) {
	var silent []*matrixPair
	var addresses []netip.Addr
	for _, p := range n.pairs {
		if p != nil && !p.told && !p.isGone() && p.reason == "" {
			silent, addresses = append(silent, p), append(addresses, p.addr)
		}
	}
	if len(silent) > 0 {
		w.explainEach(ctx, n, silent, addresses)
	}
	for _, p := range n.pairs {
		if p != nil {
			w.tell(p)
		}
	}
}

func (w *matrixWorker) explainEach(ctx context.Context, n *matrixNode, silent []*matrixPair, addresses []netip.Addr) {
	for _, p := range silent {
		p.fail(topology.PingTimeout, "%s", noReply(w.timeout))
	}
	now, err := w.kernel.addresses(ctx, n.name)
	if err != nil {
		return // nothing is known but the timeout
	}
	hops, fulls, err := w.hops(ctx, n.name, addresses)
	if err != nil {
		return
	}
	for i, p := range silent {
		if hops[i].state == "" {
			hops[i].state = n.asked[neighbourKey{hops[i].link, hops[i].addr}]
		}
		s := silence{hop: hops[i], out: now.links[hops[i].link], loUp: now.loUp(), there: p.to.down(p.addr), fulls: fulls[familyOf(p.addr)]}
		s.back = func() string { return w.wayBack(ctx, p) }
		if reason, detail := s.reason(p); reason != "" {
			p.fail(reason, "%s", detail)
		}
	}
}

// hops asks a namespace for next hops, and the machine how often its neighbour
// tables were full since the matrix began.
func (m *matrix) hops(ctx context.Context, namespace string, to []netip.Addr) ([]nextHop, map[families]uint64, error) {
	s, release, err := m.kernel.acquire(namespace)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	hops, err := s.nextHops(ctx, to)
	if err != nil {
		return nil, nil, err
	}
	fulls := map[families]uint64{}
	for family, before := range m.tables {
		now, err := s.neighbourTable(family)
		if err != nil {
			return nil, nil, err
		}
		fulls[family] = now.fulls - before.fulls
	}
	return hops, fulls, nil
}

// wayBack is the state of the neighbour by which a pair's target would answer.
func (m *matrix) wayBack(ctx context.Context, p *matrixPair) string {
	for _, a := range p.from.used.list {
		if familyOf(a.addr) != familyOf(p.addr) || !a.subnet.Contains(p.addr) {
			continue
		}
		if hops, _, err := m.hops(ctx, p.to.name, []netip.Addr{a.addr}); err == nil {
			return hops[0].state
		}
	}
	return "unknown"
}

// down says why the link with an address carries nothing; empty if it does.
func (n *matrixNode) down(a netip.Addr) string {
	for _, u := range n.used.list {
		if u.addr == a && u.down != "" {
			return fmt.Sprintf("%s/%s %s", n.name, u.link, u.down)
		}
	}
	return ""
}

// reason is why a pair was not answered, as far as the evidence goes; empty if it
// goes nowhere.
func (s *silence) reason(p *matrixPair) (topology.PingReason, string) {
	out := p.from.name
	if s.out != nil {
		out += "/" + s.out.Name
	}
	whom, asked := p.addr.String(), "ARP"
	if p.addr.Is6() {
		asked = "neighbour discovery"
	}
	if s.hop.gateway {
		whom = "the gateway " + s.hop.addr.String()
	}
	there := ""
	if s.there != "" {
		there = ": " + s.there
	}
	switch {
	case s.hop.err != nil:
		return topology.PingNoRoute, fmt.Sprintf("%s has no route to %s any more: %v", p.from.name, p.addr, s.hop.err)
	case s.out != nil && whyDown(s.out) != "":
		return topology.PingLinkDown, out + " " + whyDown(s.out)
	case s.hop.state == "incomplete" || s.hop.state == "failed":
		detail := fmt.Sprintf("%s does not answer %s on %s", whom, asked, out)
		if !s.hop.gateway {
			detail += there
		}
		return topology.PingNeighbourFailed, detail
	case s.hop.state == "" && s.fulls > 0:
		return topology.PingNeighbourOverflow, fmt.Sprintf("the machine's neighbour table is full: %s could not ask for %s", out, whom)
	case s.fulls > 0 && s.back() == "":
		return topology.PingNeighbourOverflow, fmt.Sprintf("the machine's neighbour table is full: %s could not ask for the way back", p.to.name)
	case there != "":
		return topology.PingTimeout, p.detail + there
	}
	return "", ""
}
