package topology

import (
	"errors"
	"fmt"
	"testing"
)

// starSpec is a bridge with n hosts plugged in.
func starSpec(n int) *Spec {
	s := &Spec{Namespaces: []Namespace{{Name: "hub"}}, Bridges: []Bridge{{Namespace: "hub", Name: "br0"}}}
	for i := range n {
		host := fmt.Sprintf("h%04d", i)
		s.Namespaces = append(s.Namespaces, Namespace{Name: host})
		s.Veths = append(s.Veths, Veth{
			A: End{Namespace: host, Name: "eth0", Addresses: []string{fmt.Sprintf("10.0.%d.%d/16", i/250, i%250+1)}},
			B: End{Namespace: "hub", Name: fmt.Sprintf("p%d", i), Master: "br0"},
		})
	}
	return s
}

// ringSpec is n routers in a ring, each with a route to the network after the
// next in either direction, and a default route.
func ringSpec(n int) *Spec {
	s := &Spec{}
	network := func(i int) string { i = (i + n) % n; return fmt.Sprintf("10.%d.%d", i/250, i%250) }
	name := func(i int) string { return fmt.Sprintf("r%04d", (i+n)%n) }
	for i := range n {
		s.Namespaces = append(s.Namespaces, Namespace{Name: name(i)})
		s.Veths = append(s.Veths, Veth{
			A: End{Namespace: name(i), Name: "right", Addresses: []string{network(i) + ".1/24"}},
			B: End{Namespace: name(i + 1), Name: "left", Addresses: []string{network(i) + ".2/24"}},
		})
		s.Routes = append(s.Routes,
			Route{Namespace: name(i), Destination: network(i+1) + ".0/24", Gateway: network(i) + ".2"},
			Route{Namespace: name(i), Destination: network(i-2) + ".0/24", Gateway: network(i-1) + ".1", Link: "left"},
			Route{Namespace: name(i), Destination: "default", Gateway: network(i) + ".2"},
		)
	}
	return s
}

// hubSpec is one router with n links, each with a network behind it.
func hubSpec(n int) *Spec {
	s := &Spec{Namespaces: []Namespace{{Name: "hub"}}}
	for i := range n {
		host := fmt.Sprintf("h%04d", i)
		s.Namespaces = append(s.Namespaces, Namespace{Name: host})
		s.Veths = append(s.Veths, Veth{
			A: End{Namespace: host, Name: "eth0", Addresses: []string{fmt.Sprintf("10.%d.%d.2/24", i/250, i%250)}},
			B: End{Namespace: "hub", Name: fmt.Sprintf("p%d", i), Addresses: []string{fmt.Sprintf("10.%d.%d.1/24", i/250, i%250)}},
		})
		s.Routes = append(s.Routes, Route{Namespace: "hub", Destination: fmt.Sprintf("172.16.%d.%d/32", i/250, i%250), Gateway: fmt.Sprintf("10.%d.%d.2", i/250, i%250)})
	}
	return s
}

// TestValidateOwnMACs: the kernel holds no static entry for the address of the
// bridge itself or of one of its ports.
func TestValidateOwnMACs(t *testing.T) {
	for mac, valid := range map[string]bool{"02:00:00:00:00:0A": false, "02:00:00:00:00:0b": false, "02:00:00:00:00:0c": true} {
		s := &Spec{
			Bridges: []Bridge{{Namespace: HostName, Name: "br0", MAC: "02:00:00:00:00:0a", FDB: []FDBSpec{{MAC: mac, Port: "p1"}}}},
			Veths: []Veth{{
				A: End{Namespace: HostName, Name: "p1", Master: "br0", MAC: "02:00:00:00:00:0B"},
				B: End{Namespace: HostName, Name: "p2", MAC: "02:00:00:00:00:0c"},
			}},
		}
		if err := Validate(s); (err == nil) != valid {
			t.Errorf("an entry for %s: %v", mac, err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	for name, s := range map[string]*Spec{"star of 1000": starSpec(1000), "ring of 1000 routers": ringSpec(1000), "router with 1000 links": hubSpec(1000)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := Validate(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestValidateBounds: however much is wrong, the answer has an end.
func TestValidateBounds(t *testing.T) {
	s := starSpec(2 * MaxFields)
	for i := range s.Veths {
		s.Veths[i].A.MTU, s.Veths[i].B.Name = 1, "same"
	}
	e, ok := errors.AsType[*Error](Validate(s))
	if !ok || len(e.Fields) != 2*MaxFields || e.Code != CodeInvalid {
		t.Fatalf("%d", len(e.Fields))
	}
}

// TestLookupTakesTheFirst: as the Find methods do.
func TestLookupTakesTheFirst(t *testing.T) {
	s := &Spec{
		Namespaces: []Namespace{{Name: "A", LoopbackAddresses: []string{"10.0.0.1/8"}}, {Name: "A"}},
		Bridges:    []Bridge{{Namespace: "A", Name: "x"}, {Namespace: "A", Name: "x"}},
		Veths:      []Veth{{A: End{Namespace: "A", Name: "y"}, B: End{Namespace: "A", Name: "y", Master: "x"}}},
	}
	x := newLookup(s)
	if x.namespaces["A"] != s.FindNamespace("A") || x.bridges[linkKey{"A", "x"}] != s.FindBridge("A", "x") || x.ends[linkKey{"A", "y"}] != s.FindEnd("A", "y") {
		t.Error("it is not the first")
	}
	if x.isPort("A", "y", "x") || !x.carries("A", "lo") || x.carries("host", "lo") || !x.hasNamespace("host") || x.hasNamespace("B") {
		t.Error("wrong")
	}
}
