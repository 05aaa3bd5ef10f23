package netops

import (
	"context"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// Apply performs a Change: all of it, or, after an error, nothing. The kernel
// answers at once, so ctx is looked at only before.
func (k *Kernel) Apply(ctx context.Context, c topology.Change) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s: %w", c.Kind(), c.Subject(), err)
	}
	switch c := c.(type) {
	case topology.CreateNamespace:
		return refusedChange(c, k.createNamespace(c.Name))
	case topology.DeleteNamespace:
		return refusedChange(c, k.deleteNamespace(c.Name))
	case topology.SetSysctl:
		return refusedChange(c, k.setSysctl(c))
	case topology.DeleteRule:
		return refusedChange(c, k.deleteRule(c))
	case topology.SetPolicy:
		return refusedChange(c, k.setPolicy(c))
	}
	return k.applyIn(c.Where(), []topology.Change{c})[0]
}

// applyIn performs Changes that are done in one namespace, in one exchange with
// the kernel. Each one's error is its own; those after it are tried all the
// same.
func (k *Kernel) applyIn(namespace string, changes []topology.Change) []error {
	errs := make([]error, len(changes))
	err := k.in(namespace, func(s *space) error {
		find := newFinder(s)
		if err := find.all(changes); err != nil {
			return err
		}
		var requests []*nl.NetlinkRequest
		var of []int // the Change of each request
		var releases []func()
		defer func() {
			for _, release := range releases {
				release()
			}
		}()
		for i, c := range changes {
			m, err := s.prepare(c, find)
			if err != nil {
				errs[i] = err
				continue
			}
			if m.release != nil {
				releases = append(releases, m.release)
			}
			requests, of = append(requests, m.request), append(of, i)
		}
		refused, err := s.exchange(requests, nil)
		for i, e := range refused {
			errs[of[i]] = s.explain(changes[of[i]], e)
		}
		return err
	})
	for i, c := range changes {
		if errs[i] == nil {
			errs[i] = err
		}
		errs[i] = refusedChange(c, errs[i])
	}
	return errs
}

// prepared is a Change as a request to the kernel.
type prepared struct {
	request *nl.NetlinkRequest
	release func() // of what the request refers to, once it is answered; or nil
}

// prepare writes a Change that is one netlink request.
func (s *space) prepare(c topology.Change, find *finder) (prepared, error) {
	var r *nl.NetlinkRequest
	var err error
	switch c := c.(type) {
	case topology.CreateVeth:
		return s.createVeth(c)
	case topology.Move:
		return s.move(c, find)
	case topology.CreateBridge:
		r, err = s.createBridge(c)
	case topology.SetBridge:
		r, err = s.setBridge(c, find)
	case topology.SetPort:
		r = setPort(c)
	case topology.DeleteLink:
		r = deleteLink(c.Name)
	case topology.SetUp:
		r = setUp(c)
	case topology.Rename:
		r, err = rename(c, find)
	case topology.SetMAC:
		r, err = setMAC(c)
	case topology.SetMTU:
		r = setMTU(c)
	case topology.SetAlias:
		r = setAlias(c)
	case topology.SetMaster:
		r, err = setMaster(c, find)
	case topology.SetAddressGeneration:
		r = setAddressGeneration(c)
	case topology.SetARP:
		r = setARP(c)
	case topology.DeleteNeighbour:
		r, err = deleteNeighbour(c, find)
	case topology.AddAddress:
		r, err = addAddress(c.Link, c.CIDR, find)
	case topology.DeleteAddress:
		r, err = deleteAddress(c.Link, c.CIDR, find)
	case topology.AddRoute:
		r, err = addRoute(c.Route, find)
	case topology.DeleteRoute:
		r, err = deleteRoute(c.Route, find)
	case topology.AddFDB:
		r, err = s.addFDB(c.Bridge, c.Entry, find)
	case topology.DeleteFDB:
		r, err = s.deleteFDB(c.Bridge, c.Entry, find)
	default:
		err = fmt.Errorf("there is no way to apply a %T", c)
	}
	return prepared{request: r}, err
}

// explain adds what the kernel does not say with its refusal of a Change.
func (s *space) explain(c topology.Change, err error) error {
	switch c := c.(type) {
	case topology.CreateVeth:
		if errors.Is(err, unix.EEXIST) {
			return s.whichEnd(c, err)
		}
	case topology.SetPort:
		return linkError(c.Name, err)
	case topology.DeleteLink:
		return linkError(c.Name, err)
	case topology.SetUp:
		return linkError(c.Name, err)
	case topology.SetMAC:
		return linkError(c.Name, err)
	case topology.SetMTU:
		return linkError(c.Name, err)
	case topology.SetAlias:
		return linkError(c.Name, err)
	case topology.SetMaster:
		return linkError(c.Name, err)
	case topology.SetAddressGeneration:
		return linkError(c.Name, err)
	case topology.SetARP:
		return linkError(c.Name, err)
	case topology.SetBridge:
		return linkError(c.Name, err)
	}
	return err
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
