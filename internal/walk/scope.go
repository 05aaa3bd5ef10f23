package walk

import (
	"fmt"
	"net/netip"
	"slices"

	"netdash/internal/topology"
)

// MaxNamespaces is in how many namespaces frames are recorded at most.
const MaxNamespaces = 256

// Scope is where a ping can come by, and what is to be recorded of it.
type Scope struct {
	Places  []Place
	Bridges []topology.LinkRef
	Flow    Flow
}

// Look finds out what a ping from a namespace to an address can concern: every
// namespace that cables lead to, as floods go everywhere. It fails when these
// are more than MaxNamespaces.
func Look(s *topology.Snapshot, source string, target netip.Addr) (*Scope, error) {
	target = target.Unmap().WithZone("")
	if target.IsMulticast() || target == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return nil, refuse("/address", "a walk follows a ping to a single address")
	}
	reached := connected(s, source)
	if len(reached) > MaxNamespaces {
		return nil, refuse("/walk", fmt.Sprintf("frames can get from %s to %d namespaces; a walk watches %d at most", source, len(reached), MaxNamespaces))
	}
	out := &Scope{}
	ends, gateways := []netip.Addr{target}, []netip.Addr{}
	for _, n := range reached {
		out.Places = append(out.Places, Place{n.Name, len(n.Links)})
		for _, l := range n.Links {
			if l.Kind == "bridge" && l.Sync != topology.Missing {
				out.Bridges = append(out.Bridges, topology.LinkRef{Namespace: n.Name, Name: l.Name})
			}
			for _, a := range l.Addresses {
				p, err := netip.ParsePrefix(a.CIDR)
				if err == nil && n.Name == reached[0].Name && p.Addr().Is4() == target.Is4() && !p.Addr().IsLoopback() {
					ends = append(ends, p.Addr())
				}
			}
		}
		for _, r := range n.Routes {
			if g, err := netip.ParseAddr(r.Gateway); err == nil && g.Is4() == target.Is4() {
				gateways = append(gateways, g.WithZone(""))
			}
		}
	}
	ends = unique(ends)
	out.Flow = Flow{ends, unique(append(gateways, ends...))}
	return out, nil
}

func refuse(pointer, detail string) error {
	e := topology.Errorf(topology.CodeInvalid, "", "this ping cannot be walked")
	e.Fields = []topology.FieldError{{Pointer: pointer, Detail: detail}}
	return e
}

// connected lists the namespaces that cables lead to from one, which is the
// first, nearest ones first.
func connected(s *topology.Snapshot, source string) []*topology.NamespaceState {
	first := s.Namespace(source)
	if first == nil {
		return nil
	}
	byName := map[string]*topology.NamespaceState{}
	for _, n := range s.Namespaces {
		byName[n.Name] = n
	}
	seen := map[string]bool{first.Name: true}
	list := []*topology.NamespaceState{first}
	for i := 0; i < len(list); i++ {
		for _, l := range list[i].Links {
			if l.Peer == nil || !l.Peer.Known || seen[l.Peer.Namespace] || byName[l.Peer.Namespace] == nil {
				continue
			}
			seen[l.Peer.Namespace] = true
			list = append(list, byName[l.Peer.Namespace])
		}
	}
	return list
}

func unique(list []netip.Addr) []netip.Addr {
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}
