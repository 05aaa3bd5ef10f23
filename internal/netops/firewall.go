package netops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
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
// the kernel lists them, with their rules as nft(8) prints them, and the chains
// of the older ip_tables where such are loaded. None is an empty list; a kernel
// without nf_tables is unsupported.
//
// The kernel keeps rules as small programs that only the tool which made them
// can turn back into words. Without the tool a rule is there by its number.
func (k *Kernel) Firewall(ctx context.Context, namespace string) ([]topology.FirewallChain, error) {
	ctx, cancel := context.WithTimeout(ctx, firewallTimeout)
	defer cancel()
	list, err := k.nftChains(ctx, namespace)
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("read nf_tables: %w", err))
	}
	legacy, err := k.legacyChains(ctx, namespace)
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("read ip_tables: %w", err))
	}
	return append(list, legacy...), nil
}

// nftChains reads nf_tables.
func (k *Kernel) nftChains(ctx context.Context, namespace string) ([]topology.FirewallChain, error) {
	deadline, _ := ctx.Deadline()
	var conn *nftables.Conn
	err := k.Do(namespace, func() (err error) {
		conn, err = nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error {
			return c.SetDeadline(deadline)
		}))
		return err
	})
	if err != nil {
		return nil, withoutNFTables(err)
	}
	defer func() { _ = conn.CloseLasting() }()
	chains, err := conn.ListChains()
	if err != nil {
		return nil, withoutNFTables(err)
	}
	list := make([]topology.FirewallChain, 0, len(chains))
	if len(chains) == 0 {
		return list, nil
	}
	texts, err := k.nftTexts(ctx, namespace)
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
		for _, r := range rules {
			out.Rules = append(out.Rules, texts.of(out, r.Handle))
		}
		list = append(list, out)
	}
	return list, nil
}

// withoutNFTables recognises a kernel without nf_tables: it has no such netlink
// family (no nfnetlink), or that has no such part.
func withoutNFTables(err error) error {
	for _, errno := range []unix.Errno{unix.EPROTONOSUPPORT, unix.EOPNOTSUPP, unix.EINVAL} {
		if errors.Is(err, errno) {
			return fmt.Errorf("%w: %w", unsupported(FeatureNFTables), err)
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

// runIn runs a program in a namespace and gives what it prints. errors.Is
// exec.ErrNotFound if it is not installed.
func (k *Kernel) runIn(ctx context.Context, namespace, program string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	// A child is in the namespace of the thread that starts it.
	err := k.Do(namespace, cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
