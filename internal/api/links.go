package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"netdash/internal/topology"
)

// LinkPath names a link in a path.
type LinkPath struct {
	NamespacePath
	Link string `path:"link" doc:"Name of the link." example:"eth0"`
}

func (h *Handler) listLinks(_ context.Context, in *NamespacePath) (*list[*topology.Link], error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	return listOf(ns.Links), nil
}

func (h *Handler) getLink(_ context.Context, in *LinkPath) (*one[*topology.Link], error) {
	_, l, err := h.findLink(in.Namespace, in.Link)
	if err != nil {
		return nil, err
	}
	return &one[*topology.Link]{l}, nil
}

// LinkPatch is topology's, read from JSON: a master of null unplugs as an empty
// one does, which the pointer alone could not tell from an absent one.
type LinkPatch struct{ topology.LinkPatch }

// UnmarshalJSON reads a patch.
func (p *LinkPatch) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &p.LinkPatch); err != nil {
		return fmt.Errorf("link patch: %w", err)
	}
	var present map[string]json.RawMessage
	if err := json.Unmarshal(data, &present); err != nil {
		return fmt.Errorf("link patch: %w", err)
	}
	if master, ok := present["master"]; ok && string(master) == "null" {
		p.Master = new(string)
	}
	return nil
}

// TransformSchema tells the OpenAPI document of the null.
func (p *LinkPatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["master"].Nullable = true
	return s
}

type patchLinkInput struct {
	LinkPath
	DryRun
	Body LinkPatch
}

func (h *Handler) patchLink(ctx context.Context, in *patchLinkInput) (*edited, error) {
	ns, _, err := h.findLink(in.Namespace, in.Link)
	if err != nil {
		return nil, err
	}
	var toNamespace, toName string
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (at place, err error) {
		target := ns.Name
		if to := in.Body.Namespace; to != nil {
			target = *to
			if err := h.needManaged(s, target); err != nil {
				return place{}, err
			}
		}
		if bridge := in.Body.Master; bridge != nil {
			if err := h.needManagedBridge(s, target, *bridge); err != nil {
				return place{}, err
			}
		}
		toNamespace, toName, err = s.PatchLink(ns.Name, in.Link, in.Body.LinkPatch)
		return place{spec: linkPlace(s, toNamespace, toName)}, err
	}, func(s *topology.Snapshot, out *edited) error {
		if now := s.Namespace(toNamespace); now != nil {
			if l := now.Link(toName); l != nil {
				out.Status, out.Body = http.StatusOK, l
				return nil
			}
		}
		return unseen(toNamespace + "/" + toName)
	})
}

type deleteLinkInput struct {
	LinkPath
	DryRun
}

func (h *Handler) deleteLink(ctx context.Context, in *deleteLinkInput) (*edited, error) {
	ns, _, err := h.findLink(in.Namespace, in.Link)
	if err != nil {
		return nil, err
	}
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		return place{}, s.RemoveLink(ns.Name, in.Link)
	}, deleted)
}
