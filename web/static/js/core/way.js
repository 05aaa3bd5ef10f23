// Where a frame goes: what a bridge does with it, and the way from a port to
// who has the MAC, through whatever bridges there are between. Pure.
import { isBridge, linkOf, namespaceOf, peerOf, portsOf, refOf, stateOf } from './lookup.js';

/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').FDBEntry} FDBEntry */
/** @typedef {import('../types.js').Link} Link */

/**
 * The links a frame passes on its way out of a bridge to the owner of a MAC,
 * as far as it can be seen. Further bridges decide by their own tables; where
 * they have not learned the MAC, the way is the one that leads to its owner.
 * @param {Snapshot} t @param {FDBEntry} entry
 * @returns {{refs: string[], reached: boolean}}
 */
export function wayOf(t, entry) {
  const { mac, vlan } = entry;
  const owner = entry.owner ? linkOf(t, entry.owner.namespace, entry.owner.name) : undefined;
  const refs = [`${entry.namespace}/${entry.bridge}`];
  const seen = new Set(refs);
  let at = linkOf(t, entry.namespace, entry.port);
  while (at) {
    if (refs.at(-1) !== refOf(at)) refs.push(refOf(at));
    if (at === owner || isBridge(at)) return { refs, reached: at === owner };
    const far = peerOf(t, at);
    if (!far) break;
    refs.push(refOf(far));
    if (far === owner) return { refs, reached: true };
    const bridge = far.master ? linkOf(t, far.namespace, far.master) : undefined;
    if (!bridge || seen.has(refOf(bridge))) break;
    refs.push(refOf(bridge));
    seen.add(refOf(bridge));
    if (bridge === owner) return { refs, reached: true };
    at = nextPort(t, bridge, far, { mac, vlan, owner });
  }
  return { refs, reached: false };
}

/** The port by which a bridge reaches a MAC: as it has learned, else towards the owner. */
function nextPort(t, bridge, from, { mac, vlan, owner }) {
  const n = namespaceOf(t, bridge.namespace);
  if (!n) return undefined;
  const known = n.fdb.find((e) => e.bridge === bridge.name && e.mac === mac && (e.vlan ?? 0) === (vlan ?? 0)
    && e.sync !== 'missing' && e.port !== from.name);
  if (known) return n.links.find((l) => l.name === known.port);
  return owner && portsOf(n, bridge.name).find((p) => p !== from && leadsTo(t, p, owner, new Set([refOf(bridge)])));
}

/** Does a port lead to a link, through further bridges? @returns {boolean} */
function leadsTo(t, port, owner, seen) {
  const far = peerOf(t, port);
  if (port === owner || far === owner) return true;
  const bridge = far?.master ? linkOf(t, far.namespace, far.master) : undefined;
  if (!bridge || seen.has(refOf(bridge))) return false;
  if (bridge === owner) return true;
  seen.add(refOf(bridge));
  const n = namespaceOf(t, bridge.namespace);
  return !!n && portsOf(n, bridge.name).some((p) => p !== far && leadsTo(t, p, owner, seen));
}

/** May frames go through a port? "" if so, else why not: its state, or the spanning tree's word. @param {Link} port */
export function blocked(port) {
  const state = stateOf(port);
  if (state !== 'up') return state;
  const stp = port.bridge_port?.state;
  return stp && stp !== 'forwarding' ? stp : '';
}

/** The ports that a frame for nobody known is copied to, but for the one it came in by. @param {Snapshot} t @param {string} ns @param {string} bridge */
export function floodPorts(t, ns, bridge) {
  const n = namespaceOf(t, ns);
  return n ? portsOf(n, bridge).filter((p) => !blocked(p) && p.bridge_port?.flood !== false).map((p) => p.name) : [];
}

/**
 * What a bridge does with a frame for a MAC of its table: a key of the
 * dictionary and its values.
 * @param {Snapshot} t @param {FDBEntry} e
 * @returns {{key: string, values: Record<string, string>}}
 */
export function decisionOf(t, e) {
  const values = { mac: e.mac, port: e.port, bridge: e.bridge, namespace: e.namespace };
  if (e.state === 'local' || e.port === e.bridge) return { key: 'mac.why.local', values };
  const port = linkOf(t, e.namespace, e.port);
  const why = port ? blocked(port) : 'missing';
  if (why) return { key: 'mac.why.blocked', values: { ...values, state: why } };
  return { key: e.state === 'static' ? 'mac.why.static' : 'mac.why.learned', values };
}
