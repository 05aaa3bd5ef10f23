package lab_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestAdoptsWhatNetdashMade makes random labs, forgets them, and adopts them:
// what is intended then is what was intended when they were made.
func TestAdoptsWhatNetdashMade(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			nettest.NoLeaks(t)
			nettest.Require(t)
			t.Cleanup(func() { sweep(t) })
			original := randomLab(rand.New(rand.NewPCG(seed, 7)))
			maker, stop, err := start(filepath.Join(t.TempDir(), "maker.db"), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = maker.Edit(t.Context(), lab.Request{}, func(s *topology.Spec) error { *s = *original.Clone(); return nil })
			if err := errors.Join(err, stop()); err != nil {
				t.Fatal(err)
			}
			m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
			before := settled(t)
			taken := m.adopt(t, allOf(original)...)
			m.faithful(t, topology.InSync, taken.Subjects)
			adopted, _ := m.Intended()
			there, back := topology.Diff(document(t, original), document(t, adopted)), topology.Diff(document(t, adopted), document(t, original))
			if len(there)+len(back) > 0 || len(taken.Warnings) > 0 {
				t.Errorf("made of\n%s\nadopted as\n%s\nfrom one to the other: %q\nand back: %q\nwarnings: %v", text(t, original), text(t, adopted), there.Commands(), back.Commands(), taken.Warnings)
			}
			if got := everything(t); got != before {
				t.Errorf("adopting has changed\n%s", difference(before, got))
			}
			m.released(t, before, taken.Subjects)
		})
	}
}

func text(t testing.TB, s *topology.Spec) string {
	t.Helper()
	out, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// document is the Spec without what is remembered beside it.
func document(t testing.TB, s *topology.Spec) *topology.Spec {
	t.Helper()
	var out topology.Spec
	if err := json.Unmarshal([]byte(text(t, s)), &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

// randomLab makes a lab without loops, of everything a Spec can say.
func randomLab(r *rand.Rand) *topology.Spec {
	flag := func() *bool { return []*bool{nil, nil, new(true), new(false)}[r.IntN(4)] }
	s := &topology.Spec{}
	places := []string{"host"}
	for _, n := range []string{"A", "B", "C"}[:1+r.IntN(3)] {
		space := topology.Namespace{Name: n, LoopbackUp: flag(), IPv6: flag()}
		if r.IntN(3) == 0 {
			space.LoopbackAddresses = []string{"192.0.2.7/32", "2001:db8:ff::7/128"}
		}
		s.Namespaces, places = append(s.Namespaces, space), append(places, n)
	}
	for i := range 1 + r.IntN(3) {
		b := topology.Bridge{Namespace: places[r.IntN(len(places))], Name: fmt.Sprint("br", i), AdminUp: flag(), IPv6: flag(), MTU: r.IntN(2) * 1300}
		b.MulticastSnooping = flag()
		if b.AdminUp != nil && !*b.AdminUp {
			b.STP = flag() // of one that is up, ports change their states for half a minute
		}
		if r.IntN(2) == 0 {
			b.AgeingSeconds, b.Priority = new(r.IntN(400)), new(r.IntN(16)*4096)
		}
		b.Addresses = randomAddresses(r, fmt.Sprint(100+i))
		s.Bridges = append(s.Bridges, b)
	}
	for i := range 2 + r.IntN(4) {
		v := topology.Veth{
			A: topology.End{Namespace: places[r.IntN(len(places))], Name: fmt.Sprint("a", i), Addresses: randomAddresses(r, fmt.Sprint(i)), AdminUp: flag(), IPv6: flag()},
			B: topology.End{Namespace: places[r.IntN(len(places))], Name: fmt.Sprint("b", i), Alias: []string{"", "an alias"}[r.IntN(2)], MTU: r.IntN(2) * 1400, IPv6: flag()},
		}
		if r.IntN(3) > 0 {
			b := &s.Bridges[r.IntN(len(s.Bridges))]
			v.B.Namespace, v.B.Master = b.Namespace, b.Name
			if r.IntN(2) == 0 {
				v.B.BridgePort = &topology.PortAttributes{Hairpin: flag(), Isolated: flag(), Learning: flag(), Cost: new(1 + r.IntN(100))}
			}
			if r.IntN(2) == 0 {
				b.FDB = append(b.FDB, topology.FDBSpec{MAC: fmt.Sprintf("02:00:00:00:00:%02x", i), Port: v.B.Name})
			}
			if r.IntN(3) == 0 {
				b.MAC = "02:ff:00:00:00:01" // with ports, so that it shows that somebody chose it
			}
		}
		s.Veths = append(s.Veths, v)
	}
	for i := range s.Veths {
		a := &s.Veths[i].A
		for _, route := range []topology.Route{
			{Namespace: a.Namespace, Destination: "10.77.0.0/16", Gateway: fmt.Sprintf("10.0.%d.99", i), Metric: r.IntN(2) * 50},
			{Namespace: a.Namespace, Destination: "2001:db8:77::/48", Gateway: fmt.Sprintf("2001:db8:%d::99", i)},
			{Namespace: a.Namespace, Destination: fmt.Sprintf("10.78.%d.0/24", i), Link: a.Name},
		} {
			with := s.Clone()
			if r.IntN(2) == 0 && with.AddRoute(route) == nil && topology.Validate(with) == nil {
				s = with
			}
		}
	}
	return s
}

func randomAddresses(r *rand.Rand, net string) (out []string) {
	if r.IntN(4) > 0 {
		out = append(out, "10.0."+net+".1/24", "10.0."+net+".2/24")
	}
	if r.IntN(2) == 0 {
		out = append(out, "2001:db8:"+net+"::1/64")
	}
	return out
}
