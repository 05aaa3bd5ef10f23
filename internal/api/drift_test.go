package api

import (
	"testing"

	"netdash/internal/topology"
)

func TestDrift(t *testing.T) {
	s := serve(t, nil)
	if d := read[topology.DriftReport](t, s.do(t, "GET", "/api/v1/topology/drift", "").want(t, 200)); !d.InSync || d.Differences == nil || d.Plan.Changes == nil {
		t.Errorf("nothing intended: %+v", d)
	}
	elsewhere := link("F", "stolen", "veth", topology.Drifted)
	elsewhere.Intended = &topology.LinkRef{Namespace: "A", Name: "eth0"}
	elsewhere.Differences = []topology.Difference{{Subject: "A/eth0", Kind: topology.DifferenceChanged, Field: "mtu", Intended: 1500, Observed: 1400}}
	foreign := namespaceState("F", "4-9", false)
	foreign.Links = append(foreign.Links, elsewhere)
	foreign.Differences = []topology.Difference{{Subject: "A", Kind: topology.DifferenceMissing}}
	s.world.foreign = []*topology.NamespaceState{foreign}
	d := read[topology.DriftReport](t, s.do(t, "GET", "/api/v1/topology/drift", "").want(t, 200))
	if d.InSync || len(d.Differences) != 2 || d.Differences[0].Subject != "A" || d.Differences[1].Observed != 1400.0 {
		t.Errorf("%+v", d)
	}
	s.world.blind = true
	s.do(t, "GET", "/api/v1/topology/drift", "").problem(t, topology.CodeIncomplete)
}
