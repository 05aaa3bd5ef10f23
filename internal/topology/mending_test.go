package topology

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// asLive writes a state as live would show it.
func asLive(f *state, x *Intent) *Snapshot {
	s := &Snapshot{}
	for _, name := range append([]string{HostName}, f.namespaces...) {
		n := &NamespaceState{ID: "id of " + name, Name: name, Managed: x.Namespace(name)}
		for _, l := range f.links {
			if l.namespace != name {
				continue
			}
			o := &Link{
				Namespace: name, Name: l.name, Kind: l.kind, MAC: cmp.Or(l.mac, "02:aa:aa:aa:aa:aa"), MTU: cmp.Or(l.mtu, 1500),
				Alias: l.alias, AdminUp: l.up, Master: l.master, AddressGeneration: generation(l.quiet),
			}
			for _, a := range l.addresses {
				o.Addresses = append(o.Addresses, Address{CIDR: a, Scope: "global"})
			}
			if l.kind == kindBridge {
				o.Bridge = &BridgeInfo{BridgeAttributes: defaultBridge}
				merge(&o.Bridge.BridgeAttributes, l.bridge)
			}
			if l.master != "" {
				o.BridgePort = &PortInfo{PortAttributes: defaultPort}
				merge(&o.BridgePort.PortAttributes, l.port)
			}
			if l.kind == kindVeth && l.peer != nil {
				o.Peer = &Peer{Known: true, Namespace: l.peer.namespace, Name: l.peer.name}
			}
			if is := x.state.link(l.linkKey); l.kind == kindLoopback || l.uid != 0 {
				o.Managed = true
				if l.uid != 0 && (is == nil || is.uid != l.uid) {
					o.Intended = new(x.state.byUID()[l.uid].ref())
				}
			}
			n.Links = append(n.Links, o)
		}
		for _, r := range f.routes {
			if r.Namespace == name {
				family := map[bool]string{true: "inet6", false: "inet"}[r.is6()]
				n.Routes = append(n.Routes, &RouteState{Namespace: name, Destination: r.Destination, Family: family, Gateway: r.Gateway, Link: r.Link, Metric: r.key().metric})
			}
		}
		for _, e := range f.fdb {
			if e.namespace == name {
				n.FDB = append(n.FDB, &FDBEntry{Namespace: name, Bridge: e.bridge, MAC: e.MAC, Port: e.Port, VLAN: e.VLAN, State: "static"})
			}
		}
		s.Namespaces = append(s.Namespaces, n)
	}
	return s
}

// perturb does to a state what somebody with ip might.
func perturb(r *rand.Rand, f *state) {
	place := func() string { return pick(r, append([]string{HostName}, f.namespaces...)) }
	var links []*link
	for _, l := range f.links {
		if l.kind != kindLoopback {
			links = append(links, l)
		}
	}
	if len(links) == 0 {
		return
	}
	l := pick(r, links)
	switch r.IntN(13) {
	case 0:
		f.apply(DeleteLink{l.namespace, l.name})
	case 1, 2:
		f.apply(SetUp{l.namespace, l.name, !l.up})
	case 3:
		if f.link(linkKey{l.namespace, "renamed"}) == nil {
			f.apply(Rename{l.namespace, l.name, "renamed"})
		}
	case 4:
		if to := place(); l.kind == kindVeth && f.link(linkKey{to, l.name}) == nil {
			f.apply(Move{Namespace: l.namespace, Name: l.name, ToNamespace: to})
		}
	case 5:
		f.apply(SetMTU{l.namespace, l.name, 1000 + r.IntN(400)})
	case 6:
		f.apply(SetAlias{l.namespace, l.name, "changed"})
	case 7:
		f.apply(SetMaster{l.namespace, l.name, ""})
	case 8:
		if len(l.addresses) > 0 {
			f.apply(DeleteAddress{l.namespace, l.name, pick(r, l.addresses)})
		} else {
			f.apply(AddAddress{l.namespace, l.name, "10.0.0.77/24"})
		}
	case 9:
		if len(f.namespaces) > 0 {
			f.apply(DeleteNamespace{pick(r, f.namespaces)})
		}
	case 10:
		if len(f.routes) > 0 {
			f.apply(DeleteRoute{pick(r, f.routes)})
		}
	case 11:
		if len(f.fdb) > 0 {
			e := pick(r, f.fdb)
			f.apply(DeleteFDB{e.namespace, e.bridge, e.FDBSpec})
		}
	case 12:
		f.apply(DeleteLink{l.namespace, l.name})
		f.add(&link{linkKey: l.linkKey, kind: "dummy"})
	}
}

// perturbed gives a random intention, and what has become of it.
func perturbed(r *rand.Rand) (*Intent, *state) {
	s := randomSpec(r)
	mutate(r, s) // for the identities
	x := NewIntent(s)
	f := x.state.clone()
	for range 1 + r.IntN(4) {
		perturb(r, f)
	}
	return x, f
}

// carryOut simulates a Plan.
func carryOut(t *testing.T, seed uint64, f *state, p Plan) {
	t.Helper()
	for i, c := range p {
		if problem := impossible(f, c); problem != "" {
			t.Fatalf("seed %d, step %d (%s): %s\n%s", seed, i, c.Command(), problem, commands(p))
		}
		f.apply(c)
	}
}

func foreignLinks(f *state) map[string]link {
	out := map[string]link{}
	for _, l := range f.links {
		if l.kind == "dummy" {
			out[l.linkKey.String()] = *l
		}
	}
	return out
}

// TestDriftOfEverything leads what somebody has changed at random back to what
// is intended, but for what an obstacle stands for.
func TestDriftOfEverything(t *testing.T) {
	plans, blocked := 0, 0
	for seed := range uint64(6000) {
		r := rand.New(rand.NewPCG(seed, 3))
		x, f := perturbed(r)
		snapshot, foreign := asLive(f, x), foreignLinks(f)
		m, err := x.DriftOf(snapshot, nil)
		if err != nil {
			t.Fatal(err)
		}
		carryOut(t, seed, f, m.Plan)
		if now := foreignLinks(f); !reflect.DeepEqual(now, foreign) {
			t.Fatalf("seed %d: foreign links were\n%v\nand are\n%v", seed, foreign, now)
		}
		if err := Obstacle(m.Plan, snapshot); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		after := asLive(f, x)
		if unmet := m.Unmet(after); len(unmet) > 0 {
			t.Fatalf("seed %d: %v\n%s", seed, unmet, commands(m.Plan))
		}
		rest := x.Differences(after)
		if len(rest) > 0 != (len(m.Obstacles) > 0) {
			t.Fatalf("seed %d: obstacles %v, but left is %v after\n%s", seed, m.Obstacles, rest, commands(m.Plan))
		}
		again, err := x.DriftOf(after, nil)
		if err != nil || len(again.Plan) > 0 {
			t.Fatalf("seed %d: a second time it would do (%v)\n%s", seed, err, commands(again.Plan))
		}
		plans, blocked = plans+min(1, len(m.Plan)), blocked+min(1, len(m.Obstacles))
	}
	if plans < 2000 || blocked < 200 {
		t.Errorf("only %d Plans and %d obstacles: this tests nothing", plans, blocked)
	}
}

// TestDriftOfOne mends one thing that differs, named as the difference names it.
func TestDriftOfOne(t *testing.T) {
	left := 0
	for seed := range uint64(8000) {
		r := rand.New(rand.NewPCG(seed, 4))
		x, f := perturbed(r)
		snapshot := asLive(f, x)
		before := x.Differences(snapshot)
		if len(before) == 0 {
			continue
		}
		d := pick(r, before)
		m, err := x.DriftOf(snapshot, []string{d.Subject})
		if err != nil {
			t.Fatal(err)
		}
		// Routes that differ only in their metric are named alike.
		if len(m.Plan) > 0 && m.Unmet(snapshot) == nil && !strings.HasPrefix(m.Plan[len(m.Plan)-1].Kind(), "route") {
			t.Fatalf("seed %d: the Plan\n%s\nis met before it is carried out, though %v", seed, commands(m.Plan), before)
		}
		carryOut(t, seed, f, m.Plan)
		after := asLive(f, x)
		rest := x.Differences(after)
		for _, is := range rest {
			if len(m.Obstacles) == 0 && is.Subject == d.Subject {
				t.Fatalf("seed %d: to mend %v it did\n%s\nand %v", seed, d, commands(m.Plan), is)
			}
			of, _ := parseSubject(is.Subject)
			if !slices.ContainsFunc(before, func(was Difference) bool {
				// What is missing hides what else would differ of it.
				return reflect.DeepEqual(was, is) || was.Kind == DifferenceMissing && (was.Subject == of.namespace || was.Subject == of.key().String())
			}) {
				t.Fatalf("seed %d: to mend %v it did\n%s\nand made\n%v\nof\n%v", seed, d, commands(m.Plan), rest, before)
			}
		}
		if unmet := m.Unmet(after); len(unmet) > 0 {
			t.Fatalf("seed %d: %v\n%s", seed, unmet, commands(m.Plan))
		}
		left += len(rest)
	}
	if left < 3000 {
		t.Errorf("only %d differences were left alone: this tests nothing", left)
	}
}

// TestDriftOfNamed: what is named is mended with what it needs, and nothing else.
func TestDriftOfNamed(t *testing.T) {
	spec := lab(t, func(s *Spec) error {
		s.Namespaces = []Namespace{{Name: "A"}, {Name: "B"}}
		s.Bridges = []Bridge{{Namespace: "B", Name: "br0", FDB: []FDBSpec{{MAC: "02:00:00:00:00:09", Port: "p1"}}}}
		s.Veths = []Veth{
			{
				A: End{Identity: Identity{MAC: "02:00:00:00:0a:01"}, Namespace: "A", Name: "eth0", Addresses: []string{"10.0.0.1/24", "10.0.1.1/24"}},
				B: End{Identity: Identity{MAC: "02:00:00:00:0b:01"}, Namespace: "B", Name: "p1", Master: "br0"},
			},
			{A: End{Namespace: "A", Name: "eth1"}, B: End{Namespace: "B", Name: "p2", Master: "br0"}},
		}
		s.Routes = []Route{{Namespace: "A", Destination: "10.9.0.0/16", Gateway: "10.0.0.254"}, {Namespace: "A", Destination: "default", Gateway: "10.0.1.254"}}
		return nil
	})
	mutate(rand.New(rand.NewPCG(1, 1)), spec)
	x := NewIntent(spec)
	remade := []string{
		"ip -n A link add eth0 address 02:00:00:00:0a:01 type veth peer name p1 address 02:00:00:00:0b:01 netns B",
		"ip -n B link set dev p1 addrgenmode none",
		"ip -n B link set dev p1 master br0",
		"ip -n A address add 10.0.0.1/24 dev eth0",
		"ip -n A address add 10.0.1.1/24 dev eth0",
		"ip -n A link set dev eth0 up",
		"ip -n B link set dev p1 up",
		"ip -n A route add 10.9.0.0/16 via 10.0.0.254 dev eth0",
		"ip -n A route add default via 10.0.1.254 dev eth0",
		"bridge -n B fdb add 02:00:00:00:00:09 dev p1 master static",
	}
	everywhere := []Change{
		SetUp{"A", "eth1", false}, SetMTU{"B", "p2", 1300}, SetMaster{"B", "p2", ""}, SetUp{"B", "lo", false}, SetAlias{"B", "br0", "x"},
	}
	for _, c := range []struct {
		subject string
		done    []Change
		want    []string
	}{
		{"A/eth0", []Change{SetUp{"A", "eth0", false}, SetMTU{"B", "p1", 1400}}, []string{
			"ip -n A link set dev eth0 up",
			"ip -n A route add 10.9.0.0/16 via 10.0.0.254 dev eth0",
			"ip -n A route add default via 10.0.1.254 dev eth0",
		}},
		{"B/p1", []Change{DeleteLink{"A", "eth0"}}, remade},
		{"A/eth0 10.0.1.1/24", []Change{DeleteAddress{"A", "eth0", "10.0.0.1/24"}, DeleteAddress{"A", "eth0", "10.0.1.1/24"}}, []string{"ip -n A address add 10.0.1.1/24 dev eth0"}},
		{"A/eth0 10.0.1.1/24", []Change{DeleteLink{"A", "eth0"}}, remade},
		{"A 10.9.0.0/16", []Change{DeleteRoute{x.state.routes[0]}, DeleteRoute{x.state.routes[1]}}, []string{"ip -n A route add 10.9.0.0/16 via 10.0.0.254 dev eth0"}},
		{"A 0.0.0.0/0", []Change{DeleteRoute{x.state.routes[1]}}, []string{"ip -n A route add default via 10.0.1.254 dev eth0"}},
		{"B/br0 02:00:00:00:00:09", []Change{DeleteFDB{"B", "br0", spec.Bridges[0].FDB[0]}}, []string{"bridge -n B fdb add 02:00:00:00:00:09 dev p1 master static"}},
		{"B/br0 02:00:00:00:00:09", []Change{SetMaster{"B", "p1", ""}}, []string{
			"ip -n B link set dev p1 master br0", "bridge -n B fdb add 02:00:00:00:00:09 dev p1 master static",
		}},
		{"A/eth0", []Change{AddAddress{"A", "eth0", "10.7.0.1/24"}, AddAddress{"A", "eth1", "10.8.0.1/24"}}, []string{"ip -n A address delete 10.7.0.1/24 dev eth0"}},
	} {
		f := x.state.clone()
		for _, change := range slices.Concat(everywhere, c.done) {
			f.apply(change)
		}
		m, err := x.DriftOf(asLive(f, x), []string{c.subject})
		if err != nil {
			t.Errorf("%s: %v", c.subject, err)
			continue
		}
		wantCommands(t, m.Plan, c.want...)
	}
	// A namespace with all in it, and a bridge with its ports.
	f := x.state.clone()
	f.apply(DeleteNamespace{"B"})
	m, err := x.DriftOf(asLive(f, x), []string{"B"})
	if got := commands(m.Plan); err != nil || strings.Count(got, "link add") != 3 || !strings.HasPrefix(got, "ip netns add B\n") || !slices.Equal(m.Concerned, []string{"A", "B"}) {
		t.Errorf("%v, concerned %v, %v", got, m.Concerned, err)
	}
	f = x.state.clone()
	f.apply(SetUp{"A", "eth1", false})
	f.apply(DeleteLink{"B", "br0"})
	m, err = x.DriftOf(asLive(f, x), []string{"B/br0"})
	if got := commands(m.Plan); err != nil || strings.Count(got, "master br0") != 2 || strings.Contains(got, "eth1") {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDriftOfRefuses(t *testing.T) {
	x := NewIntent(lab(t, twoHosts))
	for text, code := range map[string]Code{
		"": CodeInvalid, " ": CodeInvalid, "A/": CodeInvalid, "/veth0": CodeInvalid, "A/veth0/x": CodeInvalid, "A/a-name-that-is-too-long": CodeInvalid,
		"A/veth0 nonsense": CodeInvalid, "A nonsense": CodeInvalid, "A/veth0 ": CodeInvalid, "A/veth0 192.168.1.1": CodeInvalid, "A  10.0.0.0/8": CodeInvalid,
		"C": CodeNotFound, "host": CodeNotFound, "A/veth1": CodeNotFound, "A/veth0 192.168.1.9/24": CodeNotFound, "A 10.0.0.0/8": CodeNotFound,
		"A default": CodeNotFound, "A/veth0 02:00:00:00:00:01": CodeNotFound, "host/lo": CodeNotFound,
		"A": "", "A/lo": "", "A/veth0": "", "A/veth0 192.168.1.1/24": "",
	} {
		_, err := x.DriftOf(&Snapshot{}, []string{"B", text})
		if CodeOf(err) != code {
			t.Errorf("%q: %v, want code %q", text, err, code)
		}
		if e, ok := errors.AsType[*Error](err); code == CodeInvalid && (!ok || len(e.Fields) != 1 || e.Fields[0].Pointer != "/subjects/1") {
			t.Errorf("%q: %+v", text, e)
		}
	}
	_, err := x.DriftOf(&Snapshot{}, []string{"A/", "A", "/"})
	if e, ok := errors.AsType[*Error](err); !ok || len(e.Fields) != 2 {
		t.Errorf("not all that is wrong is reported: %v", err)
	}
}

// TestDriftOfWithholds: nothing is planned because of what an incomplete
// namespace seems to lack.
func TestDriftOfWithholds(t *testing.T) {
	x := NewIntent(lab(t, twoHosts))
	f := x.state.clone()
	f.apply(DeleteLink{"A", "veth0"})
	f.apply(SetUp{"A", "lo", false})
	f.apply(SetUp{"B", "lo", false})
	s := asLive(f, x)
	s.Namespace("B").Incomplete = "a dump failed"
	m, err := x.DriftOf(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantCommands(t, m.Plan, "ip -n A link set dev lo up")
}
