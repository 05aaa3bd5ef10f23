package topology

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// state is the flat form both a Spec and a Snapshot are reduced to. Order is
// kept, so that a Plan reads in the order in which things were written down.
type state struct {
	namespaces []string
	named      map[string]bool // of namespaces
	links      []*link
	routes     []Route // with Link resolved
	fdb        []fdbItem

	index map[linkKey]*link // of links
}

type linkKey struct{ namespace, name string }

func (k linkKey) String() string { return k.namespace + "/" + k.name }

func (k linkKey) ref() LinkRef { return LinkRef{k.namespace, k.name} }

func (r LinkRef) key() linkKey { return linkKey{r.Namespace, r.Name} }

// Kinds of link a Spec can hold, as the kernel calls them.
const (
	kindLoopback = "loopback"
	kindBridge   = "bridge"
	kindVeth     = "veth"
)

// link is an intended link, or an observed one seen through the eyes of an
// intention.
type link struct {
	linkKey
	uid       int64 // the same in two states for the same link
	kind      string
	mac       string // asked for; empty for the kernel's choice
	knownMAC  string // the kernel's choice of old, for when it has to be restored
	mtu       int    // 0: not asked for
	alias     string
	up        bool
	quiet     bool // generates no link-local address, perhaps having no IPv6 at all
	master    string
	addresses []string // canonical, in the kernel's order
	bridge    BridgeAttributes
	port      PortAttributes
	peer      *link
}

type fdbItem struct {
	namespace, bridge string
	FDBSpec
}

func (f FDBSpec) key() string { return strings.ToLower(f.MAC) + " " + strconv.Itoa(f.VLAN) }

func (f fdbItem) id() string { return f.namespace + "/" + f.bridge + " " + f.key() + " " + f.Port }

// flatten reduces a valid Spec. A route whose link is intended to be down is
// dormant: the kernel could not hold it, so it is left out.
func flatten(s *Spec) *state {
	f := newState(len(s.Namespaces) + len(s.Bridges) + 2*len(s.Veths))
	x := newLookup(s)
	for _, n := range s.Namespaces {
		f.addNamespace(n.Name)
		f.add(&link{
			linkKey: linkKey{n.Name, LoopbackName}, kind: kindLoopback,
			up: isTrue(n.LoopbackUp), addresses: canonical(n.LoopbackAddresses),
		})
	}
	for i := range s.Bridges {
		b := &s.Bridges[i]
		f.add(&link{
			linkKey: linkKey{b.Namespace, b.Name}, uid: b.ID, kind: kindBridge,
			mac: strings.ToLower(b.MAC), knownMAC: b.Identity.MAC, mtu: b.MTU, alias: b.Alias, up: isTrue(b.AdminUp),
			quiet: tooSmall(b.MTU) || x.quiet(b.IPv6, false, b.Namespace), addresses: canonical(b.Addresses), bridge: b.BridgeAttributes,
		})
		for _, e := range b.FDB {
			e.MAC = strings.ToLower(e.MAC)
			f.fdb = append(f.fdb, fdbItem{b.Namespace, b.Name, e})
		}
	}
	for i := range s.Veths {
		a, b := x.flattenEnd(&s.Veths[i].A), x.flattenEnd(&s.Veths[i].B)
		a.peer, b.peer = b, a
		f.add(a, b)
	}
	for _, r := range s.Routes {
		out, problem := x.egress(r)
		if l := f.link(linkKey{r.Namespace, out}); problem == nil && l != nil && l.up {
			f.routes = append(f.routes, r.resolved(out))
		}
	}
	return f
}

// tooSmall tells whether an MTU leaves no room for IPv6: with one, a link has none
// of its settings and addresses (addrconf_notify). Zero stands for the kernel's.
func tooSmall(mtu int) bool { return mtu != 0 && mtu < minMTU6 }

// quiet tells whether a link is to generate no link-local address: as was said
// of the link, of its namespace, or of all. A bridge port needs none.
func (x *lookup) quiet(ipv6 *bool, port bool, namespace string) bool {
	switch n := x.namespaces[namespace]; {
	case ipv6 != nil:
		return !*ipv6
	case port:
		return true
	case n != nil && n.IPv6 != nil:
		return !*n.IPv6
	}
	return x.quietSpec
}

func (x *lookup) flattenEnd(e *End) *link {
	l := &link{
		linkKey: linkKey{e.Namespace, e.Name}, uid: e.ID, kind: kindVeth,
		mac: strings.ToLower(e.MAC), knownMAC: e.Identity.MAC, mtu: e.MTU, alias: e.Alias, up: isTrue(e.AdminUp),
		quiet: tooSmall(e.MTU) || x.quiet(e.IPv6, e.Master != "", e.Namespace), master: e.Master, addresses: canonical(e.Addresses),
	}
	// On the host udev gives a new link another MAC than the kernel's, in its own
	// time (MACAddressPolicy in systemd.link(5)), so there none is held to that was
	// not asked for.
	if l.mac == "" && e.Namespace != HostName {
		l.mac = strings.ToLower(e.Identity.MAC)
	}
	if l.mtu == 0 {
		l.mtu = 1500 // ETH_DATA_LEN, what ether_setup gives a veth
	}
	if e.BridgePort != nil {
		l.port = *e.BridgePort
	}
	return l
}

func (r Route) resolved(link string) Route {
	p, _ := r.prefix()
	r.Destination = writePrefix(p)
	r.Link = link
	if gw, err := netip.ParseAddr(r.Gateway); err == nil {
		r.Gateway = gw.String()
	}
	return r
}

// writePrefix writes a destination as ip(8) does, but for ::/0, which is not
// called default so that its family shows.
func writePrefix(p netip.Prefix) string {
	if p.Bits() == 0 && p.Addr().Is4() {
		return "default"
	}
	return p.String()
}

func canonical(list []string) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = canonicalCIDR(c)
	}
	return out
}

// clone copies a state so that simulating on the copy leaves the original.
func (f *state) clone() *state {
	c := newState(len(f.links))
	c.namespaces, c.named = slices.Clone(f.namespaces), maps.Clone(f.named)
	c.routes, c.fdb = slices.Clone(f.routes), slices.Clone(f.fdb)
	twin := make(map[*link]*link, len(f.links))
	twins := make([]link, len(f.links))
	for i, l := range f.links {
		twins[i] = *l
		// Simulating puts new lists in the place of old ones; it may extend them.
		twins[i].addresses = slices.Clip(l.addresses)
		twin[l] = &twins[i]
		c.add(&twins[i])
	}
	for _, l := range c.links {
		l.peer = twin[l.peer]
	}
	return c
}

func newState(links int) *state {
	return &state{named: map[string]bool{}, index: make(map[linkKey]*link, links), links: make([]*link, 0, links)}
}

func (f *state) hasNamespace(name string) bool { return name == HostName || f.named[name] }

func (f *state) addNamespace(name string) {
	f.namespaces = append(f.namespaces, name)
	f.named[name] = true
}

func (f *state) add(links ...*link) {
	for _, l := range links {
		f.links = append(f.links, l)
		f.index[l.linkKey] = l
	}
}

// link finds a link by its place; nil when there is none.
func (f *state) link(k linkKey) *link { return f.index[k] }

// relabel gives a link its new place.
func (f *state) relabel(l *link, to linkKey) {
	delete(f.index, l.linkKey)
	l.linkKey = to
	f.index[to] = l
}

// byUID indexes the links that can be told apart from their names.
func (f *state) byUID() map[int64]*link {
	m := make(map[int64]*link, len(f.links))
	for _, l := range f.links {
		if l.uid != 0 {
			m[l.uid] = l
		}
	}
	return m
}

// identify gives every link of from a uid and each link of to the uid of the
// link of from that it is: by row id, else by name and kind, else, for a veth,
// by its other end. A pair whose ends belong to two different pairs of from is
// a new pair.
func identify(from, to *state) {
	fresh := int64(-1)
	next := func() int64 { fresh--; return fresh }
	for _, l := range from.links {
		if l.uid == 0 || l.kind == kindLoopback {
			l.uid = next()
		}
	}
	byUID := from.byUID()
	claimed := map[int64]bool{}
	for _, l := range to.links {
		if byUID[l.uid] == nil {
			l.uid = 0
		}
		claimed[l.uid] = true
	}
	for _, l := range to.links {
		if old := from.link(l.linkKey); l.uid == 0 && old != nil && old.kind == l.kind && !claimed[old.uid] {
			l.uid = old.uid
			claimed[l.uid] = true
		}
	}
	for _, l := range to.links {
		if l.peer == nil || l.uid != 0 || l.peer.uid == 0 {
			continue
		}
		if old := byUID[l.peer.uid].peer; old != nil && !claimed[old.uid] {
			l.uid = old.uid
			claimed[l.uid] = true
		}
	}
	for _, l := range to.links {
		if l.uid == 0 {
			l.uid = next()
		}
	}
	for _, l := range to.links {
		if l.peer == nil {
			continue
		}
		old := byUID[l.uid]
		if other := byUID[l.peer.uid]; (old == nil) != (other == nil) || old != nil && old.peer != other {
			l.uid, l.peer.uid = next(), next()
		}
	}
}

// apply changes the state as the kernel would, side effects included.
func (f *state) apply(c Change) {
	switch c := c.(type) {
	case CreateNamespace:
		f.addNamespace(c.Name)
		f.add(&link{linkKey: linkKey{c.Name, LoopbackName}, kind: kindLoopback})
	case DeleteNamespace:
		f.dropNamespaces(map[string]bool{c.Name: true})
	case CreateBridge:
		f.add(&link{linkKey: linkKey{c.Namespace, c.Name}, kind: kindBridge, mac: c.MAC, mtu: c.MTU, bridge: c.Attributes})
	case CreateVeth:
		a := &link{linkKey: linkKey{c.A.Namespace, c.A.Name}, kind: kindVeth, mac: c.A.MAC, mtu: cmp.Or(c.A.MTU, 1500), quiet: tooSmall(c.A.MTU)}
		b := &link{linkKey: linkKey{c.B.Namespace, c.B.Name}, kind: kindVeth, mac: c.B.MAC, mtu: cmp.Or(c.B.MTU, 1500), quiet: tooSmall(c.B.MTU)}
		a.peer, b.peer = b, a
		f.add(a, b)
	case DeleteLink:
		f.drop(map[linkKey]bool{{c.Namespace, c.Name}: true})
	case AddRoute:
		f.routes = append(f.routes, c.Route)
	case DeleteRoute:
		f.routes = slices.DeleteFunc(f.routes, func(r Route) bool { return r == c.Route })
	case AddFDB:
		f.fdb = append(f.fdb, fdbItem{c.Namespace, c.Bridge, c.Entry})
	case DeleteFDB:
		f.fdb = slices.DeleteFunc(f.fdb, func(e fdbItem) bool { return e == fdbItem{c.Namespace, c.Bridge, c.Entry} })
	default:
		f.applyLink(c)
	}
}

// applyLink simulates the Changes of one existing link.
func (f *state) applyLink(c Change) {
	switch c := c.(type) {
	case SetUp:
		l := f.link(linkKey{c.Namespace, c.Name})
		if l.up && !c.Up {
			f.wentDown(l)
		}
		l.up = c.Up
	case Rename:
		f.rename(f.link(linkKey{c.Namespace, c.Name}), c.To)
	case Move:
		f.move(f.link(linkKey{c.Namespace, c.Name}), c.ToNamespace, cmp.Or(c.To, c.Name))
	case SetMAC:
		f.link(linkKey{c.Namespace, c.Name}).mac = c.MAC
	case SetMTU:
		f.resize(f.link(linkKey{c.Namespace, c.Name}), c.MTU)
	case SetAlias:
		f.link(linkKey{c.Namespace, c.Name}).alias = c.Alias
	case SetMaster:
		f.unplug(f.link(linkKey{c.Namespace, c.Name}))
		f.link(linkKey{c.Namespace, c.Name}).master = c.Master
	case SetAddressGeneration:
		f.link(linkKey{c.Namespace, c.Name}).quiet = !c.On
	case SetBridge:
		merge(&f.link(linkKey{c.Namespace, c.Name}).bridge, c.Attributes)
	case SetPort:
		merge(&f.link(linkKey{c.Namespace, c.Name}).port, c.Attributes)
	case AddAddress:
		l := f.link(linkKey{c.Namespace, c.Link})
		l.addresses = append(l.addresses, c.CIDR)
	case DeleteAddress:
		l := f.link(linkKey{c.Namespace, c.Link})
		l.addresses = without(l.addresses, func(a string) bool { return a == c.CIDR })
	}
}

// dropNamespaces removes namespaces with what is in them.
func (f *state) dropNamespaces(doomed map[string]bool) {
	f.namespaces = slices.DeleteFunc(f.namespaces, func(n string) bool { return doomed[n] })
	gone := map[linkKey]bool{}
	for _, l := range f.links {
		if doomed[l.namespace] {
			gone[l.linkKey] = true
		}
	}
	for n := range doomed {
		delete(f.named, n)
	}
	f.drop(gone)
}

// drop removes links with their peers and what hangs on them.
func (f *state) drop(gone map[linkKey]bool) {
	for k := range gone {
		if l := f.link(k); l != nil && l.peer != nil {
			gone[l.peer.linkKey] = true
		}
	}
	for _, l := range f.links {
		switch {
		case l.master == "":
		case gone[l.linkKey]:
			f.freeBridge(l)
		case gone[linkKey{l.namespace, l.master}]:
			f.unplug(l)
		}
	}
	f.links = slices.DeleteFunc(f.links, func(l *link) bool { return gone[l.linkKey] })
	for k := range gone {
		delete(f.index, k)
	}
	f.routes = slices.DeleteFunc(f.routes, func(r Route) bool { return gone[linkKey{r.Namespace, r.Link}] })
	f.fdb = slices.DeleteFunc(f.fdb, func(e fdbItem) bool {
		return gone[linkKey{e.namespace, e.bridge}] || gone[linkKey{e.namespace, e.Port}]
	})
}

// without gives a list without some of its items; the list itself stays.
func without[T any](list []T, doomed func(T) bool) []T {
	if !slices.ContainsFunc(list, doomed) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), doomed)
}

// wentDown drops what the kernel drops when a link goes down: routes through
// it (fib_disable_ip, addrconf_ifdown) and its IPv6 addresses, unless
// keep_addr_on_down is set, which is not the default.
func (f *state) wentDown(l *link) {
	l.addresses = without(l.addresses, is6)
	f.routes = slices.DeleteFunc(f.routes, func(r Route) bool { return r.Namespace == l.namespace && r.Link == l.name })
}

func (f *state) unplug(l *link) {
	if l.master == "" {
		return
	}
	f.fdb = slices.DeleteFunc(f.fdb, func(e fdbItem) bool { return e.namespace == l.namespace && e.Port == l.name })
	f.freeBridge(l)
	l.master, l.port = "", PortAttributes{}
}

// resize gives a link another MTU. IPv6 ends under its least, and begins anew,
// with the kernel's own settings, above.
func (f *state) resize(l *link, mtu int) {
	switch {
	case tooSmall(mtu):
		l.addresses, l.quiet = without(l.addresses, is6), true
		f.routes = slices.DeleteFunc(f.routes, func(r Route) bool {
			return r.Namespace == l.namespace && r.Link == l.name && is6(r.Destination)
		})
	case tooSmall(l.mtu):
		l.quiet = false
		f.freeBridge(l)
	}
	l.mtu = mtu
}

// freeBridge begins IPv6 anew on a bridge that had no room for it while it followed
// this port, a small one (br_mtu_auto_adjust).
func (f *state) freeBridge(port *link) {
	if bridge := f.link(linkKey{port.namespace, port.master}); bridge != nil && bridge.mtu == 0 && tooSmall(port.mtu) {
		bridge.quiet = false
	}
}

func (f *state) rename(l *link, to string) {
	for i := range f.fdb {
		e := &f.fdb[i]
		if e.namespace != l.namespace {
			continue
		}
		if e.Port == l.name {
			e.Port = to
		}
		if e.bridge == l.name {
			e.bridge = to
		}
	}
	for i := range f.routes {
		if f.routes[i].Namespace == l.namespace && f.routes[i].Link == l.name {
			f.routes[i].Link = to
		}
	}
	for _, p := range f.links {
		if p.namespace == l.namespace && p.master == l.name {
			p.master = to
		}
	}
	f.relabel(l, linkKey{l.namespace, to})
}

// move does what dev_change_net_namespace does: the link is closed, leaves its
// bridge, and loses its addresses and IPv6 settings.
func (f *state) move(l *link, namespace, name string) {
	f.wentDown(l)
	f.unplug(l)
	f.relabel(l, linkKey{namespace, name})
	l.up, l.quiet, l.addresses = false, tooSmall(l.mtu), nil
}

func is6(cidr string) bool { return strings.Contains(cidr, ":") }

// number gives links that have no uid yet one, so that a link can be followed
// wherever it went. A loopback goes nowhere.
func (f *state) number() {
	var last int64
	for _, l := range f.links {
		last = max(last, l.uid)
	}
	for _, l := range f.links {
		if l.uid == 0 && l.kind != kindLoopback {
			last++
			l.uid = last
		}
	}
}
