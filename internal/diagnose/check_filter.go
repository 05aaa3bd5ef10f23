package diagnose

import (
	"fmt"

	"netdash/internal/topology"
)

func at(hook string) topology.FilterHook { return topology.FilterHook{Hook: hook} }

func atBridge(hook string) topology.FilterHook { return topology.FilterHook{Bridge: true, Hook: hook} }

// filterOut looks at the packet filter of a namespace on a packet that leaves it.
func (h *hop) filterOut() bool {
	p := h.packet()
	p.Out, p.SourceMAC = h.out.Name, h.out.MAC
	hooks := []topology.FilterHook{at("output"), at("postrouting")}
	if h.in != nil {
		p.In = h.in.Name
		hooks = []topology.FilterHook{at("forward"), at("postrouting")}
		p.TTL--
	}
	if !h.filter(h.ns, p, h.ns.Name, hooks...) {
		return false
	}
	if h.is4() {
		p.ARP, p.In = true, ""
		if !h.filter(h.ns, p, h.ns.Name, at("output")) {
			return false
		}
	}
	return h.ok("firewall", h.ns.Name, say("filter_out"))
}

// filterIn looks at what the packet filter does before the kernel decides where the
// packet goes.
func (h *hop) filterIn() bool {
	p := h.packet()
	p.In = h.in.Name
	if !h.filter(h.ns, p, h.ns.Name, at("ingress"), at("prerouting")) {
		return false
	}
	return !h.is4() || h.questionIn()
}

// questionIn looks at the packet filter on the question for a MAC address that comes
// before the packet.
func (h *hop) questionIn() bool {
	p := h.packet()
	p.In, p.ARP = h.in.Name, true
	return h.filter(h.ns, p, h.ns.Name, at("ingress"), at("input"))
}

// filter asks the packet filter of a namespace, and tells whether to go on.
func (h *hop) filter(n *topology.NamespaceState, p topology.Packet, subject string, hooks ...topology.FilterHook) bool {
	v, err := h.Filter(h.ctx, n.Name, p, hooks...)
	if err != nil {
		return h.failed("firewall", subject, err)
	}
	if v.Verdict == "accept" {
		return true
	}
	c := Check{Check: "firewall", Subject: subject, Evidence: ruleText(v.Rule)}
	h.judge(&c, v, n, p.ARP)
	return h.bad(c)
}

// judge writes what a verdict means.
func (h *hop) judge(c *Check, v *topology.FilterVerdict, n *topology.NamespaceState, arp bool) {
	packet := "echo_request"
	switch {
	case arp:
		packet = "arp_request"
	case h.reply:
		packet = "reply"
	}
	switch v.Verdict {
	case "unknown":
		c.Status = Unknown
		c.Sentence = say("filter_may_drop", "namespace", n.Name, "packet", packet, "doubt", v.Doubt)
	case "translate":
		c.Status = Unknown
		c.Sentence = say("filter_translates", "namespace", n.Name, "packet", packet)
	default:
		c.Sentence = say("filter_drops", "namespace", n.Name, "packet", packet)
		if v.Verdict == "reject" {
			c.Sentence = say("filter_rejects", "namespace", n.Name, "packet", packet)
		}
		h.openFilter(c, v.Rule, n)
	}
}

// openFilter mends by taking the rule away, or the policy.
func (h *hop) openFilter(c *Check, r topology.FilterRule, n *topology.NamespaceState) {
	program := map[string]string{"ip": "iptables-legacy", "ip6": "ip6tables-legacy"}[r.Family]
	switch {
	case r.Legacy && r.Text == "policy drop":
		c.Advice = []string{topology.ExecCommand(n.Name, program+" -t "+r.Table+" -P "+r.Chain+" ACCEPT")}
	case r.Legacy:
		c.Advice = []string{topology.ExecCommand(n.Name, program+" -t "+r.Table+" -D "+r.Chain+" "+r.Text)}
	case r.Handle == 0:
		h.apply(c, n.Managed, say("policy_accept"), topology.SetPolicy{Namespace: n.Name, Family: r.Family, Table: r.Table, Chain: r.Chain, Accept: true})
	default:
		h.apply(c, n.Managed, say("rule_delete"), topology.DeleteRule{Namespace: n.Name, Family: r.Family, Table: r.Table, Chain: r.Chain, Handle: r.Handle})
	}
}

func ruleText(r topology.FilterRule) string {
	table := r.Family + " " + r.Table
	if r.Legacy {
		table += " (iptables-legacy)"
	}
	return fmt.Sprintf("table %s, chain %s, at %s: %s", table, r.Chain, r.Hook, r.Text)
}

// bridgeFilter looks at the packet filters of the bridges on the way: their own
// family, and the packets' own where a bridge hands them to that.
func (h *hop) bridgeFilter() bool {
	for _, x := range crossings(h.path) {
		n := h.snapshot.Namespace(x.bridge.Namespace)
		p := h.packet()
		p.SourceMAC, p.DestinationMAC = h.out.MAC, h.to.MAC
		var hooks []topology.FilterHook
		if x.in != nil {
			p.In = x.in.Name
			hooks = append(hooks, atBridge("prerouting"))
		}
		if x.out != nil {
			p.Out = x.out.Name
		}
		switch {
		case x.in == nil:
			hooks = append(hooks, atBridge("output"), atBridge("postrouting"))
		case x.out == nil:
			hooks = append(hooks, atBridge("input"))
		default:
			hooks = append(hooks, atBridge("forward"), atBridge("postrouting"))
		}
		if !h.filter(n, p, subject(x.bridge), hooks...) {
			return false
		}
		if h.is4() && !h.resolved {
			question := p
			question.ARP = true
			if !h.filter(n, question, subject(x.bridge), hooks...) {
				return false
			}
		}
		if x.in != nil && x.out != nil && !h.calledFilter(x, n) {
			return false
		}
	}
	return true
}

// calledFilter looks at the packet filter of the packets' own family, as br_netfilter
// shows it what a bridge forwards: with the bridge as both links.
func (h *hop) calledFilter(x crossing, n *topology.NamespaceState) bool {
	setting := "net/bridge/bridge-nf-call-iptables"
	if !h.is4() {
		setting = "net/bridge/bridge-nf-call-ip6tables"
	}
	values, err := h.Sysctls(h.ctx, n.Name, setting)
	if err != nil {
		return h.failed("bridge_netfilter", subject(x.bridge), err)
	}
	v4, v6, err := h.BridgeCalls(h.ctx, n.Name, x.bridge.Name)
	if err != nil {
		return h.failed("bridge_netfilter", subject(x.bridge), err)
	}
	own := v4 && h.is4() || v6 && !h.is4()
	if value, there := values[setting]; !there || value == "0" && !own {
		return true
	}
	p := h.packet()
	p.In, p.Out = x.bridge.Name, x.bridge.Name
	v, err := h.Filter(h.ctx, n.Name, p, at("prerouting"), at("forward"), at("postrouting"))
	switch {
	case err != nil:
		return h.failed("bridge_netfilter", subject(x.bridge), err)
	case v.Verdict == "accept":
		return true
	}
	c := Check{Check: "bridge_netfilter", Subject: subject(x.bridge), Evidence: settings([]string{setting}, values) + "; " + ruleText(v.Rule)}
	if own {
		c.Evidence = "nf_call_iptables of " + subject(x.bridge) + "; " + ruleText(v.Rule)
	}
	h.judge(&c, v, n, false)
	if c.Status != Unknown {
		c.Sentence = say("bridge_asks_filter", "bridge", subject(x.bridge), "namespace", n.Name)
		if !own {
			c.Repair, c.Advice = nil, nil
			h.apply(&c, n.Managed, say("filter_off", "namespace", n.Name), topology.SetSysctl{Namespace: n.Name, Name: setting, Value: "0"})
		}
	}
	return h.bad(c)
}
