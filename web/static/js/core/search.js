// Finds objects of a topology by what people know of them: a name, an address, a
// MAC. Pure.
import { isBridge, isLoopback, linkId, nsId, titleOf } from './lookup.js';

/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {'namespace' | 'bridge' | 'link'} Kind */

/**
 * An object with the texts it is found by, lower case: its own name first, then
 * addresses and MACs as they are.
 * @typedef {{id: string, kind: Kind, title: string, place: string, texts: string[], shown: string[]}} Entry
 * @typedef {{id: string, kind: Kind, title: string, place: string, found: string}} Hit found: the address or MAC that matched, or none
 */

const address = /^[\d.:a-f]+\/\d+$/;
const kinds = { namespace: 0, bridge: 1, link: 2 };

/** Everything that can be found; made once per topology, as it is asked for at each key. @param {Snapshot} t @returns {Entry[]} */
export function indexOf(t) {
  /** @type {Entry[]} */
  const entries = [];
  const add = (id, kind, title, place, details) => {
    const shown = [title, ...details.filter(Boolean)];
    entries.push({ id, kind, title, place, shown, texts: shown.map((x) => x.toLowerCase()) });
  };
  for (const n of t.namespaces) {
    add(nsId(n.name), 'namespace', titleOf(n), '', (n.names ?? []).filter((x) => x !== n.name));
    for (const l of n.links) {
      if (isLoopback(l)) continue;
      add(linkId(l), isBridge(l) ? 'bridge' : 'link', l.name, titleOf(n), [`${n.name}/${l.name}`, ...l.addresses.map((a) => a.cidr), l.mac, l.alias]);
    }
  }
  return entries;
}

/**
 * The best matches: the very name, then names that begin so, then any that hold
 * it; namespaces before bridges before links, h2 before h10.
 * @param {Entry[]} index @param {string} text @param {number} most
 * @returns {{hits: Hit[], more: number}} more: how many there are beyond those
 */
export function search(index, text, most = 50) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return { hits: [], more: 0 };
  /** @type {{entry: Entry, found: string, rank: number}[]} */
  const all = [];
  for (const entry of index) {
    let [rank, at] = [9, -1];
    entry.texts.forEach((x, i) => {
      const place = x.indexOf(wanted);
      if (place < 0) return;
      // An address is meant without its prefix length.
      const whole = x === wanted || (address.test(x) && x.split('/')[0] === wanted);
      const r = (whole ? 0 : place === 0 ? 1 : 2) + (i === 0 ? 0 : 0.5);
      if (r < rank) [rank, at] = [r, i];
    });
    if (at >= 0) all.push({ entry, rank, found: at === 0 ? '' : entry.shown[at] });
  }
  all.sort((a, b) => a.rank - b.rank || kinds[a.entry.kind] - kinds[b.entry.kind] || naturally(a.entry, b.entry));
  const hits = all.slice(0, most).map(({ entry: { id, kind, title, place }, found }) => ({ id, kind, title, place, found }));
  return { hits, more: all.length - hits.length };
}

const collator = new Intl.Collator('en', { numeric: true });
const naturally = (a, b) => collator.compare(a.title, b.title) || collator.compare(a.place, b.place);
