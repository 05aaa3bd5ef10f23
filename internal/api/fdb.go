package api

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"

	"netdash/internal/topology"
)

// BridgePath names a bridge in a path.
type BridgePath struct {
	NamespacePath
	Bridge string `path:"bridge" doc:"Name of the bridge." example:"br0"`
}

// findBridge gives a namespace and a bridge of it.
func (h *Handler) findBridge(in BridgePath) (*topology.NamespaceState, *topology.Link, error) {
	ns, l, err := h.findLink(in.Namespace, in.Bridge)
	if err != nil {
		return nil, nil, err
	}
	if l.Kind != kindBridge {
		return nil, nil, topology.Errorf(topology.CodeNotFound, ns.Name+"/"+l.Name, "%s is no bridge", l.Name)
	}
	return ns, l, nil
}

func (h *Handler) listFDB(ctx context.Context, in *BridgePath) (*list[*topology.FDBEntry], error) {
	ns, l, err := h.findBridge(*in)
	if err != nil {
		return nil, err
	}
	entries, err := h.Live.FDB(ctx, ns.Name, l.Name)
	if err != nil {
		return nil, err
	}
	return listOf(entries), nil
}

type createFDBInput struct {
	BridgePath
	DryRun
	Body topology.FDBSpec
}

func (h *Handler) createFDB(ctx context.Context, in *createFDBInput) (*edited, error) {
	ns, l, err := h.findBridge(in.BridgePath)
	if err != nil {
		return nil, err
	}
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		if err := s.AddFDB(ns.Name, l.Name, in.Body); err != nil {
			return place{}, err
		}
		return place{spec: fdbPlace(s, ns.Name, l.Name)}, nil
	}, func(s *topology.Snapshot, out *edited) error {
		if now := s.Namespace(ns.Name); now != nil {
			if e := findFDB(now, l.Name, in.Body); e != nil {
				out.Status, out.Body = http.StatusCreated, e
				return nil
			}
		}
		return unseen(ns.Name + "/" + l.Name + " " + in.Body.MAC)
	})
}

// fdbPlace finds the entry last added to a bridge.
func fdbPlace(s *topology.Spec, namespace, bridge string) string {
	b := s.FindBridge(namespace, bridge)
	if b == nil {
		return ""
	}
	return fmt.Sprintf("%s/fdb/%d", linkPlace(s, namespace, bridge), len(b.FDB)-1)
}

// findFDB finds an entry by its MAC, its VLAN and, if one is named, its port.
func findFDB(ns *topology.NamespaceState, bridge string, want topology.FDBSpec) *topology.FDBEntry {
	mac, err := net.ParseMAC(want.MAC)
	if err != nil {
		return nil
	}
	for _, e := range ns.FDB {
		have, err := net.ParseMAC(e.MAC)
		if err == nil && e.Bridge == bridge && bytes.Equal(have, mac) && e.VLAN == want.VLAN && (want.Port == "" || e.Port == want.Port) {
			return e
		}
	}
	return nil
}

type deleteFDBInput struct {
	BridgePath
	DryRun
	MAC  string `query:"mac" doc:"MAC address. Required here or in the body."`
	Port string `query:"port" doc:"Port of the entry. Default: whichever."`
	VLAN int    `query:"vlan" minimum:"0" maximum:"4094" doc:"VLAN of the entry, 0 for none."`
	Body *FDBBody
}

// FDBBody names an entry of a MAC table.
type FDBBody struct {
	MAC  string `json:"mac" doc:"MAC address."`
	Port string `json:"port,omitempty" doc:"Port of the entry. Default: whichever."`
	VLAN int    `json:"vlan,omitempty" minimum:"0" maximum:"4094" doc:"VLAN of the entry, 0 for none."`
}

func (h *Handler) deleteFDB(ctx context.Context, in *deleteFDBInput) (*edited, error) {
	ns, l, err := h.findBridge(in.BridgePath)
	if err != nil {
		return nil, err
	}
	which := topology.FDBSpec{MAC: in.MAC, Port: in.Port, VLAN: in.VLAN}
	if in.Body != nil {
		which = topology.FDBSpec{MAC: in.Body.MAC, Port: in.Body.Port, VLAN: in.Body.VLAN}
	}
	if which.MAC == "" {
		return nil, missingParameter("mac")
	}
	return h.edit(ctx, in.DryRun, func(s *topology.Spec) (place, error) {
		return place{}, s.RemoveFDB(ns.Name, l.Name, which)
	}, deleted)
}

// Flushed tells how many entries a flush removed.
type Flushed struct {
	Flushed int `json:"flushed" doc:"Learned entries removed."`
}

func (h *Handler) flushFDB(ctx context.Context, in *BridgePath) (*one[Flushed], error) {
	ns, l, err := h.findBridge(*in)
	if err != nil {
		return nil, err
	}
	if !l.Managed {
		return nil, notManaged(ns.Name + "/" + l.Name)
	}
	n, err := h.Kernel.FlushFDB(ctx, ns.Name, l.Name)
	if err != nil {
		return nil, err
	}
	return &one[Flushed]{Flushed{n}}, nil
}
