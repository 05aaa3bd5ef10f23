package netops

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// filterMachine runs the rules of nf_tables on a packet that is not there, as the
// kernel does on one that is (nft_do_chain in net/netfilter/nf_tables_core.c):
// expressions load bytes of the packet into registers and compare them. What
// depends on more than the packet (a rate, a mark from elsewhere, another
// program's socket) is a doubt, and a rule in doubt decides nothing.
type filterMachine struct {
	weigher[nftRule]

	rules  *ruleset
	packet *filteredPacket
	hook   topology.FilterHook
	index  map[string]int // ifindexes by name
	mark   *uint32        // set by a rule; nil: 0, as everything that netdash sends

	registers [registerRoom]byte
	unknown   [registerRoom]bool // not told what is in it
}

// nftRule is a rule of nf_tables, or, without one, a chain's policy.
type nftRule struct {
	rule  *filterRule
	chain *filterChain
}

const (
	registerRoom = 80 // NFT_REG_VERDICT and four registers of 16 bytes
	jumpDepth    = 16 // NFT_JUMP_STACK_SIZE
)

// verdict runs all chains of a hook, in their order.
func (m *filterMachine) verdict() decision[nftRule] {
	for _, c := range m.rules.base {
		if !m.isHooked(c) {
			continue
		}
		d := m.chain(c, 0)
		if d.verdict == "" && *c.Policy == nftables.ChainPolicyDrop {
			d = decision[nftRule]{verdict: drops, by: nftRule{chain: c}}
		}
		if d.verdict == "" || d.verdict == passes {
			continue
		}
		return m.final(d)
	}
	return m.end()
}

// isHooked tells whether a base chain sees the packet at the machine's hook.
func (m *filterMachine) isHooked(c *filterChain) bool {
	if nftHook(c.Chain) != m.hook.Hook {
		return false
	}
	switch f := c.Table.Family; {
	case m.hook.Hook == "ingress":
		return (f == nftables.TableFamilyNetdev || f == nftables.TableFamilyINet && !m.packet.ARP) && slices.Contains(c.devices, m.packet.In)
	case m.hook.Bridge:
		return f == nftables.TableFamilyBridge
	case m.packet.ARP:
		return f == nftables.TableFamilyARP
	case m.packet.Destination.Is4():
		return f == nftables.TableFamilyIPv4 || f == nftables.TableFamilyINet
	default:
		return f == nftables.TableFamilyIPv6 || f == nftables.TableFamilyINet
	}
}

// chain runs a chain; a decision without a verdict when it comes to its end.
func (m *filterMachine) chain(c *filterChain, depth int) decision[nftRule] {
	for _, r := range c.rules {
		d := m.rule(r, depth)
		d.by.chain = c
		if d.by.rule == nil {
			d.by.rule = r
		}
		if d, over := m.weigh(d); over {
			return d
		}
	}
	return decision[nftRule]{}
}

// rule runs a rule's expressions until one does not fit. Its doubt says why it may
// not fit although nothing spoke against it.
func (m *filterMachine) rule(r *filterRule, depth int) decision[nftRule] {
	m.registers, m.unknown = [registerRoom]byte{}, [registerRoom]bool{}
	doubt := ""
	for _, e := range r.expressions {
		switch fits, wonder, v := m.run(r, e); {
		case !fits:
			return decision[nftRule]{}
		case wonder != "" && doubt == "":
			doubt = wonder
			fallthrough
		default:
			if v == nil {
				continue
			}
			d := m.decide(r, *v, depth)
			d.doubt = cmp.Or(doubt, d.doubt)
			return d
		}
	}
	return decision[nftRule]{}
}

// nftVerdict is the verdict of a rule.
type nftVerdict struct {
	code  int32 // NF_DROP, NF_ACCEPT, NF_QUEUE or NFT_…
	chain string
	word  string // of an expression that decides by itself: reject, translate
}

// decide follows a verdict, to another chain if need be.
func (m *filterMachine) decide(r *filterRule, v nftVerdict, depth int) decision[nftRule] {
	by := nftRule{rule: r}
	switch {
	case v.word != "":
		return decision[nftRule]{verdict: v.word, by: by}
	case v.code == nfDrop:
		return decision[nftRule]{verdict: drops, by: by}
	case v.code == nfAccept:
		return decision[nftRule]{verdict: passes, by: by}
	case v.code == unix.NFT_RETURN:
		return decision[nftRule]{verdict: returns, by: by}
	case v.code == unix.NFT_JUMP || v.code == unix.NFT_GOTO:
		to := m.rules.chains[chainKey{r.chain.Table.Family, r.chain.Table.Name, v.chain}]
		if to == nil || depth >= jumpDepth {
			return decision[nftRule]{drops, by, "it leads to a chain that cannot be read"}
		}
		d := m.chain(to, depth+1)
		if d.verdict == "" && v.code == unix.NFT_GOTO {
			d.verdict = returns
		}
		return d
	case v.code == unix.NFT_CONTINUE || v.code == unix.NFT_BREAK:
		return decision[nftRule]{}
	}
	return decision[nftRule]{drops, by, "it hands the packet to another program"}
}

// NF_DROP and NF_ACCEPT of linux/netfilter.h.
const (
	nfDrop   = 0
	nfAccept = 1
)

// place is where a register begins (nft_parse_register in
// net/netfilter/nf_tables_api.c).
func place(register uint32) int {
	if register >= unix.NFT_REG32_00 {
		return int(register-unix.NFT_REG32_00)*4 + 16
	}
	return int(register) * 16
}

// load puts a value into a register; nil is one that is not known, of which the
// length is not known either.
func (m *filterMachine) load(register uint32, v []byte) {
	at := place(register)
	if at >= registerRoom {
		return
	}
	if v == nil {
		for i := at; i < registerRoom; i++ {
			m.unknown[i] = true
		}
		return
	}
	n := copy(m.registers[at:], v)
	end := min((at+n+3)&^3, registerRoom)
	clear(m.registers[at+n : end])
	clear(m.unknown[at:end])
}

// value gives what is in a register, and whether that is known.
func (m *filterMachine) value(register uint32, length int) ([]byte, bool) {
	at := place(register)
	if at+length > registerRoom {
		return nil, false
	}
	return m.registers[at : at+length], !slices.Contains(m.unknown[at:at+length], true)
}

// lookUp finds a value in a set.
func (s *filterSet) lookUp(value func(length int) ([]byte, bool)) (element *nftables.SetElement, known bool) {
	if s.Interval && s.Concatenation || len(s.elements) == 0 {
		return nil, len(s.elements) == 0
	}
	v, known := value(len(s.elements[0].Key))
	if !known {
		return nil, false
	}
	for i := range s.elements {
		e := &s.elements[i]
		switch {
		case !s.Interval && bytes.Equal(e.Key, v):
			return e, true
		case s.Interval && bytes.Compare(e.Key, v) <= 0 && (element == nil || bytes.Compare(element.Key, e.Key) < 0 ||
			bytes.Equal(element.Key, e.Key) && element.IntervalEnd):
			element = e // the last that begins, or ends, at or before the value
		}
	}
	if element != nil && element.IntervalEnd {
		element = nil
	}
	return element, true
}

func native32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
