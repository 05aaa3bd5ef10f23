package netops

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/google/nftables"

	"netdash/internal/topology"
)

// Filter tells what the packet filters of a namespace, nf_tables and the older
// ip_tables, do with a packet at some hooks, one after the other: the first
// verdict that does not let it pass, or that it passes. It reads the rules and
// follows them as the kernel does; nothing is sent. A kernel without nf_tables
// lets everything pass it.
func (k *Kernel) Filter(ctx context.Context, namespace string, p topology.Packet, hooks ...topology.FilterHook) (*topology.FilterVerdict, error) {
	ctx, cancel := context.WithTimeout(ctx, firewallTimeout)
	defer cancel()
	packet := newFilteredPacket(p)
	out, err := k.filterNFT(ctx, namespace, packet, hooks)
	if errors.Is(err, errNoNFTables) {
		out, err = &topology.FilterVerdict{Verdict: passes}, nil
	}
	if err == nil && out.Verdict == passes && !p.ARP {
		out, err = k.filterLegacy(ctx, namespace, packet, hooks)
	}
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("read the packet filter: %w", err))
	}
	return out, nil
}

func (k *Kernel) filterNFT(ctx context.Context, namespace string, packet *filteredPacket, hooks []topology.FilterHook) (*topology.FilterVerdict, error) {
	out := &topology.FilterVerdict{Verdict: passes}
	err := k.ruleset(ctx, namespace, func(rules *ruleset) error {
		if len(rules.base) == 0 {
			return nil
		}
		index, err := k.linkIndexes(ctx, namespace)
		if err != nil {
			return err
		}
		for _, hook := range hooks {
			m := &filterMachine{rules: rules, packet: packet, hook: hook, index: index}
			d := m.verdict()
			if d.verdict == passes {
				continue
			}
			texts, err := k.nftTexts(ctx, namespace)
			if err != nil {
				return err
			}
			out = told(d, hook.Hook, texts)
			return nil
		}
		return nil
	})
	return out, err
}

// told words a decision.
func told(d decision[nftRule], hook string, texts ruleTexts) *topology.FilterVerdict {
	at, rule := d.by.chain, d.by.rule
	if rule != nil {
		at = rule.chain // of the rule itself, where other chains lead to it
	}
	c := topology.FirewallChain{Family: nftFamily(at.Table.Family), Table: at.Table.Name, Chain: at.Name}
	v := &topology.FilterVerdict{Verdict: d.verdict, Doubt: d.doubt, Rule: topology.FilterRule{Family: c.Family, Table: c.Table, Chain: c.Chain, Hook: hook, Text: "policy drop"}}
	if rule != nil {
		v.Rule.Handle, v.Rule.Text = rule.handle, texts.of(c, rule.handle)
	}
	return v
}

func (k *Kernel) linkIndexes(ctx context.Context, namespace string) (map[string]int, error) {
	index := map[string]int{}
	err := k.in(namespace, func(s *space) error {
		links, err := s.links(ctx)
		for _, l := range links {
			index[l.Name] = l.Ifindex
		}
		return err
	})
	return index, err
}

func (k *Kernel) filterLegacy(ctx context.Context, namespace string, packet *filteredPacket, hooks []topology.FilterHook) (*topology.FilterVerdict, error) {
	family := "ip"
	if packet.Destination.Is6() {
		family = "ip6"
	}
	r := k.filterReader(ctx, namespace)
	if err := r.legacy(); err != nil {
		return nil, err
	}
	var chains []topology.FirewallChain
	for _, c := range r.out.Chains {
		if c.Family == family {
			chains = append(chains, c)
		}
	}
	for _, hook := range hooks {
		if hook.Bridge {
			continue
		}
		m := &legacyMachine{chains: chains, packet: packet}
		if d := m.verdict(hook.Hook); d.verdict != passes {
			return &topology.FilterVerdict{Verdict: d.verdict, Doubt: d.doubt, Rule: topology.FilterRule{
				Family: family, Table: d.by.table, Chain: d.by.chain, Hook: hook.Hook, Text: cmp.Or(d.by.text, "policy drop"), Legacy: true,
			}}, nil
		}
	}
	return &topology.FilterVerdict{Verdict: passes}, nil
}

// filterFamilies are the families of nf_tables by the names of nft(8).
var filterFamilies = map[string]nftables.TableFamily{
	"inet": nftables.TableFamilyINet, "ip": nftables.TableFamilyIPv4, "ip6": nftables.TableFamilyIPv6,
	"arp": nftables.TableFamilyARP, "netdev": nftables.TableFamilyNetdev, "bridge": nftables.TableFamilyBridge,
}

// filterChange makes a change of nf_tables.
func (k *Kernel) filterChange(namespace, family string, change func(*nftables.Conn, nftables.TableFamily) error) error {
	f, known := filterFamilies[family]
	if !known {
		return topology.Errorf(topology.CodeInvalid, "", "nf_tables has no family %s", family)
	}
	var conn *nftables.Conn
	err := k.Do(namespace, func() (err error) {
		conn, err = nftables.New(nftables.AsLasting())
		return err
	})
	if err != nil {
		return err
	}
	err = change(conn, f)
	if err == nil {
		err = conn.Flush()
	}
	return errors.Join(err, conn.CloseLasting())
}

func (k *Kernel) deleteRule(c topology.DeleteRule) error {
	return k.filterChange(c.Namespace, c.Family, func(conn *nftables.Conn, f nftables.TableFamily) error {
		table := &nftables.Table{Family: f, Name: c.Table}
		return conn.DelRule(&nftables.Rule{Table: table, Chain: &nftables.Chain{Table: table, Name: c.Chain}, Handle: c.Handle})
	})
}

func (k *Kernel) setPolicy(c topology.SetPolicy) error {
	return k.filterChange(c.Namespace, c.Family, func(conn *nftables.Conn, f nftables.TableFamily) error {
		policy := nftables.ChainPolicyDrop
		if c.Accept {
			policy = nftables.ChainPolicyAccept
		}
		table := &nftables.Table{Family: f, Name: c.Table}
		// One that is gone meanwhile is not to be made.
		if _, err := conn.ListChain(table, c.Chain); err != nil {
			return err
		}
		conn.AddChain(&nftables.Chain{Table: table, Name: c.Chain, Policy: &policy})
		return nil
	})
}
