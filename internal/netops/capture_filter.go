package netops

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"netdash/internal/walk"
)

// maxFilterAddresses keeps a filter far below what a socket may have of memory
// for options, 20 KiB before Linux 6.8 (sk_filter_charge in net/core/filter.c,
// net.core.optmem_max). With more addresses a filter does not look at them.
const maxFilterAddresses = 64

// flowFilter makes the program that takes from all frames those of a flow. Of an IPv6
// address it compares the last four bytes: what it takes too much, walk leaves out.
func flowFilter(f walk.Flow) ([]unix.SockFilter, error) {
	var arp, icmp4, icmp6, nd []uint32
	for _, a := range f.Neighbours {
		if a.Is4() {
			arp = append(arp, tail(a))
		} else {
			nd = append(nd, tail(a))
		}
	}
	for _, a := range f.Ends {
		if a.Is4() {
			icmp4 = append(icmp4, tail(a))
		} else {
			icmp6 = append(icmp6, tail(a))
		}
	}
	var p program
	p.when(load(12, 2), unix.ETH_P_ARP, p.matching(arp, 28, 38))
	p.when(load(12, 2), unix.ETH_P_IP, p.protocol(23, unix.IPPROTO_ICMP, p.matching(icmp4, 26, 30)))
	var six program
	six.when(load(54, 1), 135, p.matching(nd, 74)) // neighbour solicitation
	six.when(load(54, 1), 136, p.matching(nd, 74)) // neighbour advertisement
	six = append(six, p.matching(icmp6, 34, 50)...)
	p.when(load(12, 2), unix.ETH_P_IPV6, append(
		p.protocol(20, unix.IPPROTO_ICMPV6, six),
		p.protocol(20, unix.IPPROTO_FRAGMENT, p.matching(icmp6, 34, 50))...,
	))
	raw, err := bpf.Assemble(append(p, drop))
	if err != nil {
		return nil, err
	}
	out := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		out[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return out, nil
}

// tail gives the last four bytes of an address.
func tail(a netip.Addr) uint32 {
	b := a.AsSlice()
	return binary.BigEndian.Uint32(b[len(b)-4:])
}

var (
	take = bpf.RetConstant{Val: snapLength}
	drop = bpf.RetConstant{Val: 0}
)

// program is a part of a filter.
type program []bpf.Instruction

func load(offset, size int) bpf.Instruction {
	return bpf.LoadAbsolute{Off: uint32(offset), Size: size}
}

// when appends what is to be done with a frame that has a value somewhere; it must
// come to an end by itself.
func (p *program) when(value bpf.Instruction, is uint32, do program) {
	*p = append(*p, value,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: is, SkipTrue: 1}, // a conditional jump goes 255 far at most
		bpf.Jump{Skip: uint32(len(do))})
	*p = append(*p, do...)
}

// protocol is when for the next protocol of an IP header. It goes on behind for
// others.
func (program) protocol(offset int, is uint32, do program) program {
	var p program
	p.when(load(offset, 1), is, do)
	return p
}

// matching takes frames that have one of the addresses at one of the offsets, and
// ends.
func (program) matching(addresses []uint32, offsets ...int) program {
	if len(addresses) > maxFilterAddresses {
		return program{take}
	}
	var p program
	for _, o := range offsets {
		p = append(p, load(o, 4))
		for _, a := range addresses {
			p = append(p, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: a, SkipTrue: 1}, take)
		}
	}
	return append(p, drop)
}
