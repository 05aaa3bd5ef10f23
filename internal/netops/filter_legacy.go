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
	chains        []topology.FirewallChain
	packet        *filteredPacket
	maybe, shadow *legacyDecision
}

type legacyDecision struct {
	verdict, chain, table, text, doubt string
}

// legacyOrder is in which order the tables look at a packet (NF_IP_PRI_… of
// linux/netfilter_ipv4.h).
var legacyOrder = []string{"raw", "mangle", "nat", "filter", "security"}

func (m *legacyMachine) verdict(hook string) legacyDecision {
	for _, table := range legacyOrder {
		for _, c := range m.chains {
			if c.Table != legacyTable(table) || c.Hook != hook {
				continue
			}
			d := m.chain(c, 0)
			if d.verdict == "" && c.Policy == "drop" {
				d = legacyDecision{verdict: drops, chain: c.Chain, table: table}
			}
			if d.verdict == drops || d.verdict == rejects || d.verdict == translates {
				if m.shadow != nil {
					d.verdict, d.doubt = notTold, m.shadow.doubt
				}
				return d
			}
		}
	}
	if m.maybe != nil {
		d := *m.maybe
		d.verdict = notTold
		return d
	}
	return legacyDecision{verdict: passes}
}

func (m *legacyMachine) chain(c topology.FirewallChain, depth int) legacyDecision {
	for _, text := range c.Rules {
		fits, doubt, target := m.rule(text)
		if !fits || target == "" {
			continue
		}
		d := legacyDecision{chain: c.Chain, table: strings.TrimSuffix(c.Table, legacyTable("")), text: text}
		switch target {
		case "ACCEPT":
			d.verdict = passes
		case "DROP":
			d.verdict = drops
		case "REJECT":
			d.verdict = rejects
		case "RETURN":
			d.verdict = "return"
		case "MASQUERADE", "SNAT", "DNAT", "REDIRECT", "NETMAP":
			d.verdict = translates
		default:
			i := slices.IndexFunc(m.chains, func(o topology.FirewallChain) bool { return o.Table == c.Table && o.Chain == target })
			if i < 0 || depth >= jumpDepth {
				continue // LOG, MARK and the like decide nothing
			}
			d = m.chain(m.chains[i], depth+1)
		}
		switch {
		case d.verdict == "":
		case doubt == "" && d.verdict == "return":
			return legacyDecision{}
		case doubt == "":
			return d
		case d.verdict == passes || d.verdict == "return":
			if d.doubt = doubt; m.shadow == nil {
				m.shadow = &d
			}
		default:
			if d.doubt = doubt; m.maybe == nil {
				m.maybe = &d
			}
		}
	}
	return legacyDecision{}
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
