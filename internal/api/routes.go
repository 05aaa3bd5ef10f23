package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"netdash/internal/topology"
)

func (h *Handler) listRoutes(_ context.Context, in *NamespacePath) (*list[*topology.RouteState], error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	return listOf(ns.Routes), nil
}

// RouteBody is a route of the namespace in the path.
type RouteBody struct {
	Destination string `json:"destination" doc:"Network in CIDR form, or default." example:"default"`
	Gateway     string `json:"gateway,omitempty" doc:"Next hop address." example:"10.1.0.254"`
	Link        string `json:"link,omitempty" doc:"Link it leaves by. Default: the one the gateway is reached by."`
	Metric      int    `json:"metric,omitempty" minimum:"0" maximum:"2147483647" doc:"Priority; lower wins."`
}

func (b RouteBody) in(namespace string) topology.Route {
	return topology.Route{Namespace: namespace, Destination: b.Destination, Gateway: b.Gateway, Link: b.Link, Metric: b.Metric}
}

type createRouteInput struct {
	NamespacePath
	DryRun
	Body RouteBody
}

func (h *Handler) createRoute(ctx context.Context, in *createRouteInput) (*edited, error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	route := in.Body.in(ns.Name)
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		if err := h.needManaged(s, ns.Name); err != nil {
			return place{}, err
		}
		err := s.AddRoute(route)
		return place{spec: fmt.Sprintf("/routes/%d", len(s.Routes)-1)}, err
	}, func(s *topology.Snapshot, out *edited) error {
		if now := s.Namespace(ns.Name); now != nil {
			if r := findRoute(now, route); r != nil {
				out.Status, out.Body = http.StatusCreated, r
				return nil
			}
		}
		return unseen(ns.Name + " " + route.Destination)
	})
}

// findRoute finds the observed route that an intended one stands for.
func findRoute(ns *topology.NamespaceState, want topology.Route) *topology.RouteState {
	for _, r := range ns.Routes {
		if sameDestination(r, want) && (want.Gateway == "" || sameAddress(r.Gateway, want.Gateway)) &&
			(want.Link == "" || r.Link == want.Link) && (want.Metric == 0 || r.Metric == want.Metric) {
			return r
		}
	}
	return nil
}

// sameDestination compares destinations. default, and what it stands for, is one
// of either family; a colon somewhere says which.
func sameDestination(have *topology.RouteState, want topology.Route) bool {
	if p, err := netip.ParsePrefix(want.Destination); want.Destination == "default" || err == nil && p.Bits() == 0 {
		six := strings.Contains(want.Destination+want.Gateway, ":")
		return have.Destination == "default" && (have.Family == "inet6") == six
	}
	return samePrefix(have.Destination, want.Destination)
}

func sameAddress(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	return err1 == nil && err2 == nil && x == y
}

type deleteRouteInput struct {
	NamespacePath
	DryRun
	Destination string `query:"destination" doc:"Network in CIDR form, or default. Required here or in the body."`
	Gateway     string `query:"gateway" doc:"Next hop address, where several routes fit."`
	Link        string `query:"link" doc:"Link it leaves by, where several routes fit."`
	Metric      int    `query:"metric" minimum:"0" maximum:"2147483647" doc:"Priority, where several routes fit."`
	Body        *RouteBody
}

func (h *Handler) deleteRoute(ctx context.Context, in *deleteRouteInput) (*edited, error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	which := RouteBody{Destination: in.Destination, Gateway: in.Gateway, Link: in.Link, Metric: in.Metric}
	if in.Body != nil {
		which = *in.Body
	}
	if which.Destination == "" {
		return nil, missingParameter("destination")
	}
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		return place{}, s.RemoveRoute(which.in(ns.Name))
	}, deleted)
}

func missingParameter(names ...string) error {
	p := newProblem(topology.CodeInvalid, "the request is not valid")
	for _, name := range names {
		p.Errors = append(p.Errors, ProblemField{Parameter: name, Detail: "is required"})
	}
	return p
}
