package api

import (
	"context"
	"fmt"
	"net/http"

	"netdash/internal/topology"
)

const kindBridge = "bridge" // IFLA_INFO_KIND

func (h *Handler) listBridges(context.Context, *struct{}) (*list[*topology.Link], error) {
	s, err := h.snapshot()
	if err != nil {
		return nil, err
	}
	var bridges []*topology.Link
	for _, ns := range s.Namespaces {
		for _, l := range ns.Links {
			if l.Kind == kindBridge {
				bridges = append(bridges, l)
			}
		}
	}
	return listOf(bridges), nil
}

type createBridgeInput struct {
	DryRun
	Body topology.Bridge
}

func (h *Handler) createBridge(ctx context.Context, in *createBridgeInput) (*edited, error) {
	b := in.Body
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		if err := h.needManaged(s, b.Namespace); err != nil {
			return place{}, err
		}
		err := s.AddBridge(b)
		return place{spec: fmt.Sprintf("/bridges/%d", len(s.Bridges)-1)}, err
	}, func(s *topology.Snapshot, out *edited) error {
		if ns := s.Namespace(b.Namespace); ns != nil {
			if l := ns.Link(b.Name); l != nil {
				out.Status, out.Location, out.Body = http.StatusCreated, location("namespaces", ns.Name, "links", l.Name), l
				return nil
			}
		}
		return unseen(b.Namespace + "/" + b.Name)
	})
}
