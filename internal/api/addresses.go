package api

import (
	"context"
	"fmt"
	"net/http"

	"netdash/internal/topology"
)

func (h *Handler) listAddresses(_ context.Context, in *LinkPath) (*list[topology.Address], error) {
	_, l, err := h.findLink(in.Namespace, in.Link)
	if err != nil {
		return nil, err
	}
	return listOf(l.Addresses), nil
}

// AddressBody is an address to add.
type AddressBody struct {
	CIDR string `json:"cidr" doc:"Address and prefix length." example:"192.168.1.1/24"`
}

type createAddressInput struct {
	LinkPath
	DryRun
	Body AddressBody
}

func (h *Handler) createAddress(ctx context.Context, in *createAddressInput) (*edited, error) {
	ns, _, err := h.findLink(in.Namespace, in.Link)
	if err != nil {
		return nil, err
	}
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		if err := s.AddAddress(ns.Name, in.Link, in.Body.CIDR); err != nil {
			return place{}, err
		}
		return place{spec: addressPlace(s, ns.Name, in.Link), body: "/cidr"}, nil
	}, func(s *topology.Snapshot, out *edited) error {
		if now := s.Namespace(ns.Name); now != nil {
			if l := now.Link(in.Link); l != nil {
				if a := findAddress(l, in.Body.CIDR); a != nil {
					out.Status, out.Body = http.StatusCreated, *a
					out.Location = location("namespaces", ns.Name, "links", in.Link, "addresses", a.CIDR)
					return nil
				}
			}
		}
		return unseen(ns.Name + "/" + in.Link + " " + in.Body.CIDR)
	})
}

// addressPlace finds the address last added to a link.
func addressPlace(s *topology.Spec, namespace, link string) string {
	at := linkPlace(s, namespace, link)
	if b := s.FindBridge(namespace, link); b != nil {
		return fmt.Sprintf("%s/addresses/%d", at, len(b.Addresses)-1)
	}
	if e := s.FindEnd(namespace, link); e != nil {
		return fmt.Sprintf("%s/addresses/%d", at, len(e.Addresses)-1)
	}
	if n := s.FindNamespace(namespace); n != nil {
		return fmt.Sprintf("%s/loopback_addresses/%d", at, len(n.LoopbackAddresses)-1)
	}
	return ""
}

func findAddress(l *topology.Link, cidr string) *topology.Address {
	for i := range l.Addresses {
		if samePrefix(l.Addresses[i].CIDR, cidr) {
			return &l.Addresses[i]
		}
	}
	return nil
}

type deleteAddressInput struct {
	LinkPath
	DryRun
	CIDR string `path:"cidr" doc:"Address and prefix length, the slash percent-encoded." example:"192.168.1.1/24"`
}

func (h *Handler) deleteAddress(ctx context.Context, in *deleteAddressInput) (*edited, error) {
	ns, _, err := h.findLink(in.Namespace, in.Link)
	if err != nil {
		return nil, err
	}
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		return place{}, s.RemoveAddress(ns.Name, in.Link, in.CIDR)
	}, deleted)
}
