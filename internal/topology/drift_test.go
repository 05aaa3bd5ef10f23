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

// kernel is a made-up kernel: a state of which some links were made by netdash
// and others by somebody else.
type kernel struct {
	*state
	want *state
	ours map[*link]linkKey // links of the state that netdash made, by what they are
}

// built has everything of a Spec, and a namespace F of somebody else.
func built(s *Spec) *kernel {
	want := flatten(s)
	k := &kernel{want.clone(), want, map[*link]linkKey{}}
	for _, l := range k.links {
		k.ours[l] = l.linkKey
	}
	k.apply(CreateNamespace{"F"})
	return k
}

// snapshot is what live would show: it remembers its links.
func (k *kernel) snapshot() *Snapshot {
	s := &Snapshot{}
	states := map[string]*NamespaceState{}
	for i, name := range append([]string{HostName}, k.namespaces...) {
		n := &NamespaceState{ID: fmt.Sprint("4-", i), Name: name, Managed: slices.Contains(k.want.namespaces, name), Sync: InSync}
		states[name], s.Namespaces = n, append(s.Namespaces, n)
	}
	claimed := map[linkKey]bool{}
	for _, is := range k.ours {
		claimed[is] = true
	}
	for i, l := range k.links {
		o := &Link{
			Namespace: l.namespace, Name: l.name, Ifindex: i + 1, Kind: l.kind, MAC: l.mac, MTU: l.mtu, AdminUp: l.up, Alias: l.alias,
			Master: l.master, AddressGeneration: generation(l.quiet), Sync: Foreign,
		}
		if o.MTU == 0 {
			o.MTU = 1500
		}
		b, p := defaultBridge, defaultPort
		merge(&b, l.bridge)
		merge(&p, l.port)
		if l.kind == kindBridge {
			o.Bridge = &BridgeInfo{BridgeAttributes: b}
		}
		if l.master != "" {
			o.BridgePort = &PortInfo{PortAttributes: p}
		}
		if l.peer != nil {
			o.Peer = &Peer{Known: true, Namespace: l.peer.namespace, Name: l.peer.name}
		}
		for _, a := range l.addresses {
			o.Addresses = append(o.Addresses, Address{CIDR: a, Scope: "global"})
		}
		if is, ours := k.ours[l]; ours {
			o.Managed, o.Sync = true, InSync
			if is != l.linkKey {
				o.Intended = ptr(is.ref())
			}
		}
		states[l.namespace].Links = append(states[l.namespace].Links, o)
	}
	for _, r := range k.routes {
		o := missingRoute(r)
		o.Sync = Foreign
		states[r.Namespace].Routes = append(states[r.Namespace].Routes, o)
	}
	for _, e := range k.fdb {
		states[e.namespace].FDB = append(states[e.namespace].FDB, &FDBEntry{
			Namespace: e.namespace, Bridge: e.bridge, MAC: e.MAC, Port: e.Port, VLAN: e.VLAN, State: staticOrLocal(e),
		})
	}
	return s
}

// forget drops from ours what is gone.
func (k *kernel) forget() {
	for l := range k.ours {
		if k.link(l.linkKey) != l {
			delete(k.ours, l)
		}
	}
}

// meddle does what somebody with ip might.
func (k *kernel) meddle(r *rand.Rand) {
	defer k.forget()
	places := append([]string{HostName}, k.namespaces...)
	free := func(at linkKey) bool { return k.link(at) == nil }
	some := pick(r, k.links)
	if some.kind == kindLoopback {
		if r.IntN(2) == 0 {
			k.apply(SetUp{some.namespace, some.name, r.IntN(2) == 0})
		}
		return
	}
	at := some.linkKey
	switch to := pick(r, k.want.links); r.IntN(12) {
	case 0:
		k.apply(DeleteLink{at.namespace, at.name})
	case 1:
		name := pick(r, []string{"x", "y", to.name})
		if free(linkKey{at.namespace, name}) {
			k.apply(Rename{at.namespace, at.name, name})
		}
	case 2, 3:
		place := linkKey{pick(r, append(places, "F")), pick(r, []string{at.name, "z", to.name})}
		if some.kind == kindVeth && free(place) && k.hasNamespace(place.namespace) && place.namespace != at.namespace {
			k.apply(Move{at.namespace, at.name, place.namespace, place.name})
		}
	case 4:
		k.apply(SetUp{at.namespace, at.name, r.IntN(2) == 0})
	case 5:
		k.apply(SetMTU{at.namespace, at.name, 1400})
	case 6:
		k.apply(SetMaster{at.namespace, at.name, ""})
	case 7:
		for _, a := range some.addresses[:r.IntN(len(some.addresses)+1)] {
			k.apply(DeleteAddress{at.namespace, at.name, a})
		}
		k.apply(AddAddress{at.namespace, at.name, fmt.Sprintf("10.%d.0.1/24", 100+r.IntN(100))})
	case 8: // somebody else's link takes a name
		place := to.linkKey
		if l := k.link(place); l != nil && l.kind != kindLoopback && free(linkKey{place.namespace, "aside"}) {
			k.apply(Rename{place.namespace, place.name, "aside"})
		}
		if !free(place) || !k.hasNamespace(place.namespace) {
			return
		}
		switch other := (linkKey{pick(r, places), "foreign"}); {
		case r.IntN(3) == 0:
			k.add(&link{linkKey: place, kind: "dummy", mtu: 1500})
		case r.IntN(2) == 0 && !k.claims(place):
			k.apply(CreateVeth{A: VethEnd{Namespace: "F", Name: fmt.Sprint("f", len(k.links))}, B: VethEnd{Namespace: place.namespace, Name: place.name}})
		case free(other):
			k.apply(CreateVeth{A: VethEnd{Namespace: other.namespace, Name: other.name}, B: VethEnd{Namespace: place.namespace, Name: place.name}})
		}
	case 9:
		if len(k.routes) > 0 {
			route := pick(r, k.routes)
			k.apply(DeleteRoute{route})
			if r.IntN(2) == 0 && strings.Contains(route.Gateway, ".") {
				route.Gateway = "10.0.0.77"
				k.apply(AddRoute{route})
			}
		}
	case 10:
		if len(k.fdb) > 0 {
			e := pick(r, k.fdb)
			k.apply(DeleteFDB{e.namespace, e.bridge, e.FDBSpec})
		}
	case 11:
		if name := pick(r, places); name != HostName && r.IntN(4) == 0 {
			k.apply(DeleteNamespace{name})
		}
	}
}

func (k *kernel) claims(is linkKey) bool {
	for _, have := range k.ours {
		if have == is {
			return true
		}
	}
	return false
}

// adopt makes ours what live would take for the intended link of its place.
func (k *kernel) adopt(s *Snapshot) {
	x := &Intent{state: k.want}
	view := &View{Astray: map[LinkRef]LinkRef{}}
	for l, is := range k.ours {
		view.Astray[l.ref()] = is.ref()
	}
	for _, l := range k.links {
		if _, ours := k.ours[l]; !ours && !k.claims(l.linkKey) {
			if o := s.Namespace(l.namespace).Link(l.name); x.Fits(o, view) {
				k.ours[l] = l.linkKey
			}
		}
	}
}

// TestDriftSparesWhatIsForeign: whatever somebody did, what netdash plans to do
// about it takes nothing away that it has not made, and where nothing is in the
// way it leads back to what is intended.
func TestDriftSparesWhatIsForeign(t *testing.T) {
	mended, obstacles, moved := 0, 0, 0
	for seed := range uint64(6000) {
		r := rand.New(rand.NewPCG(seed, 3))
		spec := randomSpec(r)
		k := built(spec)
		for range 1 + r.IntN(6) {
			if len(k.links) > 0 {
				k.meddle(r)
			}
		}
		k.adopt(k.snapshot())
		observed := k.snapshot()
		plan := Drift(spec, observed)
		found := NewIntent(spec).Differences(observed)
		if (len(plan) == 0) != (len(found) == 0) {
			t.Fatalf("seed %d: %d differences\n%v\nand the Plan\n%s", seed, len(found), found, commands(plan))
		}
		foreign := map[*link]bool{}
		for _, l := range k.links {
			if _, ours := k.ours[l]; !ours {
				foreign[l] = true
			}
		}
		obstacle := Obstacle(plan, observed)
		if obstacle != nil {
			obstacles++
		}
		for i, c := range plan {
			switch c := c.(type) {
			case DeleteNamespace:
				t.Fatalf("seed %d: the Plan deletes the namespace %s\n%s", seed, c.Name, commands(plan))
			case Move:
				if c.Namespace == "F" {
					moved++
				}
			}
			if obstacle != nil {
				if _, deletes := c.(DeleteLink); deletes && foreign[k.link(changes(c))] {
					t.Fatalf("seed %d: the Plan deletes somebody's link: %s", seed, c.Command())
				}
				continue // it is never carried out
			}
			if problem := impossible(k.state, c); problem != "" {
				t.Fatalf("seed %d: step %d (%s): %s\n%v\n%s", seed, i, c.Command(), problem, found, commands(plan))
			}
			k.apply(c)
			for l := range foreign {
				if k.link(l.linkKey) != l {
					t.Fatalf("seed %d: %s takes somebody's %s away\n%s", seed, c.Command(), l, commands(plan))
				}
			}
		}
		if obstacle != nil {
			continue
		}
		mended++
		k.forget()
		k.adopt(k.snapshot())
		after := k.snapshot()
		if rest := NewIntent(spec).Differences(after); len(rest) > 0 {
			t.Fatalf("seed %d: after\n%s\nthere is still %v", seed, commands(plan), rest)
		}
	}
	if mended < 2000 || obstacles < 100 || moved < 50 {
		t.Errorf("%d mended, %d with an obstacle, %d moves out of F: the test does not try what it should", mended, obstacles, moved)
	}
}

func TestDriftBringsAMovedLinkBack(t *testing.T) {
	spec := lab(t, twoHosts, func(s *Spec) error {
		return s.AddRoute(Route{Namespace: "A", Destination: "10.0.0.0/8", Gateway: "192.168.1.2"})
	})
	k := built(spec)
	k.apply(Move{"A", "veth0", "F", "stolen"})
	s := k.snapshot()
	wantCommands(t, Drift(spec, s),
		"ip -n F link set dev stolen netns A name veth0",
		"ip -n A address add 192.168.1.1/24 dev veth0",
		"ip -n A link set dev veth0 up",
		"ip -n A route add 10.0.0.0/8 via 192.168.1.2 dev veth0",
	)
	wantDifferences(t, NewIntent(spec).Differences(s),
		"A/veth0: namespace is F, intended is A", "A/veth0: name is stolen, intended is veth0", "A/veth0: admin_up is false, intended is true",
		"A/veth0 192.168.1.1/24 is missing", "A 10.0.0.0/8 is missing")
	// In an incomplete namespace it may be as it should.
	s.Namespace("F").Incomplete = "EINTR"
	if d, p := NewIntent(spec).Differences(s), Drift(spec, s); len(d) != 1 || len(p) != 1 { // the route
		t.Errorf("%v, %s", d, commands(p))
	}
}

func wantDifferences(t *testing.T, got []Difference, want ...string) {
	t.Helper()
	var text []string
	for _, d := range got {
		text = append(text, d.String())
	}
	if !reflect.DeepEqual(text, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(text, "\n"), strings.Join(want, "\n"))
	}
}

// TestOneRenameIsOneDifference: what refers to a renamed link is not called
// different because of it.
func TestOneRenameIsOneDifference(t *testing.T) {
	spec := lab(t, func(s *Spec) error {
		s.Bridges = []Bridge{{Namespace: HostName, Name: "br0", FDB: []FDBSpec{{MAC: "02:00:00:00:00:09", Port: "p1"}}}}
		s.Namespaces = []Namespace{{Name: "A"}}
		s.Veths = []Veth{{A: End{Namespace: "A", Name: "eth0", Addresses: []string{"10.1.0.1/24"}}, B: End{Namespace: HostName, Name: "p1", Master: "br0"}}}
		return s.AddRoute(Route{Namespace: "A", Destination: "default", Gateway: "10.1.0.9"})
	})
	for _, c := range []Rename{{HostName, "br0", "br9"}, {HostName, "p1", "p9"}, {"A", "eth0", "eth9"}} {
		k := built(spec)
		k.apply(c)
		wantDifferences(t, NewIntent(spec).Differences(k.snapshot()), fmt.Sprintf("%s/%s: name is %s, intended is %s", c.Namespace, c.Name, c.To, c.Name))
		// Somebody else's bridge takes the name: it is in the way, and stays.
		k.add(&link{linkKey: linkKey{c.Namespace, c.Name}, kind: kindBridge, mtu: 1500, up: true})
		s := k.snapshot()
		if d := NewIntent(spec).Differences(s); len(d) != 2 || d[1].Field != "ifindex" {
			t.Errorf("%v", d)
		}
		p := Drift(spec, s)
		if slices.ContainsFunc(p, func(c Change) bool { return c.Kind() == "link.delete" }) || CodeOf(Obstacle(p, s)) != CodeConflict {
			t.Errorf("%s\nobstacle: %v", commands(p), Obstacle(p, s))
		}
	}
}

// TestPartialIsNotEmpty: an incomplete namespace lacks nothing.
func TestPartialIsNotEmpty(t *testing.T) {
	spec := lab(t, twoHosts)
	k := built(spec)
	veths := map[linkKey]bool{}
	for _, l := range k.links {
		veths[l.linkKey] = l.kind == kindVeth
	}
	maps.DeleteFunc(veths, func(_ linkKey, veth bool) bool { return !veth })
	k.drop(veths)
	s := k.snapshot()
	if d := NewIntent(spec).Differences(s); len(d) != 2 {
		t.Fatalf("%v", d)
	}
	for _, n := range s.Namespaces {
		n.Incomplete = "EINTR"
	}
	if d, p := NewIntent(spec).Differences(s), Drift(spec, s); len(d)+len(p) > 0 {
		t.Errorf("%v, %s", d, commands(p))
	}
	// The end that can be seen does not know its peer, which is no difference.
	k = built(spec)
	s = k.snapshot()
	s.Namespace("B").Incomplete, s.Namespace("B").Links = "EINTR", nil
	s.Namespace("A").Link("veth0").Peer = &Peer{Ifindex: 7}
	if d, p := NewIntent(spec).Differences(s), Drift(spec, s); len(d)+len(p) > 0 {
		t.Errorf("%v, %s", d, commands(p))
	}
}
