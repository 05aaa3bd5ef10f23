package diagnose

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"netdash/internal/topology"
)

// A finding is mended by what fits its object: where something drifted, by a
// reconcile of that; where the Spec itself wants what is wrong, by an edit; where
// no Spec has a say (settings, rules, tables), by having the diagnosis applied.
// What netdash does not manage it leaves alone, and gives the commands.

// reconcile is the repair of what is not as intended.
func reconcile(what Sentence, subjects ...string) *Repair {
	return &Repair{Sentence: what, Request: Request{Method: "POST", Path: "/topology/reconcile", Body: map[string]any{"subjects": subjects}}}
}

// mend gives a finding about a link its repair: a reconcile if one of these
// fields has drifted, else an edit.
func (t *trace) mend(c *Check, l *topology.Link, change topology.Change, what Sentence, edit map[string]any, fields ...string) {
	switch {
	case !l.Managed && !(l.Kind == kindLoopback && t.spec.FindNamespace(l.Namespace) != nil):
		c.Advice = []string{change.Command()}
	case slices.ContainsFunc(l.Differences, func(d topology.Difference) bool { return slices.Contains(fields, d.Field) && d.Field != "" }):
		c.Repair = reconcile(what, name(meaning(l)))
	default:
		c.Repair = &Repair{Sentence: what, Request: Request{Method: "PATCH", Path: linkPath(l), Body: edit}}
	}
}

// mendPort is mend for one setting of a bridge port. One that the Spec says nothing
// of is put right by hand: for the Spec, absent is the default that it is to have.
func (t *trace) mendPort(c *Check, l *topology.Link, field string, on bool, a topology.PortAttributes, of func(topology.PortAttributes) *bool) {
	what := say("set_off", "setting", field, "port", subject(l))
	if on {
		what = say("set_on", "setting", field, "port", subject(l))
	}
	change := topology.SetPort{Namespace: l.Namespace, Name: l.Name, Attributes: a}
	if e := t.spec.FindEnd(l.Namespace, l.Name); e == nil || e.BridgePort == nil || of(*e.BridgePort) == nil {
		t.apply(c, l.Managed, what, change)
		return
	}
	t.mend(c, l, change, what, map[string]any{"bridge_port": map[string]any{field: on}}, "bridge_port."+field)
}

// apply gives a finding about what no Spec holds its repair.
func (t *trace) apply(c *Check, managed bool, what Sentence, changes ...topology.Change) {
	if !managed {
		c.Advice = topology.Plan(changes).Commands()
		return
	}
	body := map[string]any{"namespace": t.question.Namespace, "check": c.Check, "subject": c.Subject}
	if t.question.Address != "" {
		body["address"] = t.question.Address
	} else {
		body["to_namespace"] = t.question.ToNamespace
	}
	if t.question.Size != defaultSize {
		body["size"] = t.question.Size
	}
	c.Repair = &Repair{
		Sentence: what, Request: Request{Method: "POST", Path: "/diagnoses/apply", Body: body},
		Plan: topology.PlanRecord{Changes: topology.Plan(changes).Records()}, Changes: changes,
	}
}

// replaceRoute mends a route that leads astray: it goes, and the intended one
// comes back if it is missing.
func (h *hop) replaceRoute(c *Check, wrong *topology.RouteState) {
	gone := topology.DeleteRoute{Route: topology.Route{Namespace: h.ns.Name, Destination: wrong.Destination, Gateway: wrong.Gateway, Link: wrong.Link, Metric: wrong.Metric}}
	if wrong.Managed { // it has the place of an intended one
		c.Repair = reconcile(say("route_restore", "destination", wrong.Destination), routeSubject(wrong))
		return
	}
	plan := topology.Plan{gone}
	for _, r := range h.ns.Routes {
		if p, ok := destination(r.Destination, h.dst); r.Sync == topology.Missing && ok && p.Contains(h.dst) && (r.Family == "inet") == h.is4() {
			plan = append(plan, topology.AddRoute{Route: topology.Route{Namespace: h.ns.Name, Destination: r.Destination, Gateway: r.Gateway, Link: r.Link, Metric: r.Metric}})
		}
	}
	h.apply(c, h.ns.Managed, say("route_delete", "destination", wrong.Destination), plan...)
	if len(plan) > 1 && c.Repair != nil {
		c.Repair.Sentence = say("route_replace", "destination", wrong.Destination)
	}
}

// routeSubject names a route as differences do: the default of IPv6 by its family.
func routeSubject(r *topology.RouteState) string {
	if r.Destination == "default" && r.Family == "inet6" {
		return r.Namespace + " ::/0"
	}
	return r.Namespace + " " + r.Destination
}

// addRoute mends a route that is not there: the intended one comes back, or a
// default route is proposed to the one router that is on the link's network.
func (h *hop) addRoute(c *Check) {
	for _, r := range h.ns.Routes {
		p, ok := destination(r.Destination, h.dst)
		if r.Sync == topology.Missing && ok && p.Contains(h.dst) && (r.Family == "inet") == h.is4() {
			c.Sentence = say("no_route_but", "namespace", h.ns.Name, "address", h.dst.WithZone(""), "destination", r.Destination)
			c.Repair = reconcile(say("route_back", "destination", r.Destination), routeSubject(r))
			return
		}
	}
	gateway, ok := h.router()
	if !ok {
		return
	}
	route := topology.Route{Namespace: h.ns.Name, Destination: "default", Gateway: gateway.String()}
	if !h.ns.Managed {
		c.Advice = []string{topology.AddRoute{Route: route}.Command()}
		return
	}
	c.Repair = &Repair{
		Sentence: say("default_route", "gateway", gateway),
		Request:  Request{Method: "POST", Path: "/namespaces/" + escape(h.ns.Name) + "/routes", Body: map[string]any{"destination": "default", "gateway": gateway.String()}},
	}
}

// router is the address, in the link's subnet, of the one namespace on its network
// that has another network too; false if there is none, or more than one.
func (h *hop) router() (netip.Addr, bool) {
	var found []netip.Addr
	if h.out == nil {
		return netip.Addr{}, false
	}
	mine := family(addressesOf(h.out), h.dst)
	for _, l := range h.segment(h.out).links {
		n := h.snapshot.Namespace(l.Namespace)
		if n == nil || l.Namespace == h.ns.Name || !slices.ContainsFunc(n.Links, func(x *topology.Link) bool {
			return x != l && x.Kind != kindLoopback && len(family(addressesOf(x), h.dst)) > 0
		}) {
			continue
		}
		for _, p := range family(addressesOf(l), h.dst) {
			if slices.ContainsFunc(mine, func(m netip.Prefix) bool { return m.Contains(p.Addr()) }) {
				found = append(found, p.Addr())
			}
		}
	}
	if len(found) != 1 {
		return netip.Addr{}, false
	}
	return found[0], true
}

// differs tells whether a link has a difference of that subject.
func differs(l *topology.Link, subject string) bool {
	return slices.ContainsFunc(l.Differences, func(d topology.Difference) bool { return d.Subject == subject })
}

func escape(s string) string { return url.QueryEscape(s) }

func linkPath(l *topology.Link) string {
	return "/namespaces/" + url.PathEscape(l.Namespace) + "/links/" + url.PathEscape(l.Name)
}

func bridgePath(l *topology.Link) string {
	return "/namespaces/" + url.PathEscape(l.Namespace) + "/bridges/" + url.PathEscape(l.Name)
}

// settings writes values as sysctl(8) does.
func settings(names []string, values map[string]string) string {
	var out []string
	for _, n := range names {
		if v, there := values[n]; there {
			out = append(out, strings.ReplaceAll(n, "/", ".")+" = "+v)
		}
	}
	return strings.Join(out, ", ")
}
