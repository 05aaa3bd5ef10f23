package netops

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netdash/internal/topology"
)

// legacyMachine runs the rules of ip_tables on a packet, as far as they can be
// told from what iptables-legacy-save(8) prints. In doubt it does as
// filterMachine.
type legacyMachine struct {
	weigher[legacyRule]
	chains []topology.FirewallChain
	packet *filteredPacket
}

// legacyRule is a rule of ip_tables, or, without a text, a chain's policy.
type legacyRule struct{ chain, table, text string }

// legacyOrder is in which order the tables look at a packet (NF_IP_PRI_… of
// linux/netfilter_ipv4.h).
var legacyOrder = []string{"raw", "mangle", "nat", "filter", "security"}

func (m *legacyMachine) verdict(hook string) decision[legacyRule] {
	for _, table := range legacyOrder {
		for _, c := range m.chains {
			if c.Table != legacyTable(table) || c.Hook != hook {
				continue
			}
			d := m.chain(c, 0)
			if d.verdict == "" && c.Policy == "drop" {
				d = decision[legacyRule]{verdict: drops, by: legacyRule{chain: c.Chain, table: table}}
			}
			if d.verdict == drops || d.verdict == rejects || d.verdict == translates {
				return m.final(d)
			}
		}
	}
	return m.end()
}

func (m *legacyMachine) chain(c topology.FirewallChain, depth int) decision[legacyRule] {
	for _, text := range c.Rules {
		fits, doubt, target := m.rule(text)
		if !fits || target == "" {
			continue
		}
		d := decision[legacyRule]{by: legacyRule{c.Chain, strings.TrimSuffix(c.Table, legacyTable("")), text}}
		switch target {
		case "ACCEPT":
			d.verdict = passes
		case "DROP":
			d.verdict = drops
		case "REJECT":
			d.verdict = rejects
		case "RETURN":
			d.verdict = returns
		case "MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP":
			d.verdict = translates
		default:
			i := slices.IndexFunc(m.chains, func(o topology.FirewallChain) bool { return o.Table == c.Table && o.Chain == target })
			if i < 0 || depth >= jumpDepth {
				continue // LOG, MARK and the like decide nothing
			}
			d = m.chain(m.chains[i], depth+1)
		}
		d.doubt = doubt
		if d, over := m.weigh(d); over {
			return d
		}
	}
	return decision[legacyRule]{}
}

// rule reads a rule, word by word: whether it fits, what is not told, and its
// target.
func (m *legacyMachine) rule(text string) (fits bool, doubt, target string) {
	not := false
	for words := strings.Fields(text); len(words) > 0; {
		word, value := words[0], ""
		if len(words) > 1 {
			value = words[1]
		}
		used, is := 2, true
		switch word {
		case "!":
			not, words = true, words[1:]
			continue
		case "-j", "-g":
			return true, doubt, value
		case "-m":
			// what it looks at follows
		case "-p":
			is = value == "all" || value == map[bool]string{true: "icmp", false: "ipv6-icmp"}[m.packet.Destination.Is4()]
		case "-s":
			is = contains(value, m.packet.Source)
		case "-d":
			is = contains(value, m.packet.Destination)
		case "-i":
			is = isLink(value, m.packet.In)
		case "-o":
			is = isLink(value, m.packet.Out)
		case "--icmp-type", "--icmpv6-type":
			kind, _, _ := strings.Cut(value, "/")
			is = kind == "any" || kind == strconv.Itoa(int(m.packet.transport[0]))
		case "--ctstate", "--state":
			state := map[uint32]string{2: "ESTABLISHED", 8: "NEW"}[m.packet.ctState()]
			is = slices.Contains(strings.Split(value, ","), state)
		case "--comment":
			return m.afterComment(words[1:], doubt)
		default:
			doubt = "whether it fits is up to " + word
			used = 1
		}
		if is == not && word != "-m" && used == 2 {
			return false, "", ""
		}
		not, words = false, words[min(used, len(words)):]
	}
	return true, doubt, ""
}

// afterComment goes on behind a comment, which may be several words between
// double quotes.
func (m *legacyMachine) afterComment(words []string, doubt string) (fits bool, d, target string) {
	n := 1
	if len(words) > 0 && strings.HasPrefix(words[0], `"`) {
		n = 1 + slices.IndexFunc(words, func(w string) bool { return strings.HasSuffix(w, `"`) && w != `"` })
	}
	fits, further, target := m.rule(strings.Join(words[min(max(n, 1), len(words)):], " "))
	if doubt == "" {
		doubt = further
	}
	return fits, doubt, target
}

func contains(network string, a netip.Addr) bool {
	if p, err := netip.ParsePrefix(network); err == nil {
		return p.Contains(a)
	}
	b, err := netip.ParseAddr(network)
	return err == nil && a == b
}

// isLink compares a link's name; one that ends with a plus is a beginning.
func isLink(pattern, name string) bool {
	if start, ok := strings.CutSuffix(pattern, "+"); ok {
		return strings.HasPrefix(name, start)
	}
	return pattern == name
}
