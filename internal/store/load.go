package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"netdash/internal/topology"
)

// Load reads the intended topology as last committed, with the identities of
// its links, and its revision: the number of the operation that committed it,
// 0 for the empty one of a new database.
func (s *Store) Load(ctx context.Context) (*topology.Spec, int64, error) {
	var m image
	var revision int64
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		if m, err = loadImage(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT coalesce((SELECT id FROM operations
			WHERE state IN ('committed', 'undone') ORDER BY id DESC LIMIT 1), 0)`).Scan(&revision)
	})
	if err != nil {
		return nil, 0, wrap(err, "load the topology")
	}
	return m.spec, revision, nil
}

// read runs f in a transaction: all it reads is of one moment.
func (s *Store) read(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing to commit
	return f(tx)
}

// loader reads the rows into an image.
type loader struct {
	ctx context.Context
	tx  *sql.Tx
	image
	namespaces map[string]*topology.Namespace
	addresses  map[int64]*[]string
	bridges    map[int64]*topology.Bridge
}

func loadImage(ctx context.Context, tx *sql.Tx) (image, error) {
	l := loader{
		ctx: ctx, tx: tx, image: image{spec: &topology.Spec{}},
		namespaces: map[string]*topology.Namespace{},
		addresses:  map[int64]*[]string{},
		bridges:    map[int64]*topology.Bridge{},
	}
	var ipv6 sql.NullBool
	err := tx.QueryRowContext(ctx, `SELECT name, ipv6,
		(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'links') FROM lab`).
		Scan(&l.spec.Name, &ipv6, &l.lastLink)
	if err != nil {
		return image{}, err
	}
	l.spec.IPv6 = boolPtr(ipv6)
	for _, part := range []func() error{l.loadNamespaces, l.loadLinks, l.loadAddresses, l.loadFDB, l.loadRoutes} {
		if err := part(); err != nil {
			return image{}, err
		}
	}
	return l.image, nil
}

// each reads the rows of a query.
func (l *loader) each(query string, scan func(*sql.Rows) error) (err error) {
	rows, err := l.tx.QueryContext(l.ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (l *loader) loadNamespaces() error {
	list := &l.spec.Namespaces
	err := l.each(`SELECT name, loopback_up, ipv6, position FROM namespaces
		WHERE position IS NOT NULL ORDER BY position`, func(rows *sql.Rows) error {
		var n topology.Namespace
		var up, ipv6 sql.NullBool
		var at int64
		if err := rows.Scan(&n.Name, &up, &ipv6, &at); err != nil {
			return err
		}
		n.LoopbackUp, n.IPv6 = boolPtr(up), boolPtr(ipv6)
		*list, l.places.namespaces = append(*list, n), append(l.places.namespaces, at)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range *list {
		l.namespaces[(*list)[i].Name] = &(*list)[i]
	}
	return l.each(`SELECT namespace, cidr FROM loopback_addresses ORDER BY namespace, position`, func(rows *sql.Rows) error {
		var name, cidr string
		if err := rows.Scan(&name, &cidr); err != nil {
			return err
		}
		n := l.namespaces[name]
		if n == nil {
			return fmt.Errorf("loopback address %s is of no namespace", cidr)
		}
		n.LoopbackAddresses = append(n.LoopbackAddresses, cidr)
		return nil
	})
}

// loadLinks reads bridges, then the ends of each pair one after the other.
func (l *loader) loadLinks() error {
	var a *topology.End // waiting for its other end
	err := l.each(`SELECT l.id, l.namespace, l.name, l.kind, l.position, coalesce(l.pair_end, ''), coalesce(m.name, ''),
			l.mac, l.kernel_mac, l.mtu, l.alias, l.admin_up, l.ipv6, coalesce(l.attributes, '')
		FROM links l LEFT JOIN links m ON m.id = l.master_id
		ORDER BY l.kind, l.position, l.pair_end`, func(rows *sql.Rows) error {
		var e topology.End
		var kind, which, attributes string
		var up, ipv6 sql.NullBool
		var at int64
		err := rows.Scan(&e.ID, &e.Namespace, &e.Name, &kind, &at, &which, &e.Master,
			&e.MAC, &e.Identity.MAC, &e.MTU, &e.Alias, &up, &ipv6, &attributes)
		if err != nil {
			return err
		}
		e.AdminUp, e.IPv6 = boolPtr(up), boolPtr(ipv6)
		if kind == bridgeKind {
			return l.addBridge(e, at, attributes)
		}
		if attributes != "" {
			e.BridgePort = &topology.PortAttributes{}
			if err := json.Unmarshal([]byte(attributes), e.BridgePort); err != nil {
				return fmt.Errorf("attributes of link %d: %w", e.ID, err)
			}
		}
		switch {
		case which == "a" && a == nil:
			a = &e
		case which == "b" && a != nil:
			l.spec.Veths = append(l.spec.Veths, topology.Veth{A: *a, B: e})
			l.places.veths = append(l.places.veths, at)
			a = nil
		default:
			return fmt.Errorf("link %d is half a pair", e.ID)
		}
		return nil
	})
	if err == nil && a != nil {
		err = fmt.Errorf("link %d is half a pair", a.ID)
	}
	return err
}

// addBridge takes what a bridge has in common with an end from there.
func (l *loader) addBridge(e topology.End, at int64, attributes string) error {
	b := topology.Bridge{
		Identity: e.Identity, Namespace: e.Namespace, Name: e.Name,
		MAC: e.MAC, MTU: e.MTU, Alias: e.Alias, AdminUp: e.AdminUp, IPv6: e.IPv6,
	}
	if attributes != "" {
		if err := json.Unmarshal([]byte(attributes), &b.BridgeAttributes); err != nil {
			return fmt.Errorf("attributes of link %d: %w", e.ID, err)
		}
	}
	l.spec.Bridges, l.places.bridges = append(l.spec.Bridges, b), append(l.places.bridges, at)
	return nil
}

func (l *loader) loadAddresses() error {
	for i := range l.spec.Bridges {
		b := &l.spec.Bridges[i]
		l.addresses[b.ID], l.bridges[b.ID] = &b.Addresses, b
	}
	for i := range l.spec.Veths {
		v := &l.spec.Veths[i]
		l.addresses[v.A.ID], l.addresses[v.B.ID] = &v.A.Addresses, &v.B.Addresses
	}
	return l.each(`SELECT link_id, cidr FROM addresses ORDER BY link_id, position`, func(rows *sql.Rows) error {
		var id int64
		var cidr string
		if err := rows.Scan(&id, &cidr); err != nil {
			return err
		}
		list := l.addresses[id]
		if list == nil {
			return fmt.Errorf("address %s is of no link", cidr)
		}
		*list = append(*list, cidr)
		return nil
	})
}

func (l *loader) loadFDB() error {
	return l.each(`SELECT f.bridge_id, f.mac, f.vlan, coalesce(p.name, b.name)
		FROM fdb_entries f JOIN links b ON b.id = f.bridge_id LEFT JOIN links p ON p.id = f.port_id
		ORDER BY f.bridge_id, f.position`, func(rows *sql.Rows) error {
		var id int64
		var e topology.FDBSpec
		if err := rows.Scan(&id, &e.MAC, &e.VLAN, &e.Port); err != nil {
			return err
		}
		b := l.bridges[id]
		if b == nil {
			return fmt.Errorf("FDB entry %s is of no bridge", e.MAC)
		}
		b.FDB = append(b.FDB, e)
		return nil
	})
}

func (l *loader) loadRoutes() error {
	return l.each(`SELECT namespace, destination, gateway, link, metric, position FROM routes
		ORDER BY position`, func(rows *sql.Rows) error {
		var r topology.Route
		var at int64
		if err := rows.Scan(&r.Namespace, &r.Destination, &r.Gateway, &r.Link, &r.Metric, &at); err != nil {
			return err
		}
		l.spec.Routes, l.places.routes = append(l.spec.Routes, r), append(l.places.routes, at)
		return nil
	})
}

func boolPtr(b sql.NullBool) *bool {
	if !b.Valid {
		return nil
	}
	return &b.Bool
}
