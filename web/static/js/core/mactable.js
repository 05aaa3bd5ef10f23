// The rows of a bridge's MAC table: what the topology has, with ages that were
// read from the kernel and count on between two readings. Pure.

/** @typedef {import('../types.js').FDBEntry} FDBEntry */

export const rowKey = (e) => `${e.mac} ${e.vlan ?? 0} ${e.port}`;

/**
 * What is remembered of the ages: when each MAC was last seen, in local
 * milliseconds.
 * @param {Map<string, number>} seen
 * @param {FDBEntry[]} entries freshly read ones
 * @param {number} now
 */
export function readAges(seen, entries, now) {
  const next = new Map(seen);
  for (const e of entries) if (e.age_seconds !== undefined) next.set(rowKey(e), now - e.age_seconds * 1000);
  return next;
}

/** Age in seconds, or null when it does not age or is not known. */
export function ageOf(seen, e, now) {
  if (e.state !== 'learned') return null;
  const at = seen.get(rowKey(e));
  return at === undefined ? null : Math.max(0, (now - at) / 1000);
}

/** Learned first, then static, local last; by port and MAC within. */
export function sortRows(entries) {
  const rank = { learned: 0, static: 1, local: 2 };
  return [...entries].sort((a, b) =>
    rank[a.state] - rank[b.state] || a.port.localeCompare(b.port, 'en', { numeric: true }) || (a.mac < b.mac ? -1 : 1));
}

/** @param {FDBEntry} e @param {string} text */
export function matches(e, text) {
  const owner = e.owner ? `${e.owner.namespace}/${e.owner.name}` : '';
  return `${e.mac} ${e.port} ${owner} ${e.state}`.toLowerCase().includes(text.trim().toLowerCase());
}
