package topology

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func lab(t *testing.T, edits ...func(*Spec) error) *Spec {
	t.Helper()
	s := &Spec{}
	for _, e := range edits {
		if err := e(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := Validate(s); err != nil {
		t.Fatal(err)
	}
	return s
}

func edited(t *testing.T, s *Spec, edit func(*Spec) error) *Spec {
	t.Helper()
	return lab(t, func(c *Spec) error { *c = *s.Clone(); return edit(c) })
}

func twoHosts(s *Spec) error {
	s.Namespaces = []Namespace{{Name: "A"}, {Name: "B"}}
	s.Veths = []Veth{{
		A: End{Namespace: "A", Name: "veth0", Addresses: []string{"192.168.1.1/24"}},
		B: End{Namespace: "B", Name: "veth1", Addresses: []string{"192.168.1.2/24"}},
	}}
	return nil
}

func commands(p Plan) string { return strings.Join(p.Commands(), "\n") }

func wantCommands(t *testing.T, p Plan, want ...string) {
	t.Helper()
	if got := commands(p); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestDiffBuildsTwoHosts(t *testing.T) {
	wantCommands(t, Diff(&Spec{}, lab(t, twoHosts)),
		"ip netns add A",
		"ip netns add B",
		"ip -n A link add veth0 type veth peer name veth1 netns B",
		"ip -n A address add 192.168.1.1/24 dev veth0",
		"ip -n B address add 192.168.1.2/24 dev veth1",
		"ip -n A link set dev lo up",
		"ip -n B link set dev lo up",
		"ip -n A link set dev veth0 up",
		"ip -n B link set dev veth1 up",
	)
}

func TestDiffDeletesNamespaceWithItsVeths(t *testing.T) {
	from := lab(t, twoHosts)
	to := edited(t, from, func(s *Spec) error { return s.RemoveNamespace("A") })
	if len(to.Veths) != 0 {
		t.Error("the veth outlived its end")
	}
	wantCommands(t, Diff(from, to), "ip -n A link delete dev veth0", "ip netns delete A")
	// With both ends in deleted namespaces the kernel does it by itself.
	wantCommands(t, Diff(from, &Spec{}), "ip netns delete A", "ip netns delete B")
}

func TestDiffFreesNamesBeforeItUsesThem(t *testing.T) {
	from := lab(t, twoHosts)
	to := edited(t, from, func(s *Spec) error {
		if err := s.RemoveNamespace("A"); err != nil {
			return err
		}
		if err := s.AddNamespace(Namespace{Name: "C"}); err != nil {
			return err
		}
		return s.AddVeth(Veth{A: End{Namespace: "C", Name: "x"}, B: End{Namespace: "B", Name: "veth1"}})
	})
	// By its other end this is the same pair: it moves before A goes.
	wantCommands(t, Diff(from, to),
		"ip -n B address delete 192.168.1.2/24 dev veth1",
		"ip netns add C",
		"ip -n A link set dev veth0 netns C name x",
		"ip netns delete A",
		"ip -n C link set dev lo up",
		"ip -n C link set dev x up",
	)
}

func TestDiffRenamesByIdentity(t *testing.T) {
	from := lab(t, twoHosts, func(s *Spec) error {
		s.Veths[0].A.ID, s.Veths[0].B.ID = 1, 2
		s.Veths[0].A.Addresses = append(s.Veths[0].A.Addresses, "2001:db8::1/64")
		return s.AddRoute(Route{Namespace: "A", Destination: "default", Gateway: "192.168.1.2"})
	})
	to := edited(t, from, func(s *Spec) error {
		_, _, err := s.PatchLink("A", "veth0", LinkPatch{Name: ptr("eth0")})
		return err
	})
	// Taking it down costs the route and the IPv6 address; both come back.
	wantCommands(t, Diff(from, to),
		"ip -n A link set dev veth0 down",
		"ip -n A link set dev veth0 name eth0",
		"ip -n A address add 2001:db8::1/64 dev eth0",
		"ip -n A link set dev eth0 up",
		"ip -n A route add default via 192.168.1.2 dev eth0",
	)
}

func TestDiffSwapsNames(t *testing.T) {
	from := lab(t, func(s *Spec) error {
		return s.AddVeth(Veth{
			A: End{Identity: Identity{ID: 1}, Namespace: HostName, Name: "x", AdminUp: ptr(false)},
			B: End{Identity: Identity{ID: 2}, Namespace: HostName, Name: "y", AdminUp: ptr(false)},
		})
	})
	to := from.Clone()
	to.Veths[0].A.Name, to.Veths[0].B.Name = "y", "x"
	wantCommands(t, Diff(from, to),
		"ip link set dev y name netdash0",
		"ip link set dev x name y",
		"ip link set dev netdash0 name x",
	)
}

func TestDiffKeepsSecondaryAddresses(t *testing.T) {
	from := lab(t, twoHosts, func(s *Spec) error {
		s.Veths[0].A.Addresses = []string{"10.0.0.1/24", "10.0.0.2/24", "10.9.0.1/24"}
		return nil
	})
	to := edited(t, from, func(s *Spec) error { return s.RemoveAddress("A", "veth0", "10.0.0.1/24") })
	wantCommands(t, Diff(from, to),
		"ip -n A address delete 10.0.0.2/24 dev veth0",
		"ip -n A address delete 10.0.0.1/24 dev veth0",
		"ip -n A address add 10.0.0.2/24 dev veth0",
	)
}

func TestDiffDownKeepsRouteDormant(t *testing.T) {
	from := lab(t, twoHosts, func(s *Spec) error {
		return s.AddRoute(Route{Namespace: "A", Destination: "10.0.0.0/8", Gateway: "192.168.1.2"})
	})
	down := edited(t, from, func(s *Spec) error {
		_, _, err := s.PatchLink("A", "veth0", LinkPatch{AdminUp: ptr(false)})
		return err
	})
	wantCommands(t, Diff(from, down), "ip -n A link set dev veth0 down")
	wantCommands(t, Diff(down, from),
		"ip -n A link set dev veth0 up",
		"ip -n A route add 10.0.0.0/8 via 192.168.1.2 dev veth0",
	)
}

// TestDiffIsRight leads random Specs to random others and simulates the Plan.
func TestDiffIsRight(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		a := randomSpec(r)
		var b *Spec
		if seed%2 == 0 {
			b = randomSpec(r)
		} else {
			b = mutate(r, a)
		}
		if err := Validate(b); err != nil {
			t.Fatalf("seed %d: the generator made an invalid Spec: %v", seed, err)
		}
		p := Diff(a, b)
		got := flatten(a)
		for i, c := range p {
			if problem := impossible(got, c); problem != "" {
				t.Fatalf("seed %d: step %d (%s): %s\n%s", seed, i, c.Command(), problem, commands(p))
			}
			got.apply(c)
		}
		if g, w := normal(got), normal(flatten(b)); !reflect.DeepEqual(g, w) {
			t.Fatalf("seed %d: the Plan\n%s\nleads to\n%v\nnot to\n%v", seed, commands(p), g, w)
		}
		if rest := Diff(b, b.Clone()); len(rest) > 0 {
			t.Fatalf("seed %d: a Spec differs from itself: %s", seed, commands(rest))
		}
	}
}

// impossible says why the kernel would refuse a step.
func impossible(f *state, c Change) string {
	free := func(k linkKey) string {
		if !f.hasNamespace(k.namespace) {
			return "no namespace " + k.namespace
		}
		if f.link(k) != nil {
			return k.String() + " is taken"
		}
		return ""
	}
	switch c := c.(type) {
	case CreateVeth:
		return free(linkKey{c.A.Namespace, c.A.Name}) + free(linkKey{c.B.Namespace, c.B.Name})
	case CreateBridge:
		return free(linkKey{c.Namespace, c.Name})
	case Rename:
		if f.link(linkKey{c.Namespace, c.Name}).up {
			return "renamed while up"
		}
		return free(linkKey{c.Namespace, c.To})
	case SetMaster:
		if b := f.link(linkKey{c.Namespace, c.Master}); c.Master != "" && (b == nil || b.kind != kindBridge) {
			return "no such master"
		}
	case AddRoute:
		l := f.link(linkKey{c.Route.Namespace, c.Route.Link})
		if l == nil || !l.up {
			return "route through a link that is not up"
		}
	case AddFDB:
		l := f.link(linkKey{c.Namespace, c.Entry.Port})
		if b := f.link(linkKey{c.Namespace, c.Bridge}); b == nil || b.kind != kindBridge || l == nil || c.Entry.Port != c.Bridge && l.master != c.Bridge {
			return "entry for a link that is no port"
		}
	}
	return ""
}

// normal writes a state so that two can be compared.
func normal(f *state) map[string]string {
	out := map[string]string{}
	for _, n := range f.namespaces {
		out[n] = "namespace"
	}
	for _, l := range f.links {
		peer := ""
		if l.peer != nil {
			peer = l.peer.linkKey.String()
		}
		addresses := slices.Sorted(slices.Values(l.addresses))
		b, p := defaultBridge, defaultPort
		merge(&b, l.bridge)
		merge(&p, l.port)
		out[l.linkKey.String()] = fmt.Sprint(l.kind, l.mtu, l.alias, l.up, l.quiet, l.master, addresses, peer, fields(b), fields(p))
	}
	for _, r := range f.routes {
		out[fmt.Sprint("route ", r)] = ""
	}
	for _, e := range f.fdb {
		out[fmt.Sprint("fdb ", e.id())] = ""
	}
	return out
}

func randomSpec(r *rand.Rand) *Spec {
	s := &Spec{}
	if r.IntN(4) == 0 {
		s.IPv6 = ptr(r.IntN(2) == 0)
	}
	places := []string{HostName}
	for _, n := range []string{"A", "B", "C", "D"}[:r.IntN(5)] {
		s.Namespaces = append(s.Namespaces, Namespace{Name: n, LoopbackUp: maybe(r, ptr(r.IntN(2) == 0)), IPv6: maybe(r, ptr(r.IntN(2) == 0))})
		places = append(places, n)
	}
	for i := range r.IntN(3) {
		b := Bridge{Namespace: pick(r, places), Name: fmt.Sprint("br", i), AdminUp: maybe(r, ptr(r.IntN(2) == 0))}
		b.STP, b.AgeingSeconds = maybe(r, ptr(r.IntN(2) == 0)), maybe(r, ptr(r.IntN(400)))
		b.Addresses = randomAddresses(r)
		s.Bridges = append(s.Bridges, b)
	}
	for i := range r.IntN(6) {
		end := func(side string) End {
			e := End{Namespace: pick(r, places), Name: fmt.Sprint(side, (i+r.IntN(2))%6), MTU: pick(r, []int{0, 0, 1400, 9000}), Alias: pick(r, []string{"", "", "x"}), AdminUp: maybe(r, ptr(r.IntN(2) == 0))}
			if m := bridgeIn(s, e.Namespace); m != "" && r.IntN(2) == 0 {
				e.Master = m
				if r.IntN(3) == 0 {
					e.BridgePort = &PortAttributes{Hairpin: maybe(r, ptr(true)), Isolated: maybe(r, ptr(true))}
				}
			} else {
				e.Addresses = randomAddresses(r)
			}
			return e
		}
		v := Veth{A: end("p"), B: end("q")}
		if !s.hasLink(v.A.Namespace, v.A.Name) && !s.hasLink(v.B.Namespace, v.B.Name) {
			s.Veths = append(s.Veths, v)
		}
	}
	for _, v := range s.Veths {
		if v.B.Master != "" && r.IntN(2) == 0 {
			_ = s.AddFDB(v.B.Namespace, v.B.Master, FDBSpec{MAC: fmt.Sprintf("02:00:00:00:00:%02x", r.IntN(4)), Port: v.B.Name})
		}
	}
	for range r.IntN(4) {
		route := Route{Namespace: pick(r, places), Destination: pick(r, []string{"default", "10.77.0.0/16", "2001:db8:77::/48"}), Metric: r.IntN(2) * 50}
		route.Gateway = map[bool]string{true: "2001:db8::99", false: fmt.Sprintf("10.0.%d.99", r.IntN(3))}[strings.Contains(route.Destination, ":")]
		if _, problem := newLookup(s).egress(route); problem == nil {
			_ = s.AddRoute(route)
		}
	}
	return s
}

// mutate edits as a caller would, with identities, so that renames and moves
// are told apart from deletions and creations.
func mutate(r *rand.Rand, a *Spec) *Spec {
	id := int64(0)
	for i := range a.Bridges {
		id++
		a.Bridges[i].ID = id
	}
	for i := range a.Veths {
		a.Veths[i].A.ID, a.Veths[i].B.ID = id+1, id+2
		id += 2
	}
	b := a.Clone()
	for range 1 + r.IntN(3) {
		switch {
		case r.IntN(4) == 0 && len(b.Namespaces) > 0:
			_ = b.RemoveNamespace(b.Namespaces[r.IntN(len(b.Namespaces))].Name)
		case r.IntN(3) == 0 && len(b.Bridges) > 0:
			br := b.Bridges[r.IntN(len(b.Bridges))]
			if r.IntN(2) == 0 {
				_ = b.RemoveLink(br.Namespace, br.Name)
			} else {
				_, _, _ = b.PatchLink(br.Namespace, br.Name, LinkPatch{Name: ptr("renamed")})
			}
		case len(b.Veths) > 0:
			v := b.Veths[r.IntN(len(b.Veths))]
			c := b.Clone()
			_, _, err := c.PatchLink(v.A.Namespace, v.A.Name, LinkPatch{
				Name: maybe(r, ptr("moved")), Namespace: maybe(r, ptr(HostName)), AdminUp: maybe(r, ptr(true)), Master: maybe(r, ptr("")),
			})
			if err == nil && Validate(c) == nil {
				b = c
			}
		}
	}
	return b
}

func randomAddresses(r *rand.Rand) []string {
	var out []string
	for range r.IntN(3) {
		a := pick(r, []string{"10.0.0.%d/24", "10.0.1.%d/24", "10.0.2.%d/16", "2001:db8::%d/64"})
		a = fmt.Sprintf(a, 1+r.IntN(9))
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

func bridgeIn(s *Spec, namespace string) string {
	for _, b := range s.Bridges {
		if b.Namespace == namespace {
			return b.Name
		}
	}
	return ""
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func maybe[T any](r *rand.Rand, p *T) *T {
	if r.IntN(2) == 0 {
		return nil
	}
	return p
}

// TestEveryChangeSaysItsCommand keeps kinds distinct from subjects and commands
// from being empty, for whatever Plans come up.
func TestEveryChangeSaysItsCommand(t *testing.T) {
	kinds := map[string]bool{}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		for _, rec := range Diff(randomSpec(r), randomSpec(r)).Records() {
			if rec.Kind == "" || rec.Subject == "" || !strings.HasPrefix(rec.Command, "ip ") && !strings.HasPrefix(rec.Command, "bridge ") {
				t.Fatalf("incomplete record %+v", rec)
			}
			kinds[rec.Kind] = true
		}
	}
	want := []string{"address.add", "address.delete", "bridge.create", "fdb.add", "fdb.delete", "link.delete", "link.set", "namespace.create", "namespace.delete", "route.add", "route.delete", "veth.create"}
	if got := slices.Sorted(maps.Keys(kinds)); !slices.Equal(got, want) {
		t.Errorf("kinds %v, want %v", got, want)
	}
}

// TestNotYetRead plans for a namespace that is known, but whose links are not.
func TestNotYetRead(t *testing.T) {
	s := &Spec{Namespaces: []Namespace{{Name: "A"}}}
	observed := &Snapshot{Namespaces: []*NamespaceState{{Name: HostName}, {ID: "4-1", Name: "A", Names: []string{"A"}, Managed: true, Sync: InSync}}}
	if p := Drift(s, observed); len(p) > 0 {
		t.Errorf("planned %v", p.Commands())
	}
}
