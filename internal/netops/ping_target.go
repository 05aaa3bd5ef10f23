package netops

import (
	"context"
	"net/netip"

	"netdash/internal/topology"
)

// pingTarget is whom a request is about.
type pingTarget struct {
	addr   netip.Addr
	link   string // of the namespace that was asked for, which has the address
	chosen string // why this one of its addresses
}

func (k *Kernel) pingTarget(ctx context.Context, req topology.PingRequest) (pingTarget, error) {
	if req.ToNamespace != "" {
		return k.bestAddress(ctx, req)
	}
	a, err := netip.ParseAddr(req.Address)
	if err != nil {
		return pingTarget{}, addressError("%q is no IP address", req.Address)
	}
	a = a.Unmap()
	scoped := a.Is6() && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast())
	if scoped && a.Zone() == "" && req.Link != "" {
		a = a.WithZone(req.Link)
	}
	switch {
	case a.IsUnspecified():
		return pingTarget{}, addressError("%s is the address of nobody", a)
	case scoped && a.Zone() == "":
		return pingTarget{}, addressError("a link-local address needs its link: %s%%LINK", a)
	case !scoped && a.Zone() != "":
		return pingTarget{}, addressError("only a link-local address has a link")
	}
	return pingTarget{addr: a}, nil
}

// bestAddress chooses the address of one namespace to ping it by from another.
func (k *Kernel) bestAddress(ctx context.Context, req topology.PingRequest) (pingTarget, error) {
	from, err := k.addresses(ctx, req.Namespace)
	if err != nil {
		return pingTarget{}, err
	}
	to, err := k.addresses(ctx, req.ToNamespace)
	if err != nil {
		return pingTarget{}, err
	}
	if req.Link != "" {
		from = from.over(req.Link)
	}
	best, found := from.best(to, family4|family6)
	switch {
	case len(to.list) == 0:
		return pingTarget{}, topology.Errorf(topology.CodeConflict, req.ToNamespace, "has no address").
			WithHint("give one of its links an address, or ping an address instead of a namespace")
	case !found:
		return pingTarget{}, topology.Errorf(topology.CodeConflict, req.ToNamespace, "has no address that %s does not have too", req.Namespace).
			WithHint("a request would not leave %s: give one of the two another address", req.Namespace)
	}
	return pingTarget{addr: best.addr, link: best.link, chosen: best.why(req.Namespace, req.ToNamespace)}, nil
}
