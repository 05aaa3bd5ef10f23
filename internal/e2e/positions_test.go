package e2e

import (
	"testing"

	"netdash/internal/topology"
)

// TestPositions: where one viewer puts something is where all see it, also after
// a restart, and no edit.
func TestPositions(t *testing.T) {
	s := start(t)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"A"}`)
	e := s.listen(t, "")
	e.snapshot(t)
	was := s.scene(t)

	told := func(from int) *topology.PositionsEvent {
		t.Helper()
		return e.await(t, from, "positions.changed", func(m message) bool {
			return m.Type == "positions.changed" && m.Origin == "positions" && !m.At.IsZero()
		}).Positions
	}
	from := len(e.all())
	s.do(t, "PUT", "/positions", `{"items":[{"object":"ns:A","x":1,"y":2,"pinned":false}]}`).want(t, 200)
	if p := told(from); !p.Replaced || len(p.Items) != 1 || p.Items[0].Position() != (topology.Position{Object: "ns:A", X: 1, Y: 2}) {
		t.Errorf("told %+v", p)
	}
	// The second who places it finds it placed, and nobody is told.
	from = len(e.all())
	stored := read[items[topology.Position]](t, s.do(t, "PATCH", "/positions", `{"items":[{"object":"ns:A","x":9,"y":9}]}`).want(t, 200))
	if len(stored.Items) != 1 || stored.Items[0].X != 1 {
		t.Errorf("stored %v", stored)
	}
	s.do(t, "PATCH", "/positions", `{"items":[{"object":"ns:A","x":3,"y":4,"pinned":true},{"object":"ns:B","x":0,"y":0},{"object":"ns:C","forget":true}]}`).want(t, 200)
	if p := told(from); p.Replaced || len(p.Items) != 2 || p.Items[0].Position() != (topology.Position{Object: "ns:A", X: 3, Y: 4, Pinned: true}) {
		t.Errorf("told %+v", p)
	}
	from = len(e.all())
	s.do(t, "PATCH", "/positions", `{"items":[{"object":"ns:B","forget":true}]}`).want(t, 200)
	if p := told(from); len(p.Items) != 1 || !p.Items[0].Forget || p.Items[0].X != nil {
		t.Errorf("told %+v", p)
	}
	if d := was.changed(s.scene(t)); d != "" {
		t.Errorf("positions have changed\n%s", d)
	}
	s.stop(t)
	s = startOn(t, s.DB)
	if p := get[items[topology.Position]](t, s, "/positions"); len(p.Items) != 1 || p.Items[0] != (topology.Position{Object: "ns:A", X: 3, Y: 4, Pinned: true}) {
		t.Errorf("after a restart: %v", p)
	}
}
