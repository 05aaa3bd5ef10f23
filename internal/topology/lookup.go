package topology

import "net/netip"

// lookup finds what a Spec holds by its name, in one step where Spec's own Find
// methods walk. It is of the Spec as it was: a later edit of it is not seen.
// Where a name is there twice, the first is found.
type lookup struct {
	namespaces map[string]*Namespace
	bridges    map[linkKey]*Bridge
	ends       map[linkKey]*End
	carriers   map[string][]carrier // by namespace
}

// carrier is a link that can carry a route, with the networks it is in.
type carrier struct {
	name     string
	networks []netip.Prefix // its addresses, not masked
}

func newLookup(s *Spec) *lookup {
	x := &lookup{
		namespaces: make(map[string]*Namespace, len(s.Namespaces)), bridges: make(map[linkKey]*Bridge, len(s.Bridges)),
		ends: make(map[linkKey]*End, 2*len(s.Veths)), carriers: make(map[string][]carrier, len(s.Namespaces)),
	}
	for i := range s.Bridges {
		b := &s.Bridges[i]
		note(x.bridges, linkKey{b.Namespace, b.Name}, b)
		x.carry(b.Namespace, b.Name, b.Addresses)
	}
	for i := range s.Veths {
		for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
			note(x.ends, linkKey{e.Namespace, e.Name}, e)
			x.carry(e.Namespace, e.Name, e.Addresses)
		}
	}
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		if note(x.namespaces, n.Name, n) {
			x.carry(n.Name, LoopbackName, n.LoopbackAddresses)
		}
	}
	return x
}

// note keeps a value unless its key is taken, and tells whether it was not.
func note[K comparable, V any](m map[K]V, key K, value V) bool {
	if _, taken := m[key]; taken {
		return false
	}
	m[key] = value
	return true
}

func (x *lookup) carry(namespace, name string, addresses []string) {
	c := carrier{name: name}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a); err == nil {
			c.networks = append(c.networks, p)
		}
	}
	x.carriers[namespace] = append(x.carriers[namespace], c)
}

// hasNamespace tells whether links and routes can be in a namespace of that
// name.
func (x *lookup) hasNamespace(name string) bool {
	return name == HostName || x.namespaces[name] != nil
}

// carries tells whether a route can leave by a link.
func (x *lookup) carries(namespace, link string) bool {
	k := linkKey{namespace, link}
	return x.bridges[k] != nil || x.ends[k] != nil || link == LoopbackName && x.namespaces[namespace] != nil
}

// isPort tells whether a link is a port of a bridge of its namespace.
func (x *lookup) isPort(namespace, link, bridge string) bool {
	e := x.ends[linkKey{namespace, link}]
	return e != nil && e.Master == bridge
}
