package topology

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// walk is a random sequence of edits: specs[i+1] is what edits[i] made of
// specs[i], and deltas[i] what it did.
type walk struct {
	specs  []*Spec
	edits  []func(*Spec) error
	deltas []*Delta
}

// commit does what store and lab do to a Spec at its commit: links that are new
// get an id, which here says by which edit they were made, and a MAC.
func commit(s *Spec, edit int) {
	n := int64(0)
	for _, id := range s.identities() {
		if id.ID == 0 {
			n++
			id.ID = int64(edit)*100 + n
		}
	}
	for i := range s.Veths {
		for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
			if e.MAC == "" && e.Identity.MAC == "" {
				e.Identity.MAC = fmt.Sprintf("02:00:00:00:%02x:%02x", e.ID/100%256, e.ID%100)
			}
		}
	}
}

// stored takes a Delta through JSON, as the journal does.
func stored(t testing.TB, d *Delta) *Delta {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	out := &Delta{}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// text is all of a Spec, identities included.
func text(t testing.TB, s *Spec) string {
	t.Helper()
	out, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(out)
	for _, id := range s.identities() {
		fmt.Fprint(&b, " ", *id)
	}
	return b.String()
}

// apply performs an edit on a copy; false if it cannot be done.
func apply(s *Spec, edit func(*Spec) error, number int) (*Spec, bool) {
	c := s.Clone()
	if edit(c) != nil || Validate(c) != nil {
		return nil, false
	}
	commit(c, number)
	return c, true
}

func randomWalk(t testing.TB, r *rand.Rand, n int) *walk {
	t.Helper()
	w := &walk{specs: []*Spec{{}}}
	for tries := 0; len(w.edits) < n && tries < 50*n; tries++ {
		before := w.specs[len(w.specs)-1]
		edit := randomEdit(r, before)
		if after, ok := apply(before, edit, len(w.edits)+1); ok && text(t, after) != text(t, before) {
			w.edits, w.specs = append(w.edits, edit), append(w.specs, after)
			w.deltas = append(w.deltas, stored(t, DeltaOf(before, after)))
		}
	}
	return w
}

// randomEdit makes an edit that fits s. It knows links by their ids, so that it
// does the same to another Spec in which they are called otherwise.
func randomEdit(r *rand.Rand, s *Spec) func(*Spec) error {
	edits := []func(*rand.Rand, *Spec) func(*Spec) error{
		addSomething, addSomething, addSomething, addSomething, removeSomething, patchSomething, patchSomething, patchSomething,
		editList, editList, editList, editWhole,
	}
	one := pick(r, edits)(r, s)
	if r.IntN(6) > 0 {
		return one
	}
	other := pick(r, edits)(r, s) // two things at once, as a document may ask for
	return func(s *Spec) error {
		if err := one(s); err != nil {
			return err
		}
		return other(s)
	}
}

func somewhere(r *rand.Rand, s *Spec) string {
	if i := r.IntN(len(s.Namespaces) + 1); i < len(s.Namespaces) {
		return s.Namespaces[i].Name
	}
	return HostName
}

func addSomething(r *rand.Rand, s *Spec) func(*Spec) error {
	name := func(prefix string) string { return prefix + strconv.Itoa(r.IntN(5)) }
	switch r.IntN(4) {
	case 0:
		n := Namespace{Name: name("n"), LoopbackUp: maybe(r, ptr(false)), LoopbackAddresses: randomAddresses(r)}
		return func(s *Spec) error { return s.AddNamespace(*clonePtr(&n)) }
	case 1:
		b := Bridge{Namespace: somewhere(r, s), Name: name("br"), Addresses: randomAddresses(r)}
		b.STP = maybe(r, ptr(true))
		return func(s *Spec) error { return s.AddBridge(b) }
	}
	end := func(side string) End {
		e := End{Namespace: somewhere(r, s), Name: name(side), MTU: pick(r, []int{0, 1400}), Addresses: randomAddresses(r), AdminUp: maybe(r, ptr(false))}
		if e.Master = bridgeIn(s, e.Namespace); r.IntN(3) == 0 {
			e.Master = ""
		}
		return e
	}
	v := Veth{A: end("p"), B: end("q")}
	id := s.linkIDs()
	masterA, masterB := id(linkKey{v.A.Namespace, v.A.Master}), id(linkKey{v.B.Namespace, v.B.Master})
	return func(s *Spec) error {
		v, names := v, s.linkNames()
		v.A.Master, v.B.Master = names[masterA].name, names[masterB].name
		if masterA != 0 && v.A.Master == "" || masterB != 0 && v.B.Master == "" {
			return errUnfit
		}
		return s.AddVeth(v)
	}
}

// someLink picks a link of s; its name is found out when it is needed.
func someLink(r *rand.Rand, s *Spec) func(*Spec) linkKey {
	var ids []*Identity
	for _, id := range s.identities() {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return func(*Spec) linkKey { return linkKey{} }
	}
	id := pick(r, ids).ID
	return func(s *Spec) linkKey { return s.linkNames()[id] }
}

func removeSomething(r *rand.Rand, s *Spec) func(*Spec) error {
	if r.IntN(2) == 0 {
		name := somewhere(r, s)
		return func(s *Spec) error { return s.RemoveNamespace(name) }
	}
	link := someLink(r, s)
	return func(s *Spec) error { k := link(s); return s.RemoveLink(k.namespace, k.name) }
}

func patchSomething(r *rand.Rand, s *Spec) func(*Spec) error {
	link, master := someLink(r, s), someLink(r, s)
	var p LinkPatch
	plug := false
	switch r.IntN(8) {
	case 0, 1:
		p.Name = ptr("l" + strconv.Itoa(r.IntN(5)))
	case 2:
		p.MTU = ptr(1300 + r.IntN(3))
	case 3:
		p.MAC = ptr(fmt.Sprintf("02:00:00:00:ff:%02x", r.IntN(200)))
	case 4:
		p.AdminUp, p.Alias = ptr(r.IntN(2) == 0), ptr(strconv.Itoa(r.IntN(3)))
	case 5:
		p.Namespace = ptr(somewhere(r, s))
	case 6:
		plug = true
	case 7:
		if s.FindBridge(link(s).namespace, link(s).name) != nil {
			p.Bridge = &BridgeAttributes{AgeingSeconds: maybe(r, ptr(r.IntN(3))), STP: maybe(r, ptr(r.IntN(2) == 0))}
		} else {
			p.BridgePort = &PortAttributes{Hairpin: maybe(r, ptr(r.IntN(2) == 0)), Isolated: maybe(r, ptr(r.IntN(2) == 0))}
		}
	}
	return func(s *Spec) error {
		p, k := p, link(s)
		if plug {
			p.Master = ptr(master(s).name)
		}
		_, _, err := s.PatchLink(k.namespace, k.name, p)
		return err
	}
}

func editList(r *rand.Rand, s *Spec) func(*Spec) error {
	link, port := someLink(r, s), someLink(r, s)
	k := link(s)
	switch r.IntN(6) {
	case 0, 1:
		a := pick(r, append(randomAddresses(r), "10.0.0.200/24"))
		return func(s *Spec) error { k := link(s); return s.AddAddress(k.namespace, k.name, a) }
	case 2:
		if list := s.addresses(k.namespace, k.name); list != nil && len(*list) > 0 {
			a := pick(r, *list)
			return func(s *Spec) error { k := link(s); return s.RemoveAddress(k.namespace, k.name, a) }
		}
	case 3:
		if len(s.Routes) > 0 && r.IntN(3) == 0 {
			route := pick(r, s.Routes)
			route.Link = ""
			return func(s *Spec) error { return s.RemoveRoute(route) }
		}
	case 4:
		f := FDBSpec{MAC: fmt.Sprintf("02:00:00:00:00:%02x", r.IntN(4))}
		return func(s *Spec) error {
			k, p := port(s), port(s)
			if e := s.FindEnd(p.namespace, p.name); e != nil {
				k.name = e.Master
			}
			f := f
			f.Port = p.name
			if r := s.FindBridge(k.namespace, k.name); r != nil && slices.ContainsFunc(r.FDB, func(x FDBSpec) bool { return x.key() == f.key() }) {
				return s.RemoveFDB(k.namespace, k.name, FDBSpec{MAC: f.MAC})
			}
			return s.AddFDB(k.namespace, k.name, f)
		}
	}
	route := Route{Namespace: k.namespace, Destination: pick(r, []string{"default", "10.77.0.0/16"}), Metric: r.IntN(2) * 50}
	named := r.IntN(2) == 0
	if r.IntN(3) > 0 {
		route.Gateway = fmt.Sprintf("10.0.%d.99", r.IntN(3))
	}
	return func(s *Spec) error {
		route := route
		if named || route.Gateway == "" {
			if route.Link = link(s).name; route.Link == "" {
				return errUnfit
			}
		}
		return s.AddRoute(route)
	}
}

// editWhole makes edits that no single call can make.
func editWhole(r *rand.Rand, s *Spec) func(*Spec) error {
	seed := r.Uint64()
	a, b := someLink(r, s), someLink(r, s)
	switch r.IntN(7) {
	case 0:
		name, ipv6 := strconv.Itoa(r.IntN(3)), maybe(r, ptr(false))
		return func(s *Spec) error { s.Name, s.IPv6 = name, ipv6; return nil }
	case 1: // another order
		return func(s *Spec) error {
			r := rand.New(rand.NewPCG(seed, 0))
			shuffle(r, s.Namespaces)
			shuffle(r, s.Bridges)
			shuffle(r, s.Veths)
			shuffle(r, s.Routes)
			for i := range s.Veths {
				shuffle(r, s.Veths[i].A.Addresses)
			}
			return nil
		}
	case 2: // swapped names, with what refers to them following or not
		follow := r.IntN(2) == 0
		return func(s *Spec) error {
			x, y := a(s), b(s)
			if x.namespace != y.namespace {
				return errUnfit
			}
			for _, e := range []struct{ from, to string }{{x.name, "tmp"}, {y.name, x.name}, {"tmp", y.name}} {
				if follow {
					s.renameLink(x.namespace, e.from, e.to)
				}
				if b := s.FindBridge(x.namespace, e.from); b != nil {
					b.Name = e.to
				} else if end := s.FindEnd(x.namespace, e.from); end != nil {
					end.Name = e.to
				}
			}
			return nil
		}
	case 3: // a pair turned round
		return func(s *Spec) error {
			k := a(s)
			for i := range s.Veths {
				if v := &s.Veths[i]; v.A.is(k.namespace, k.name) || v.B.is(k.namespace, k.name) {
					v.A, v.B = v.B, v.A
				}
			}
			return nil
		}
	case 4: // a link replaced by another of its name
		return func(s *Spec) error {
			k := a(s)
			if b := s.FindBridge(k.namespace, k.name); b != nil {
				b.Identity = Identity{}
			}
			for i := range s.Veths {
				if v := &s.Veths[i]; v.A.is(k.namespace, k.name) {
					v.A.Identity, v.B.Identity = Identity{}, Identity{}
				}
			}
			return nil
		}
	case 5: // many things gone
		keep := r.IntN(3)
		return func(s *Spec) error {
			for len(s.Namespaces) > keep {
				if err := s.RemoveNamespace(s.Namespaces[int(seed%uint64(len(s.Namespaces)))].Name); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return func(s *Spec) error { // a bridge gives its name to a new one, ports stay with the name
		k := a(s)
		b := s.FindBridge(k.namespace, k.name)
		if b == nil {
			return errUnfit
		}
		b.Name = "old" + strconv.Itoa(int(seed%3))
		s.Bridges = append(s.Bridges, Bridge{Namespace: k.namespace, Name: k.name, FDB: b.FDB})
		b.FDB = nil
		return nil
	}
}

var errUnfit = Errorf(CodeInvalid, "", "does not fit")

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// TestRevertLast: taking back what was done last gives exactly what was before,
// and taking that back gives what was after.
func TestRevertLast(t *testing.T) {
	for seed := range uint64(200) {
		w := randomWalk(t, rand.New(rand.NewPCG(seed, 3)), 30)
		for i, d := range w.deltas {
			before, after := w.specs[i], w.specs[i+1]
			want, untouched := text(t, before), text(t, after)
			got, conflicts := Revert(after, d)
			if len(conflicts) > 0 {
				t.Fatalf("seed %d, edit %d: %+v\nfrom %s\nto %s", seed, i, conflicts, want, untouched)
			}
			if g := text(t, got); g != want {
				t.Fatalf("seed %d, edit %d: got %s\nwant %s\nfrom %s", seed, i, g, want, untouched)
			}
			redone, conflicts := Revert(got, stored(t, DeltaOf(after, got)))
			if len(conflicts) > 0 || text(t, redone) != untouched {
				t.Fatalf("seed %d, edit %d: redone %+v %s\nwant %s", seed, i, conflicts, text(t, redone), untouched)
			}
			if text(t, after) != untouched || !reflect.DeepEqual(d, stored(t, DeltaOf(before, after))) {
				t.Fatalf("seed %d, edit %d: Revert changed what it was given", seed, i)
			}
		}
	}
}

// effects are what an edit did, without the values: with them the same edit is
// told from one that, in another Spec, has come to something else.
func effects(d *Delta) []string {
	var out []string
	before, after := d.sidesByID()
	keys := map[string][2]any{}
	note := func(side int, key string, v any) { x := keys[key]; x[side] = v; keys[key] = x }
	for side, s := range []*Spec{before, after} {
		note(side, "lab", &labFields{s.Name, s.IPv6})
		for i := range s.Namespaces {
			note(side, "n"+namespaceKind.key(&s.Namespaces[i]), &s.Namespaces[i])
		}
		for i := range s.Bridges {
			note(side, "b"+bridgeKind.key(&s.Bridges[i]), &s.Bridges[i])
		}
		for i := range s.Veths {
			for _, e := range []*End{&s.Veths[i].A, &s.Veths[i].B} {
				note(side, "e"+strconv.FormatInt(e.ID, 10), e)
			}
		}
		for i := range s.Routes {
			note(side, "r"+routeKind.key(&s.Routes[i]), &s.Routes[i])
		}
	}
	for key, v := range keys {
		switch {
		case v[0] == nil:
			out = append(out, "+"+key)
		case v[1] == nil:
			out = append(out, "-"+key)
		default:
			a, b := reflect.ValueOf(v[0]).Elem(), reflect.ValueOf(v[1]).Elem()
			for i := range a.NumField() {
				if !sameValue(a.Field(i), b.Field(i)) {
					out = append(out, "~"+key+a.Type().Field(i).Name+came(a.Field(i), b.Field(i)))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// came lists what is in the second list only.
func came(before, after reflect.Value) string {
	out := ""
	for i := 0; after.Kind() == reflect.Slice && i < after.Len(); i++ {
		in := false
		for j := range before.Len() {
			in = in || before.Index(j).Equal(after.Index(i))
		}
		if !in {
			out += fmt.Sprint(" ", after.Index(i))
		}
	}
	return out
}

// sorted is a Spec without the order of its lists.
func sorted(t *testing.T, s *Spec) string {
	t.Helper()
	c := s.Clone()
	for i := range c.Bridges {
		slices.Sort(c.Bridges[i].Addresses)
		slices.SortFunc(c.Bridges[i].FDB, func(a, b FDBSpec) int { return strings.Compare(a.key(), b.key()) })
	}
	for i := range c.Veths {
		if v := &c.Veths[i]; v.A.ID > v.B.ID {
			v.A, v.B = v.B, v.A
		}
		slices.Sort(c.Veths[i].A.Addresses)
		slices.Sort(c.Veths[i].B.Addresses)
	}
	for i := range c.Namespaces {
		slices.Sort(c.Namespaces[i].LoopbackAddresses)
	}
	slices.SortFunc(c.Namespaces, func(a, b Namespace) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Bridges, func(a, b Bridge) int { return int(a.ID - b.ID) })
	slices.SortFunc(c.Veths, func(a, b Veth) int { return strings.Compare(vethKind.key(&a), vethKind.key(&b)) })
	slices.SortFunc(c.Routes, func(a, b Route) int { return strings.Compare(routeKind.key(&a), routeKind.key(&b)) })
	return text(t, c)
}

// without gives the last Spec of the walk as it would be without one edit; false
// when the later ones cannot be done without it, come to something else, or do
// the same once more: Revert goes by what there is, not by who made it last.
func (w *walk) without(skip int) (*Spec, bool) {
	s, own := w.specs[skip], effects(w.deltas[skip])
	for i := skip + 1; i < len(w.edits); i++ {
		next, ok := apply(s, w.edits[i], i+1)
		if !ok {
			return nil, false
		}
		now, then := effects(DeltaOf(s, next)), effects(w.deltas[i])
		if !slices.Equal(now, then) || slices.ContainsFunc(then, func(e string) bool { return slices.Contains(own, e) }) {
			return nil, false
		}
		s = next
	}
	return s, true
}

// TestRevertOlder: taking back an older edit gives what would be without it, or
// conflicts that later edits really are to blame for.
func TestRevertOlder(t *testing.T) {
	compared, blamed := 0, 0
	for seed := range uint64(900) {
		r := rand.New(rand.NewPCG(seed, 4))
		w := randomWalk(t, r, 8+r.IntN(12))
		n := len(w.edits)
		last := w.specs[n]
		for skip := range n {
			got, conflicts := Revert(last, w.deltas[skip])
			want, possible := w.without(skip)
			switch {
			case len(conflicts) > 0:
				guilty := make([]bool, len(conflicts))
				for _, later := range w.deltas[skip+1:] {
					for i, guilt := range Blame(conflicts, later) {
						guilty[i] = guilty[i] || guilt != Innocent
					}
				}
				for i, c := range conflicts {
					if !guilty[i] {
						t.Fatalf("seed %d, edit %d of %d: nobody is to blame for %q\nfrom %s\nto %s\nlast %s",
							seed, skip, n, c.Detail, text(t, w.specs[skip]), text(t, w.specs[skip+1]), text(t, last))
					}
				}
				blamed += len(conflicts)
			case Validate(got) != nil:
				t.Fatalf("seed %d, edit %d of %d: %v", seed, skip, n, Validate(got))
			case possible:
				if g, w := sorted(t, got), sorted(t, want); g != w {
					t.Fatalf("seed %d, edit %d of %d: got %s\nwant %s", seed, skip, n, g, w)
				}
				compared++
			}
		}
	}
	t.Logf("%d results compared, %d conflicts", compared, blamed)
	if compared < 1000 || blamed < 1000 {
		t.Error("too few to prove anything")
	}
}

// storedStar is a star as it is stored.
func storedStar(n int) *Spec {
	s := starSpec(n)
	commit(s, 1)
	return s
}

// BenchmarkDelta makes and writes down what an edit did.
func BenchmarkDelta(b *testing.B) {
	small := storedStar(1000)
	small.Veths[500].A.MTU = 1400
	renamed := storedStar(1000)
	renamed.renameLink("hub", "br0", "br1")
	renamed.Bridges[0].Name = "br1"
	for _, c := range []struct {
		name          string
		before, after *Spec
	}{
		{"star made", &Spec{}, storedStar(1000)},
		{"star deleted", storedStar(1000), &Spec{}},
		{"MTU in star", storedStar(1000), small},
		{"bridge of star renamed", storedStar(1000), renamed},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				text, err := json.Marshal(DeltaOf(c.before, c.after))
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(text)), "bytes")
			}
		})
		b.Run(c.name+", taken back", func(b *testing.B) {
			d := DeltaOf(c.before, c.after)
			for b.Loop() {
				if _, conflicts := Revert(c.after, d); len(conflicts) > 0 {
					b.Fatal(conflicts)
				}
			}
		})
	}
}
