package netops

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// pingTarget is the address a request is about.
func (k *Kernel) pingTarget(ctx context.Context, req topology.PingRequest) (netip.Addr, error) {
	if req.ToNamespace != "" {
		return k.bestAddress(ctx, req.Namespace, req.ToNamespace)
	}
	a, err := netip.ParseAddr(req.Address)
	if err != nil {
		return a, addressError("%q is no IP address", req.Address)
	}
	a = a.Unmap()
	scoped := a.Is6() && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast())
	switch {
	case a.IsUnspecified():
		return a, addressError("%s is the address of nobody", a)
	case scoped && a.Zone() == "":
		return a, addressError("a link-local address needs its link: %s%%LINK", a)
	case !scoped && a.Zone() != "":
		return a, addressError("only a link-local address has a link")
	}
	return a, nil
}

// usedAddress is an address of a namespace, as seen in choosing one to ping.
type usedAddress struct {
	addr   netip.Addr
	subnet netip.Prefix // what it is on-link with
	up     bool         // its link is up and has a carrier
}

// bestAddress chooses the address of one namespace to ping it by from another:
// one on a subnet they share rather than another, then one of a link that is up
// at both ends, then IPv4 rather than IPv6.
func (k *Kernel) bestAddress(ctx context.Context, from, to string) (netip.Addr, error) {
	sources, err := k.addresses(ctx, from)
	if err != nil {
		return netip.Addr{}, err
	}
	targets, err := k.addresses(ctx, to)
	if err != nil {
		return netip.Addr{}, err
	}
	best, bestRank := netip.Addr{}, -1
	for _, t := range targets {
		shared, near := false, false
		for _, s := range sources {
			if s.subnet.Contains(t.addr) {
				shared, near = true, near || s.up
			}
		}
		up := t.up && (near || !shared)
		rank := 0
		for weight, good := range []bool{t.addr.Is4(), up, shared} {
			if good {
				rank |= 1 << weight
			}
		}
		if rank > bestRank {
			best, bestRank = t.addr, rank
		}
	}
	if bestRank < 0 {
		return best, topology.Errorf(topology.CodeConflict, to, "has no address").
			WithHint("give one of its links an address, or ping an address instead of a namespace")
	}
	return best, nil
}

// addresses lists those by which a namespace can be reached from outside.
func (k *Kernel) addresses(ctx context.Context, namespace string) ([]usedAddress, error) {
	s, release, err := k.acquire(namespace)
	if err != nil {
		return nil, err
	}
	defer release()
	var links []LinkFacts
	var facts []AddressFacts
	err = dumpInto(ctx, s, &links, unix.RTM_GETLINK, linkRequest(unix.AF_UNSPEC))
	if err == nil {
		err = dumpInto(ctx, s, &facts, unix.RTM_GETADDR, linkRequest(unix.AF_UNSPEC))
	}
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("list addresses: %w", err))
	}
	up := map[int]bool{}
	for _, l := range links {
		up[l.Ifindex] = l.AdminUp && l.Carrier
	}
	var list []usedAddress
	for _, f := range facts {
		far := f.Scope != "host" && f.Scope != "link" && f.Scope != "nowhere"
		if !far || slices.Contains(f.Flags, "tentative") || slices.Contains(f.Flags, "dadfailed") {
			continue
		}
		subnet, err := netip.ParsePrefix(f.CIDR)
		if err != nil {
			return nil, fmt.Errorf("namespace %s: %w", namespace, err)
		}
		list = append(list, usedAddress{addr: subnet.Addr(), subnet: subnet, up: up[f.Ifindex]})
	}
	return list, nil
}
