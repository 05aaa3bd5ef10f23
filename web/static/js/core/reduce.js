// From an event to the next topology. Pure: what an event does not touch stays
// the same object, which is how the views know what need not be redrawn.

/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').NamespaceState} NamespaceState */
/** @typedef {import('../types.js').TopologyEvent} TopologyEvent */

/** @type {Snapshot} */
export const emptyTopology = { seq: 0, revision: 0, namespaces: [] };

/**
 * Fills the lists the server left out, so that nobody else has to ask.
 * @param {Snapshot} snapshot
 * @returns {Snapshot}
 */
export function normalise(snapshot) {
  return { ...snapshot, namespaces: sortNamespaces((snapshot.namespaces ?? []).map((n) => fill(n))) };
}

/** @param {any} n @param {NamespaceState} [old] @returns {NamespaceState} */
function fill(n, old) {
  return {
    ...n,
    names: n.names ?? old?.names ?? [],
    links: sortLinks((n.links ?? old?.links ?? []).map((l) => (l.addresses ? l : { ...l, addresses: [] }))),
    routes: n.routes ?? old?.routes ?? [],
    neighbours: n.neighbours ?? old?.neighbours ?? [],
    fdb: n.fdb ?? old?.fdb ?? [],
  };
}

/** host first, then by name; the order the server keeps. */
function sortNamespaces(list) {
  const rank = (n) => (n.name === 'host' ? '' : n.name);
  return [...list].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}

/** By ifindex; missing ones (without an ifindex) last, by name. */
function sortLinks(list) {
  return [...list].sort((a, b) => (a.ifindex || 1e9) - (b.ifindex || 1e9) || (a.name < b.name ? -1 : 1));
}

/**
 * @param {Snapshot} topology
 * @param {TopologyEvent} event
 * @returns {Snapshot}
 */
export function reduce(topology, event) {
  const [noun, verb] = event.type.split('.');
  const next = reducers[noun]?.(topology.namespaces, event, verb) ?? topology.namespaces;
  const revision = event.type === 'operation.committed' ? (event.operation?.id ?? topology.revision) : topology.revision;
  return { seq: event.seq ?? topology.seq, revision, namespaces: next };
}

/** @type {Record<string, (list: NamespaceState[], event: TopologyEvent, verb: string) => NamespaceState[]>} */
const reducers = {
  namespace(list, event, verb) {
    const n = /** @type {NamespaceState} */ (event.namespace);
    const same = (x) => (n.id && x.id ? x.id === n.id : x.name === n.name);
    const rest = list.filter((x) => !same(x));
    if (verb === 'removed') return rest;
    const old = list.find(same);
    return sortNamespaces([...rest, fill(n, old)]);
  },

  link(list, event, verb) {
    const given = /** @type {import('../types.js').Link} */ (event.link);
    const link = { ...given, addresses: given.addresses ?? [] };
    return within(list, link.namespace, link.key, (n) => {
      // A name is unique in its namespace: a link that appears under the name
      // of a missing one is that one, found again, and the other way round.
      const rest = n.links.filter((l) => l.key !== link.key && (verb === 'removed' || l.name !== link.name));
      return { ...n, links: verb === 'removed' ? rest : sortLinks([...rest, link]) };
    });
  },

  address(list, event, verb) {
    const { namespace, link, key, ...address } = /** @type {import('../types.js').AddressEvent} */ (event.address);
    return within(list, namespace, key, (n) => ({
      ...n,
      links: n.links.map((l) => {
        if (l.key !== key) return l;
        const rest = l.addresses.filter((a) => a.cidr !== address.cidr);
        return { ...l, addresses: verb === 'removed' ? rest : [...rest, address] };
      }),
    }));
  },

  // What is missing is shown until it is found again, for a moment beside it.
  route: entry('routes', 'route', (r) => [r.family, r.destination, r.gateway, r.link, r.metric ?? 0, r.sync === 'missing'].join(' ')),
  neighbour: entry('neighbours', 'neighbour', (n) => n.link + ' ' + n.address),

  fdb(list, event, verb) {
    const e = /** @type {import('../types.js').FDBEntry} */ (event.fdb);
    const other = (x) => x.mac !== e.mac || x.bridge !== e.bridge || (x.vlan ?? 0) !== (e.vlan ?? 0) || (x.sync === 'missing') !== (e.sync === 'missing');
    return within(list, e.namespace, '', (n) => {
      const rest = n.fdb.filter(other);
      return { ...n, fdb: verb === 'removed' ? rest : [...rest, e] };
    });
  },

  // drift.changed is for those who keep no objects: each link and each namespace
  // brings its own differences.
};

/** A reducer of a plain list of a namespace, its entries told apart by id. */
function entry(field, noun, id) {
  return (list, event, verb) => {
    const item = event[noun];
    return within(list, item.namespace, '', (n) => {
      const i = n[field].findIndex((x) => id(x) === id(item));
      const next = [...n[field]];
      if (verb === 'removed') {
        if (i >= 0) next.splice(i, 1);
      } else if (i >= 0) next[i] = item;
      else next.push(item);
      return { ...n, [field]: next };
    });
  };
}

/**
 * Changes one namespace: the one of the link key's id, else of that name.
 * @param {NamespaceState[]} list
 * @param {string} name
 * @param {string} key
 * @param {(n: NamespaceState) => NamespaceState} change
 */
function within(list, name, key, change) {
  const id = key.includes(':') ? key.slice(0, key.lastIndexOf(':')) : '';
  let i = id ? list.findIndex((n) => n.id === id) : -1;
  if (i < 0) i = list.findIndex((n) => n.name === name || n.id === name);
  return i < 0 ? list : list.with(i, change(list[i]));
}
