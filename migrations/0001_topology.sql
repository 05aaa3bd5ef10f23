-- +goose Up

-- Marks the file as netdash's ("netd"), so that a database of another program
-- is refused before anything is written to it.
PRAGMA application_id = 0x6e657464;

-- What holds for the whole intended topology: always one row.
CREATE TABLE lab (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL,
  ipv6 INTEGER CHECK (ipv6 IN (0, 1)) -- NULL: not asked for, so the default
) STRICT;

INSERT INTO lab (id, name) VALUES (1, '');

-- A namespace is known by its name and by nothing else (its inode dies with
-- it), so the name is the key and what is in it refers to the name.
CREATE TABLE namespaces (
  name        TEXT PRIMARY KEY,
  -- Place in the Spec's list. Positions grow along the list but may have gaps,
  -- so that a deletion touches no other row. The host is in no list.
  position    INTEGER CHECK ((position IS NULL) = (name = 'host')),
  loopback_up INTEGER CHECK (loopback_up IN (0, 1)),
  ipv6        INTEGER CHECK (ipv6 IN (0, 1))
) STRICT, WITHOUT ROWID;

-- netdash's own namespace is never listed in a Spec, but links live in it.
INSERT INTO namespaces (name) VALUES ('host');

CREATE TABLE loopback_addresses (
  namespace TEXT NOT NULL REFERENCES namespaces (name) ON DELETE CASCADE,
  cidr      TEXT NOT NULL,
  position  INTEGER NOT NULL,
  PRIMARY KEY (namespace, cidr)
) STRICT, WITHOUT ROWID;

-- Bridges and ends of veth pairs. References between links are checked when a
-- commit ends (DEFERRED), because both ends of a pair refer to each other.
CREATE TABLE links (
  -- AUTOINCREMENT: the id is the link's identity across renames, and one that
  -- has been deleted must never come back as another link.
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  namespace  TEXT NOT NULL REFERENCES namespaces (name) DEFERRABLE INITIALLY DEFERRED,
  name       TEXT NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('bridge', 'veth')),
  position   INTEGER NOT NULL, -- of the bridge, or of the pair, in the Spec's list
  pair_end   TEXT CHECK (pair_end IN ('a', 'b')), -- which end of the pair it is
  peer_id    INTEGER UNIQUE REFERENCES links (id) DEFERRABLE INITIALLY DEFERRED,
  master_id  INTEGER REFERENCES links (id) DEFERRABLE INITIALLY DEFERRED,
  mac        TEXT NOT NULL, -- '': not asked for
  kernel_mac TEXT NOT NULL, -- what the kernel chose then, kept for repairs
  mtu        INTEGER NOT NULL, -- bytes; 0: not asked for
  alias      TEXT NOT NULL,
  admin_up   INTEGER CHECK (admin_up IN (0, 1)),
  -- Settings of a bridge, or of an end as a bridge port. They grow with the
  -- kernel and nothing searches for them, so they are not columns.
  attributes TEXT CHECK (json_valid(attributes)),
  UNIQUE (namespace, name),
  CHECK ((kind = 'veth') = (peer_id IS NOT NULL)),
  CHECK ((kind = 'veth') = (pair_end IS NOT NULL)),
  CHECK (kind = 'veth' OR master_id IS NULL)
) STRICT;

-- SQLite looks for the children of each link it deletes.
CREATE INDEX links_master ON links (master_id) WHERE master_id IS NOT NULL;

CREATE TABLE addresses (
  link_id  INTEGER NOT NULL REFERENCES links (id) ON DELETE CASCADE,
  cidr     TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (link_id, cidr)
) STRICT, WITHOUT ROWID;

CREATE TABLE routes (
  namespace   TEXT NOT NULL REFERENCES namespaces (name) DEFERRABLE INITIALLY DEFERRED,
  destination TEXT NOT NULL,
  gateway     TEXT NOT NULL, -- '': none
  -- A name and no reference: a route may leave by a link that is not intended
  -- but simply there, like lo or a network card of the host.
  link        TEXT NOT NULL, -- '': the one the gateway is reached by
  metric      INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  PRIMARY KEY (namespace, destination, gateway, link, metric)
) STRICT, WITHOUT ROWID;

-- Static entries of the bridges' MAC tables.
CREATE TABLE fdb_entries (
  bridge_id INTEGER NOT NULL REFERENCES links (id) ON DELETE CASCADE,
  mac       TEXT NOT NULL,
  vlan      INTEGER NOT NULL, -- 0: none
  port_id   INTEGER REFERENCES links (id) DEFERRABLE INITIALLY DEFERRED, -- NULL: the bridge itself
  position  INTEGER NOT NULL,
  PRIMARY KEY (bridge_id, mac, vlan)
) STRICT, WITHOUT ROWID;

CREATE INDEX fdb_entries_port ON fdb_entries (port_id) WHERE port_id IS NOT NULL;

-- The journal. An operation's number is the topology's revision once it is
-- committed, so it is never used twice.
CREATE TABLE operations (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  state       TEXT NOT NULL CHECK (state IN ('running', 'committed', 'failed', 'undone')),
  author      TEXT NOT NULL,
  request     TEXT NOT NULL,
  changes     TEXT NOT NULL CHECK (json_valid(changes)), -- each with its command
  error       TEXT NOT NULL,
  started_at  TEXT NOT NULL, -- RFC 3339, UTC
  duration_ms REAL NOT NULL,
  -- What the topology is to become, as the difference from the rows above;
  -- needed, after a crash, only while the operation runs.
  target      TEXT CHECK (json_valid(target)),
  CHECK ((state = 'running') = (target IS NOT NULL))
) STRICT;

CREATE INDEX operations_running ON operations (id) WHERE state = 'running';

CREATE TABLE settings (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down

DROP TABLE settings;
DROP TABLE operations;
DROP TABLE fdb_entries;
DROP TABLE routes;
DROP TABLE addresses;
DROP TABLE links;
DROP TABLE loopback_addresses;
DROP TABLE namespaces;
DROP TABLE lab;
