package topology

import (
	"errors"
	"slices"
	"strings"
)

// refused tells what keeps a part of a Spec, seen by itself, from being valid;
// empty if nothing does. Of the pointer the field's name is left.
func refused(part *Spec) string {
	e, ok := errors.AsType[*Error](Validate(part))
	if !ok {
		return ""
	}
	f := e.Fields[0]
	if strings.Contains(f.Pointer, "addresses/") {
		return "an address " + f.Detail
	}
	return "its " + f.Pointer[strings.LastIndex(f.Pointer, "/")+1:] + " " + f.Detail
}

// addresses gives those of a link that somebody asked for.
func (a *adopter) addresses(o *Link) []string {
	var out []string
	for _, x := range o.Addresses {
		subject := o.key().String() + " " + x.CIDR
		switch {
		case slices.Contains(x.Flags, "dynamic") && x.Scope != "link":
			a.warn(subject, "is not adopted: it has a limited lifetime, and is renewed by whoever set it (DHCP, router advertisements)")
			continue
		case madeByKernel(o, x):
			continue
		}
		out = append(out, x.CIDR)
		for _, flag := range []string{"noprefixroute", "deprecated"} {
			if slices.Contains(x.Flags, flag) {
				a.warn(subject, "is %s, which a Spec cannot hold: should it have to be added again, it would be without", flag)
			}
		}
		if x.Scope != "global" && !strings.HasPrefix(x.CIDR, "127.") {
			a.warn(subject, "has the scope %s, which a Spec cannot hold: should it have to be added again, it would be global", x.Scope)
		}
	}
	return out
}

// generation says of a link, as the Spec says it, whether it generates an
// address; nil where that is the default, or nothing is known.
func (a *adopter) generation(o *Link) *bool {
	quiet := o.AddressGeneration == "none"
	if o.AddressGeneration == "" || quiet == a.find.quiet(nil, o.Master != "", o.Namespace) {
		return nil
	}
	return ptr(!quiet)
}

func whenDown(o *Link) *bool {
	if o.AdminUp {
		return nil
	}
	return ptr(false)
}

// bridge adopts a bridge without its ports.
func (a *adopter) bridge(c candidate) {
	o := c.link
	if o.Master != "" {
		a.stays(o, "it has the master %s; a bridge of a Spec has none", o.Master)
		return
	}
	if o.Namespace != HostName && a.spec.FindNamespace(o.Namespace) == nil {
		if problem := c.space.nameProblem(); problem != "" {
			a.stays(o, "its namespace cannot be managed: %s; %s", problem, c.space.attachHint())
			return
		}
		a.need(o.Namespace, o.key().String(), "is in %s, which is not managed", o.Namespace)
		return
	}
	mark := len(a.Warnings)
	b := Bridge{
		Namespace: o.Namespace, Name: o.Name, Alias: o.Alias, AdminUp: whenDown(o), IPv6: a.generation(o), Addresses: a.addresses(o),
	}
	b.MTU, b.MAC = c.chosen()
	if o.Bridge != nil {
		b.BridgeAttributes = a.bridgeAttributes(o)
	}
	alone := b
	alone.Namespace = HostName
	if problem := refused(&Spec{Bridges: []Bridge{alone}}); problem != "" {
		a.Warnings = a.Warnings[:mark] // about what would have been left out
		a.stays(o, "a Spec cannot hold it: %s", problem)
		return
	}
	a.spec.Bridges = append(a.spec.Bridges, b)
	a.take(o)
}

// chosen gives the MTU and the MAC that somebody gave a bridge. Without that it
// has the lowest of its ports' (br_mtu_auto_adjust in net/bridge/br_if.c,
// br_stp_recalculate_bridge_id in br_stp_if.c), and changes when they do.
func (c candidate) chosen() (mtu int, mac string) {
	ownMTU, ownMAC := 1500, ""
	first := true
	for _, p := range c.space.Links {
		if p.Master != c.link.Name || p.Sync == Missing {
			continue
		}
		if first || p.MTU < ownMTU {
			ownMTU = p.MTU
		}
		if m := strings.ToLower(p.MAC); first || m < ownMAC {
			ownMAC = m
		}
		first = false
	}
	if c.link.MTU != ownMTU {
		mtu = c.link.MTU
	}
	if m := strings.ToLower(c.link.MAC); !first && m != ownMAC {
		mac = m
	}
	return mtu, mac
}

// bridgeAttributes gives the settings that are not as a fresh bridge has them.
// Values the Spec refuses (the kernel takes any times while STP is off) are left
// as they are.
func (a *adopter) bridgeAttributes(o *Link) BridgeAttributes {
	out, _ := changed(BridgeAttributes{}, o.Bridge.BridgeAttributes, defaultBridge)
	v := validator{}
	v.bridgeAttributes("", out)
	for _, f := range v.invalid {
		name := strings.TrimPrefix(f.Pointer, "/")
		a.warn(o.key().String(), "its %s is %v, which a Spec cannot hold, and stays out of it", name, fields(out)[name])
		clearField(&out, name)
	}
	if out.VLANFiltering != nil {
		a.warn(o.key().String(), "filters by VLAN; the VLANs of its ports are not in the Spec")
	}
	return out
}

// veth adopts the pair that a link is an end of.
func (a *adopter) veth(c candidate) {
	o := c.link
	if a.took(o) {
		return // with its other end
	}
	other, reason := a.otherEnd(o)
	if reason != "" {
		a.stays(o, "%s", reason)
		return
	}
	ready := true
	for _, x := range []candidate{c, other} {
		ok, reason := a.fits(x)
		if reason != "" {
			a.stays(o, "%s", reason)
			return
		}
		ready = ready && ok
	}
	if !ready {
		return
	}
	mark := len(a.Warnings)
	v := Veth{A: a.end(o), B: a.end(other.link)}
	for _, alone := range []End{v.A, v.B} {
		alone.Namespace, alone.Master, alone.BridgePort = HostName, "", nil
		part := &Spec{Namespaces: []Namespace{{Name: "x"}}, Veths: []Veth{{A: alone, B: End{Namespace: "x", Name: "x"}}}}
		if problem := refused(part); problem != "" {
			a.Warnings = a.Warnings[:mark]
			a.stays(o, "of the pair a Spec cannot hold %s: %s", alone.Name, problem)
			return
		}
	}
	a.spec.Veths = append(a.spec.Veths, v)
	a.take(o)
	a.take(other.link)
}

func (a *adopter) otherEnd(o *Link) (other candidate, reason string) {
	if o.Peer == nil || !o.Peer.Known {
		return other, "its other end is in a namespace that netdash cannot see; give that a name, and adopt it too"
	}
	n := a.observed.Namespace(o.Peer.Namespace)
	if n == nil || n.Link(o.Peer.Name) == nil {
		return other, "its other end is gone"
	}
	other = candidate{n, n.Link(o.Peer.Name)}
	if other.link.Intended != nil {
		return other, "its other end " + other.link.key().String() + " is intended elsewhere"
	}
	if a.took(other.link) {
		return other, "its other end " + other.link.key().String() + " has the name of another intended link"
	}
	return other, ""
}

// fits tells whether an end is ready to be adopted: its namespace and its master
// are managed. What has to be adopted first is noted; what never can be is the
// reason.
func (a *adopter) fits(c candidate) (ready bool, reason string) {
	o := c.link
	if o.Namespace != HostName && a.spec.FindNamespace(o.Namespace) == nil {
		if problem := c.space.nameProblem(); problem != "" {
			return false, "the namespace of its end " + o.key().String() + " cannot be managed: " + problem + "; " + c.space.attachHint()
		}
		a.need(o.Namespace, o.key().String(), "is in %s, which is not managed", o.Namespace)
		return false, ""
	}
	if c.space.Incomplete != "" {
		e := incompleteSubject(o.key().String(), c.space)
		a.fields = append(a.fields, FieldError{Pointer: "/subjects", Detail: e.Detail})
		a.first = e
		return false, ""
	}
	if o.Master == "" || a.spec.FindBridge(o.Namespace, o.Master) != nil {
		return true, ""
	}
	m := c.space.Link(o.Master)
	switch {
	case m != nil && m.Intended != nil:
		return false, o.key().String() + " is a port of " + o.Master + ", which is intended to be " + m.Intended.Name
	case m == nil || m.Kind != kindBridge:
		return false, o.key().String() + " has the master " + o.Master + ", which is no bridge"
	case m.Master != "" || a.links[m.key()]: // it was tried, and stays
		return false, o.key().String() + " is a port of " + o.Master + ", which stays foreign"
	}
	a.need(m.key().String(), o.key().String(), "is a port of %s, which is not managed", m.key())
	return false, ""
}

// end writes an observed veth end as an intended one. Its MAC is remembered, so
// that it gets the same if it has to be made again.
func (a *adopter) end(o *Link) End {
	e := End{
		Identity:  Identity{MAC: strings.ToLower(o.MAC)},
		Namespace: o.Namespace, Name: o.Name, Alias: o.Alias, AdminUp: whenDown(o), IPv6: a.generation(o),
		Master: o.Master, Addresses: a.addresses(o),
	}
	if o.MTU != 1500 {
		e.MTU = o.MTU
	}
	if o.BridgePort != nil && o.Master != "" {
		if p, differ := changed(PortAttributes{}, o.BridgePort.PortAttributes, defaultPort); differ {
			e.BridgePort = &p
		}
	}
	return e
}
