package topology

// FirewallChain is a chain of a namespace's packet filter with its rules.
type FirewallChain struct {
	Family string   `json:"family" doc:"ip, ip6, inet, arp, bridge, netdev."`
	Table  string   `json:"table"`
	Chain  string   `json:"chain"`
	Hook   string   `json:"hook,omitempty" doc:"Where the chain is hooked in; empty for one that is only jumped to."`
	Policy string   `json:"policy,omitempty" doc:"accept or drop."`
	Rules  []string `json:"rules" doc:"In order, as nft(8) prints them."`
}
