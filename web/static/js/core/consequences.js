// What goes when an object is deleted, in words for the person who is about to.
import { isBridge, namespaceOf, peerOf, portsOf, refOf } from './lookup.js';

/**
 * @param {import('../types.js').Snapshot} t
 * @param {string} subject "A" or "A/veth0"
 * @returns {{key: string, values: Record<string, string | number>}[]} dictionary keys
 */
export function consequences(t, subject) {
  const [ns, name] = subject.split('/');
  const n = namespaceOf(t, ns);
  if (!n) return [];
  if (name === undefined) {
    const own = n.links.filter((l) => l.name !== 'lo');
    const far = own.map((l) => peerOf(t, l)).filter((p) => p && p.namespace !== n.name);
    const said = [];
    if (own.length) said.push({ key: 'goes.links', values: { list: own.map((l) => l.name).join(', ') } });
    if (far.length) said.push({ key: 'goes.peers', values: { list: far.map((p) => refOf(p)).join(', ') } });
    return said;
  }
  const link = n.links.find((l) => l.name === name);
  if (!link) return [];
  const said = [];
  const peer = peerOf(t, link);
  if (peer) said.push({ key: 'goes.peers', values: { list: refOf(peer) } });
  if (isBridge(link)) {
    const ports = portsOf(n, link.name);
    if (ports.length) said.push({ key: 'goes.ports', values: { list: ports.map(refOf).join(', ') } });
  }
  const addresses = link.addresses.filter((a) => a.scope === 'global').map((a) => a.cidr);
  if (addresses.length) said.push({ key: 'goes.addresses', values: { list: addresses.join(', ') } });
  return said;
}
