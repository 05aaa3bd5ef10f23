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
const rank = (n) => (n.name === 'host' ? '' : n.name);
const compareNamespaces = (a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0);
const sortNamespaces = (list) => [...list].sort(compareNamespaces);

/** By ifindex; missing ones (without an ifindex) last, by name. */
const compareLinks = (a, b) => (a.ifindex || 1e9) - (b.ifindex || 1e9) || (a.name < b.name ? -1 : 1);
const sortLinks = (list) => [...list].sort(compareLinks);

/**
 * Puts an item into an ordered list, in the place of those it stands for: an
 * event costs a look at each neighbour, never a sort of them all.
 * @template T @param {T[]} list @param {T} item @param {(x: T) => boolean} replaced @param {(a: T, b: T) => number} compare
 */
function insert(list, item, replaced, compare) {
  const i = list.findIndex(replaced);
  const inPlace = i >= 0 && (i === 0 || compare(list[i - 1], item) < 0) && (i === list.length - 1 || compare(item, list[i + 1]) < 0);
  if (inPlace && !list.some((x, k) => k > i && replaced(x))) return list.with(i, item);
  const rest = i < 0 ? [...list] : list.filter((x) => !replaced(x));
  let [from, to] = [0, rest.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compare(rest[middle], item) < 0) from = middle + 1;
    else to = middle;
  }
  rest.splice(from, 0, item);
  return rest;
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

const isMissing = (x) => x.sync === 'missing';

/** @type {Record<string, (list: NamespaceState[], event: TopologyEvent, verb: string) => NamespaceState[]>} */
const reducers = {
  namespace(list, event, verb) {
    const n = /** @type {NamespaceState} */ (event.namespace);
    const same = (x) => (n.id && x.id ? x.id === n.id : x.name === n.name);
    if (verb === 'removed') return list.filter((x) => !same(x));
    return insert(list, fill(n, list.find(same)), same, compareNamespaces);
  },

  link(list, event, verb) {
    const given = /** @type {import('../types.js').Link} */ (event.link);
    const link = { ...given, addresses: given.addresses ?? [] };
    return within(list, link.namespace, link.key, (n) => {
      // By key alone: one of another kind may have the name of one that is missing
      // and stays so. Of one that is found again, the missing one is removed next.
      if (verb === 'removed') return { ...n, links: n.links.filter((l) => l.key !== link.key) };
      return { ...n, links: insert(n.links, link, (l) => l.key === link.key, compareLinks) };
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
  route: entry('routes', 'route', (a, b) => a.destination === b.destination && a.link === b.link && a.gateway === b.gateway &&
    a.family === b.family && (a.metric ?? 0) === (b.metric ?? 0) && isMissing(a) === isMissing(b)),
  neighbour: entry('neighbours', 'neighbour', (a, b) => a.address === b.address && a.link === b.link),
  fdb: entry('fdb', 'fdb', (a, b) => a.mac === b.mac && a.bridge === b.bridge && (a.vlan ?? 0) === (b.vlan ?? 0) && isMissing(a) === isMissing(b)),

  // drift.changed is for those who keep no objects: each link and each namespace
  // brings its own differences.
};

/** A reducer of a plain list of a namespace, with what makes two entries the same one. */
function entry(field, noun, same) {
  return (list, event, verb) => {
    const item = event[noun];
    return within(list, item.namespace, '', (n) => {
      const i = n[field].findIndex((x) => same(x, item));
      const next = verb === 'removed' ? n[field].filter((_, k) => k !== i) : i < 0 ? [...n[field], item] : n[field].with(i, item);
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
