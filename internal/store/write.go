package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// write brings the rows from one image to the next, in a transaction. What is
// unique (names, peers) is freed before it is used again, so links may swap
// names, move, and take each other's place; references may point ahead, as
// SQLite checks them when the transaction ends.
func (st step) write(ctx context.Context, tx *sql.Tx) error {
	from, err := st.from.rows(st.spans)
	if err != nil {
		return fmt.Errorf("stored topology: %w", err)
	}
	to, err := st.to.rows(st.spans)
	if err != nil {
		return err
	}
	if a, b := st.from.spec, st.to.spec; a.Name != b.Name || !samePtr(a.IPv6, b.IPv6) {
		_, err := tx.ExecContext(ctx, `UPDATE lab SET name = ?, ipv6 = ?`, b.Name, nullBool(b.IPv6))
		if err != nil {
			return err
		}
	}
	w := &writer{ctx: ctx, tx: tx}
	namespaces, links := difference(from.namespaces, to.namespaces), difference(from.links, to.links)
	each(w, `DELETE FROM links WHERE id = ?`, links.gone, func(id int64) []any { return []any{id} })
	w.parkLinks(from, to, links.altered)
	w.namespaces(namespaces, to)
	w.links(links, to)
	w.addresses(difference(from.addresses, to.addresses), to)
	w.loopback(difference(from.loopback, to.loopback), to)
	w.routes(difference(from.routes, to.routes), to)
	w.fdb(difference(from.fdb, to.fdb), to)
	// Last, when nothing is left in them.
	each(w, `DELETE FROM namespaces WHERE name = ?`, namespaces.gone, func(name string) []any { return []any{name} })
	return w.err
}

// writer runs statements until one fails.
type writer struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

// each runs a statement once for each key.
func each[K any](w *writer, query string, keys []K, args func(K) []any) {
	if w.err != nil || len(keys) == 0 {
		return
	}
	statement, err := w.tx.PrepareContext(w.ctx, query)
	if err != nil {
		w.err = err
		return
	}
	defer statement.Close() // also closed with the transaction
	for _, k := range keys {
		if _, err := statement.ExecContext(w.ctx, args(k)...); err != nil {
			w.err = fmt.Errorf("row %v: %w", k, err)
			return
		}
	}
}

// save writes the rows that are new or altered. A new row must not be there
// yet: if it is, the Spec has it twice.
func save[K comparable](w *writer, c changes[K], insert, onConflict string, args func(K) []any) {
	each(w, insert, c.fresh, args)
	each(w, insert+` ON CONFLICT `+onConflict, c.altered, args)
}

// parkLinks takes links that are about to get another name or peer out of the
// way of those that get theirs: no link is called "/…", and no id is negative.
func (w *writer) parkLinks(from, to *rows, altered []int64) {
	parked := slices.DeleteFunc(slices.Clone(altered), func(id int64) bool {
		a, b := from.links.rows[id], to.links.rows[id]
		return a.linkName == b.linkName && a.peer == b.peer
	})
	each(w, `UPDATE links SET name = '/' || id, peer_id = CASE WHEN peer_id IS NOT NULL THEN -id END WHERE id = ?`,
		parked, func(id int64) []any { return []any{id} })
}

func (w *writer) namespaces(c changes[string], to *rows) {
	save(w, c, `INSERT INTO namespaces (name, position, loopback_up, ipv6) VALUES (?, ?, ?, ?)`,
		`(name) DO UPDATE SET position = excluded.position, loopback_up = excluded.loopback_up, ipv6 = excluded.ipv6`,
		func(name string) []any {
			n := to.namespaces.rows[name]
			return []any{name, n.position, n.loopbackUp, n.ipv6}
		})
}

func (w *writer) links(c changes[int64], to *rows) {
	save(w, c, `INSERT INTO links (id, namespace, name, kind, position, pair_end, peer_id, master_id,
			mac, kernel_mac, mtu, alias, admin_up, ipv6, attributes)
		VALUES (?, ?, ?, ?, ?, NULLIF(?, ''), NULLIF(?, 0), NULLIF(?, 0), ?, ?, ?, ?, ?, ?, NULLIF(?, ''))`,
		`(id) DO UPDATE SET namespace = excluded.namespace, name = excluded.name,
			position = excluded.position, pair_end = excluded.pair_end, peer_id = excluded.peer_id,
			master_id = excluded.master_id, mac = excluded.mac, kernel_mac = excluded.kernel_mac,
			mtu = excluded.mtu, alias = excluded.alias, admin_up = excluded.admin_up, ipv6 = excluded.ipv6,
			attributes = excluded.attributes`,
		func(id int64) []any {
			l := to.links.rows[id]
			return []any{
				id, l.namespace, l.name, l.kind, l.position, l.end, l.peer, l.master,
				l.mac, l.kernelMAC, l.mtu, l.alias, l.adminUp, l.ipv6, l.attributes,
			}
		})
}

// addresses leaves out those of links that are gone: they went with them.
func (w *writer) addresses(c changes[addressKey], to *rows) {
	gone := slices.DeleteFunc(c.gone, func(k addressKey) bool { return !to.links.has(k.link) })
	each(w, `DELETE FROM addresses WHERE link_id = ? AND cidr = ?`, gone,
		func(k addressKey) []any { return []any{k.link, k.cidr} })
	save(w, c, `INSERT INTO addresses (link_id, cidr, position) VALUES (?, ?, ?)`,
		`(link_id, cidr) DO UPDATE SET position = excluded.position`,
		func(k addressKey) []any { return []any{k.link, k.cidr, to.addresses.rows[k]} })
}

// loopback leaves out the addresses of namespaces that are about to go.
func (w *writer) loopback(c changes[loopbackKey], to *rows) {
	gone := slices.DeleteFunc(c.gone, func(k loopbackKey) bool { return !to.namespaces.has(k.namespace) })
	each(w, `DELETE FROM loopback_addresses WHERE namespace = ? AND cidr = ?`, gone,
		func(k loopbackKey) []any { return []any{k.namespace, k.cidr} })
	save(w, c, `INSERT INTO loopback_addresses (namespace, cidr, position) VALUES (?, ?, ?)`,
		`(namespace, cidr) DO UPDATE SET position = excluded.position`,
		func(k loopbackKey) []any { return []any{k.namespace, k.cidr, to.loopback.rows[k]} })
}

func (w *writer) routes(c changes[routeKey], to *rows) {
	key := func(r routeKey) []any { return []any{r.Namespace, r.Destination, r.Gateway, r.Link, r.Metric} }
	each(w, `DELETE FROM routes
		WHERE namespace = ? AND destination = ? AND gateway = ? AND link = ? AND metric = ?`, c.gone, key)
	save(w, c, `INSERT INTO routes (namespace, destination, gateway, link, metric, position) VALUES (?, ?, ?, ?, ?, ?)`,
		`(namespace, destination, gateway, link, metric) DO UPDATE SET position = excluded.position`,
		func(r routeKey) []any { return append(key(r), to.routes.rows[r]) })
}

// fdb leaves out the entries of bridges that are gone: they went with them.
func (w *writer) fdb(c changes[fdbKey], to *rows) {
	gone := slices.DeleteFunc(c.gone, func(k fdbKey) bool { return !to.links.has(k.bridge) })
	each(w, `DELETE FROM fdb_entries WHERE bridge_id = ? AND mac = ? AND vlan = ?`, gone,
		func(k fdbKey) []any { return []any{k.bridge, k.mac, k.vlan} })
	save(w, c, `INSERT INTO fdb_entries (bridge_id, mac, vlan, port_id, position) VALUES (?, ?, ?, NULLIF(?, 0), ?)`,
		`(bridge_id, mac, vlan) DO UPDATE SET port_id = excluded.port_id, position = excluded.position`,
		func(k fdbKey) []any {
			e := to.fdb.rows[k]
			return []any{k.bridge, k.mac, k.vlan, e.port, e.position}
		})
}
