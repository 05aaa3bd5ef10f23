// Questions about a topology. Pure.

/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').NamespaceState} NamespaceState */
/** @typedef {import('../types.js').Link} Link */

/** @param {Snapshot} t @param {string} name */
export const namespaceOf = (t, name) => t.namespaces.find((n) => n.name === name || n.id === name);

/** Has a namespace no name under /run/netns? It is called by its id then. @param {NamespaceState} n */
export const isUnnamed = (n) => Boolean(n.id) && n.name === n.id;

/** @param {{id: string, name?: string}} c */
export const containerName = (c) => c.name || c.id.slice(0, 12);

/**
 * What people call a namespace. One without a name goes by its id, which tells
 * nobody anything: who lives in it does.
 * @param {NamespaceState} n
 */
export function titleOf(n) {
  if (!isUnnamed(n)) return n.name;
  if (n.container) return containerName(n.container);
  const [first] = n.processes ?? [];
  return first ? `pid ${first.pid} (${first.name})` : n.name;
}

/** @param {Snapshot} t @param {string} ns @param {string} name */
export const linkOf = (t, ns, name) => namespaceOf(t, ns)?.links.find((l) => l.name === name);

/** @param {Snapshot} t @param {string} [key] */
export function linkByKey(t, key) {
  if (!key) return undefined;
  const id = key.slice(0, key.lastIndexOf(':')); // a key is <namespace id>:<ifindex>
  return t.namespaces.find((n) => n.id === id)?.links.find((l) => l.key === key);
}

/** The other end of a veth, when it can be seen. @param {Snapshot} t @param {Link} link */
export function peerOf(t, link) {
  const p = link.peer;
  if (!p) return undefined;
  return linkByKey(t, p.key) ?? (p.namespace && p.name ? linkOf(t, p.namespace, p.name) : undefined);
}

export const isBridge = (link) => link.kind === 'bridge';
export const isLoopback = (link) => link.kind === 'loopback' || link.name === 'lo';
/** "A/veth0", as netdash writes a link everywhere. */
export const refOf = (link) => `${link.namespace}/${link.name}`;

/** Every link by its ref. @param {Snapshot} t @returns {Map<string, Link>} */
export const linksByRef = (t) => new Map(t.namespaces.flatMap((n) => n.links.map((l) => [refOf(l), l])));

/** @param {NamespaceState} n @param {string} bridge */
export const portsOf = (n, bridge) => n.links.filter((l) => l.master === bridge);

/**
 * The true state of a link's end: missing (intended, not there), down (nobody
 * set it up), no-carrier (up, but no signal: the other end is down), up.
 * @param {Link} link
 */
export function stateOf(link) {
  if (link.sync === 'missing') return 'missing';
  if (!link.admin_up) return 'down';
  if (isLoopback(link)) return 'up';
  if (link.oper_state === 'lowerlayerdown' || (!link.carrier && link.kind !== 'bridge')) return 'no-carrier';
  // A bridge without a port that is up has no carrier, and that is no fault.
  if (isBridge(link)) return link.carrier ? 'up' : 'idle';
  return 'up';
}

/** The address worth showing first: IPv4, then global IPv6, else none. */
export function firstAddress(link) {
  const global = link.addresses.filter((a) => a.scope !== 'link' && a.scope !== 'host');
  return (global.find((a) => !a.cidr.includes(':')) ?? global[0])?.cidr ?? '';
}

/** How many addresses there are beside the first (link-local ones not counted). */
export const moreAddresses = (link) =>
  Math.max(0, link.addresses.filter((a) => a.scope !== 'link' && a.scope !== 'host').length - 1);

/** Addresses of a namespace that can be pinged, IPv4 first, without /prefix. */
export function pingable(n) {
  const all = n.links.flatMap((l) => l.addresses.filter((a) => a.scope === 'global').map((a) => a.cidr.split('/')[0]));
  return all.sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')));
}

/** What is selected, written as text: "ns:A", "link:A/veth0". */
export const nsId = (name) => `ns:${name}`;
export const linkId = (link) => `link:${refOf(link)}`;

/**
 * The object a selection stands for; null when it is gone.
 * @param {Snapshot} t @param {string | null} id
 * @returns {{kind: 'namespace', namespace: NamespaceState} | {kind: 'link' | 'bridge', namespace: NamespaceState, link: Link} | null}
 */
export function resolve(t, id) {
  if (!id) return null;
  if (id.startsWith('ns:')) {
    const namespace = namespaceOf(t, id.slice(3));
    return namespace ? { kind: 'namespace', namespace } : null;
  }
  const [ns, name] = id.slice('link:'.length).split('/');
  const namespace = namespaceOf(t, ns);
  const link = namespace?.links.find((l) => l.name === name);
  return namespace && link ? { kind: isBridge(link) ? 'bridge' : 'link', namespace, link } : null;
}

/** The selection an event is about. @param {import('../types.js').TopologyEvent} e */
export function subjectOf(e) {
  if (e.namespace) return nsId(e.namespace.name);
  if (e.link) return linkId(e.link);
  if (e.address) return `link:${e.address.namespace}/${e.address.link}`;
  if (e.fdb) return `link:${e.fdb.namespace}/${e.fdb.bridge}`;
  if (e.neighbour) return `link:${e.neighbour.namespace}/${e.neighbour.link}`;
  if (e.drift) return nsId(e.drift.namespace);
  if (e.route) return e.route.link ? `link:${e.route.namespace}/${e.route.link}` : nsId(e.route.namespace);
  return null;
}
