package live

import (
	"fmt"
	"log/slog"
	"testing"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// TestNothingIsKeptOfWhatIsGone has namespaces come, each with a cable to the host
// and all that refers to links, and go: what is known is as little as before.
func TestNothingIsKeptOfWhatIsGone(t *testing.T) {
	s := make(scripted)
	l := New(nsids{s}, s, &topology.Spec{}, 0, slog.New(slog.DiscardHandler))
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run() }()
	t.Cleanup(func() { close(s); <-ran })
	s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: hostID, Name: "host"}}
	s.flush()
	sizes := func() string {
		l.mu.Lock()
		defer l.mu.Unlock()
		host := l.spaces[hostID]
		return fmt.Sprint(len(l.spaces), len(l.byMAC), len(l.byPair), len(l.entries), len(l.unpaired), len(l.ghosts), len(l.departures),
			len(l.drift.claims), len(l.drift.astray), len(l.drift.found), len(l.drift.named), len(l.drift.view.Blind), len(l.drift.view.Astray),
			len(host.links), len(host.nsids), len(host.knownBy), len(host.routes), len(host.neighbours), len(host.fdb))
	}
	before := sizes()
	for i := range 50 {
		id := topology.NamespaceID{Dev: 4, Ino: uint64(100 + i)}
		name := fmt.Sprint("n", i)
		end := func(index, peer int, nsid int32) netops.LinkFacts {
			f := netops.LinkFacts{PeerNSID: nsid, PeerIndex: peer}
			f.Ifindex, f.Name, f.Kind, f.MAC = index, "x", "veth", fmt.Sprintf("02:00:00:00:%02x:%02x", i, index)
			return f
		}
		s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: id, Name: name, Names: []string{name}}}
		s <- netops.Delta{ID: hostID, Facts: end(10, 2, int32(id.Ino))}
		s <- netops.Delta{ID: id, Facts: end(2, 10, int32(hostID.Ino))}
		neighbour, entry := netops.NeighbourFacts{Ifindex: 10}, netops.FDBFacts{BridgeIndex: 9, PortIndex: 10}
		neighbour.Address, neighbour.State = "10.0.0.1", "reachable"
		entry.MAC, entry.State = "02:00:00:00:00:09", "static"
		s <- netops.Delta{ID: hostID, Facts: neighbour}
		s <- netops.Delta{ID: hostID, Facts: entry}
		s.flush()
		if p := l.Snapshot().Namespace(name).Link("x").Peer; p == nil || !p.Known || p.Namespace != "host" {
			t.Fatalf("the peer is %+v", p)
		}
		s <- netops.Delta{ID: hostID, Facts: netops.Gone{Facts: end(10, 2, int32(id.Ino))}}
		s <- netops.NamespaceGone{ID: id}
		s.flush()
	}
	if after := sizes(); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}
