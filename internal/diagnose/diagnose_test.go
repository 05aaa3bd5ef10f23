package diagnose

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"netdash/internal/topology"
)

// lab is a Snapshot of A and B behind a bridge of sw, with the evidence that goes
// with it: everything is in order, and no answer comes. What needs a kernel is
// shown by the end-to-end test; here is what that kernel cannot do, or seldom does.
type lab struct {
	snapshot *topology.Snapshot
	spec     *topology.Spec
	replies  int // of the ping
	pingErr  string
	settings map[string]string
	verdict  func(namespace string, p topology.Packet, hook topology.FilterHook) string
	vlans    map[string]topology.VLANs
	routes   map[string]topology.RouteAnswer // by namespace
	unknown  bool                            // no MAC is known
}

func newLab() *lab {
	link := func(namespace, name, kind, mac, master, cidr string) *topology.Link {
		l := &topology.Link{
			Namespace: namespace, Name: name, Kind: kind, MAC: mac, MTU: 1500, AdminUp: true, Carrier: true, OperState: "up", Master: master,
			Key: namespace + ":" + name, Managed: true, Sync: topology.InSync,
		}
		if cidr != "" {
			l.Addresses = []topology.Address{{CIDR: cidr, Scope: "global"}}
		}
		if master != "" {
			l.BridgePort = &topology.PortInfo{State: "forwarding"}
		}
		if kind == "bridge" {
			l.Bridge = &topology.BridgeInfo{}
		}
		return l
	}
	pair := func(a, b *topology.Link) {
		a.Peer = &topology.Peer{Known: true, Namespace: b.Namespace, Name: b.Name}
		b.Peer = &topology.Peer{Known: true, Namespace: a.Namespace, Name: a.Name}
	}
	a, b := link("A", "eth0", "veth", "02:00:00:00:00:0a", "", "10.0.0.1/24"), link("B", "eth0", "veth", "02:00:00:00:00:0b", "", "10.0.0.2/24")
	p1, p2 := link("sw", "p1", "veth", "02:00:00:00:00:01", "br0", ""), link("sw", "p2", "veth", "02:00:00:00:00:02", "br0", "")
	pair(a, p1)
	pair(b, p2)
	namespace := func(name string, links ...*topology.Link) *topology.NamespaceState {
		lo := link(name, "lo", "loopback", "00:00:00:00:00:00", "", "127.0.0.1/8")
		return &topology.NamespaceState{Name: name, Names: []string{name}, Managed: true, Sync: topology.InSync, Links: append([]*topology.Link{lo}, links...)}
	}
	return &lab{
		snapshot: &topology.Snapshot{Namespaces: []*topology.NamespaceState{
			namespace("host"), namespace("A", a), namespace("B", b), namespace("sw", link("sw", "br0", "bridge", "02:00:00:00:00:01", "", ""), p1, p2),
		}},
		spec: &topology.Spec{}, settings: map[string]string{},
	}
}

func (l *lab) link(subject string) *topology.Link {
	namespace, name, _ := strings.Cut(subject, "/")
	return l.snapshot.Namespace(namespace).Link(name)
}

func (l *lab) Ping(_ context.Context, r topology.PingRequest, onReply func(topology.PingReply)) (*topology.PingResult, error) {
	for seq := range l.replies {
		onReply(topology.PingReply{Seq: seq + 1, From: r.Address})
	}
	return &topology.PingResult{Namespace: r.Namespace, Address: r.Address, Sent: 3, Error: l.pingErr}, nil
}

func (l *lab) RouteFor(_ context.Context, namespace string, q topology.RouteQuestion) (*topology.RouteAnswer, error) {
	if a, ok := l.routes[namespace]; ok {
		return &a, nil
	}
	for _, x := range l.snapshot.Namespace(namespace).Links {
		for _, p := range addressesOf(x) {
			switch {
			case p.Addr() == q.Destination:
				return &topology.RouteAnswer{Type: "local", Link: "lo"}, nil
			case p.Contains(q.Destination):
				return &topology.RouteAnswer{Type: "unicast", Link: x.Name, Source: p.Addr().String()}, nil
			}
		}
	}
	return &topology.RouteAnswer{Refusal: topology.NoRoute}, nil
}

func (l *lab) Neighbours(context.Context, string) ([]topology.Neighbour, error) {
	if l.unknown {
		return nil, nil
	}
	return []topology.Neighbour{
		{Namespace: "A", Link: "eth0", Address: "10.0.0.2", MAC: "02:00:00:00:00:0b", State: "reachable"},
		{Namespace: "B", Link: "eth0", Address: "10.0.0.1", MAC: "02:00:00:00:00:0a", State: "reachable"},
	}, nil
}

func (l *lab) Sysctls(context.Context, string, ...string) (map[string]string, error) {
	return l.settings, nil
}

func (l *lab) Filter(_ context.Context, namespace string, p topology.Packet, hooks ...topology.FilterHook) (*topology.FilterVerdict, error) {
	for _, hook := range hooks {
		if l.verdict != nil {
			if v := l.verdict(namespace, p, hook); v != "" {
				return &topology.FilterVerdict{Verdict: v, Doubt: "it is up to the rate", Rule: topology.FilterRule{Family: "ip", Table: "t", Chain: "c", Hook: hook.Hook, Handle: 7, Text: "the rule"}}, nil
			}
		}
	}
	return &topology.FilterVerdict{Verdict: "accept"}, nil
}

func (l *lab) BridgeCalls(context.Context, string, string) (ipv4, ipv6 bool, err error) {
	return false, false, nil
}

func (l *lab) BridgeVLANs(context.Context, string) (map[string]topology.VLANs, error) {
	return l.vlans, nil
}

func vlan(pvid int, members ...int) topology.VLANs {
	v := topology.VLANs{PVID: pvid, Members: map[int]bool{}, Untagged: map[int]bool{pvid: true}}
	for _, m := range members {
		v.Members[m] = true
	}
	return v
}

func (l *lab) filtersVLANs(p1, p2 topology.VLANs) {
	l.link("sw/br0").Bridge.VLANFiltering = new(true)
	l.vlans = map[string]topology.VLANs{"p1": p1, "p2": p2}
}

func TestDiagnose(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(*lab)
		ask     Question
		check   string // first that is not ok
		subject string
		status  Status
		way     string
		says    string // in its detail
	}{
		{"nothing to be seen", func(*lab) {}, Question{}, "answer", "A", Unknown, Back, "not visible"},
		{"what the ping says", func(l *lab) { l.pingErr = "no buffer space available"; l.unknown = true }, Question{}, "neighbour", "A", Broken, There, "neighbour tables are full"},

		{"one VLAN", func(l *lab) { l.filtersVLANs(vlan(1, 1), vlan(1, 1)) }, Question{}, "answer", "A", Unknown, Back, ""},
		{"two VLANs", func(l *lab) { l.filtersVLANs(vlan(7, 7), vlan(1, 1)) }, Question{}, "vlan", "sw/p2", Broken, There, "VLAN 7"},
		{"no PVID", func(l *lab) { l.filtersVLANs(vlan(0, 7), vlan(7, 7)) }, Question{}, "vlan", "sw/p1", Broken, There, "no PVID"},
		{"another VLAN back", func(l *lab) { l.filtersVLANs(vlan(7, 7), vlan(8, 7, 8)) }, Question{}, "vlan", "sw/p1", Broken, Back, "VLAN 8"},

		{"spanning tree listens", func(l *lab) {
			l.link("sw/br0").Bridge.STP, l.link("sw/p2").BridgePort.State, l.unknown = new(true), "listening", true
		}, Question{}, "stp", "sw/p2", Unknown, There, "still listening"},
		{"spanning tree blocks", func(l *lab) {
			l.link("sw/br0").Bridge.STP, l.link("sw/p2").BridgePort.State = new(true), "blocking"
		}, Question{}, "stp", "sw/p2", Broken, There, "blocking"},

		{"incomplete", func(l *lab) { l.snapshot.Namespace("A").Incomplete = "it could not be entered" }, Question{}, "namespace", "A", Unknown, There, "cannot be read"},
		{"foreign end unseen", func(l *lab) { l.link("A/eth0").Peer = &topology.Peer{Ifindex: 7} }, Question{}, "peer", "A/eth0", Unknown, There, "does not see"},
		{"no link", func(l *lab) { n := l.snapshot.Namespace("A"); n.Links = n.Links[:1] }, Question{}, "link", "A", Broken, There, "no link but lo"},
		{"nobody", func(*lab) {}, Question{Address: "10.0.0.9"}, "neighbour", "A/eth0", Broken, There, "nobody"},
		{"maybe behind another link", func(l *lab) { l.link("sw/p2").Kind = "macvlan" }, Question{Address: "10.0.0.9"}, "peer", "sw/p2", Unknown, There, "may be behind"},
		{"address twice, as IPv6 finds", func(l *lab) {
			l.link("A/eth0").Addresses = []topology.Address{{CIDR: "2001:db8::1/64", Flags: []string{"dadfailed"}}}
		}, Question{Address: "2001:db8::2"}, "duplicate_address", "A/eth0", Broken, There, "does not use it"},

		{"a doubt", func(l *lab) {
			l.verdict = func(namespace string, _ topology.Packet, hook topology.FilterHook) string {
				return map[string]string{"B input": "unknown"}[namespace+" "+hook.Hook]
			}
		}, Question{}, "firewall", "B", Unknown, There, "up to the rate"},
		{"translation", func(l *lab) {
			l.verdict = func(namespace string, p topology.Packet, hook topology.FilterHook) string {
				return map[string]string{"B prerouting": "translate"}[namespace+" "+hook.Hook]
			}
		}, Question{}, "firewall", "B", Unknown, There, "other addresses"},
		{"replies dropped by the sender of them", func(l *lab) {
			l.verdict = func(namespace string, p topology.Packet, hook topology.FilterHook) string {
				if p.Reply && namespace == "B" && hook.Hook == "output" {
					return "drop"
				}
				return ""
			}
		}, Question{}, "firewall", "B", Broken, Back, "drops the reply"},

		{"a circle", func(l *lab) {
			l.settings = map[string]string{"net/ipv4/ip_forward": "1", "net/ipv4/conf/eth0/forwarding": "1"}
			l.routes = map[string]topology.RouteAnswer{
				"A": {Type: "unicast", Link: "eth0", Gateway: "10.0.0.2", Source: "10.0.0.1"}, "B": {Type: "unicast", Link: "eth0", Gateway: "10.0.0.1"},
			}
		}, Question{Address: "10.9.9.9"}, "loop", "A", Broken, There, "in a circle"},

		{"small MTU, reachable", func(l *lab) { l.replies = 1; l.link("sw/p2").MTU = 1000 }, Question{}, "mtu", "sw/p2", Warning, There, "drops what is longer"},
		{"a drop that is none", func(l *lab) {
			l.replies = 1
			l.verdict = func(namespace string, _ topology.Packet, hook topology.FilterHook) string {
				return map[string]string{"B input": "drop"}[namespace+" "+hook.Hook]
			}
		}, Question{}, "firewall", "B", Warning, There, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab()
			c.arrange(l)
			q := c.ask
			if q.Namespace = "A"; q.Address == "" {
				q.Address = "10.0.0.2"
			}
			d, err := Run(t.Context(), l, func() (World, error) { return World{l.snapshot, l.spec}, nil }, q)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range d.Checks {
				if got.Reason == "" || got.Detail != got.text() || strings.Contains(got.Detail, "{") {
					t.Errorf("not said: %+v", got)
				}
				if got.Status == OK {
					continue
				}
				if got.Check != c.check || got.Subject != c.subject || got.Status != c.status || got.Way != c.way || !strings.Contains(got.Detail, c.says) {
					t.Errorf("first: %+v", got)
				}
				if c.status == Unknown && c.check != "firewall" && i != len(d.Checks)-1 {
					t.Errorf("it goes on behind what cannot be seen: %+v", d.Checks[i+1:])
				}
				if (c.status == Broken) != (d.FirstBroken != nil) || c.status == Broken && d.Checks[*d.FirstBroken].Check != c.check {
					t.Errorf("first broken: %v", d.FirstBroken)
				}
				return
			}
			t.Errorf("all is well: %+v", d)
		})
	}
}

// What is not netdash's to change comes with commands instead of a repair.
func TestForeignIsOnlyAdvised(t *testing.T) {
	for subject, arrange := range map[string]func(*lab){
		"A/eth0": func(l *lab) { l.link("A/eth0").AdminUp, l.link("A/eth0").Managed = false, false },
		"B": func(l *lab) {
			l.settings["net/ipv4/icmp_echo_ignore_all"] = "1"
			l.snapshot.Namespace("B").Managed = false
		},
		"sw/br0": func(l *lab) {
			l.snapshot.Namespace("sw").FDB = []*topology.FDBEntry{{Bridge: "br0", MAC: "02:00:00:00:00:0b", Port: "p1", State: "static"}}
			l.link("sw/br0").Managed = false
		},
	} {
		l := newLab()
		arrange(l)
		d, err := Run(t.Context(), l, func() (World, error) { return World{l.snapshot, l.spec}, nil }, Question{Namespace: "A", Address: "10.0.0.2"})
		if err != nil {
			t.Fatal(err)
		}
		if d.FirstBroken == nil {
			t.Errorf("%s: %+v", subject, d)
			continue
		}
		if c := d.Checks[*d.FirstBroken]; c.Subject != subject || c.Repair != nil || len(c.Advice) != 1 {
			t.Errorf("%s: %+v", subject, c)
		}
	}
}

// A default route is proposed where one router, and no other, is on the network.
func TestRouterIsProposed(t *testing.T) {
	l := newLab()
	b := l.snapshot.Namespace("B")
	second := *l.link("B/eth0")
	second.Name, second.Addresses, second.Peer = "eth1", []topology.Address{{CIDR: "10.0.9.1/24"}}, nil
	b.Links = append(b.Links, &second)
	d, err := Run(t.Context(), l, func() (World, error) { return World{l.snapshot, l.spec}, nil }, Question{Namespace: "A", Address: "10.0.9.7"})
	if err != nil || d.FirstBroken == nil {
		t.Fatalf("%+v, %v", d, err)
	}
	c := d.Checks[*d.FirstBroken]
	if c.Check != "route" || c.Repair == nil || c.Repair.Request.Path != "/namespaces/A/routes" || c.Repair.Request.Body["gateway"] != "10.0.0.2" ||
		c.Repair.Reason != "default_route" || c.Repair.Values["gateway"] != "10.0.0.2" || c.Repair.Description != "send what is for elsewhere to 10.0.0.2" {
		t.Errorf("%+v", c)
	}
}

func TestSomeMAC(t *testing.T) {
	a, b := &topology.Link{Key: "4-1:7"}, &topology.Link{Key: "4-1:8"}
	again := *a
	if someMAC(a) == someMAC(b) || someMAC(a) != someMAC(&again) || len(someMAC(a)) != 17 {
		t.Errorf("%s, %s", someMAC(a), someMAC(b))
	}
}

func TestFamily(t *testing.T) {
	list := prefixes([]string{"10.0.0.1/24", "2001:db8::1/64", "fe80::1/64", "nonsense"})
	for like, want := range map[string]string{"10.9.9.9": "10.0.0.1/24", "2001:db8::9": "2001:db8::1/64", "fe80::9": "fe80::1/64"} {
		if got := texts(family(list, netip.MustParseAddr(like))); got != want {
			t.Errorf("like %s: %s", like, got)
		}
	}
}
