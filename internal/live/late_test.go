package live

import (
	"testing"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// TestMessagesOlderThanTheDump: what waits in the socket while a namespace is read
// is older than what was read, and comes after it. What the kernel does without a
// word must be done again then.
func TestMessagesOlderThanTheDump(t *testing.T) {
	link := netops.LinkFacts{PeerNSID: netops.SameNamespace}
	link.Ifindex, link.Name, link.Kind, link.MTU = 7, "x", "bridge", 1500
	up := link
	up.AdminUp = true
	route := netops.RouteFacts{Ifindex: 7}
	route.Family, route.Destination, route.Protocol, route.Source = "inet", "10.0.0.0/24", "kernel", "10.0.0.1"
	address := netops.AddressFacts{Ifindex: 7, Address: topology.Address{CIDR: "10.0.0.1/24", Scope: "global"}}
	neighbour := netops.NeighbourFacts{Ifindex: 7, Neighbour: topology.Neighbour{Address: "10.0.0.2", State: "stale"}}
	entry := netops.FDBFacts{BridgeIndex: 7, PortIndex: 7, FDBEntry: topology.FDBEntry{MAC: "02:00:00:00:00:07", State: "static"}}
	for name, c := range map[string]struct {
		contents netops.Contents
		late     []any
	}{
		"the link went down": {netops.Contents{Links: []netops.LinkFacts{link}}, []any{route, link}},
		"the address was removed": {
			netops.Contents{Links: []netops.LinkFacts{up}}, []any{route, netops.Gone{Facts: address}},
		},
		"the link was removed": {netops.Contents{}, []any{route, neighbour, entry, netops.Gone{Facts: link}}},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := scriptedLive(t)
			s <- netops.Dump{ID: hostID, Contents: &c.contents}
			for _, f := range c.late {
				s <- netops.Delta{ID: hostID, Facts: f}
			}
			// Another link gets the index: what is left of the first would show.
			if len(c.contents.Links) == 0 {
				s <- netops.Delta{ID: hostID, Facts: up}
			}
			s.flush()
			if n := l.Snapshot().Namespace("host"); len(n.Routes)+len(n.Neighbours)+len(n.FDB) != 0 || len(n.Links) != 1 {
				t.Errorf("shown: %d links, routes %+v, neighbours %+v, MAC table %+v", len(n.Links), n.Routes, n.Neighbours, n.FDB)
			}
		})
	}
}

// TestSecondEndOfANewPair: the kernel announces it before it has a peer.
func TestSecondEndOfANewPair(t *testing.T) {
	a := topology.NamespaceID{Dev: 4, Ino: 2}
	first := netops.LinkFacts{PeerIndex: 9, PeerNSID: int32(a.Ino)}
	first.Ifindex, first.Name, first.Kind = 6, "p", "veth"
	second := netops.LinkFacts{PeerNSID: netops.SameNamespace}
	second.Ifindex, second.Name, second.Kind = 9, "eth0", "veth"
	s := make(scripted)
	l, s, _ := judgingWith(t, nsids{s}, s, &topology.Spec{})
	s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: a, Name: "A"}}
	s <- netops.Delta{ID: a, Facts: second}
	s <- netops.Delta{ID: hostID, Facts: first}
	s.flush()
	l.settlePeers()
	x, y := l.Snapshot().Namespace("host").Link("p"), l.Snapshot().Namespace("A").Link("eth0")
	if x.Peer == nil || x.Peer.Name != "eth0" || y.Peer == nil || y.Peer.Name != "p" {
		t.Errorf("peers %+v and %+v", x.Peer, y.Peer)
	}
}
