package lab_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

// BenchmarkCreateNamespace is one edit from the Spec to the database, without
// HTTP.
func BenchmarkCreateNamespace(b *testing.B) {
	m, stop, err := start(filepath.Join(b.TempDir(), "n.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		if _, err := m.Edit(b.Context(), lab.Request{}, func(s *topology.Spec) error {
			return s.AddNamespace(topology.Namespace{Name: fmt.Sprint("n", n)})
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if _, err := m.Edit(b.Context(), lab.Request{}, everythingGone); err != nil {
		b.Fatal(err)
	}
	if err := stop(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStar makes and takes down a star of n namespaces around a switch, as
// one edit each, with how long the parts of it take.
func BenchmarkStar(b *testing.B) {
	for _, n := range []int{100, 1000} {
		for _, ipv6 := range []bool{false, true} {
			b.Run(fmt.Sprintf("n=%d/ipv6=%t", n, ipv6), func(b *testing.B) { benchmarkStar(b, n, ipv6) })
		}
	}
}

func benchmarkStar(b *testing.B, n int, ipv6 bool) {
	b.Helper()
	m, stop, err := start(filepath.Join(b.TempDir(), "n.db"), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := m.Edit(b.Context(), lab.Request{}, func(s *topology.Spec) error { *s = *star(n, ipv6); return nil }); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if _, err := m.Edit(b.Context(), lab.Request{}, everythingGone); err != nil {
			b.Fatal(err)
		}
		time.Sleep(3 * time.Second) // the kernel takes them down behind
		b.StartTimer()
	}
	b.StopTimer()
	if err := stop(); err != nil {
		b.Fatal(err)
	}
}

// star is n namespaces around a switch.
func star(n int, ipv6 bool) *topology.Spec {
	s := &topology.Spec{
		IPv6: &ipv6, Namespaces: []topology.Namespace{{Name: "sw"}},
		Bridges: []topology.Bridge{{Namespace: "sw", Name: "br0"}},
	}
	for i := range n {
		host := fmt.Sprint("h", i)
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: host})
		s.Veths = append(s.Veths, topology.Veth{
			A: topology.End{Namespace: host, Name: "eth0", Addresses: []string{fmt.Sprintf("10.77.%d.%d/16", (i+1)>>8, (i+1)&255)}},
			B: topology.End{Namespace: "sw", Name: fmt.Sprint("p", i), Master: "br0"},
		})
	}
	return s
}
