package store

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"netdash/internal/topology"
)

var seedFlag = flag.Int64("seed", 0, "seed of TestRandomEdits; 0 takes the time")

// TestRandomEdits commits a random walk of Specs. After each commit the rows
// must give back exactly the target, the file must be sound, and a link that
// came with its identity must have kept it.
func TestRandomEdits(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	t.Logf("run again with -seed %d", seed)
	g := &generator{Rand: rand.New(rand.NewPCG(uint64(seed), 0))}
	path := filepath.Join(t.TempDir(), "netdash.db")
	s := openStore(t, path)
	spec := &topology.Spec{}
	var former []*topology.Spec
	for i := range 400 {
		for range 1 + g.IntN(4) {
			spec = g.edit(spec, former)
		}
		g.mend(spec)
		if g.IntN(10) == 0 {
			op := &topology.Operation{}
			if err := s.Begin(t.Context(), op, spec); err != nil {
				t.Fatal(err)
			}
			pending, err := s.Pending(t.Context())
			if err != nil || len(pending) != 1 {
				t.Fatal(pending, err)
			}
			same(t, pending[0].Target, spec, "Target of the pending operation")
			if err := s.Fail(t.Context(), op); err != nil {
				t.Fatal(err)
			}
		}
		stored := load(t, s)
		asked := spec.Clone()
		commit(t, s, spec)
		same(t, load(t, s), spec, "step "+strconv.Itoa(i))
		sound(t, s)
		keptIdentities(t, stored, asked, spec)
		former = append(former, spec.Clone())
		if g.IntN(20) == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openStore(t, path)
		}
	}
}

// keptIdentities checks that links of asked with the identity of a stored link
// of their kind still have it, unless several claim it, and that no two have
// the same.
func keptIdentities(t *testing.T, stored, asked, got *topology.Spec) {
	t.Helper()
	kinds := map[int64]bool{}
	for l := range links(stored) {
		kinds[l.ID] = l.peer == nil
	}
	before, after := slices.Collect(links(asked)), slices.Collect(links(got))
	holders := map[int64]int{}
	for _, l := range before {
		holders[l.ID]++
	}
	seen := map[int64]bool{}
	for i, l := range after {
		if l.ID == 0 || seen[l.ID] {
			t.Fatalf("%s has no id of its own: %d", l.subject(), l.ID)
		}
		seen[l.ID] = true
		if bridge, ok := kinds[before[i].ID]; ok && bridge == (l.peer == nil) && holders[before[i].ID] == 1 && l.ID != before[i].ID {
			t.Fatalf("%s had id %d and has %d", l.subject(), before[i].ID, l.ID)
		}
	}
}

// generator makes random edits. They need not lead to something consistent:
// mend sees to that.
type generator struct{ *rand.Rand }

func pick[T any](g *generator, list []T) *T {
	if len(list) == 0 {
		return new(T)
	}
	return &list[g.IntN(len(list))]
}

func (g *generator) namespace(s *topology.Spec) string {
	if g.IntN(4) == 0 {
		return topology.HostName
	}
	return pick(g, s.Namespaces).Name
}

func (g *generator) linkName() string { return "l" + strconv.Itoa(g.IntN(12)) }

func (g *generator) addresses() (list []string) {
	for range g.IntN(4) {
		list = append(list, "10.0.0."+strconv.Itoa(g.IntN(250))+"/24")
	}
	return list
}

// fill sets every pointer of a struct, at random, to a random value or nil.
func (g *generator) fill(v any) {
	fields := reflect.ValueOf(v).Elem()
	for i := range fields.NumField() {
		f := fields.Field(i)
		f.SetZero()
		if g.IntN(2) == 0 {
			continue
		}
		f.Set(reflect.New(f.Type().Elem()))
		if e := f.Elem(); e.Kind() == reflect.Bool {
			e.SetBool(g.IntN(2) == 0)
		} else {
			e.SetInt(int64(g.IntN(3)))
		}
	}
}

func (g *generator) bool() *bool {
	return [...]*bool{nil, ptr(false), ptr(true)}[g.IntN(3)]
}

func (g *generator) end(s *topology.Spec) topology.End {
	e := topology.End{Namespace: g.namespace(s), Name: g.linkName(), MTU: g.IntN(2) * 1400, AdminUp: g.bool(), IPv6: g.bool(), Addresses: g.addresses()}
	e.Identity.MAC = [...]string{"", "02:00:00:00:00:0a"}[g.IntN(2)]
	if len(s.Bridges) > 0 && g.IntN(2) == 0 {
		b := pick(g, s.Bridges)
		e.Namespace, e.Master = b.Namespace, b.Name
		if g.IntN(2) == 0 {
			e.BridgePort = &topology.PortAttributes{}
			g.fill(e.BridgePort)
		}
	}
	return e
}

func (g *generator) anyEnd(s *topology.Spec) *topology.End {
	v := pick(g, s.Veths)
	return [...]*topology.End{&v.A, &v.B}[g.IntN(2)]
}

func insert[T any](g *generator, list []T, item T) []T {
	return slices.Insert(list, []int{len(list), g.IntN(len(list) + 1)}[g.IntN(2)], item)
}

func remove[T any](g *generator, list []T) []T {
	if len(list) == 0 {
		return list
	}
	i := g.IntN(len(list))
	return slices.Delete(list, i, i+1)
}

func shuffle[T any](g *generator, list []T) {
	g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func (g *generator) edit(s *topology.Spec, former []*topology.Spec) *topology.Spec {
	s = s.Clone()
	edits := []func(){
		func() {
			n := topology.Namespace{Name: "n" + strconv.Itoa(g.IntN(30)), LoopbackUp: g.bool(), IPv6: g.bool(), LoopbackAddresses: g.addresses()}
			s.Namespaces = insert(g, s.Namespaces, n)
		},
		func() {
			b := topology.Bridge{Namespace: g.namespace(s), Name: g.linkName(), Addresses: g.addresses(), AdminUp: g.bool(), IPv6: g.bool()}
			g.fill(&b.BridgeAttributes)
			s.Bridges = insert(g, s.Bridges, b)
		},
		func() { s.Veths = insert(g, s.Veths, topology.Veth{A: g.end(s), B: g.end(s)}) },
		func() { s.Veths = insert(g, s.Veths, topology.Veth{A: g.end(s), B: g.end(s)}) },
		func() {
			e := g.anyEnd(s)
			s.Routes = insert(g, s.Routes, topology.Route{
				Namespace: g.namespace(s), Destination: "10." + strconv.Itoa(g.IntN(4)) + ".0.0/16",
				Gateway: "10.0.0.1", Link: e.Name, Metric: g.IntN(2),
			})
		},
		func() {
			b := pick(g, s.Bridges)
			b.FDB = insert(g, b.FDB, topology.FDBSpec{
				MAC:  "02:00:00:00:00:0" + strconv.Itoa(g.IntN(10)),
				Port: [...]string{b.Name, g.anyEnd(s).Name}[g.IntN(2)], VLAN: g.IntN(2),
			})
		},
		func() { s.Namespaces = remove(g, s.Namespaces) },
		func() { s.Bridges = remove(g, s.Bridges) },
		func() { s.Veths = remove(g, s.Veths) },
		func() { s.Routes = remove(g, s.Routes) },
		func() { b := pick(g, s.Bridges); b.FDB = remove(g, b.FDB) },
		func() { g.anyEnd(s).Name = g.linkName() },
		func() { g.anyEnd(s).Namespace = g.namespace(s) },
		func() { g.anyEnd(s).Addresses = g.addresses() },
		func() { g.anyEnd(s).Master = "" },
		func() { a, b := g.anyEnd(s), g.anyEnd(s); a.Name, b.Name = b.Name, a.Name },
		func() { a, b := g.anyEnd(s), g.anyEnd(s); a.Namespace, b.Namespace = b.Namespace, a.Namespace },
		func() { a, b := g.anyEnd(s), g.anyEnd(s); *a, *b = *b, *a },
		func() { a, b := pick(g, s.Bridges), pick(g, s.Bridges); a.Name, b.Name = b.Name, a.Name },
		func() {
			a, b := pick(g, s.Bridges), pick(g, s.Bridges)
			a.Namespace, b.Namespace = b.Namespace, a.Namespace
		},
		func() { pick(g, s.Bridges).ID = 0 },
		func() { v := pick(g, s.Veths); v.A.ID, v.B.ID = 0, 0 },
		func() { g.anyEnd(s).ID = 0 },
		func() { g.anyEnd(s).ID = g.anyEnd(s).ID },
		func() { pick(g, s.Bridges).ID = g.anyEnd(s).ID },
		func() { s.Name, s.IPv6 = g.linkName(), g.bool() },
		func() { n := pick(g, s.Namespaces); n.LoopbackAddresses, n.IPv6 = g.addresses(), g.bool() },
		func() { g.fill(&pick(g, s.Bridges).BridgeAttributes) },
		func() {
			if g.IntN(5) > 0 {
				return
			}
			shuffle(g, s.Namespaces)
			shuffle(g, s.Bridges)
			shuffle(g, s.Veths)
			shuffle(g, s.Routes)
		},
		func() {
			if g.IntN(4) == 0 {
				forget(s)
			}
		},
		func() {
			if len(former) > 0 && g.IntN(4) == 0 {
				s = (*pick(g, former)).Clone()
			}
		},
	}
	edits[g.IntN(len(edits))]()
	return s
}

// mend drops or renames whatever a Spec must not have.
func (g *generator) mend(s *topology.Spec) {
	namespaces := map[string]bool{}
	s.Namespaces = slices.DeleteFunc(s.Namespaces, func(n topology.Namespace) bool {
		twice := n.Name == "" || namespaces[n.Name]
		namespaces[n.Name] = true
		return twice
	})
	for i := range s.Namespaces {
		unique(&s.Namespaces[i].LoopbackAddresses)
	}
	namespaces[topology.HostName] = true
	names := map[linkName]bool{}
	taken := func(namespace string, name *string) {
		for n := 0; *name == "" || names[linkName{namespace, *name}]; n++ {
			*name = "x" + strconv.Itoa(n)
		}
		names[linkName{namespace, *name}] = true
	}
	s.Bridges = slices.DeleteFunc(s.Bridges, func(b topology.Bridge) bool { return !namespaces[b.Namespace] })
	s.Veths = slices.DeleteFunc(s.Veths, func(v topology.Veth) bool { return !namespaces[v.A.Namespace] || !namespaces[v.B.Namespace] })
	s.Routes = slices.DeleteFunc(s.Routes, func(r topology.Route) bool { return !namespaces[r.Namespace] })
	unique(&s.Routes)
	bridges := map[linkName]bool{}
	for i := range s.Bridges {
		b := &s.Bridges[i]
		taken(b.Namespace, &b.Name)
		bridges[linkName{b.Namespace, b.Name}] = true
		unique(&b.Addresses)
	}
	ends := map[linkName]bool{}
	for i := range s.Veths {
		for _, e := range []*topology.End{&s.Veths[i].A, &s.Veths[i].B} {
			taken(e.Namespace, &e.Name)
			ends[linkName{e.Namespace, e.Name}] = true
			unique(&e.Addresses)
			if !bridges[linkName{e.Namespace, e.Master}] {
				e.Master, e.BridgePort = "", nil
			}
		}
	}
	for i := range s.Bridges {
		b := &s.Bridges[i]
		seen := map[fdbKey]bool{}
		b.FDB = slices.DeleteFunc(b.FDB, func(e topology.FDBSpec) bool {
			k := fdbKey{0, e.MAC, e.VLAN}
			drop := seen[k] || e.Port != b.Name && !ends[linkName{b.Namespace, e.Port}]
			seen[k] = true
			return drop
		})
	}
}

func unique[T comparable](list *[]T) {
	seen := map[T]bool{}
	*list = slices.DeleteFunc(*list, func(v T) bool {
		twice := seen[v]
		seen[v] = true
		return twice
	})
}
