package api

import (
	"context"
	"fmt"
	"net/http"

	"netdash/internal/topology"
)

// Items is a complete list.
type Items[T any] struct {
	Items []T `json:"items"`
}

type list[T any] struct{ Body Items[T] }

// listOf answers a list, which is never null.
func listOf[T any](items []T) *list[T] {
	if items == nil {
		items = []T{}
	}
	return &list[T]{Items[T]{items}}
}

type one[T any] struct{ Body T }

// NamespacePath names a namespace in a path.
type NamespacePath struct {
	Namespace string `path:"namespace" doc:"Name of the namespace, or its id." example:"A"`
}

func (h *Handler) listNamespaces(context.Context, *struct{}) (*list[*topology.NamespaceState], error) {
	s, err := h.snapshot()
	if err != nil {
		return nil, err
	}
	return listOf(s.Namespaces), nil
}

func (h *Handler) getNamespace(_ context.Context, in *NamespacePath) (*one[*topology.NamespaceState], error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	return &one[*topology.NamespaceState]{ns}, nil
}

type createNamespaceInput struct {
	DryRun
	Body topology.Namespace
}

func (h *Handler) createNamespace(ctx context.Context, in *createNamespaceInput) (*edited, error) {
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		err := s.AddNamespace(in.Body)
		return place{spec: fmt.Sprintf("/namespaces/%d", len(s.Namespaces)-1)}, err
	}, func(s *topology.Snapshot, out *edited) error {
		ns := s.Namespace(in.Body.Name)
		if ns == nil {
			return unseen(in.Body.Name)
		}
		out.Status, out.Location, out.Body = http.StatusCreated, location("namespaces", ns.Name), ns
		return nil
	})
}

type deleteNamespaceInput struct {
	NamespacePath
	DryRun
}

func (h *Handler) deleteNamespace(ctx context.Context, in *deleteNamespaceInput) (*edited, error) {
	ns, err := h.find(in.Namespace)
	if err != nil {
		return nil, err
	}
	if ns.Name == topology.HostName {
		return nil, topology.Errorf(topology.CodeConflict, ns.Name, "host is the namespace netdash itself runs in and is never deleted")
	}
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		return place{}, s.RemoveNamespace(ns.Name)
	}, deleted)
}
