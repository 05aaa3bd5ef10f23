package topology

import (
	"slices"
	"strings"
)

// ports adopts the static entries of an adopted bridge's MAC table, and says
// which of its ports stay foreign.
func (a *adopter) ports(c candidate) {
	b := a.spec.FindBridge(c.link.Namespace, c.link.Name)
	var macs, foreign []string
	for _, o := range c.space.Links {
		if o.Master == b.Name || o.Name == b.Name {
			macs = append(macs, strings.ToLower(o.MAC))
		}
		if o.Master == b.Name && o.Sync != Missing && !a.took(o) {
			foreign = append(foreign, o.Name)
		}
	}
	if len(foreign) > 0 {
		a.warn(c.link.key().String(), "its ports %s stay foreign: should it have to be made again, it would be without them", strings.Join(foreign, ", "))
	}
	for _, e := range c.space.FDB {
		// The kernel makes a local entry for each MAC of the bridge and its ports.
		if e.Bridge != b.Name || e.State == "learned" || e.State == "local" && slices.Contains(macs, strings.ToLower(e.MAC)) {
			continue
		}
		a.entry(b, e)
	}
}

func (a *adopter) entry(b *Bridge, e *FDBEntry) {
	f := FDBSpec{MAC: strings.ToLower(e.MAC), Port: e.Port, VLAN: e.VLAN}
	subject := linkKey{b.Namespace, b.Name}.String() + " " + f.MAC
	end := a.spec.FindEnd(b.Namespace, e.Port)
	switch {
	case macProblem(f.MAC) != "":
		a.warn(subject, "is not adopted: the MAC %s", macProblem(f.MAC))
	case e.State == "local" && e.Port != b.Name:
		a.warn(subject, "is not adopted: a Spec holds local entries of the bridge itself only, not of its port %s", e.Port)
	case e.Port != b.Name && (end == nil || end.Master != b.Name):
		a.warn(subject, "is not adopted: its port %s stays foreign", e.Port)
	default:
		b.FDB = append(b.FDB, f)
		a.Subjects = append(a.Subjects, subject)
	}
}

// routes adopts the routes somebody has set in a namespace that is adopted whole,
// or that leave by a link that is.
func (a *adopter) routes(n *NamespaceState) {
	whole := slices.Contains(a.whole, n)
	for _, o := range n.Routes {
		if !whole && !a.adopted[linkKey{n.Name, o.Link}] {
			continue
		}
		switch o.Protocol {
		case "kernel", "ra", "redirect": // the kernel's own, and what it has heard
			continue
		}
		r := o.spec()
		if r.is6() && r.Metric == defaultMetric6 {
			r.Metric = 0
		}
		if slices.ContainsFunc(a.spec.Routes, func(have Route) bool { return have.key() == r.key() }) {
			continue
		}
		if problem := a.route(o, &r); problem != "" {
			a.warn(r.subject(), "is not adopted: %s", problem)
			continue
		}
		a.spec.Routes = append(a.spec.Routes, r)
		a.Subjects = append(a.Subjects, r.subject())
	}
}

// route tells what keeps an observed route out of the Spec. r is that route, and
// loses its link where it would be found without being named.
func (a *adopter) route(o *RouteState, r *Route) string {
	scope := "global"
	if o.Family == "inet" && o.Gateway == "" {
		scope = "link"
	}
	switch {
	case o.Type != "unicast":
		return "it is of type " + o.Type
	case o.Protocol != "boot" && o.Protocol != "static":
		return "it is kept by who set it (protocol " + o.Protocol + ")"
	case slices.Contains(o.Flags, "multipath"):
		return "it has several next hops"
	case len(o.Flags) > 0:
		return "a Spec cannot hold all of it (" + strings.Join(o.Flags, ", ") + ")"
	case o.Source != "":
		return "it prefers the source " + o.Source
	case o.Scope != scope:
		return "its scope is " + o.Scope
	}
	found := *r
	found.Link = ""
	if out, problem := a.find.egress(found); problem == nil && out == o.Link {
		r.Link = ""
		return ""
	}
	if out, problem := a.find.egress(*r); problem != nil {
		return "its " + strings.TrimPrefix(problem.Pointer, "/") + ": " + problem.Detail
	} else if out != o.Link {
		return "it leaves by " + o.Link
	}
	return ""
}
