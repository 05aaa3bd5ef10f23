package netops

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// run runs one expression: whether the rule still fits, what keeps that from
// being known, and the verdict if this is one.
func (m *filterMachine) run(r *filterRule, e expression) (fits bool, doubt string, v *nftVerdict) {
	switch e.name {
	case "counter", "log", "notrack", "last":
		return true, "", nil
	case "payload":
		if e.attribute(unix.NFTA_PAYLOAD_SREG) == nil {
			m.load(e.number(unix.NFTA_PAYLOAD_DREG), m.packet.header(e.number(unix.NFTA_PAYLOAD_BASE), e.number(unix.NFTA_PAYLOAD_OFFSET), e.number(unix.NFTA_PAYLOAD_LEN)))
		}
		return true, "", nil
	case "meta":
		m.meta(e)
		return true, "", nil
	case "ct":
		if e.attribute(unix.NFTA_CT_SREG) == nil {
			var state []byte
			if e.number(unix.NFTA_CT_KEY) == unix.NFT_CT_STATE {
				state = native32(m.packet.ctState())
			}
			m.load(e.number(unix.NFTA_CT_DREG), state)
		}
		return true, "", nil
	case "bitwise":
		m.bitwise(e)
		return true, "", nil
	case "cmp":
		fits, doubt = m.compare(e)
		return fits, doubt, nil
	case "range":
		fits, doubt = m.inRange(e)
		return fits, doubt, nil
	case "lookup":
		return m.inSet(r, e)
	case "immediate":
		return true, "", m.immediate(e)
	case "reject":
		return true, "", &nftVerdict{word: rejects}
	case "masq", "nat", "redir", "tproxy", "fwd":
		return true, "", &nftVerdict{word: translates}
	case "match":
		fits, doubt = m.match(e)
		return fits, doubt, nil
	case "target":
		return m.target(e)
	}
	m.load(unix.NFT_REG32_00, nil) // it may have loaded something, somewhere
	return true, "whether " + e.name + " fits cannot be told beforehand", nil
}

// meta loads, or sets, what the kernel knows beside the packet
// (nft_meta_get_eval in net/netfilter/nft_meta.c).
func (m *filterMachine) meta(e expression) {
	key := e.number(unix.NFTA_META_KEY)
	if e.attribute(unix.NFTA_META_SREG) != nil {
		if v, known := m.value(e.number(unix.NFTA_META_SREG), 4); key == unix.NFT_META_MARK && known {
			m.mark = new(binary.NativeEndian.Uint32(v))
		}
		return
	}
	name := func(s string) []byte { return append([]byte(s), make([]byte, unix.IFNAMSIZ-len(s))...) }
	index := func(s string) []byte {
		if n, known := m.index[s]; known || s == "" {
			return native32(uint32(n))
		}
		return nil
	}
	var v []byte
	switch p := m.packet; key {
	case unix.NFT_META_IIFNAME:
		v = name(p.In)
	case unix.NFT_META_OIFNAME:
		v = name(p.Out)
	case unix.NFT_META_IIF:
		v = index(p.In)
	case unix.NFT_META_OIF:
		v = index(p.Out)
	case unix.NFT_META_PROTOCOL:
		v = binary.BigEndian.AppendUint16(nil, p.ethertype)
	case unix.NFT_META_L4PROTO:
		v = []byte{p.protocol}
	case unix.NFT_META_NFPROTO:
		v = []byte{m.protocolFamily()}
	case unix.NFT_META_IIFTYPE:
		if p.link != nil {
			v = binary.NativeEndian.AppendUint16(nil, unix.ARPHRD_ETHER)
		}
	case unix.NFT_META_LEN:
		v = native32(uint32(p.length()))
	case unix.NFT_META_MARK:
		v = native32(0)
		if m.mark != nil {
			v = native32(*m.mark)
		}
	}
	m.load(e.number(unix.NFTA_META_DREG), v)
}

func (m *filterMachine) protocolFamily() byte {
	switch {
	case m.hook.Bridge:
		return unix.NFPROTO_BRIDGE
	case m.packet.ARP:
		return unix.NFPROTO_ARP
	case m.packet.Destination.Is4():
		return unix.NFPROTO_IPV4
	}
	return unix.NFPROTO_IPV6
}

// nftaBitwiseOp is NFTA_BITWISE_OP of linux/netfilter/nf_tables.h; 0 is mask and
// xor, which old kernels know alone.
const nftaBitwiseOp = 6

func (m *filterMachine) bitwise(e expression) {
	length := int(e.number(unix.NFTA_BITWISE_LEN))
	v, known := m.value(e.number(unix.NFTA_BITWISE_SREG), length)
	mask := inside(e.data, 0, unix.NFTA_BITWISE_MASK, unix.NFTA_DATA_VALUE)
	xor := inside(e.data, 0, unix.NFTA_BITWISE_XOR, unix.NFTA_DATA_VALUE)
	if !known || e.number(nftaBitwiseOp) != 0 || len(mask) < length || len(xor) < length {
		m.load(e.number(unix.NFTA_BITWISE_DREG), nil)
		return
	}
	out := make([]byte, length)
	for i := range out {
		out[i] = v[i]&mask[i] ^ xor[i]
	}
	m.load(e.number(unix.NFTA_BITWISE_DREG), out)
}

const notKnown = "what it looks at is not known beforehand"

func (m *filterMachine) compare(e expression) (fits bool, doubt string) {
	with := inside(e.data, 0, unix.NFTA_CMP_DATA, unix.NFTA_DATA_VALUE)
	v, known := m.value(e.number(unix.NFTA_CMP_SREG), len(with))
	if !known {
		return true, notKnown
	}
	return holds(e.number(unix.NFTA_CMP_OP), bytes.Compare(v, with)), ""
}

// holds tells whether a comparison with that result is as the operator wants it.
func holds(op uint32, result int) bool {
	switch op {
	case unix.NFT_CMP_EQ:
		return result == 0
	case unix.NFT_CMP_NEQ:
		return result != 0
	case unix.NFT_CMP_LT:
		return result < 0
	case unix.NFT_CMP_LTE:
		return result <= 0
	case unix.NFT_CMP_GT:
		return result > 0
	}
	return result >= 0
}

func (m *filterMachine) inRange(e expression) (fits bool, doubt string) {
	from := inside(e.data, 0, unix.NFTA_RANGE_FROM_DATA, unix.NFTA_DATA_VALUE)
	to := inside(e.data, 0, unix.NFTA_RANGE_TO_DATA, unix.NFTA_DATA_VALUE)
	v, known := m.value(e.number(unix.NFTA_RANGE_SREG), len(from))
	if !known {
		return true, notKnown
	}
	within := bytes.Compare(v, from) >= 0 && bytes.Compare(v, to) <= 0
	return within == (e.number(unix.NFTA_RANGE_OP) == unix.NFT_RANGE_EQ), ""
}

// inSet looks a value up in a set; in a map of verdicts that is a verdict.
func (m *filterMachine) inSet(r *filterRule, e expression) (fits bool, doubt string, v *nftVerdict) {
	name := text(e.attribute(unix.NFTA_LOOKUP_SET))
	set, err := m.rules.set(r.chain.Table, name)
	if err != nil {
		return true, "the set " + name + " cannot be read", nil
	}
	register := e.number(unix.NFTA_LOOKUP_SREG)
	found, known := set.lookUp(func(length int) ([]byte, bool) { return m.value(register, length) })
	to := e.attribute(unix.NFTA_LOOKUP_DREG)
	switch {
	case !known && to == nil:
		return true, notKnown, nil
	case !known: // which of the map's verdicts it is
		return true, notKnown, &nftVerdict{code: nfDrop}
	case (found == nil) != (e.number(unix.NFTA_LOOKUP_FLAGS)&unix.NFT_LOOKUP_F_INV != 0):
		return false, "", nil
	case found == nil || to == nil:
		return true, "", nil
	case be32(to) != unix.NFT_REG_VERDICT:
		m.load(be32(to), found.Val)
		return true, "", nil
	}
	return true, "", readVerdict(found.Val)
}

// readVerdict reads NFTA_VERDICT_….
func readVerdict(b []byte) *nftVerdict {
	return &nftVerdict{code: int32(be32(inside(b, 0, unix.NFTA_VERDICT_CODE))), chain: text(inside(b, 0, unix.NFTA_VERDICT_CHAIN))}
}

func (m *filterMachine) immediate(e expression) *nftVerdict {
	if register := e.number(unix.NFTA_IMMEDIATE_DREG); register != unix.NFT_REG_VERDICT {
		m.load(register, inside(e.data, 0, unix.NFTA_IMMEDIATE_DATA, unix.NFTA_DATA_VALUE))
		return nil
	}
	return readVerdict(inside(e.data, 0, unix.NFTA_IMMEDIATE_DATA, unix.NFTA_DATA_VERDICT))
}
