// To make what is observed the intended: the one call that does, where one
// does. Pure.
import { commands } from './api.js';
import { objectOf } from './drift.js';

/** @typedef {import('../types.js').Difference} Difference */

/** Fields of a link that PATCH takes as they are observed. */
const plain = new Set(['mtu', 'mac', 'alias', 'admin_up', 'master']);

/**
 * The command that makes an object's differences the intention; null when it
 * would take more than one call, or there is none.
 * @param {Difference[]} list of one object and what is in it
 * @returns {import('./api.js').Command | null}
 */
export function acceptCommand(list) {
  if (list.length === 0) return null;
  const objects = [...new Set(list.map(objectOf))];
  // What is gone for good: strike it out.
  if (list.every((d) => d.kind === 'missing' && !d.field && d.subject === objectOf(d))) return commands.deleteSeveral(objects);
  if (objects.length > 1) return null;
  const [namespace, link] = objects[0].split('/');
  if (list.every((d) => d.kind === 'changed')) return changed(namespace, link, list);
  const [one] = list;
  const address = one.subject.slice(objects[0].length + 1);
  const gone = list.length === 1 && link && one.kind === 'missing' && !one.field && address.includes('/');
  return gone ? commands.deleteAddress(namespace, link, address) : null;
}

/** @param {string} namespace @param {string | undefined} link @param {Difference[]} list */
function changed(namespace, link, list) {
  if (!link) return list.every((d) => d.field === 'loopback_up') ? commands.patchLink(namespace, 'lo', { admin_up: list[0].observed }) : null;
  /** @type {any} */
  const body = {};
  for (const { field = '', observed } of list) {
    const [group, name] = field.split('.');
    if (name && (group === 'bridge' || group === 'bridge_port')) body[group] = { ...body[group], [name]: observed };
    else if (plain.has(field)) body[field] = observed ?? '';
    else return null;
  }
  return commands.patchLink(namespace, link, body);
}
