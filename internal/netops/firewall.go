package netops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// firewallTimeout bounds reading the packet filter of a namespace, programs
// and all.
const firewallTimeout = 10 * time.Second

// FeatureNFTables is named in the error of a kernel without nf_tables.
const FeatureNFTables = "nf_tables"

// Firewall reads the packet filter of a namespace: the chains of nf_tables as
// the kernel lists them, with their rules as nft(8) prints them, the chains of
// the older ip_tables where such are loaded, and what each tool says itself.
// Nothing is loaded or made by it. Without any rule the lists are empty.
//
// The kernel keeps rules as small programs that only the tool which made them
// can turn back into words. Without the tool a rule is there by its number.
func (k *Kernel) Firewall(ctx context.Context, namespace string) (*topology.Firewall, error) {
	ctx, cancel := context.WithTimeout(ctx, firewallTimeout)
	defer cancel()
	r := k.filterReader(ctx, namespace)
	for _, read := range []struct {
		what string
		do   func() error
	}{{"nf_tables", r.nft}, {"ip_tables", r.legacy}, {"forwarding", r.forwarding}} {
		if err := read.do(); err != nil {
			return nil, refusal(namespace, fmt.Errorf("read %s: %w", read.what, err))
		}
	}
	return r.out, nil
}

// filterReader reads the packet filter of one namespace.
type filterReader struct {
	kernel    *Kernel
	ctx       context.Context
	namespace string
	out       *topology.Firewall
}

func (k *Kernel) filterReader(ctx context.Context, namespace string) *filterReader {
	return &filterReader{kernel: k, ctx: ctx, namespace: namespace, out: &topology.Firewall{Chains: []topology.FirewallChain{}}}
}

// nft reads nf_tables: its chains, and what the three tools that make such say.
func (r *filterReader) nft() error {
	tables, err := r.nftChains()
	lack := errors.Is(err, errNoNFTables)
	if err != nil && !lack {
		return err
	}
	has := func(families ...nftables.TableFamily) bool {
		return slices.ContainsFunc(tables, func(t *nftables.Table) bool {
			return len(families) == 0 || slices.Contains(families, t.Family)
		})
	}
	r.ask("nft", has(), "nft", "list", "ruleset")
	if lack {
		r.out.Tools[0].Error = lacks(FeatureNFTables)
	}
	r.ask("iptables-nft", has(nftables.TableFamilyIPv4), "iptables-nft-save")
	r.ask("ip6tables-nft", has(nftables.TableFamilyIPv6), "ip6tables-nft-save")
	return nil
}

// nftChains reads the chains of nf_tables, and gives the tables.
func (r *filterReader) nftChains() ([]*nftables.Table, error) {
	if unloaded("nf_tables", "") {
		return nil, nil
	}
	deadline, _ := r.ctx.Deadline()
	var conn *nftables.Conn
	err := r.kernel.Do(r.namespace, func() (err error) {
		conn, err = nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error {
			return c.SetDeadline(deadline)
		}))
		return err
	})
	if err != nil {
		return nil, withoutNFTables(err)
	}
	defer func() { _ = conn.CloseLasting() }()
	tables, err := conn.ListTables()
	if err != nil || len(tables) == 0 {
		return nil, withoutNFTables(err)
	}
	chains, err := conn.ListChains()
	if err != nil || len(chains) == 0 {
		return tables, err
	}
	texts, err := r.kernel.nftTexts(r.ctx, r.namespace)
	if err != nil {
		return nil, err
	}
	for _, c := range chains {
		out := topology.FirewallChain{
			Family: nftFamily(c.Table.Family), Table: c.Table.Name, Chain: c.Name,
			Hook: nftHook(c), Policy: nftPolicy(c), Rules: []string{},
		}
		rules, err := conn.GetRules(c.Table, c)
		if err != nil {
			return nil, fmt.Errorf("chain %s %s %s: %w", out.Family, out.Table, out.Chain, err)
		}
		for _, rule := range rules {
			out.Rules = append(out.Rules, texts.of(out, rule.Handle))
		}
		r.out.Chains = append(r.out.Chains, out)
	}
	return tables, nil
}

var errNoNFTables = errors.New(lacks(FeatureNFTables))

// withoutNFTables recognises a kernel without nf_tables: it has no such netlink
// family (no nfnetlink), or that has no such part.
func withoutNFTables(err error) error {
	for _, errno := range []unix.Errno{unix.EPROTONOSUPPORT, unix.EOPNOTSUPP, unix.EINVAL} {
		if errors.Is(err, errno) {
			return fmt.Errorf("%w: %w", errNoNFTables, err)
		}
	}
	return err
}

// nftFamily is the name nft(8) has for a family.
func nftFamily(f nftables.TableFamily) string {
	switch f {
	case nftables.TableFamilyINet:
		return "inet"
	case nftables.TableFamilyIPv4:
		return "ip"
	case nftables.TableFamilyIPv6:
		return "ip6"
	case nftables.TableFamilyARP:
		return "arp"
	case nftables.TableFamilyNetdev:
		return "netdev"
	case nftables.TableFamilyBridge:
		return "bridge"
	}
	return fmt.Sprint(byte(f))
}

// nftHook is the name of the place where a base chain is hooked in. The numbers
// mean something else in each family (linux/netfilter.h, netfilter_arp.h).
func nftHook(c *nftables.Chain) string {
	if c.Hooknum == nil {
		return ""
	}
	names := []string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	switch c.Table.Family {
	case nftables.TableFamilyARP:
		names = []string{"input", "output", "forward"}
	case nftables.TableFamilyNetdev:
		names = []string{"ingress", "egress"}
	}
	if n := uint32(*c.Hooknum); int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprint(uint32(*c.Hooknum))
}

func nftPolicy(c *nftables.Chain) string {
	switch {
	case c.Policy == nil:
		return ""
	case *c.Policy == nftables.ChainPolicyDrop:
		return "drop"
	}
	return "accept"
}
