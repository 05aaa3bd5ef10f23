package netops

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// ruleset are the rules of nf_tables of a namespace as the kernel runs them.
type ruleset struct {
	chains map[chainKey]*filterChain
	base   []*filterChain // those that are hooked in, in the order in which they run
	set    func(table *nftables.Table, name string) (*filterSet, error)
}

type chainKey struct {
	family      nftables.TableFamily
	table, name string
}

type filterChain struct {
	*nftables.Chain
	devices []string // of a chain at ingress
	rules   []*filterRule
}

type filterRule struct {
	chain       *filterChain
	handle      uint64
	expressions []expression
}

// expression is one of a rule, as the kernel writes it (NFTA_EXPR_NAME and _DATA
// of linux/netfilter/nf_tables.h). The library leaves out those it does not know,
// and a rule without its condition would fit everything.
type expression struct {
	name string
	data []byte
}

// attribute gives an attribute's value, nil if it is not there.
func (e expression) attribute(t uint16) []byte { return inside(e.data, 0, t) }

// number gives an attribute that is a number.
func (e expression) number(t uint16) uint32 { return be32(e.attribute(t)) }

func be32(v []byte) uint32 {
	if len(v) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(v)
}

// filterSet is a named or anonymous set, or map.
type filterSet struct {
	*nftables.Set
	elements []nftables.SetElement
}

// ruleset reads nf_tables and hands it to use, which may ask for sets.
func (k *Kernel) ruleset(ctx context.Context, namespace string, use func(*ruleset) error) error {
	deadline, _ := ctx.Deadline()
	var lib *nftables.Conn
	var raw *netlink.Conn
	err := k.Do(namespace, func() (err error) {
		lib, err = nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error { return c.SetDeadline(deadline) }))
		if err == nil {
			raw, err = netlink.Dial(unix.NETLINK_NETFILTER, nil)
		}
		return err
	})
	if lib != nil {
		defer func() { _ = lib.CloseLasting() }()
	}
	if raw != nil {
		defer func() { _ = raw.Close() }()
	}
	if err != nil {
		return withoutNFTables(err)
	}
	if err := raw.SetDeadline(deadline); err != nil {
		return err
	}
	r := &ruleset{chains: map[chainKey]*filterChain{}, set: func(table *nftables.Table, name string) (*filterSet, error) {
		set, err := lib.GetSetByName(table, name)
		if err != nil {
			return nil, err
		}
		elements, err := lib.GetSetElements(set)
		return &filterSet{set, elements}, err
	}}
	if err := r.readChains(raw); err != nil {
		return withoutNFTables(err)
	}
	if err := r.readRules(raw); err != nil {
		return err
	}
	return use(r)
}

// nfgenmsg is the length of struct nfgenmsg, which begins with the family.
const nfgenmsg = 4

// listNFT hands each message of a dump of all families to handle.
func listNFT(conn *netlink.Conn, what netlink.HeaderType, handle func(family nftables.TableFamily, m []byte)) error {
	messages, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | what, Flags: netlink.Request | netlink.Dump},
		Data:   make([]byte, nfgenmsg),
	})
	if err != nil {
		return fmt.Errorf("list nf_tables: %w", err)
	}
	for _, m := range messages {
		if len(m.Data) < nfgenmsg {
			return errors.New("list nf_tables: the kernel's answer is cut short")
		}
		handle(nftables.TableFamily(m.Data[0]), m.Data)
	}
	return nil
}

// readChains reads all chains, also by which links they are hooked in, which the
// library leaves out.
func (r *ruleset) readChains(conn *netlink.Conn) error {
	err := listNFT(conn, unix.NFT_MSG_GETCHAIN, func(family nftables.TableFamily, m []byte) {
		table := &nftables.Table{Family: family, Name: text(inside(m, nfgenmsg, unix.NFTA_CHAIN_TABLE))}
		c := &filterChain{Chain: &nftables.Chain{Table: table, Name: text(inside(m, nfgenmsg, unix.NFTA_CHAIN_NAME))}}
		r.chains[chainKey{family, table.Name, c.Name}] = c
		hook := inside(m, nfgenmsg, unix.NFTA_CHAIN_HOOK)
		if hook == nil {
			return
		}
		c.Hooknum = new(nftables.ChainHook(be32(inside(hook, 0, unix.NFTA_HOOK_HOOKNUM))))
		c.Priority = new(nftables.ChainPriority(int32(be32(inside(hook, 0, unix.NFTA_HOOK_PRIORITY)))))
		c.Policy = new(nftables.ChainPolicy(be32(inside(m, nfgenmsg, unix.NFTA_CHAIN_POLICY))))
		if v := inside(hook, 0, unix.NFTA_HOOK_DEV); v != nil {
			c.devices = append(c.devices, text(v))
		}
		for _, v := range attributes(inside(hook, 0, nftaHookDevices), 0) {
			c.devices = append(c.devices, text(v))
		}
		r.base = append(r.base, c)
	})
	slices.SortStableFunc(r.base, func(a, b *filterChain) int { return cmp.Compare(*a.Priority, *b.Priority) })
	return err
}

// nftaHookDevices is NFTA_HOOK_DEVS of linux/netfilter/nf_tables.h.
const nftaHookDevices = 4

// readRules reads the rules of all chains, in order, in one dump.
func (r *ruleset) readRules(conn *netlink.Conn) error {
	if len(r.chains) == 0 {
		return nil
	}
	return listNFT(conn, unix.NFT_MSG_GETRULE, func(family nftables.TableFamily, m []byte) {
		key := chainKey{family, text(inside(m, nfgenmsg, unix.NFTA_RULE_TABLE)), text(inside(m, nfgenmsg, unix.NFTA_RULE_CHAIN))}
		c := r.chains[key]
		if c == nil {
			return // it was made meanwhile
		}
		rule := &filterRule{chain: c}
		if v := inside(m, nfgenmsg, unix.NFTA_RULE_HANDLE); len(v) == 8 {
			rule.handle = binary.BigEndian.Uint64(v)
		}
		for _, v := range attributes(inside(m, nfgenmsg, unix.NFTA_RULE_EXPRESSIONS), 0) {
			rule.expressions = append(rule.expressions, expression{text(inside(v, 0, unix.NFTA_EXPR_NAME)), inside(v, 0, unix.NFTA_EXPR_DATA)})
		}
		c.rules = append(c.rules, rule)
	})
}
