package document

import (
	"encoding/json"
	"fmt"
	"testing"

	"netdash/internal/topology"
)

// star is a bridge with n hosts plugged in.
func star(n int) *topology.Spec {
	s := &topology.Spec{Name: "star", Namespaces: []topology.Namespace{{Name: "hub"}}, Bridges: []topology.Bridge{{Namespace: "hub", Name: "br0"}}}
	for i := range n {
		host := fmt.Sprintf("h%04d", i)
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: host})
		s.Veths = append(s.Veths, topology.Veth{
			A: topology.End{Namespace: host, Name: "eth0", Addresses: []string{fmt.Sprintf("10.0.%d.%d/16", i/250, i%250+1)}},
			B: topology.End{Namespace: "hub", Name: fmt.Sprintf("p%d", i), Master: "br0"},
		})
	}
	return s
}

func BenchmarkParse(b *testing.B) {
	s := star(1000)
	compact, err := json.Marshal(s)
	if err != nil {
		b.Fatal(err)
	}
	pretty, err := JSON(s)
	if err != nil {
		b.Fatal(err)
	}
	asYAML, err := YAML(s)
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string][]byte{"JSON": compact, "JSON with white space": pretty, "YAML": asYAML} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkYAML(b *testing.B) {
	s := star(1000)
	for b.Loop() {
		if _, err := YAML(s); err != nil {
			b.Fatal(err)
		}
	}
}
