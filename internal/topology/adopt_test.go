package topology

import (
	"slices"
	"strings"
	"testing"
)

// cabled is a snapshot of B, plugged into br0 of the host.
func cabled(changes ...func(host, b *NamespaceState)) *Snapshot {
	pair := func(namespace, name, otherNamespace, otherName string) *Link {
		return &Link{
			Namespace: namespace, Name: name, Kind: kindVeth, MAC: "02:00:00:00:00:11", MTU: 1500, AdminUp: true, AddressGeneration: "eui64",
			Peer: &Peer{Known: true, Namespace: otherNamespace, Name: otherName},
		}
	}
	port := pair(HostName, "p1", "B", "eth0")
	port.Master, port.BridgePort = "br0", &PortInfo{PortAttributes: defaultPort}
	host := &NamespaceState{ID: "4-1", Name: HostName, Links: []*Link{
		{Namespace: HostName, Name: LoopbackName, Kind: kindLoopback, AdminUp: true},
		{
			Namespace: HostName, Name: "br0", Kind: kindBridge, MAC: "02:00:00:00:00:11", MTU: 1500, AdminUp: true, AddressGeneration: "eui64",
			Bridge: &BridgeInfo{BridgeAttributes: defaultBridge},
		},
		port,
	}}
	b := &NamespaceState{ID: "4-2", Name: "B", Names: []string{"B"}, Links: []*Link{
		{Namespace: "B", Name: LoopbackName, Kind: kindLoopback, AdminUp: true}, pair("B", "eth0", HostName, "p1"),
	}}
	for _, change := range changes {
		change(host, b)
	}
	return &Snapshot{Namespaces: []*NamespaceState{host, b}}
}

func TestAdoptWrites(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(host, b *NamespaceState)
		check  func(*Spec) bool
	}{
		{"nothing that is by default", func(host, b *NamespaceState) {}, func(s *Spec) bool {
			return s.Bridges[0].MAC == "" && s.Bridges[0].MTU == 0 && s.Bridges[0].BridgeAttributes == BridgeAttributes{} &&
				s.Bridges[0].IPv6 == nil && s.Veths[0].A.IPv6 == nil && s.Veths[0].B.BridgePort == nil && s.Veths[0].A.AdminUp == nil
		}},
		{"the MAC of an end, to remember", func(host, b *NamespaceState) {}, func(s *Spec) bool {
			return s.Veths[0].A.MAC == "" && s.Veths[0].A.Identity.MAC == "02:00:00:00:00:11"
		}},
		{"a bridge's MAC that is no port's", func(host, b *NamespaceState) { host.Links[1].MAC = "02:00:00:00:00:99" }, func(s *Spec) bool {
			return s.Bridges[0].MAC == "02:00:00:00:00:99"
		}},
		{"no MTU of a bridge that comes from its ports", func(host, b *NamespaceState) { host.Links[1].MTU, host.Links[2].MTU = 1400, 1400 }, func(s *Spec) bool {
			return s.Bridges[0].MTU == 0 && s.Veths[0].B.MTU == 1400
		}},
		{"a bridge's MTU of its own", func(host, b *NamespaceState) { host.Links[1].MTU, host.Links[2].MTU = 1300, 1400 }, func(s *Spec) bool {
			return s.Bridges[0].MTU == 1300
		}},
		{"a port that generates addresses", func(host, b *NamespaceState) {}, func(s *Spec) bool { return isTrue(s.Veths[0].B.IPv6) && s.Veths[0].B.IPv6 != nil }},
		{"a port that generates none", func(host, b *NamespaceState) { host.Links[2].AddressGeneration = "none" }, func(s *Spec) bool { return s.Veths[0].B.IPv6 == nil }},
		{"a port that has no such setting", func(host, b *NamespaceState) { host.Links[2].AddressGeneration = "" }, func(s *Spec) bool { return s.Veths[0].B.IPv6 == nil }},
		{"an end that generates none", func(host, b *NamespaceState) { b.Links[1].AddressGeneration = "none" }, func(s *Spec) bool {
			return !isTrue(s.Veths[0].A.IPv6)
		}},
	} {
		observed := cabled(c.change)
		s, taken, err := Adopt(&Spec{}, observed, []string{"B", "host/br0"})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !c.check(s) || len(taken.Warnings) > 0 {
			t.Errorf("%s: %+v, %+v", c.name, s, taken)
		}
		for _, n := range observed.Namespaces { // as they are shown from then on
			for _, l := range n.Links {
				l.Managed = n.Name != HostName || l.Kind != kindLoopback
			}
		}
		if d, p := NewIntent(s).Differences(observed), Drift(s, observed); len(d)+len(p) > 0 {
			t.Errorf("%s: %v, %v", c.name, d, p.Commands())
		}
	}
}

func TestAdoptRefuses(t *testing.T) {
	for _, c := range []struct {
		name       string
		change     func(host, b *NamespaceState)
		subject    string
		code       Code
		says, hint string
	}{
		{"a namespace not all of which is known", func(host, b *NamespaceState) { b.Incomplete = "no rights" }, "B", CodeIncomplete, "no rights", ""},
		{"an end in such a one", func(host, b *NamespaceState) { host.Incomplete = "no rights" }, "B", CodeIncomplete, "not all of host", ""},
		{"a namespace without a name", func(host, b *NamespaceState) { b.Name, b.Names = b.ID, nil }, "4-2", CodeInvalid, "has no name", "ip netns attach NAME PID"},
		{"a name the Spec refuses", func(host, b *NamespaceState) { b.Name, b.Names = "-x", []string{"-x"} }, "-x", CodeInvalid, "must not start with -", "ip netns attach"},
		{"a namespace that is missing", func(host, b *NamespaceState) { b.Sync = Missing }, "B", CodeNotFound, "no namespace B", ""},
		{"a bridge that is a port itself", func(host, b *NamespaceState) { host.Links[1].Master = "vrf0" }, "host/br0", CodeInvalid, "it has the master vrf0", ""},
		{"a port of something else", func(host, b *NamespaceState) { host.Links[1].Kind = "openvswitch" }, "host/p1", CodeInvalid, "", ""},
		{"an alias nobody can print", func(host, b *NamespaceState) { host.Links[1].Alias = "\x01" }, "host/br0", CodeInvalid, "its alias must be printable", ""},
		{"a loopback the Spec refuses", func(host, b *NamespaceState) {
			b.Links[0].Addresses = []Address{{CIDR: "10.0.0.0/24", Scope: "global"}}
		}, "B", CodeInvalid, "cannot hold its loopback link: an address is the network itself", ""},
	} {
		observed := cabled(c.change)
		before := &Spec{Name: "before"}
		s, _, err := Adopt(before, observed, []string{c.subject, "host/br0", "B"})
		if c.subject == "host/p1" {
			s, _, err = Adopt(before, observed, []string{"B", "host/p1"})
		}
		var hint string
		if e, ok := err.(*Error); ok { //nolint:errorlint // it is the error itself
			hint = e.Hint
		}
		if s != nil || CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) || !strings.Contains(hint, c.hint) {
			t.Errorf("%s: %v (%s), hint %q", c.name, err, CodeOf(err), hint)
		}
		if !Equal(before, &Spec{Name: "before"}) {
			t.Errorf("%s: the Spec was written to", c.name)
		}
	}
}

// TestLinkIPv6: what is said of a link itself goes before its namespace and its
// being a port.
func TestLinkIPv6(t *testing.T) {
	s := &Spec{Namespaces: []Namespace{{Name: "A", IPv6: ptr(false)}}, Bridges: []Bridge{
		{Namespace: HostName, Name: "br0"}, {Namespace: "A", Name: "quiet"}, {Namespace: "A", Name: "loud", IPv6: ptr(true)},
	}, Veths: []Veth{
		{A: End{Namespace: HostName, Name: "port", Master: "br0"}, B: End{Namespace: "A", Name: "quiet0"}},
		{A: End{Namespace: HostName, Name: "loudport", Master: "br0", IPv6: ptr(true)}, B: End{Namespace: "A", Name: "loud0", IPv6: ptr(true)}},
		{A: End{Namespace: HostName, Name: "free"}, B: End{Namespace: HostName, Name: "off", IPv6: ptr(false)}},
	}}
	var quiet []string
	for _, c := range Diff(&Spec{}, s) {
		if g, ok := c.(SetAddressGeneration); ok && !g.On {
			quiet = append(quiet, g.Namespace+"/"+g.Name)
		}
	}
	slices.Sort(quiet)
	if want := []string{"A/quiet", "A/quiet0", "host/off", "host/port"}; !slices.Equal(quiet, want) {
		t.Errorf("quiet: %q, want %q", quiet, want)
	}
	to := s.Clone()
	for _, name := range []string{"port", "br0"} {
		if _, _, err := to.PatchLink(HostName, name, LinkPatch{IPv6: ptr(name == "port")}); err != nil {
			t.Fatal(err)
		}
	}
	wantCommands(t, Diff(s, to), "ip link set dev br0 addrgenmode none", "ip link set dev port addrgenmode eui64")
	if _, _, err := to.PatchLink("A", LoopbackName, LinkPatch{IPv6: ptr(true)}); CodeOf(err) != CodeInvalid {
		t.Errorf("of a loopback link: %v", err)
	}
}
