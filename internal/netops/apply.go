package netops

import (
	"context"
	"fmt"

	"netdash/internal/topology"
)

// Apply performs a Change: all of it, or, after an error, nothing. The kernel
// answers at once, so ctx is looked at only before.
func (k *Kernel) Apply(ctx context.Context, c topology.Change) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s: %w", c.Kind(), c.Subject(), err)
	}
	return refusedChange(c, k.apply(c))
}

func (k *Kernel) apply(c topology.Change) error {
	switch c := c.(type) {
	case topology.CreateNamespace:
		return k.createNamespace(c.Name)
	case topology.DeleteNamespace:
		return k.deleteNamespace(c.Name)
	case topology.CreateVeth:
		return k.createVeth(c)
	case topology.Move:
		return k.move(c)
	case topology.CreateBridge:
		return k.in(c.Namespace, func(s *space) error { return s.createBridge(c) })
	case topology.SetBridge:
		return k.in(c.Namespace, func(s *space) error { return s.setBridge(c) })
	case topology.SetPort:
		return k.in(c.Namespace, func(s *space) error { return s.setPort(c) })
	case topology.DeleteLink:
		return k.in(c.Namespace, func(s *space) error { return s.deleteLink(c.Name) })
	case topology.SetUp:
		return k.in(c.Namespace, func(s *space) error { return s.setUp(c) })
	case topology.Rename:
		return k.in(c.Namespace, func(s *space) error { return s.rename(c) })
	case topology.SetMAC:
		return k.in(c.Namespace, func(s *space) error { return s.setMAC(c) })
	case topology.SetMTU:
		return k.in(c.Namespace, func(s *space) error { return s.setMTU(c) })
	case topology.SetAlias:
		return k.in(c.Namespace, func(s *space) error { return s.setAlias(c) })
	case topology.SetMaster:
		return k.in(c.Namespace, func(s *space) error { return s.setMaster(c) })
	case topology.SetAddressGeneration:
		return k.in(c.Namespace, func(s *space) error { return s.setAddressGeneration(c) })
	case topology.AddAddress:
		return k.in(c.Namespace, func(s *space) error { return s.addAddress(c.Link, c.CIDR) })
	case topology.DeleteAddress:
		return k.in(c.Namespace, func(s *space) error { return s.deleteAddress(c.Link, c.CIDR) })
	case topology.AddRoute:
		return k.in(c.Route.Namespace, func(s *space) error { return s.addRoute(c.Route) })
	case topology.DeleteRoute:
		return k.in(c.Route.Namespace, func(s *space) error { return s.deleteRoute(c.Route) })
	case topology.AddFDB:
		return k.in(c.Namespace, func(s *space) error { return s.addFDB(c.Bridge, c.Entry) })
	case topology.DeleteFDB:
		return k.in(c.Namespace, func(s *space) error { return s.deleteFDB(c.Bridge, c.Entry) })
	}
	return fmt.Errorf("there is no way to apply a %T", c)
}

// in runs fn on an open namespace.
func (k *Kernel) in(namespace string, fn func(*space) error) error {
	s, release, err := k.acquire(namespace)
	if err != nil {
		return err
	}
	defer release()
	return fn(s)
}
