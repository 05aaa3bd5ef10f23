// From a topology to what is drawn: nodes (cards and bars) and cables. Pure.
import { firstAddress, isBridge, isLoopback, isUnnamed, moreAddresses, peerOf, refOf, stateOf, titleOf } from '../core/lookup.js';
import { intendedRef, nameOf, objectOf } from '../core/drift.js';
import { cut } from '../core/format.js';
import { barHeight, headHeight, monoWidth, rowHeight, textWidth } from './measure.js';

/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').NamespaceState} NamespaceState */
/** @typedef {import('../types.js').Link} Link */

/**
 * @typedef {object} Row an interface of a card
 * @property {string} ref "A/veth0"
 * @property {string} label "veth0@if7"
 * @property {string} address
 * @property {string} state as stateOf
 * @property {string} sync
 *
 * @typedef {object} Node
 * @property {string} id "ns:A" or "br:host/br0"
 * @property {'ns' | 'br'} kind
 * @property {string} key identity that outlives a rename
 * @property {string} select what selecting it selects
 * @property {string} namespace
 * @property {string} title
 * @property {string} place what the namespace is called
 * @property {string} address a bridge's first address
 * @property {string} sync
 * @property {string} state
 * @property {number} differences in how much it is not as intended; a card's links count, a bar's ports do not
 * @property {string} note why the picture may be incomplete
 * @property {'up' | 'down' | ''} lo state of lo; empty when it is not shown here
 * @property {Row[]} rows
 * @property {number} addressColumn x of the rows' addresses
 * @property {number} w
 * @property {number} h
 *
 * @typedef {object} End
 * @property {string} node
 * @property {string} ref
 * @property {string} name
 * @property {string} state as stateOf
 * @property {string} sync
 *
 * @typedef {object} Cable
 * @property {string} id "A/veth0--B/veth0"; "A/veth0--?" when the other end cannot be seen
 * @property {End} a
 * @property {End | null} b null: dangling
 * @property {string} far what is known of an end that cannot be seen
 *
 * @typedef {{nodes: Node[], cables: Cable[], tethers: {id: string, from: string, to: string}[]}} Model
 */

/** Fallback tunnels that the kernel puts into every namespace; noise while down. */
const fallback = new Set(['tunl0', 'sit0', 'gre0', 'gretap0', 'erspan0', 'ip_vti0', 'ip6_vti0', 'ip6tnl0', 'ip6gre0']);

/** Is this link a row of its namespace's card? */
function isRow(n, link) {
  if (isLoopback(link) || isBridge(link) || link.master) return false;
  if (fallback.has(link.name) && !link.admin_up && !link.managed) return false;
  // The machine's own network cards say nothing about a lab.
  return n.name !== 'host' || link.kind !== 'physical';
}

/** @param {Snapshot} t @returns {Model} */
export function buildModel(t) {
  const cables = buildCables(t);
  const nodes = t.namespaces.flatMap((n) => nodesOf(n, cables, t));
  const ids = new Set(nodes.map((n) => n.id));
  const drawn = cables.filter((c) => ids.has(c.a.node) && (!c.b || ids.has(c.b.node)));
  const tethers = nodes
    .filter((n) => n.kind === 'br' && n.namespace !== 'host' && ids.has(`ns:${n.namespace}`))
    .map((n) => ({ id: `tether:${n.id}`, from: `ns:${n.namespace}`, to: n.id }));
  return { nodes: widenBars(nodes, drawn), cables: drawn, tethers };
}

/** The node a link's cable ends at: its bridge's bar, else its namespace's card. */
function nodeIdOf(t, link) {
  const n = t.namespaces.find((x) => x.name === link.namespace);
  const bridge = link.master && n?.links.find((l) => l.name === link.master && isBridge(l));
  return bridge ? `br:${link.namespace}/${link.master}` : `ns:${link.namespace}`;
}

function endOf(t, link) {
  return { node: nodeIdOf(t, link), ref: refOf(link), name: nameOf(link), state: stateOf(link), sync: link.sync };
}

/** @param {Snapshot} t @returns {Cable[]} */
function buildCables(t) {
  /** @type {Map<string, Cable>} */
  const cables = new Map();
  for (const n of t.namespaces) {
    for (const link of n.links) {
      if (link.kind !== 'veth') continue;
      const peer = peerOf(t, link);
      const [a, b] = peer && refOf(peer) < refOf(link) ? [peer, link] : [link, peer];
      const id = `${refOf(a)}--${b ? refOf(b) : '?'}`;
      if (cables.has(id)) continue;
      const far = b ? '' : link.peer?.ifindex ? `if${link.peer.ifindex}` : '?';
      cables.set(id, { id, a: endOf(t, a), b: b ? endOf(t, b) : null, far });
    }
  }
  return [...cables.values()];
}

/** @param {NamespaceState} n @param {Cable[]} cables @param {Snapshot} t @returns {Node[]} */
function nodesOf(n, cables, t) {
  const bridges = n.links.filter(isBridge);
  const rows = n.links.filter((l) => isRow(n, l)).map(rowOf);
  const nodes = bridges.map((l) => barOf(n, l, rows.length === 0));
  // Browsers and services keep their processes in namespaces with nothing in them,
  // dozens of which would say nothing: the panel lists them.
  const quiet = n.name === 'host' || (isUnnamed(n) && !n.container);
  const showCard = rows.length > 0 || (!quiet && bridges.length === 0);
  if (showCard) nodes.unshift(cardOf(n, rows));
  return nodes;
}

/** @param {Link} l @returns {Row} */
function rowOf(l) {
  const more = moreAddresses(l);
  const at = l.peer?.ifindex ? `@if${l.peer.ifindex}` : '';
  return {
    ref: refOf(l),
    label: nameOf(l) + at,
    address: firstAddress(l) + (more ? ` +${more}` : ''),
    state: stateOf(l),
    sync: l.sync,
  };
}

/** @param {NamespaceState} n */
function loState(n) {
  const lo = n.links.find(isLoopback);
  return lo ? (lo.admin_up ? 'up' : 'down') : '';
}

/** Differences of a namespace that no bar shows: its own, and those of the links its card has. @param {NamespaceState} n */
function countDifferences(n) {
  const elsewhere = n.links.filter((l) => isBridge(l) || l.master);
  const links = n.links.reduce((sum, l) => sum + (elsewhere.includes(l) ? 0 : (l.differences?.length ?? 0)), 0);
  if (!n.differences?.length) return links;
  const refs = new Set(elsewhere.map(intendedRef));
  return links + n.differences.filter((d) => !refs.has(objectOf(d))).length;
}

const tens = (x) => Math.ceil(x / 10) * 10;

/** @param {NamespaceState} n @param {Row[]} rows @returns {Node} */
function cardOf(n, rows) {
  const labels = Math.max(0, ...rows.map((r) => monoWidth(r.label, 12)));
  const addresses = Math.max(0, ...rows.map((r) => monoWidth(r.address, 12)));
  const addressColumn = 30 + labels + 14;
  const title = cut(titleOf(n), 26);
  const worst = rows.some((r) => r.state === 'down' || r.state === 'no-carrier') ? 'down' : 'up';
  return {
    id: `ns:${n.name}`,
    kind: 'ns',
    key: n.id || n.name,
    select: `ns:${n.name}`,
    namespace: n.name,
    title,
    place: titleOf(n),
    address: '',
    sync: n.sync,
    state: n.sync === 'missing' ? 'missing' : rows.length ? worst : 'idle',
    differences: countDifferences(n),
    note: n.incomplete ?? '',
    lo: n.name === 'host' || n.sync === 'missing' ? '' : loState(n),
    rows,
    addressColumn,
    // Whole tens: members then stand under their bar to the pixel.
    w: tens(Math.max(150, textWidth(title, 14) + 110, addresses ? addressColumn + addresses + 14 : 30 + labels + 16)),
    h: headHeight + Math.max(1, rows.length) * rowHeight + 10,
  };
}

/** @param {NamespaceState} n @param {Link} l @param {boolean} withLo @returns {Node} */
function barOf(n, l, withLo) {
  const address = firstAddress(l);
  return {
    id: `br:${n.name}/${l.name}`,
    kind: 'br',
    key: l.key,
    select: `link:${n.name}/${l.name}`,
    namespace: n.name,
    title: nameOf(l),
    place: titleOf(n),
    address,
    sync: l.sync,
    state: stateOf(l),
    differences: (l.differences?.length ?? 0) + (n.differences ?? []).filter((d) => objectOf(d) === intendedRef(l)).length,
    note: n.incomplete ?? '',
    lo: withLo && n.name !== 'host' && n.sync !== 'missing' ? loState(n) : '',
    rows: [],
    addressColumn: 0,
    w: tens(Math.max(190, textWidth(nameOf(l), 15) + textWidth(cut(titleOf(n), 26), 11) + monoWidth(address, 12) + 100)),
    h: barHeight,
  };
}

export const memberGap = 40;
/** Members in one row under a bar before the next ones go above it. */
export const rowOfMembers = 5;

/**
 * Makes a bar as long as the row of its single-cable members, so that their
 * cables hang straight down.
 * @param {Node[]} nodes @param {Cable[]} cables
 */
function widenBars(nodes, cables) {
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const degree = degrees(cables);
  return nodes.map((bar) => {
    if (bar.kind !== 'br') return bar;
    const ends = cables.filter((c) => c.b && (c.a.node === bar.id) !== (c.b.node === bar.id));
    const others = ends.map((c) => byId.get(/** @type {any} */ (c.a.node === bar.id ? c.b : c.a).node));
    const leaves = others.filter((o) => o && o.kind === 'ns' && degree.get(o.id) === 1).slice(0, rowOfMembers);
    const span = leaves.reduce((w, o) => w + /** @type {Node} */ (o).w + memberGap, -memberGap);
    const ports = cables.filter((c) => c.a.node === bar.id || c.b?.node === bar.id).length;
    return { ...bar, w: Math.max(bar.w, span, Math.min(ports, 14) * 46 + 20) };
  });
}

/** How many cables each node has that lead somewhere. @param {Cable[]} cables @returns {Map<string, number>} */
export function degrees(cables) {
  const count = new Map();
  for (const c of cables) {
    if (!c.b) continue;
    for (const e of [c.a, c.b]) count.set(e.node, (count.get(e.node) ?? 0) + 1);
  }
  return count;
}

/**
 * Keeps the objects of the model before that did not change, so that a view
 * can tell by identity what to redraw.
 * @param {Model} next @param {Model | null} before @returns {Model}
 */
export function reuse(next, before) {
  if (!before) return next;
  const old = new Map([...before.nodes, ...before.cables, ...before.tethers].map((x) => [x.id, x]));
  const keep = (x) => {
    const o = old.get(x.id);
    return o && JSON.stringify(o) === JSON.stringify(x) ? o : x;
  };
  return { nodes: next.nodes.map(keep), cables: next.cables.map(keep), tethers: next.tethers.map(keep) };
}

/** Nodes grouped by what is connected; tethers connect too. @param {Model} model @returns {Node[][]} */
export function components(model) {
  const parent = new Map(model.nodes.map((n) => [n.id, n.id]));
  const find = (id) => {
    while (parent.get(id) !== id) id = /** @type {string} */ (parent.get(id));
    return id;
  };
  for (const c of model.cables) if (c.b) parent.set(find(c.a.node), find(c.b.node));
  for (const x of model.tethers) parent.set(find(x.from), find(x.to));
  const groups = new Map();
  for (const n of model.nodes) {
    const root = find(n.id);
    groups.set(root, [...(groups.get(root) ?? []), n]);
  }
  return [...groups.values()];
}
