package topology

// Firewall is the packet filter of a namespace, and whether it forwards at all.
type Firewall struct {
	Chains     []FirewallChain `json:"items" doc:"Chains with their rules, of nf_tables and of the older ip_tables."`
	Tools      []FirewallTool  `json:"tools" doc:"The same as each tool prints what it has made: nft, iptables-nft, ip6tables-nft, iptables-legacy, ip6tables-legacy."`
	Forwarding Forwarding      `json:"forwarding"`
}

// FirewallTool is what one tool says of the packet filter. None sees all of it:
// nft does not know the rules of iptables-legacy, nor that one any other's.
type FirewallTool struct {
	Tool      string `json:"tool"`
	Command   string `json:"command" doc:"The command that prints it." example:"ip netns exec A nft list ruleset"`
	Installed bool   `json:"installed"`
	Text      string `json:"text" doc:"As the tool prints it; empty if there are no rules of its kind."`
	Error     string `json:"error,omitempty" doc:"Why the text is not all there is."`
}

// Forwarding tells whether a namespace passes on packets that are for others:
// without it no rule and no route makes it a router.
type Forwarding struct {
	IPv4 bool `json:"ipv4" doc:"sysctl net.ipv4.ip_forward."`
	IPv6 bool `json:"ipv6" doc:"sysctl net.ipv6.conf.all.forwarding."`
}

// FirewallChain is a chain of a namespace's packet filter with its rules.
type FirewallChain struct {
	Family string   `json:"family" doc:"ip, ip6, inet, arp, bridge, netdev."`
	Table  string   `json:"table"`
	Chain  string   `json:"chain"`
	Hook   string   `json:"hook,omitempty" doc:"Where the chain is hooked in; empty for one that is only jumped to."`
	Policy string   `json:"policy,omitempty" doc:"accept or drop."`
	Rules  []string `json:"rules" doc:"In order, as nft(8) prints them."`
}
