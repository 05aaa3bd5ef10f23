package store

import (
	"database/sql"
	"encoding/json"

	"netdash/internal/topology"
)

// rows are a Spec, or a part of one, as the database keeps it.
type rows struct {
	namespaces table[string, namespaceRow]
	loopback   table[loopbackKey, int64] // its position
	links      table[int64, linkRow]
	addresses  table[addressKey, int64] // its position
	routes     table[routeKey, int64]   // its position
	fdb        table[fdbKey, fdbRow]
}

type namespaceRow struct {
	position         int64
	loopbackUp, ipv6 sql.NullBool
}

type loopbackKey struct{ namespace, cidr string }

type linkRow struct {
	linkName
	kind, end      string
	position       int64
	peer, master   int64 // 0: none
	mac, kernelMAC string
	mtu            int
	alias          string
	adminUp, ipv6  sql.NullBool
	attributes     string // JSON; "": none
}

// routeKey is all there is to a route.
type routeKey = topology.Route

type addressKey struct {
	link int64
	cidr string
}

type fdbKey struct {
	bridge int64
	mac    string
	vlan   int
}

type fdbRow struct {
	port     int64 // 0: the bridge itself
	position int64
}

// The kinds of link, as the kernel calls them.
const (
	bridgeKind = "bridge"
	vethKind   = "veth"
)

// table is rows by key, in the order they were added.
type table[K, R comparable] struct {
	keys []K
	rows map[K]R
}

func (t *table[K, R]) add(subject string, k K, r R) error {
	if _, ok := t.rows[k]; ok {
		return topology.Errorf(topology.CodeConflict, subject, "is there twice")
	}
	if t.rows == nil {
		t.rows = map[K]R{}
	}
	t.keys = append(t.keys, k)
	t.rows[k] = r
	return nil
}

func (t *table[K, R]) has(k K) bool { _, ok := t.rows[k]; return ok }

// changes are the keys of the rows that two versions of a table do not have in
// common: only in the former, only in the latter, or in both but different.
type changes[K comparable] struct {
	gone, fresh, altered []K
}

func difference[K, R comparable](from, to table[K, R]) changes[K] {
	var c changes[K]
	for _, k := range from.keys {
		if !to.has(k) {
			c.gone = append(c.gone, k)
		}
	}
	for _, k := range to.keys {
		if r, ok := from.rows[k]; !ok {
			c.fresh = append(c.fresh, k)
		} else if r != to.rows[k] {
			c.altered = append(c.altered, k)
		}
	}
	return c
}

// rows makes the rows of the image's differing parts.
func (m image) rows(sp spans) (*rows, error) {
	r, part, ids := &rows{}, sp.cut(m.spec), finder{spec: m.spec}
	for i, n := range part.Namespaces {
		if err := r.addNamespace(&n, middle(m.places.namespaces, sp.Namespaces)[i]); err != nil {
			return nil, err
		}
	}
	for i, b := range part.Bridges {
		if err := r.addBridge(&b, middle(m.places.bridges, sp.Bridges)[i], &ids); err != nil {
			return nil, err
		}
	}
	for i, v := range part.Veths {
		at := middle(m.places.veths, sp.Veths)[i]
		if err := r.addEnd(&v.A, "a", v.B.ID, at, &ids); err != nil {
			return nil, err
		}
		if err := r.addEnd(&v.B, "b", v.A.ID, at, &ids); err != nil {
			return nil, err
		}
	}
	for i, route := range part.Routes {
		subject := route.Namespace + " " + route.Destination
		if err := r.routes.add(subject, route, middle(m.places.routes, sp.Routes)[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *rows) addNamespace(n *topology.Namespace, at int64) error {
	err := r.namespaces.add(n.Name, n.Name, namespaceRow{
		position: at, loopbackUp: nullBool(n.LoopbackUp), ipv6: nullBool(n.IPv6),
	})
	if err != nil {
		return err
	}
	for i, cidr := range n.LoopbackAddresses {
		subject := n.Name + "/" + topology.LoopbackName + " " + cidr
		if err := r.loopback.add(subject, loopbackKey{n.Name, cidr}, int64(i)); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) addBridge(b *topology.Bridge, at int64, ids *finder) error {
	row := linkRow{
		linkName: linkName{b.Namespace, b.Name}, kind: bridgeKind, position: at,
		mac: b.MAC, kernelMAC: b.Identity.MAC, mtu: b.MTU, alias: b.Alias, adminUp: nullBool(b.AdminUp),
		ipv6: nullBool(b.IPv6),
	}
	if b.BridgeAttributes != (topology.BridgeAttributes{}) {
		attributes, err := json.Marshal(b.BridgeAttributes)
		if err != nil {
			return err
		}
		row.attributes = string(attributes)
	}
	if err := r.addLink(b.ID, row, b.Addresses); err != nil {
		return err
	}
	for i, e := range b.FDB {
		subject := row.subject() + " " + e.MAC
		entry := fdbRow{position: int64(i)}
		if e.Port != b.Name {
			var err error
			if entry.port, err = ids.end(subject, linkName{b.Namespace, e.Port}); err != nil {
				return err
			}
		}
		if err := r.fdb.add(subject, fdbKey{b.ID, e.MAC, e.VLAN}, entry); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) addEnd(e *topology.End, which string, peer, at int64, ids *finder) error {
	row := linkRow{
		linkName: linkName{e.Namespace, e.Name}, kind: vethKind, end: which, peer: peer, position: at,
		mac: e.MAC, kernelMAC: e.Identity.MAC, mtu: e.MTU, alias: e.Alias, adminUp: nullBool(e.AdminUp),
		ipv6: nullBool(e.IPv6),
	}
	if e.Master != "" {
		var err error
		if row.master, err = ids.bridge(row.subject(), linkName{e.Namespace, e.Master}); err != nil {
			return err
		}
	}
	if e.BridgePort != nil {
		attributes, err := json.Marshal(e.BridgePort)
		if err != nil {
			return err
		}
		row.attributes = string(attributes)
	}
	return r.addLink(e.ID, row, e.Addresses)
}

func (r *rows) addLink(id int64, row linkRow, addresses []string) error {
	if err := r.links.add(row.subject(), id, row); err != nil {
		return err
	}
	for i, cidr := range addresses {
		if err := r.addresses.add(row.subject()+" "+cidr, addressKey{id, cidr}, int64(i)); err != nil {
			return err
		}
	}
	return nil
}

func (n linkName) subject() string { return n.namespace + "/" + n.name }

func nullBool(p *bool) sql.NullBool {
	if p == nil {
		return sql.NullBool{}
	}
	return sql.NullBool{Bool: *p, Valid: true}
}

// finder finds the ids of links by name. It reads the Spec when first asked.
type finder struct {
	spec          *topology.Spec
	bridges, ends map[linkName]int64
}

func (f *finder) bridge(subject string, n linkName) (int64, error) {
	if f.bridges == nil {
		f.bridges = make(map[linkName]int64, len(f.spec.Bridges))
		for i := range f.spec.Bridges {
			b := &f.spec.Bridges[i]
			f.bridges[linkName{b.Namespace, b.Name}] = b.ID
		}
	}
	return found(subject, n, f.bridges)
}

func (f *finder) end(subject string, n linkName) (int64, error) {
	if f.ends == nil {
		f.ends = make(map[linkName]int64, 2*len(f.spec.Veths))
		for i := range f.spec.Veths {
			for _, e := range []*topology.End{&f.spec.Veths[i].A, &f.spec.Veths[i].B} {
				f.ends[linkName{e.Namespace, e.Name}] = e.ID
			}
		}
	}
	return found(subject, n, f.ends)
}

func found(subject string, n linkName, ids map[linkName]int64) (int64, error) {
	id, ok := ids[n]
	if !ok {
		return 0, topology.Errorf(topology.CodeInvalid, subject, "refers to %s, which is not there", n.subject())
	}
	return id, nil
}
