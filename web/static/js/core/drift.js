// What the intended and the observed differ in, by object and in words. Pure.
import { refOf } from './lookup.js';

/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').Difference} Difference */
/** @typedef {import('../types.js').Link} Link */
/** @typedef {{object: string, select: string | null, differences: Difference[]}} Group */

/** Every difference of a topology, each once, in the order of its objects. @param {Snapshot} t @returns {Difference[]} */
export function differencesOf(t) {
  const seen = new Map();
  const take = (d) => seen.set(`${d.subject} ${d.kind} ${d.field ?? ''} ${d.kind === 'unexpected' ? d.observed : ''}`, d);
  for (const n of t.namespaces) differencesIn(n).forEach(take);
  return [...seen.values()];
}

/** Those of one namespace; it stays the same object while nothing in it changes. @type {WeakMap<any, Difference[]>} */
const known = new WeakMap();
/** @param {import('../types.js').NamespaceState} n @returns {Difference[]} */
function differencesIn(n) {
  let list = known.get(n);
  if (!list) known.set(n, list = [...(n.differences ?? []), ...n.links.flatMap((l) => l.differences ?? [])]);
  return list;
}

/** The object a difference is of, as it is intended: "A" or "A/eth0". @param {Difference} d */
export const objectOf = (d) => d.subject.split(' ')[0];

/** What a difference's subject names beside its object: an address, a route, a MAC. */
const detailOf = (d) => d.subject.slice(objectOf(d).length + 1);

/** The name under which a link is intended. @param {Link} link */
export const intendedRef = (link) => (link.intended ? refOf(link.intended) : refOf(link));

/**
 * The name a link goes by now beside the one it should: "eth0 → foo". Its name
 * alone when that is as intended.
 * @param {Link} link
 */
export function nameOf(link) {
  const i = link.intended;
  if (!i) return link.name;
  return `${i.namespace === link.namespace ? i.name : refOf(i)} → ${link.name}`;
}

/** Differences, all without, by object; those of one namespace next to each other. @param {Snapshot} t @param {Difference[]} [list] @returns {Group[]} */
export function groupDifferences(t, list = differencesOf(t)) {
  /** @type {Map<string, Difference[]>} */
  const groups = new Map();
  for (const d of list) {
    const object = objectOf(d);
    const known = groups.get(object);
    if (known) known.push(d);
    else groups.set(object, [d]);
  }
  if (groups.size === 0) return [];
  // What to select to see an object: a link may go by another name now.
  const select = new Map();
  for (const n of t.namespaces) {
    select.set(n.name, `ns:${n.name}`);
    for (const l of n.links) select.set(intendedRef(l), `link:${refOf(l)}`);
  }
  return [...groups].map(([object, differences]) => ({ object, select: select.get(object) ?? null, differences }));
}

/** What to name to have a group repaired, and nothing else. @param {Group} group */
export const subjectsOf = ({ object, differences }) => (object.includes('/') ? [object] : differences.map((d) => d.subject));

/** The differences of one object and of what is in it. @param {Difference[]} all @param {string} object "A" or "A/eth0" */
export const differencesAt = (all, object) =>
  all.filter((d) => objectOf(d) === object || (!object.includes('/') && objectOf(d).startsWith(object + '/')));

/** Fields whose values are on and off. */
const upDown = new Set(['admin_up', 'loopback_up']);

/**
 * A difference as three texts: what differs, what was intended, what is there.
 * Each is a key of the dictionary with its values; a key that starts with =
 * is text that needs no translation.
 * @param {Difference} d
 * @returns {{what: [string, any], intended: [string, any], observed: [string, any]}}
 */
export function describeDifference(d) {
  const detail = detailOf(d);
  const text = (v) => value(d, v);
  if (d.field === undefined || d.field === '') {
    // A route or a MAC is known by what follows its subject: a gateway, a port.
    const given = d.intended !== undefined;
    const whole = [wholeKey(d, detail) + (given && detail ? '.of' : ''), { detail }];
    const there = given ? text(d.intended) : detail ? [`=${detail}`, {}] : ['drift.there', {}];
    const gone = ['drift.notThere', {}];
    return /** @type {any} */ (d.kind === 'unexpected' ? { what: whole, intended: gone, observed: there } : { what: whole, intended: there, observed: gone });
  }
  const what = /** @type {[string, any]} */ ([`drift.field.${d.field}`, { field: d.field, detail }]);
  if (d.kind === 'unexpected') return { what, intended: ['drift.notThere', {}], observed: text(d.observed) };
  if (d.kind === 'missing') return { what, intended: text(d.intended ?? detail), observed: ['drift.notThere', {}] };
  return { what, intended: text(d.intended), observed: text(d.observed) };
}

/** Is it the object itself, an address, a route or a MAC that differs? */
function wholeKey(d, detail) {
  if (!objectOf(d).includes('/')) return detail ? 'drift.whole.route' : 'drift.whole.namespace';
  if (!detail) return 'drift.whole.link';
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}\b/i.test(detail) ? 'drift.whole.mac' : 'drift.whole.address';
}

/** @returns {[string, any]} */
function value(d, v) {
  if (v === undefined || v === null || v === '') return ['drift.none.value', {}];
  if (typeof v === 'boolean') return [upDown.has(d.field ?? '') ? (v ? 'state.up' : 'state.down') : v ? 'on' : 'off', {}];
  return [`=${typeof v === 'object' ? JSON.stringify(v) : v}`, {}];
}
