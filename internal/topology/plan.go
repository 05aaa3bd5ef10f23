package topology

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
)

// Diff gives the Plan that leads from one valid Spec to another.
func Diff(from, to *Spec) Plan {
	return plan(flatten(from), flatten(to))
}

// PlanTo is Diff for Specs that have been prepared.
func (x *Intent) PlanTo(to *Intent) Plan { return plan(x.state, to.state) }

// planner emits Changes and keeps cur in step with what the kernel will have
// done by then.
type planner struct {
	cur, to *state
	keep    map[int64]*link // links of to, by uid
	routes  map[Route]bool  // of to
	there   []*link         // links of to that are there once all are made
	plan    Plan
}

// plan leads one state to another. It removes before it creates, so that names
// are free; it takes down before it renames or moves, plugs and addresses
// before it brings up, and sets routes last. What a step takes away on the side
// (see state.apply) is put back by the later ones.
func plan(from, to *state) Plan {
	p := &planner{cur: from.clone(), to: to.clone()}
	identify(p.cur, p.to)
	p.keep = p.to.byUID()
	p.routes = setOf(p.to.routes)
	p.remove()
	p.takeDown()
	p.createNamespaces()
	p.relocate()
	p.createLinks()
	// What is still not there is the loopback of a namespace that is known and not
	// yet read: nothing can be said of it now.
	p.there = slices.DeleteFunc(slices.Clone(p.to.links), func(l *link) bool { return p.cur.link(l.linkKey) == nil })
	for _, want := range p.there {
		p.settings(p.cur.link(want.linkKey), want)
	}
	for _, want := range p.there {
		p.plug(p.cur.link(want.linkKey), want)
	}
	for _, want := range p.there { // a bridge may begin IPv6 anew when a small port has left
		if want.kind == kindBridge {
			p.plug(p.cur.link(want.linkKey), want)
		}
	}
	for _, want := range p.there {
		p.address(p.cur.link(want.linkKey), want)
	}
	p.bringUp(func(l *link) bool { return l.master == "" && l.kind != kindBridge })
	p.bringUp(func(l *link) bool { return l.master != "" })
	p.bringUp(func(l *link) bool { return l.kind == kindBridge })
	p.routesAndFDB()
	return p.plan
}

// bringUp sets up which links are to be up. A bridge's ports come up after
// everything else and the bridge itself last, so that what the other ends send
// when they come up (neighbour and router solicitations, multicast reports) is
// not flooded to all of them meanwhile.
func (p *planner) bringUp(which func(*link) bool) {
	for _, want := range p.there {
		if have := p.cur.link(want.linkKey); want.up && !have.up && which(want) {
			p.emit(SetUp{want.namespace, want.name, true})
		}
	}
}

func (p *planner) emit(c Change) {
	p.plan = append(p.plan, c)
	p.cur.apply(c)
}

// remove deletes namespaces and the links that go without one. A veth into a
// namespace that stays is deleted first: it would go with the deleted namespace
// too, but a moment later, or never while a process keeps that one alive.
func (p *planner) remove() {
	links, spaces := map[linkKey]bool{}, map[string]bool{}
	for _, l := range p.cur.links {
		doomed := !p.to.hasNamespace(l.namespace) && (l.peer == nil || !p.to.hasNamespace(l.peer.namespace))
		if p.keep[l.uid] == nil && l.kind != kindLoopback && !doomed && (l.peer == nil || !links[l.peer.linkKey]) {
			p.plan = append(p.plan, DeleteLink{l.namespace, l.name})
			links[l.linkKey] = true
		}
	}
	survivors := map[string]bool{} // namespaces that hold a link that is to stay, elsewhere
	for _, l := range p.cur.links {
		if want := p.keep[l.uid]; want != nil && want.kind == l.kind && l.kind != kindLoopback {
			survivors[l.namespace] = true
		}
	}
	for _, ns := range p.leaving() {
		if !survivors[ns] { // the others go after relocate
			p.plan = append(p.plan, DeleteNamespace{ns})
			spaces[ns] = true
		}
	}
	// Many are dropped at once: one by one, each would look at all the rest.
	if len(links) > 0 {
		p.cur.drop(links)
	}
	if len(spaces) > 0 {
		p.cur.dropNamespaces(spaces)
	}
}

// leaving lists the namespaces that are to go, those with the fewest links first:
// by the time it comes to a switch, the ends around it have taken its ports
// along, and it does not keep everybody waiting with all of them at once.
func (p *planner) leaving() []string {
	links := make(map[string]int, len(p.cur.namespaces))
	for _, l := range p.cur.links {
		links[l.namespace]++
	}
	out := slices.DeleteFunc(slices.Clone(p.cur.namespaces), p.to.hasNamespace)
	slices.SortStableFunc(out, func(a, b string) int { return links[a] - links[b] })
	return out
}

func setOf[T comparable](list []T) map[T]bool {
	m := make(map[T]bool, len(list))
	for _, v := range list {
		m[v] = true
	}
	return m
}

// takeDown sets down what is to be down, and what must be for a rename; then
// drops routes, entries and addresses that are not wanted any more.
func (p *planner) takeDown() {
	for _, l := range p.cur.links {
		want := p.keep[l.uid]
		if want == nil || !l.up {
			continue
		}
		renamed := want.name != l.name && want.namespace == l.namespace
		if !want.up || renamed {
			p.emit(SetUp{l.namespace, l.name, false})
		}
	}
	for _, r := range slices.Clone(p.cur.routes) {
		if !p.wantsRoute(r) {
			p.emit(DeleteRoute{r})
		}
	}
	for _, e := range slices.Clone(p.cur.fdb) {
		if !p.wantsFDB(e) {
			p.emit(DeleteFDB{e.namespace, e.bridge, e.FDBSpec})
		}
	}
	for _, l := range p.cur.links {
		if want := p.keep[l.uid]; want != nil && want.namespace == l.namespace {
			p.dropAddresses(l, want)
		}
	}
}

// wantsRoute tells whether the kernel may keep a route it has. Where the link
// was renamed the route is compared under the new name.
func (p *planner) wantsRoute(r Route) bool {
	if l := p.cur.link(linkKey{r.Namespace, r.Link}); l != nil {
		want := p.keep[l.uid]
		if want == nil || want.namespace != l.namespace {
			return true // goes with its link
		}
		r.Link = want.name
	}
	return p.routes[r]
}

func (p *planner) wantsFDB(e fdbItem) bool {
	for _, name := range []*string{&e.bridge, &e.Port} {
		l := p.cur.link(linkKey{e.namespace, *name})
		if l == nil {
			continue
		}
		want := p.keep[l.uid]
		if want == nil || want.namespace != l.namespace {
			return true // goes with its link
		}
		if l.master != "" {
			if m := p.cur.link(linkKey{l.namespace, l.master}); m == nil || p.keep[m.uid] == nil || p.keep[m.uid].name != want.master {
				return true // goes when the port is unplugged
			}
		}
		*name = want.name
	}
	return slices.Contains(p.to.fdb, e)
}

// dropAddresses removes what is not wanted. With promote_secondaries off, as
// it is by default, deleting an address deletes the later ones of its network
// too (__inet_del_ifa in net/ipv4/devinet.c), so these are deleted openly and
// come back with the other additions.
func (p *planner) dropAddresses(l, want *link) {
	for _, a := range slices.Clone(l.addresses) {
		if slices.Contains(want.addresses, a) || !slices.Contains(l.addresses, a) {
			continue
		}
		at := slices.Index(l.addresses, a)
		for _, later := range slices.Backward(slices.Clone(l.addresses[at+1:])) {
			if !is6(a) && sameNetwork(a, later) {
				p.emit(DeleteAddress{l.namespace, l.name, later})
			}
		}
		p.emit(DeleteAddress{l.namespace, l.name, a})
	}
}

func sameNetwork(a, b string) bool {
	x, err1 := netip.ParsePrefix(a)
	y, err2 := netip.ParsePrefix(b)
	return err1 == nil && err2 == nil && x.Masked() == y.Masked()
}

func (p *planner) createNamespaces() {
	for _, ns := range p.to.namespaces {
		if !p.cur.hasNamespace(ns) {
			p.emit(CreateNamespace{ns})
		}
	}
	// A fresh namespace's lo is the one that is wanted there.
	for _, l := range p.cur.links {
		if want := p.to.link(l.linkKey); l.kind == kindLoopback && want != nil {
			l.uid = want.uid
		}
	}
}

// relocate renames and moves links to where they belong, those first whose
// place is free. Links that wait for each other's names are freed by giving one
// of them a name nobody has.
func (p *planner) relocate() {
	for {
		var blocked *link
		progress := false
		for _, l := range p.cur.links {
			want := p.keep[l.uid]
			if want == nil || want.linkKey == l.linkKey {
				continue
			}
			if p.cur.link(want.linkKey) != nil {
				blocked = l
				continue
			}
			p.relocateOne(l, want.linkKey)
			progress = true
		}
		if progress {
			continue
		}
		if blocked == nil {
			break
		}
		for i := 0; ; i++ {
			free := linkKey{blocked.namespace, "netdash" + strconv.Itoa(i)}
			if p.cur.link(free) == nil && p.to.link(free) == nil {
				if blocked.up {
					p.emit(SetUp{blocked.namespace, blocked.name, false})
				}
				p.relocateOne(blocked, free)
				break
			}
		}
	}
	for _, ns := range p.leaving() {
		p.emit(DeleteNamespace{ns})
	}
}

func (p *planner) relocateOne(l *link, to linkKey) {
	if to.namespace == l.namespace {
		p.emit(Rename{l.namespace, l.name, to.name})
		return
	}
	c := Move{Namespace: l.namespace, Name: l.name, ToNamespace: to.namespace}
	if to.name != l.name {
		c.To = to.name
	}
	p.emit(c)
}

// manyVeths is how many new pairs are many: their ends get one queue each.
const manyVeths = 32

func (p *planner) createLinks() {
	ends := 0
	for _, l := range p.to.links {
		if l.kind == kindVeth && p.cur.link(l.linkKey) == nil {
			ends++
		}
	}
	for _, l := range p.to.links {
		if p.cur.link(l.linkKey) != nil {
			continue
		}
		switch l.kind {
		case kindBridge:
			// An MTU given here would last only until the first port joins; the one
			// set afterwards stays (BROPT_MTU_SET_BY_USER).
			p.emit(CreateBridge{Namespace: l.namespace, Name: l.name, MAC: l.mac, Attributes: l.bridge})
		case kindVeth:
			p.emit(CreateVeth{A: p.vethEnd(l), B: p.vethEnd(l.peer), OneQueue: ends > 2*manyVeths})
		}
	}
}

func (p *planner) vethEnd(l *link) VethEnd {
	e := VethEnd{l.namespace, l.name, cmp.Or(l.mac, l.knownMAC), l.mtu}
	if e.MTU == 1500 {
		e.MTU = 0 // the kernel's own choice needs no words
	}
	return e
}

func (p *planner) settings(have, want *link) {
	// What is asked for no longer goes back to what it was without.
	mtu, mac := want.mtu, want.mac
	if mtu == 0 && have.mtu != 0 {
		mtu = 1500
	}
	if mac == "" && have.mac != "" {
		mac = want.knownMAC
	}
	if mtu != 0 && have.mtu != mtu {
		p.emit(SetMTU{want.namespace, want.name, mtu})
	}
	if mac != "" && have.mac != mac {
		p.emit(SetMAC{want.namespace, want.name, mac})
	}
	if have.alias != want.alias {
		p.emit(SetAlias{want.namespace, want.name, want.alias})
	}
	if a, differ := changed(have.bridge, want.bridge, defaultBridge); differ {
		p.emit(SetBridge{want.namespace, want.name, a})
	}
}

func (p *planner) plug(have, want *link) {
	if want.quiet && !have.quiet {
		p.emit(SetAddressGeneration{want.namespace, want.name, false})
	}
	if have.master != want.master {
		p.emit(SetMaster{want.namespace, want.name, want.master})
	}
	if !want.quiet && have.quiet {
		p.emit(SetAddressGeneration{want.namespace, want.name, true})
	}
	if a, differ := changed(have.port, want.port, defaultPort); differ {
		p.emit(SetPort{want.namespace, want.name, a})
	}
}

func (p *planner) address(have, want *link) {
	p.dropAddresses(have, want)
	for _, a := range want.addresses {
		if !slices.Contains(have.addresses, a) {
			p.emit(AddAddress{want.namespace, want.name, a})
		}
	}
}

func (p *planner) routesAndFDB() {
	routes, entries := setOf(p.cur.routes), setOf(p.cur.fdb)
	for _, r := range p.to.routes {
		if !routes[r] {
			p.emit(AddRoute{r})
		}
	}
	for _, e := range p.to.fdb {
		if !entries[e] {
			p.emit(AddFDB{e.namespace, e.bridge, e.FDBSpec})
		}
	}
}
