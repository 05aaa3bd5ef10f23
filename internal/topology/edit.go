package topology

import (
	"fmt"
	"net/netip"
	"slices"
)

// The methods here are the edits a caller can make to a Spec. Each takes what
// hangs on a removed object with it, as the kernel would, so that the result
// stands on its own; none of them checks values, which Validate does for the
// whole Spec afterwards. An object the Spec lacks gives an Error of code
// not_found.

// LinkPatch changes parts of a link; an absent field stays.
type LinkPatch struct {
	Name       *string           `json:"name,omitempty" doc:"New name."`
	MTU        *int              `json:"mtu,omitempty" doc:"MTU in bytes."`
	MAC        *string           `json:"mac,omitempty" doc:"MAC address."`
	AdminUp    *bool             `json:"admin_up,omitempty" doc:"Set the link up or down."`
	Master     *string           `json:"master,omitempty" doc:"Bridge to plug into; empty or null unplugs."`
	Alias      *string           `json:"alias,omitempty" doc:"Free text; empty removes it."`
	Namespace  *string           `json:"namespace,omitempty" doc:"Namespace to move to."`
	Bridge     *BridgeAttributes `json:"bridge,omitempty" doc:"Settings of a bridge."`
	BridgePort *PortAttributes   `json:"bridge_port,omitempty" doc:"Settings of a bridge port."`
}

// AddNamespace adds a namespace.
func (s *Spec) AddNamespace(n Namespace) error {
	if n.Name != HostName && s.FindNamespace(n.Name) != nil {
		return Errorf(CodeConflict, n.Name, "namespace %s exists already", n.Name)
	}
	s.Namespaces = append(s.Namespaces, n)
	return nil
}

// RemoveNamespace removes a namespace with everything in it, and the veths
// that have an end in it.
func (s *Spec) RemoveNamespace(name string) error {
	if s.FindNamespace(name) == nil {
		return Errorf(CodeNotFound, name, "there is no namespace %s", name)
	}
	s.Namespaces = slices.DeleteFunc(s.Namespaces, func(n Namespace) bool { return n.Name == name })
	s.Bridges = slices.DeleteFunc(s.Bridges, func(b Bridge) bool { return b.Namespace == name })
	s.Veths = slices.DeleteFunc(s.Veths, func(v Veth) bool { return v.A.Namespace == name || v.B.Namespace == name })
	s.prune()
	return nil
}

// AddBridge adds a bridge.
func (s *Spec) AddBridge(b Bridge) error {
	if s.hasLink(b.Namespace, b.Name) {
		return linkExists(b.Namespace, b.Name)
	}
	s.Bridges = append(s.Bridges, b)
	return nil
}

// AddVeth adds a veth pair.
func (s *Spec) AddVeth(v Veth) error {
	for _, e := range []End{v.A, v.B} {
		if s.hasLink(e.Namespace, e.Name) {
			return linkExists(e.Namespace, e.Name)
		}
	}
	s.Veths = append(s.Veths, v)
	return nil
}

// RemoveLink removes a bridge, whose ports are unplugged, or a veth pair by
// either of its ends.
func (s *Spec) RemoveLink(namespace, name string) error {
	switch {
	case s.FindBridge(namespace, name) != nil:
		s.Bridges = slices.DeleteFunc(s.Bridges, func(b Bridge) bool { return b.Namespace == namespace && b.Name == name })
	case s.FindEnd(namespace, name) != nil:
		s.Veths = slices.DeleteFunc(s.Veths, func(v Veth) bool {
			return v.A.is(namespace, name) || v.B.is(namespace, name)
		})
	case name == LoopbackName && s.hasLink(namespace, name):
		return Errorf(CodeInvalid, namespace+"/"+name, "the loopback link lives as long as its namespace")
	default:
		return noLink(namespace, name)
	}
	s.prune()
	return nil
}

// PatchLink changes a link and answers where it is afterwards. Addresses move
// with a link; its bridge, and routes that leave by it, do not.
func (s *Spec) PatchLink(namespace, name string, p LinkPatch) (newNamespace, newName string, err error) {
	if name == LoopbackName && namespace != HostName && s.FindNamespace(namespace) != nil {
		return namespace, name, s.patchLoopback(namespace, p)
	}
	newNamespace, newName = namespace, name
	if p.Name != nil {
		newName = *p.Name
	}
	if p.Namespace != nil {
		newNamespace = *p.Namespace
	}
	if (newName != name || newNamespace != namespace) && s.hasLink(newNamespace, newName) {
		return "", "", linkExists(newNamespace, newName)
	}
	if b := s.FindBridge(namespace, name); b != nil {
		return newNamespace, newName, s.patchBridge(b, p, newNamespace, newName)
	}
	if e := s.FindEnd(namespace, name); e != nil {
		return newNamespace, newName, s.patchEnd(e, p, newNamespace, newName)
	}
	return "", "", noLink(namespace, name)
}

func (s *Spec) patchLoopback(namespace string, p LinkPatch) error {
	if p.Name != nil || p.MTU != nil || p.MAC != nil || p.Master != nil || p.Alias != nil || p.Namespace != nil || p.Bridge != nil || p.BridgePort != nil {
		return Errorf(CodeInvalid, namespace+"/"+LoopbackName, "only admin_up of a loopback link can be changed")
	}
	if p.AdminUp != nil {
		s.FindNamespace(namespace).LoopbackUp = p.AdminUp
	}
	return nil
}

func (s *Spec) patchBridge(b *Bridge, p LinkPatch, newNamespace, newName string) error {
	subject := b.Namespace + "/" + b.Name
	switch {
	case p.Master != nil && *p.Master != "":
		return invalidField(subject, "/master", "a bridge cannot be a port of a bridge")
	case p.BridgePort != nil:
		return invalidField(subject, "/bridge_port", "a bridge is no bridge port")
	case newNamespace != b.Namespace:
		return invalidField(subject, "/namespace", "the kernel keeps a bridge in the namespace it was made in")
	}
	set(&b.MTU, p.MTU)
	set(&b.MAC, p.MAC)
	set(&b.Alias, p.Alias)
	if p.AdminUp != nil {
		b.AdminUp = p.AdminUp
	}
	if p.Bridge != nil {
		merge(&b.BridgeAttributes, *p.Bridge)
	}
	s.renameLink(b.Namespace, b.Name, newName)
	b.Name = newName
	return nil
}

func (s *Spec) patchEnd(e *End, p LinkPatch, newNamespace, newName string) error {
	subject := e.Namespace + "/" + e.Name
	switch {
	case p.Bridge != nil:
		return invalidField(subject, "/bridge", "a veth is no bridge")
	case p.Master != nil && *p.Master != "" && s.FindBridge(newNamespace, *p.Master) == nil:
		return invalidField(subject, "/master", fmt.Sprintf("there is no bridge %q in %s", *p.Master, newNamespace))
	}
	set(&e.MTU, p.MTU)
	set(&e.MAC, p.MAC)
	set(&e.Alias, p.Alias)
	if p.AdminUp != nil {
		e.AdminUp = p.AdminUp
	}
	if newNamespace != e.Namespace {
		e.Namespace, e.Name, e.Master, e.BridgePort = newNamespace, newName, "", nil
	} else {
		s.renameLink(e.Namespace, e.Name, newName)
		e.Name = newName
	}
	if p.Master != nil && *p.Master != e.Master {
		e.Master, e.BridgePort = *p.Master, nil
	}
	if p.BridgePort != nil {
		if e.BridgePort == nil {
			e.BridgePort = &PortAttributes{}
		}
		merge(e.BridgePort, *p.BridgePort)
	}
	s.prune()
	return nil
}

// renameLink follows a new name through everything that refers to the old one.
func (s *Spec) renameLink(namespace, from, to string) {
	for i := range s.Veths {
		for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
			if e.Namespace == namespace && e.Master == from {
				e.Master = to
			}
		}
	}
	for i := range s.Bridges {
		for j := range s.Bridges[i].FDB {
			if f := &s.Bridges[i].FDB[j]; s.Bridges[i].Namespace == namespace && f.Port == from {
				f.Port = to
			}
		}
	}
	for i := range s.Routes {
		if s.Routes[i].Namespace == namespace && s.Routes[i].Link == from {
			s.Routes[i].Link = to
		}
	}
}

// prune drops what refers to something that is gone: masters, static FDB
// entries of ports that left, routes that nothing reaches any more.
func (s *Spec) prune() {
	x := newLookup(s)
	for i := range s.Veths {
		for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
			if e.Master != "" && x.bridges[linkKey{e.Namespace, e.Master}] == nil {
				e.Master, e.BridgePort = "", nil
			}
		}
	}
	for i := range s.Bridges {
		b := &s.Bridges[i]
		b.FDB = slices.DeleteFunc(b.FDB, func(f FDBSpec) bool {
			return f.Port != b.Name && !x.isPort(b.Namespace, f.Port, b.Name)
		})
	}
	s.Routes = slices.DeleteFunc(s.Routes, func(r Route) bool {
		_, problem := x.egress(r)
		return problem != nil
	})
}

// addresses finds the address list of an intended link; nil when there is none.
func (s *Spec) addresses(namespace, link string) *[]string {
	if b := s.FindBridge(namespace, link); b != nil {
		return &b.Addresses
	}
	if e := s.FindEnd(namespace, link); e != nil {
		return &e.Addresses
	}
	if n := s.FindNamespace(namespace); n != nil && link == LoopbackName {
		return &n.LoopbackAddresses
	}
	return nil
}

// AddAddress adds an address in CIDR form to a link.
func (s *Spec) AddAddress(namespace, link, cidr string) error {
	list := s.addresses(namespace, link)
	if list == nil {
		return noLink(namespace, link)
	}
	if slices.ContainsFunc(*list, func(have string) bool { return sameCIDR(have, cidr) }) {
		return Errorf(CodeConflict, namespace+"/"+link, "%s has the address %s already", link, cidr)
	}
	*list = append(*list, cidr)
	return nil
}

// RemoveAddress removes an address, and the routes that were reached by it.
func (s *Spec) RemoveAddress(namespace, link, cidr string) error {
	list := s.addresses(namespace, link)
	if list == nil {
		return noLink(namespace, link)
	}
	before := len(*list)
	*list = slices.DeleteFunc(*list, func(have string) bool { return sameCIDR(have, cidr) })
	if len(*list) == before {
		return Errorf(CodeNotFound, namespace+"/"+link+" "+cidr, "%s has no address %s", link, cidr)
	}
	s.prune()
	return nil
}

// AddRoute adds a route.
func (s *Spec) AddRoute(r Route) error {
	if slices.ContainsFunc(s.Routes, func(have Route) bool { return have.key() == r.key() }) {
		return Errorf(CodeConflict, r.subject(), "there is a route to %s with this metric already", r.Destination)
	}
	s.Routes = append(s.Routes, r)
	return nil
}

// RemoveRoute removes the one route that has r's namespace and destination
// and, where r names them, its gateway, link and metric.
func (s *Spec) RemoveRoute(r Route) error {
	var found []int
	for i, have := range s.Routes {
		if have.matches(r) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return Errorf(CodeNotFound, r.subject(), "there is no such route")
	case 1:
		s.Routes = slices.Delete(s.Routes, found[0], found[0]+1)
		return nil
	}
	return Errorf(CodeConflict, r.subject(), "%d routes fit", len(found)).WithHint("name the gateway or the metric too")
}

// AddFDB adds a static entry to a bridge's MAC table.
func (s *Spec) AddFDB(namespace, bridge string, f FDBSpec) error {
	b := s.FindBridge(namespace, bridge)
	if b == nil {
		return noLink(namespace, bridge)
	}
	if slices.ContainsFunc(b.FDB, func(have FDBSpec) bool { return have.key() == f.key() }) {
		return Errorf(CodeConflict, namespace+"/"+bridge+" "+f.MAC, "the MAC table of %s has a static entry for %s already", bridge, f.MAC)
	}
	b.FDB = append(b.FDB, f)
	return nil
}

// RemoveFDB removes a static entry from a bridge's MAC table. An empty port
// stands for any.
func (s *Spec) RemoveFDB(namespace, bridge string, f FDBSpec) error {
	b := s.FindBridge(namespace, bridge)
	if b == nil {
		return noLink(namespace, bridge)
	}
	i := slices.IndexFunc(b.FDB, func(have FDBSpec) bool {
		return have.key() == f.key() && (f.Port == "" || f.Port == have.Port)
	})
	if i < 0 {
		return Errorf(CodeNotFound, namespace+"/"+bridge+" "+f.MAC, "the MAC table of %s has no static entry for %s", bridge, f.MAC)
	}
	b.FDB = slices.Delete(b.FDB, i, i+1)
	return nil
}

// FindNamespace gives the intended namespace of that name, nil if none; host
// is never intended.
func (s *Spec) FindNamespace(name string) *Namespace {
	if i := slices.IndexFunc(s.Namespaces, func(n Namespace) bool { return n.Name == name }); i >= 0 {
		return &s.Namespaces[i]
	}
	return nil
}

// FindBridge gives the intended bridge, nil if none.
func (s *Spec) FindBridge(namespace, name string) *Bridge {
	if i := slices.IndexFunc(s.Bridges, func(b Bridge) bool { return b.Namespace == namespace && b.Name == name }); i >= 0 {
		return &s.Bridges[i]
	}
	return nil
}

// FindEnd gives the intended veth end, nil if none.
func (s *Spec) FindEnd(namespace, name string) *End {
	for i := range s.Veths {
		for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
			if e.is(namespace, name) {
				return e
			}
		}
	}
	return nil
}

func (e *End) is(namespace, name string) bool { return e.Namespace == namespace && e.Name == name }

func (s *Spec) hasLink(namespace, name string) bool {
	return s.FindBridge(namespace, name) != nil || s.FindEnd(namespace, name) != nil ||
		name == LoopbackName && (namespace == HostName || s.FindNamespace(namespace) != nil)
}

// matches tells whether r is one of the routes that pattern stands for.
func (r Route) matches(pattern Route) bool {
	k, p := r.key(), pattern.key()
	return k.namespace == p.namespace && k.destination == p.destination &&
		(pattern.Gateway == "" || sameAddr(pattern.Gateway, r.Gateway)) &&
		(pattern.Link == "" || pattern.Link == r.Link) &&
		(pattern.Metric == 0 || pattern.Metric == r.Metric)
}

func sameAddr(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(b)
	return err1 == nil && err2 == nil && x == y
}

func sameCIDR(a, b string) bool { return canonicalCIDR(a) == canonicalCIDR(b) }

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func linkExists(namespace, name string) error {
	return Errorf(CodeConflict, namespace+"/"+name, "there is a link %s in %s already", name, namespace)
}

func noLink(namespace, name string) error {
	return Errorf(CodeNotFound, namespace+"/"+name, "there is no link %s in %s", name, namespace)
}

func invalidField(subject, pointer, detail string) error {
	e := Errorf(CodeInvalid, subject, "this cannot be done")
	e.Fields = []FieldError{{Pointer: pointer, Detail: detail}}
	return e
}
