package topology

import (
	"fmt"
	"testing"
)

// star is n namespaces around a switch.
func star(n int) *Spec {
	s := &Spec{IPv6: ptr(false), Namespaces: []Namespace{{Name: "sw"}}, Bridges: []Bridge{{Namespace: "sw", Name: "br0"}}}
	for i := range n {
		host := fmt.Sprint("h", i)
		s.Namespaces = append(s.Namespaces, Namespace{Name: host})
		s.Veths = append(s.Veths, Veth{
			A: End{Namespace: host, Name: "eth0", Addresses: []string{fmt.Sprintf("10.77.%d.%d/16", (i+1)>>8, (i+1)&255)}},
			B: End{Namespace: "sw", Name: fmt.Sprint("p", i), Master: "br0"},
		})
		s.Routes = append(s.Routes, Route{Namespace: host, Destination: "default", Gateway: "10.77.255.254"})
	}
	return s
}

// BenchmarkStar is what planning and judging a star of 1000 costs, part by part.
func BenchmarkStar(b *testing.B) {
	spec := star(1000)
	intent, none := NewIntent(spec), NewIntent(&Spec{})
	plan := none.PlanTo(intent)
	records := plan.Records()
	observed := observe(spec)
	for _, part := range []struct {
		name string
		f    func()
	}{
		{"Clone", func() { spec.Clone() }},
		{"Validate", func() { _ = Validate(spec) }},
		{"NewIntent", func() { NewIntent(spec) }},
		{"PlanTo", func() { none.PlanTo(intent) }},
		{"PlanOne", func() {
			more := spec.Clone()
			more.Namespaces = append(more.Namespaces, Namespace{Name: "one"})
			intent.PlanTo(NewIntent(more))
		}},
		{"PlanAway", func() { intent.PlanTo(none) }},
		{"Records", func() { plan.Records() }},
		{"Namespaces", func() { plan.Namespaces() }},
		{"Obstacle", func() { _ = Obstacle(plan, observed) }},
		{"Differences", func() { intent.Differences(observed) }},
		{"Unmet", func() { Unmet(none, intent, plan, nil, observed) }},
		{"Drift", func() { Drift(spec, observed) }},
		{"Repair", func() { Repair(&Spec{}, spec, plan, nil, observed) }},
		{"NoteMACs", func() { NoteMACs(spec.Clone(), observed) }},
	} {
		b.Run(part.name, func(b *testing.B) {
			for b.Loop() {
				part.f()
			}
		})
	}
	_ = records
}

// observe gives the Snapshot of a kernel that has what a Spec says.
func observe(s *Spec) *Snapshot {
	f := flatten(s)
	out := &Snapshot{}
	at := map[string]*NamespaceState{}
	for _, name := range append([]string{HostName}, f.namespaces...) {
		at[name] = &NamespaceState{ID: "4-" + name, Name: name, Names: []string{name}}
		out.Namespaces = append(out.Namespaces, at[name])
	}
	for _, l := range f.links {
		o := &Link{Namespace: l.namespace, Name: l.name, Kind: l.kind, MAC: l.mac, MTU: l.mtu, AdminUp: l.up, Master: l.master, Sync: InSync, Managed: true}
		o.AddressGeneration = generation(l.quiet)
		for _, a := range l.addresses {
			o.Addresses = append(o.Addresses, Address{CIDR: a})
		}
		if l.peer != nil {
			o.Peer = &Peer{Known: true, Namespace: l.peer.namespace, Name: l.peer.name}
		}
		if l.kind == kindBridge {
			o.Bridge = &BridgeInfo{BridgeAttributes: defaultBridge}
			merge(&o.Bridge.BridgeAttributes, l.bridge)
		}
		if l.master != "" {
			o.BridgePort = &PortInfo{PortAttributes: defaultPort}
			merge(&o.BridgePort.PortAttributes, l.port)
		}
		at[l.namespace].Links = append(at[l.namespace].Links, o)
	}
	for _, r := range f.routes {
		family := "inet"
		if r.is6() {
			family = "inet6"
		}
		at[r.Namespace].Routes = append(at[r.Namespace].Routes, &RouteState{
			Namespace: r.Namespace, Destination: r.Destination, Family: family, Gateway: r.Gateway, Link: r.Link, Metric: r.Metric,
		})
	}
	return out
}

func TestObserve(t *testing.T) {
	s := star(3)
	if d := NewIntent(s).Differences(observe(s)); len(d) > 0 {
		t.Errorf("%v", d)
	}
}
