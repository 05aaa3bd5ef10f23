// The rows of a bridge's MAC table: what the topology has, with ages that were
// read from the kernel and count on between two readings, and what has just
// happened to each. Pure.
import { firstAddress } from './lookup.js';

/** @typedef {import('../types.js').FDBEntry} FDBEntry */
/** @typedef {import('../types.js').TopologyEvent} TopologyEvent */
/**
 * What just happened to an entry: learned, added (by hand), moved (from says
 * where it was), or how it went: expired, flushed, deleted, gone.
 * @typedef {{kind: string, entry: FDBEntry, from: string, until: number}} Mark
 */

/** What stays the same when a MAC moves; the kernel has one entry for each MAC and VLAN. @param {FDBEntry} e */
export const rowKey = (e) => `${e.mac} ${e.vlan ?? 0}${e.sync === 'missing' ? ' missing' : ''}`;

/**
 * What is remembered of the ages: when each MAC was last seen, in local
 * milliseconds.
 * @param {FDBEntry[]} entries freshly read ones
 * @param {number} now
 */
export function readAges(entries, now) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  for (const e of entries) if (e.age_seconds !== undefined) note(seen, e, e.age_seconds, now);
  return seen;
}

/** Remembers that an entry is so many seconds old. @param {Map<string, number>} seen @param {FDBEntry} e @param {number} age @param {number} now */
export const note = (seen, e, age, now) => { seen.set(rowKey(e), now - age * 1000); };

/** Age in seconds, or null when it does not age or is not known. */
export function ageOf(seen, e, now) {
  if (e.state !== 'learned') return null;
  const at = seen.get(rowKey(e));
  return at === undefined ? null : Math.max(0, (now - at) / 1000);
}

/**
 * What an age means: the seconds until it is forgotten, and which share of its
 * time that is. Null when it does not age.
 * @param {number | null} age @param {number | undefined} ageing seconds, of the bridge
 */
export function timeLeft(age, ageing) {
  if (age === null || ageing === undefined) return null;
  const seconds = Math.max(0, ageing - age);
  return { seconds, share: ageing > 0 ? seconds / ageing : 0 };
}

/** Learned first, then static, local last; by port and MAC within. */
export function sortRows(entries) {
  const rank = { learned: 0, static: 1, local: 2 };
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  return [...entries].sort((a, b) => rank[a.state] - rank[b.state] || compare(a.port, b.port) || (a.mac < b.mac ? -1 : 1));
}

/** "A/veth0", or nothing when nobody knows whose MAC it is. @param {FDBEntry} e */
export const ownerOf = (e) => (e.owner ? `${e.owner.namespace}/${e.owner.name}` : '');

/** @param {FDBEntry} e @param {string} text @param {string} [address] of its owner */
export function matches(e, text, address = '') {
  const all = `${e.mac} ${e.port} ${ownerOf(e)} ${e.state} ${address}`.toLowerCase();
  return text.trim().toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

/** A whole MAC, as somebody may type it: lower case with colons, else null. @param {string} text */
export function macOf(text) {
  const mac = text.trim().toLowerCase().replaceAll('-', ':');
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) ? mac : null;
}

/** Is it for many? @param {string} mac */
export const isMulticast = (mac) => (parseInt(mac.slice(0, 2), 16) & 1) === 1;

const shownFor = { learned: 2600, added: 2600, moved: 4000 };
const goneFor = 2600;

/**
 * Follows what happens to the entries of one bridge.
 * @param {string} namespace @param {string} bridge @param {FDBEntry[]} entries as they are now
 */
export function followTable(namespace, bridge, entries) {
  /** @type {Map<string, Mark>} */
  const marks = new Map();
  const ports = new Map(entries.map((e) => [rowKey(e), e.port]));
  return {
    marks,
    /** Takes an event in; says whether it was of this table. @param {TopologyEvent} event @param {number} now */
    take(event, now) {
      const e = event.fdb;
      if (!e || e.bridge !== bridge || e.namespace !== namespace) return false;
      const key = rowKey(e);
      const kind = kindOf(event, e);
      if (kind) marks.set(key, { kind, entry: e, from: ports.get(key) ?? '', until: now + (shownFor[kind] ?? goneFor) });
      if (event.type === 'fdb.removed') ports.delete(key);
      else ports.set(key, e.port);
      return true;
    },
    /** Forgets what was shown long enough; says whether there was any. @param {number} now */
    sweep(now) {
      const before = marks.size;
      for (const [key, m] of marks) if (m.until <= now) marks.delete(key);
      return marks.size < before;
    },
  };
}

/** @param {TopologyEvent} event @param {FDBEntry} e @returns {string} nothing when there is nothing to show */
function kindOf(event, e) {
  if (e.sync === 'missing') return '';
  if (event.type === 'fdb.removed') return event.reason ?? 'gone';
  if (event.type === 'fdb.moved') return 'moved';
  if (event.type === 'fdb.added') return e.state === 'learned' ? 'learned' : 'added';
  return '';
}

/**
 * The rows: entries and, for a moment, those that went.
 * @param {FDBEntry[]} entries @param {Map<string, Mark>} marks
 * @returns {{entry: FDBEntry, key: string, mark: Mark | null, gone: boolean}[]}
 */
export function rowsOf(entries, marks) {
  const there = new Map(entries.map((e) => [rowKey(e), e]));
  const ghosts = [...marks.values()].filter((m) => !(m.kind in shownFor) && !there.has(rowKey(m.entry))).map((m) => m.entry);
  return sortRows([...there.values(), ...ghosts]).map((entry) => {
    const key = rowKey(entry);
    const gone = !there.has(key);
    const m = marks.get(key) ?? null;
    return { entry, key, gone, mark: m && gone === !(m.kind in shownFor) ? m : null };
  });
}

/**
 * The table for a spreadsheet.
 * @param {FDBEntry[]} entries
 * @param {{ages: (e: FDBEntry) => number | null, ageing?: number, links: Map<string, import('../types.js').Link>}} o
 */
export function toCSV(entries, { ages, ageing, links }) {
  const head = ['namespace', 'bridge', 'mac', 'vlan', 'port', 'state', 'owner', 'address', 'age_seconds', 'seconds_left'];
  const round = (n) => (n === null || n === undefined ? '' : n.toFixed(1));
  const lines = entries.map((e) => {
    const owner = links.get(ownerOf(e));
    return [e.namespace, e.bridge, e.mac, e.vlan ?? '', e.port, e.state, ownerOf(e), owner ? firstAddress(owner) : '',
      round(ages(e)), round(timeLeft(ages(e), ageing)?.seconds)];
  });
  return [head, ...lines].map((l) => l.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** Quoted where that is needed. A name that looks like a formula must not become one. */
function cell(v) {
  const text = String(v);
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
