package api

import (
	"context"
	"fmt"
	"net/http"

	"netdash/internal/topology"
)

// VethPair is a veth pair as observed. B is absent when the other end is in a
// namespace that cannot be seen.
type VethPair struct {
	A *topology.Link `json:"a"`
	B *topology.Link `json:"b,omitempty"`
}

func (h *Handler) listVeths(context.Context, *struct{}) (*list[VethPair], error) {
	s, err := h.snapshot()
	if err != nil {
		return nil, err
	}
	var pairs []VethPair
	listed := map[string]bool{} // keys of the ends that are in a pair already
	for _, ns := range s.Namespaces {
		for _, l := range ns.Links {
			if l.Kind != "veth" || listed[l.Key] {
				continue
			}
			pair := VethPair{A: l, B: peerOf(s, l)}
			if pair.B != nil {
				listed[pair.B.Key] = true
			}
			pairs = append(pairs, pair)
		}
	}
	return listOf(pairs), nil
}

// peerOf gives the other end of a veth, nil when it cannot be seen. The names
// alone will do: they come from the same Snapshot as the link.
func peerOf(s *topology.Snapshot, l *topology.Link) *topology.Link {
	if l.Peer == nil || !l.Peer.Known {
		return nil
	}
	ns := s.Namespace(l.Peer.Namespace)
	if ns == nil {
		return nil
	}
	return ns.Link(l.Peer.Name)
}

type createVethInput struct {
	DryRun
	Body topology.Veth
}

func (h *Handler) createVeth(ctx context.Context, in *createVethInput) (*edited, error) {
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		for _, end := range []topology.End{in.Body.A, in.Body.B} {
			if err := h.needManaged(s, end.Namespace); err != nil {
				return place{}, err
			}
			if err := h.needManagedBridge(s, end.Namespace, end.Master); err != nil {
				return place{}, err
			}
		}
		err := s.AddVeth(in.Body)
		return place{spec: fmt.Sprintf("/veths/%d", len(s.Veths)-1)}, err
	}, func(s *topology.Snapshot, out *edited) error {
		var ends [2]*topology.Link
		for i, end := range []topology.End{in.Body.A, in.Body.B} {
			if ns := s.Namespace(end.Namespace); ns != nil {
				ends[i] = ns.Link(end.Name)
			}
			if ends[i] == nil {
				return unseen(end.Namespace + "/" + end.Name)
			}
		}
		out.Status, out.Body = http.StatusCreated, VethPair{A: ends[0], B: ends[1]}
		out.Location = location("namespaces", in.Body.A.Namespace, "links", in.Body.A.Name)
		return nil
	})
}
