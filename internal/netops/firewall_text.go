package netops

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"netdash/internal/topology"
)

// ruleTexts are the rules of nf_tables in nft's words, by family, table and
// handle, which is unique in its table. Nil if nft is not installed.
type ruleTexts map[ruleKey]string

type ruleKey struct {
	family, table string
	handle        uint64
}

// of gives the text of a rule in a chain. A rule without one is one that was
// made after nft looked, or there is no nft.
func (t ruleTexts) of(c topology.FirewallChain, handle uint64) string {
	if text, ok := t[ruleKey{c.Family, c.Table, handle}]; ok {
		return text
	}
	if t == nil {
		return fmt.Sprintf("rule handle %d (install nft to see its text)", handle)
	}
	return fmt.Sprintf("rule handle %d", handle)
}

var (
	nftTable  = regexp.MustCompile(`^table (\S+) (\S+) \{`)
	nftHandle = regexp.MustCompile(`^(.*?) # handle (\d+)$`)
)

// parseNFT finds the rules in what "nft -a list ruleset" prints. Of its layout
// it relies on this: a table begins at the margin, a chain is indented by one
// tab, a rule by two, and a rule ends with its handle.
func parseNFT(ruleset string) ruleTexts {
	texts := ruleTexts{}
	var key ruleKey
	var inChain bool
	var rule []string // lines of a rule that has not ended
	for line := range strings.Lines(ruleset) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case nftTable.MatchString(line):
			m := nftTable.FindStringSubmatch(line)
			key.family, key.table = m[1], m[2]
		case strings.HasPrefix(line, "\tchain "):
			inChain, rule = true, nil
		case line == "\t}":
			inChain = false
		case inChain && rule == nil && (strings.HasPrefix(line, "\t\ttype ") || strings.HasPrefix(line, "\t\tcomment ")):
			// the chain's own
		case inChain:
			m := nftHandle.FindStringSubmatch(line)
			if m == nil {
				rule = append(rule, strings.TrimSpace(line))
				continue
			}
			key.handle, _ = strconv.ParseUint(m[2], 10, 64)
			texts[key] = strings.Join(append(rule, strings.TrimSpace(m[1])), " ")
			rule = nil
		}
	}
	return texts
}

// legacyTable tells a table of ip_tables from one of nf_tables that has the
// same name.
func legacyTable(name string) string { return name + " (iptables-legacy)" }

// parseSave reads what iptables-save(8) prints.
func parseSave(family, saved string) []topology.FirewallChain {
	var list []topology.FirewallChain
	table, first := "", 0 // first chain of the table
	for line := range strings.Lines(saved) {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "*"):
			table, first = legacyTable(line[1:]), len(list)
		case strings.HasPrefix(line, ":") && len(words) >= 2: // :INPUT ACCEPT [0:0]
			c := topology.FirewallChain{Family: family, Table: table, Chain: words[0][1:], Rules: []string{}}
			if policy := words[1]; policy != "-" { // only a base chain has one
				c.Hook, c.Policy = strings.ToLower(c.Chain), strings.ToLower(policy)
			}
			list = append(list, c)
		case strings.HasPrefix(line, "-A ") && len(words) >= 2:
			for i := range list[first:] {
				if c := &list[first+i]; c.Chain == words[1] {
					c.Rules = append(c.Rules, strings.TrimPrefix(line, "-A "+words[1]+" "))
				}
			}
		}
	}
	return list
}
