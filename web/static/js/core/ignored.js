// What this viewer does not want to be reminded of: differences and foreign
// objects. Each is kept as it was when it was ignored, so that one that has
// changed since is told again.
import { computed, signal } from '../lib/signals.js';
import { intendedRef, objectOf } from './drift.js';
import { isBridge, isLoopback, refOf } from './lookup.js';

/** @typedef {import('../types.js').Difference} Difference */
/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {{ref: string, key: string, select: string}} Foreign */

const storageKey = 'netdash.ignored';
const most = 5000; // the oldest are forgotten

/** A difference as a text: all of it counts. @param {Difference} d */
export const keyOf = (d) => JSON.stringify([d.subject, d.kind, d.field ?? '', d.intended ?? null, d.observed ?? null]);
/** A foreign object as a text: another one of the same name is told again. @param {string} ref "F", "host/fb" @param {string} key */
const foreignKey = (ref, key) => JSON.stringify([ref, 'foreign', key]);
/** @param {import('../types.js').NamespaceState} n */
export const namespaceKey = (n) => foreignKey(n.name, n.id);
/** @param {import('../types.js').Link} l */
export const linkKey = (l) => foreignKey(refOf(l), l.key);

/**
 * @param {import('./store.js').Store} store
 * @param {{getItem: Function, setItem: Function}} storage
 */
export function createIgnored(store, storage) {
  const keys = signal(/** @type {Set<string>} */ (read(storage)));

  function write(list) {
    keys.value = new Set(list.slice(-most));
    storage.setItem(storageKey, JSON.stringify([...keys.value]));
  }

  return {
    keys,
    /** Of all differences those that are to be seen, and those that are not. */
    seen: computed(() => store.differences.value.filter((d) => !keys.value.has(keyOf(d)))),
    hidden: computed(() => store.differences.value.filter((d) => keys.value.has(keyOf(d)))),
    /** Foreign objects that are ignored. */
    foreign: computed(() => foreignOf(store.topology.value, keys.value)),
    /** What the graph draws otherwise for it. */
    marks: computed(() => marksOf(store.topology.value, keys.value)),
    /** @param {string[]} list as keyOf, namespaceKey and linkKey write them */
    add(list) { write([...new Set([...keys.value, ...list])]); },
    /** @param {string[]} list */
    remove(list) {
      const gone = new Set(list);
      write([...keys.value].filter((k) => !gone.has(k)));
    },
  };
}

function read(storage) {
  try {
    return new Set(JSON.parse(storage.getItem(storageKey) ?? '[]'));
  } catch {
    return new Set(); // a broken entry is as good as none
  }
}

/** @param {Snapshot} t @param {Set<string>} keys @returns {Foreign[]} */
function foreignOf(t, keys) {
  if (keys.size === 0) return [];
  return t.namespaces.flatMap((n) => [
    ...(n.sync === 'foreign' && keys.has(namespaceKey(n)) ? [{ ref: n.name, key: namespaceKey(n), select: `ns:${n.name}` }] : []),
    ...n.links.filter((l) => l.sync === 'foreign' && !isLoopback(l) && keys.has(linkKey(l))).map((l) => ({ ref: refOf(l), key: linkKey(l), select: `link:${refOf(l)}` })),
  ]);
}

/**
 * By node of the graph, how many of its differences are ignored; and the nodes
 * and links ("A/eth0") that are drawn faint. Counts as layout/model.js does.
 * @param {Snapshot} t @param {Set<string>} keys
 * @returns {{differences: Map<string, number>, calm: Set<string>, faint: Set<string>}} calm: links that differ in nothing else
 */
export function marksOf(t, keys) {
  const differences = new Map();
  const [calm, faint] = [new Set(), new Set()];
  if (keys.size === 0) return { differences, calm, faint };
  const count = (node, n) => { if (n) differences.set(node, (differences.get(node) ?? 0) + n); };
  for (const n of t.namespaces) {
    const card = `ns:${n.name}`;
    const aside = n.sync === 'foreign' && keys.has(namespaceKey(n));
    if (aside) faint.add(card);
    const bars = new Map(n.links.filter((l) => isBridge(l) || l.master).map((l) => [intendedRef(l), isBridge(l) ? `br:${refOf(l)}` : '']));
    for (const d of n.differences ?? []) if (keys.has(keyOf(d))) count(bars.get(objectOf(d)) ?? card, 1);
    for (const l of n.links) {
      const all = l.differences ?? [];
      const hidden = all.filter((d) => keys.has(keyOf(d))).length;
      if (hidden > 0 && hidden === all.length) calm.add(refOf(l));
      if (isBridge(l)) count(`br:${refOf(l)}`, hidden);
      else if (!l.master) count(card, hidden);
      if (l.sync === 'foreign' && (aside || keys.has(linkKey(l)))) {
        faint.add(refOf(l));
        if (isBridge(l)) faint.add(`br:${refOf(l)}`);
      }
    }
  }
  differences.delete('');
  return { differences, calm, faint };
}

/** @typedef {ReturnType<typeof createIgnored>} Ignored */
