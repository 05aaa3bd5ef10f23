package walk

import (
	"slices"
	"time"

	"netdash/internal/topology"
)

// Table is the MAC table of a bridge as it was read.
type Table struct {
	Namespace, Bridge string
	At                time.Time // of the reading
	Entries           []*topology.FDBEntry
}

// delay is how much later than what it tells of an event can come. The kernel's
// messages have no time: an event has that of its arrival.
const delay = 100 * time.Millisecond

// bridge is a bridge as it was at one moment.
type bridge struct {
	namespace, name string
	link            *topology.Link
	ports           map[string]*topology.Link
	table           map[address]*entry
	taught          map[address][]lesson // by the frames that were seen
	events          []topology.Event     // that are still to come
}

// address is what a MAC table has entries for.
type address struct {
	mac  string
	vlan int
}

type entry struct {
	port  string
	state string
	seen  time.Time // as a source, the last time; of learned ones
	since time.Time // it is on this port, if that began during the walk
}

type lesson struct {
	port string
	at   time.Time
}

func newBridge(s *topology.Snapshot, t Table, events []topology.Event) *bridge {
	b := &bridge{
		namespace: t.Namespace, name: t.Bridge, ports: map[string]*topology.Link{},
		table: map[address]*entry{}, taught: map[address][]lesson{},
	}
	if n := s.Namespace(t.Namespace); n != nil {
		b.link = n.Link(t.Bridge)
		for _, l := range n.Links {
			if l.Master == t.Bridge && l.Sync != topology.Missing {
				b.ports[l.Name] = l
			}
		}
	}
	for _, e := range t.Entries {
		b.table[address{e.MAC, e.VLAN}] = newEntry(e, t.At)
	}
	for i := range events {
		e := &events[i]
		ours := e.FDB != nil && e.FDB.Namespace == b.namespace && e.FDB.Bridge == b.name && e.FDB.Sync != topology.Missing ||
			e.Type == "link.changed" && e.Link != nil && e.Link.Namespace == b.namespace && (e.Link.Name == b.name || e.Link.Master == b.name)
		if ours && e.At.After(t.At) {
			b.events = append(b.events, *e)
		}
	}
	slices.SortStableFunc(b.events, func(x, y topology.Event) int { return x.At.Compare(y.At) })
	return b
}

func newEntry(e *topology.FDBEntry, at time.Time) *entry {
	x := &entry{port: e.Port, state: e.State}
	if e.AgeSeconds != nil {
		x.seen = at.Add(-time.Duration(*e.AgeSeconds * float64(time.Second)))
	}
	return x
}

// advance takes in the events up to a time.
func (b *bridge) advance(until time.Time) {
	for len(b.events) > 0 && !b.events[0].At.After(until) {
		b.take(&b.events[0])
		b.events = b.events[1:]
	}
}

// ahead gives the bridge as it may have been already: with what was told a little
// later.
func (b *bridge) ahead(at time.Time) *bridge {
	c := *b
	c.ports, c.table = map[string]*topology.Link{}, map[address]*entry{}
	for name, l := range b.ports {
		c.ports[name] = l
	}
	for k, e := range b.table {
		c.table[k] = e
	}
	c.advance(at.Add(delay))
	return &c
}

func (b *bridge) take(e *topology.Event) {
	switch {
	case e.Link != nil && e.Link.Name == b.name:
		b.link = e.Link
	case e.Link != nil:
		b.ports[e.Link.Name] = e.Link
	case e.Type == "fdb.removed":
		delete(b.table, address{e.FDB.MAC, e.FDB.VLAN})
	default:
		b.tell(e)
	}
}

// tell takes in that an entry is new or has moved. Most often a frame that was
// seen has taught that already, and maybe something newer.
func (b *bridge) tell(e *topology.Event) {
	k := address{e.FDB.MAC, e.FDB.VLAN}
	known := slices.ContainsFunc(b.taught[k], func(l lesson) bool {
		return l.port == e.FDB.Port && e.At.Sub(l.at) <= delay
	})
	if known && b.table[k] != nil && e.FDB.State == "learned" {
		return
	}
	b.table[k] = newEntry(e.FDB, e.At)
	if e.FDB.State == "learned" {
		b.table[k].seen, b.table[k].since = e.At, e.At
	}
}

// learn takes in what a frame that came in by a port teaches (br_fdb_update in
// net/bridge/br_fdb.c); nil for nothing.
func (b *bridge) learn(h *hop) *Learned {
	p := b.ports[h.linkName()]
	k := address{h.src.String(), b.vlan(h)}
	if p == nil || p.BridgePort == nil || !isTrue(p.BridgePort.Learning, true) || h.src.isGroup() || h.src == (mac{}) {
		return nil
	}
	if s := p.BridgePort.State; s != "learning" && s != "forwarding" {
		return nil
	}
	// br_fdb_update: "some users want to always flood".
	if b.link != nil && b.link.Bridge != nil && b.link.Bridge.AgeingSeconds != nil && *b.link.Bridge.AgeingSeconds == 0 {
		return nil
	}
	old := b.table[k]
	if old != nil && old.state == "local" {
		return nil
	}
	out := &Learned{MAC: k.mac, Port: p.Name, How: "refreshed"}
	e := &entry{port: p.Name, state: "learned", seen: h.at, since: h.at}
	switch {
	case old == nil:
		out.How = "new"
	case old.port != p.Name:
		// So do static ones, unless they are sticky.
		out.How, out.FromPort, e.state = "moved", old.port, old.state
	default:
		e.state, e.since = old.state, old.since
	}
	b.table[k] = e
	b.taught[k] = append(b.taught[k], lesson{p.Name, h.at})
	return out
}

// vlan is the VLAN in which a bridge looks a frame up: 0 unless it filters by
// them. The VLAN of frames without a tag is the port's; 1 is the kernel's default.
func (b *bridge) vlan(h *hop) int {
	switch {
	case b.link == nil || b.link.Bridge == nil || !isTrue(b.link.Bridge.VLANFiltering, false):
		return 0
	case h.VLAN == 0:
		return 1
	}
	return h.VLAN
}

func isTrue(p *bool, otherwise bool) bool {
	if p == nil {
		return otherwise
	}
	return *p
}
