package lab_test

import (
	"path/filepath"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestSmallMTU: under 1280 bytes a link has no IPv6 (addrconf_notify), so neither
// its addresses nor its way of generating one, and with more it begins anew. A
// bridge follows its smallest port (br_mtu_auto_adjust).
func TestSmallMTU(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	mtu := func(namespace, name string, bytes int) func(*topology.Spec) error {
		return func(s *topology.Spec) error {
			_, _, err := s.PatchLink(namespace, name, topology.LinkPatch{MTU: new(bytes)})
			return err
		}
	}
	small := func(s *topology.Spec) error {
		return s.AddVeth(topology.Veth{
			A: topology.End{Namespace: "A", Name: "eth1", Addresses: []string{"10.2.0.1/24"}, MTU: 900},
			B: topology.End{Namespace: "sw", Name: "p2", Master: "br0", MTU: 1000},
		})
	}
	for _, step := range []struct {
		name string
		edit func(*topology.Spec) error
	}{
		{"a bridge without IPv6", func(s *topology.Spec) error {
			s.Namespaces = []topology.Namespace{{Name: "A"}, {Name: "sw", IPv6: down}}
			s.Bridges = []topology.Bridge{
				{Namespace: "sw", Name: "br0"},
				{Namespace: "A", Name: "br1", Addresses: []string{"fd02::1/64"}},
				{Namespace: "A", Name: "br2", MTU: 1400, IPv6: down},
			}
			return s.AddVeth(topology.Veth{
				A: topology.End{Namespace: "A", Name: "eth0", Addresses: []string{"10.0.0.1/24", "fd00::1/64"}},
				B: topology.End{Namespace: "sw", Name: "p1", Master: "br0"},
			})
		}},
		{"a port made small", mtu("sw", "p1", 1000)},
		{"and large", mtu("sw", "p1", 1500)},
		{"a small port", small},
		{"made large", mtu("sw", "p2", 1400)},
		{"and small again", mtu("sw", "p2", 600)},
		{"deleted", func(s *topology.Spec) error { return s.RemoveLink("sw", "p2") }},
		{"another small port", small},
		{"unplugged", func(s *topology.Spec) error {
			_, _, err := s.PatchLink("sw", "p2", topology.LinkPatch{Master: new("")})
			return err
		}},
		{"and moved", func(s *topology.Spec) error {
			_, _, err := s.PatchLink("sw", "p2", topology.LinkPatch{Namespace: new("host")})
			return err
		}},
	} {
		t.Run(step.name, func(t *testing.T) {
			m.edit(t, step.edit)
			if got := m.differing(t); len(got) > 0 {
				t.Errorf("%v differ", got)
			}
		})
	}

	for name, byHand := range map[string]string{
		"a port":                "ip -n sw link set p1 mtu 1000",
		"an end with addresses": "ip -n A link set eth0 mtu 1279",
		"bridges":               "ip -n A link set br1 mtu 68; ip -n A link set br2 mtu 68",
		"all":                   "ip -n sw link set p1 mtu 300; ip -n A link set eth0 mtu 300; ip -n sw link set p1 nomaster; ip -n A link set eth1 mtu 1500",
	} {
		t.Run(name, func(t *testing.T) {
			before := fingerprint(t)
			nettest.Shell(t, byHand)
			if got := m.differing(t); len(got) == 0 {
				t.Error("nothing differs")
			}
			if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil {
				t.Error(err)
			}
			if got := m.differing(t); len(got) > 0 {
				t.Errorf("%v still differ", got)
			}
			if got := fingerprint(t); got != before {
				t.Errorf("before\n%s\nafter\n%s", before, got)
			}
		})
	}
}
