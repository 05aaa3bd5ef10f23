// What goes when objects are deleted, in words for the person who is about to.
import { isBridge, isLoopback, namespaceOf, peerOf, portsOf, refOf } from './lookup.js';

/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').Link} Link */

const listedAtMost = 12;

/**
 * @param {Snapshot} t
 * @param {string[]} subjects "A", "A/veth0"
 * @returns {{key: string, values: Record<string, string | number>}[]} dictionary keys; list and, when it is cut, how many more
 */
export function consequences(t, subjects) {
  const spaces = subjects.filter((s) => !s.includes('/')).map((s) => namespaceOf(t, s)).filter((n) => n !== undefined);
  const links = subjects.filter((s) => s.includes('/')).flatMap((s) => linkAt(t, s));
  const named = new Set(subjects);
  const inside = spaces.flatMap((n) => n.links.filter((l) => !isLoopback(l)));
  const gone = new Set([...links, ...inside]);
  const far = [...gone].map((l) => peerOf(t, l)).filter((p) => p !== undefined && !gone.has(p));
  for (const p of far) gone.add(/** @type {Link} */ (p));
  const ports = links.filter(isBridge).flatMap((b) => portsOf(/** @type {any} */ (namespaceOf(t, b.namespace)), b.name)).filter((p) => !gone.has(p));
  const said = [
    say('goes.links', inside.filter((l) => !named.has(refOf(l))).map((l) => (spaces.length > 1 ? refOf(l) : l.name))),
    say('goes.peers', far.map((p) => refOf(/** @type {Link} */ (p)))),
    say('goes.ports', ports.map(refOf)),
    say('goes.addresses', links.length === 1 && spaces.length === 0 ? links[0].addresses.filter((a) => a.scope === 'global').map((a) => a.cidr) : []),
  ];
  return said.filter((x) => x !== null);
}

function linkAt(t, ref) {
  const [ns, name] = ref.split('/');
  return namespaceOf(t, ns)?.links.filter((l) => l.name === name) ?? [];
}

/** @param {string} key @param {string[]} list @returns {{key: string, values: Record<string, string | number>} | null} */
function say(key, list) {
  if (list.length === 0) return null;
  const more = list.length - listedAtMost;
  return more > 0 ? { key: `${key}.more`, values: { list: list.slice(0, listedAtMost).join(', '), count: more } } : { key, values: { list: list.join(', ') } };
}
