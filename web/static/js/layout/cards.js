// What of one namespace is drawn: its card, the bars of its bridges, and the ends
// of its cables. Made once for each state of a namespace: events replace the
// state of what they touch and of nothing else (core/reduce.js). Pure.
import { firstAddress, isBridge, isLoopback, isUnnamed, moreAddresses, refOf, stateOf, titleOf } from '../core/lookup.js';
import { intendedRef, nameOf, objectOf } from '../core/drift.js';
import { cut } from '../core/format.js';
import { barHeight, headHeight, monoWidth, rowHeight, textWidth } from './measure.js';

/** @typedef {import('../types.js').NamespaceState} NamespaceState */
/** @typedef {import('../types.js').Link} Link */
/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./model.js').Row} Row */
/** @typedef {import('./model.js').End} End */
/**
 * @typedef {{end: End, link: Link, shown: boolean, home: string}} LooseEnd an end, in its namespace's card or bars, of a veth, before it is known where the other one is
 *
 * @typedef {object} Parts
 * @property {string} name of the namespace
 * @property {NamespaceState} of what they were made of
 * @property {Node[]} nodes
 * @property {import('./model.js').Tether[]} tethers
 * @property {Node | undefined} card
 * @property {number} cables how many of its ends are at the card
 * @property {LooseEnd[]} ends
 * @property {Map<string, LooseEnd>} byKey
 * @property {Map<string, LooseEnd>} byName
 */

/** @type {WeakMap<NamespaceState, Parts>} */
const made = new WeakMap();

/**
 * What is equal to before stays the same object: that is how the views know
 * what need not be drawn again.
 * @param {NamespaceState} n @param {Map<string, Parts>} before by namespace
 * @returns {Parts}
 */
export function partsOf(n, before) {
  let parts = made.get(n);
  if (!parts) {
    const old = before.get(n.name);
    parts = old && looksAlike(old.of, n) ? old : makeParts(n, old);
    made.set(n, parts);
  }
  return parts;
}

/** What is in the inspector, and not in the picture. */
const undrawn = ['fdb', 'neighbours', 'routes', 'processes', 'process_count'];

/** Is the same drawn of both? @param {NamespaceState} a @param {NamespaceState} b */
export function looksAlike(a, b) {
  if (a === b) return true;
  const differ = (k) => a[k] !== b[k] && !undrawn.includes(k);
  return !Object.keys(a).some(differ) && !Object.keys(b).some(differ);
}

/** @returns {Parts} */
function makeParts(n, before) {
  const nodes = keepEqual(nodesOf(n), before?.nodes);
  const ends = endsOf(n, nodes, before);
  const card = nodes.find((x) => x.kind === 'ns');
  const same = before && before.nodes.length === nodes.length && nodes.every((x, i) => before.nodes[i] === x);
  const tethers = card && n.name !== 'host' ? nodes.filter((x) => x !== card).map((bar) => ({ id: `tether:${bar.id}`, from: card.id, to: bar.id })) : [];
  return {
    name: n.name,
    of: n,
    nodes: same ? before.nodes : nodes,
    tethers: same ? before.tethers : tethers,
    card,
    cables: ends.reduce((sum, e) => sum + Number(e.end.node === card?.id), 0),
    ends,
    byKey: new Map(ends.map((e) => [e.link.key, e])),
    byName: new Map(ends.map((e) => [e.link.name, e])),
  };
}

/** @param {Node[]} nodes @param {Node[]} [before] */
const keepEqual = (nodes, before) => (before ? nodes.map((x) => {
  const old = before.find((o) => o.id === x.id);
  return old && JSON.stringify(old) === JSON.stringify(x) ? old : x;
}) : nodes);

/** The veth ends of a namespace: at the bar of the bridge they are plugged into, else at the card. */
function endsOf(n, nodes, before) {
  const bars = new Map(n.links.filter(isBridge).map((l) => [l.name, `br:${n.name}/${l.name}`]));
  const card = `ns:${n.name}`;
  const drawn = new Set(nodes.map((x) => x.id));
  const old = new Map((before?.ends ?? []).map((e) => [e.end.ref, e]));
  const ends = [];
  for (const link of n.links) {
    if (link.kind !== 'veth') continue;
    const node = (link.master && bars.get(link.master)) || card;
    const ref = refOf(link);
    const was = old.get(ref);
    if (was && was.link === link && was.end.node === node && was.shown === drawn.has(node)) ends.push(was);
    else {
      const end = { node, ref, name: nameOf(link), state: stateOf(link), sync: link.sync };
      ends.push({ link, end: was && sameEnd(was.end, end) ? was.end : end, shown: drawn.has(node), home: n.name });
    }
  }
  return ends;
}

/** @param {End} a @param {End} b */
const sameEnd = (a, b) => a.node === b.node && a.name === b.name && a.state === b.state && a.sync === b.sync;

/** Fallback tunnels that the kernel puts into every namespace; noise while down. */
const fallback = new Set(['tunl0', 'sit0', 'gre0', 'gretap0', 'erspan0', 'ip_vti0', 'ip6_vti0', 'ip6tnl0', 'ip6gre0']);

/** Is this link a row of its namespace's card? */
function isRow(n, link) {
  if (isLoopback(link) || isBridge(link) || link.master) return false;
  if (fallback.has(link.name) && !link.admin_up && !link.managed) return false;
  // The machine's own network cards say nothing about a lab.
  return n.name !== 'host' || link.kind !== 'physical';
}

/** @param {NamespaceState} n @returns {Node[]} */
function nodesOf(n) {
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
    name: nameOf(l),
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
  const elsewhere = (l) => isBridge(l) || Boolean(l.master);
  const links = n.links.reduce((sum, l) => sum + (elsewhere(l) ? 0 : (l.differences?.length ?? 0)), 0);
  if (!n.differences?.length) return links;
  const refs = new Set(n.links.filter(elsewhere).map(intendedRef));
  return links + n.differences.filter((d) => !refs.has(objectOf(d))).length;
}

export const tens = (x) => Math.ceil(x / 10) * 10;

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
