// Names and addresses that are free, for the forms to begin with. Pure.
import { namespaceOf } from './lookup.js';

/** @typedef {import('../types.js').Snapshot} Snapshot */

/** A, B, … Z, then ns1, ns2, … @param {Snapshot} t */
export function freeNamespace(t) {
  const taken = new Set(t.namespaces.flatMap((n) => [n.name, ...(n.names ?? [])]));
  for (let i = 0; i < 26; i++) {
    const name = String.fromCharCode(65 + i);
    if (!taken.has(name)) return name;
  }
  for (let i = 1; ; i++) if (!taken.has(`ns${i}`)) return `ns${i}`;
}

/**
 * The first of prefix0, prefix1, … that no link of the namespace has.
 * @param {Snapshot} t @param {string} ns @param {string} prefix
 * @param {{from?: number, not?: string}} [o]
 */
export function freeLink(t, ns, prefix, { from = 0, not = '' } = {}) {
  const taken = new Set((namespaceOf(t, ns)?.links ?? []).map((l) => l.name));
  for (let i = from; ; i++) {
    const name = prefix + i;
    if (!taken.has(name) && name !== not) return name;
  }
}

/** Every IPv4 address with its prefix length. @param {Snapshot} t */
export function* addresses(t) {
  for (const n of t.namespaces) {
    for (const l of n.links) {
      for (const a of l.addresses) {
        const parsed = parse(a.cidr);
        if (parsed) yield { ...parsed, link: l };
      }
    }
  }
}

/** @param {string} cidr → {ip: 32-bit number, bits} or null when not IPv4 */
export function parse(cidr) {
  const m = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  if (!m) return null;
  const [a, b, c, d, bits] = m.slice(1).map(Number);
  if ([a, b, c, d].some((x) => x > 255) || bits > 32) return null;
  return { ip: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, bits };
}

export const format = (ip) => [ip >>> 24, (ip >>> 16) & 255, (ip >>> 8) & 255, ip & 255].join('.');
/** @param {number} bits → 32-bit number */
export const mask = (bits) => (bits === 0 ? 0 : (~0 << (32 - bits)) >>> 0);

/** The first two hosts of the lowest free 192.168.N.0/24. @param {Snapshot} t @returns {[string, string]} */
export function freePair(t) {
  const nets = [...addresses(t)];
  for (let n = 1; n < 255; n++) {
    const net = ((192 << 24) | (168 << 16) | (n << 8)) >>> 0;
    const clash = nets.some(({ ip, bits }) => {
      const m = mask(Math.min(bits, 24));
      return ((ip & m) >>> 0) === ((net & m) >>> 0);
    });
    if (!clash) return [`${format(net + 1)}/24`, `${format(net + 2)}/24`];
  }
  return ['', ''];
}

/**
 * The next address for who is plugged into a bridge: in the subnet its members
 * use, or the first of a free one.
 * @param {Snapshot} t @param {string} ns @param {string} bridge
 */
export function freeMember(t, ns, bridge) {
  const n = namespaceOf(t, ns);
  const ports = n?.links.filter((l) => l.master === bridge) ?? [];
  const members = new Set(ports.map((p) => p.peer?.key).filter(Boolean));
  const onBridge = [...addresses(t)].filter(({ link }) =>
    members.has(link.key) || (link.namespace === ns && link.name === bridge));
  const first = onBridge.find(({ bits }) => bits < 31);
  if (!first) return freePair(t)[0];
  const net = (first.ip & mask(first.bits)) >>> 0;
  const taken = new Set([...addresses(t)].map(({ ip }) => ip));
  const last = net + 2 ** (32 - first.bits) - 1;
  for (let ip = net + 1; ip < last; ip++) if (!taken.has(ip)) return `${format(ip)}/${first.bits}`;
  return '';
}

/** Namespaces a new link may go into: host and the managed ones. @param {Snapshot} t */
export const usable = (t) => t.namespaces.filter((n) => n.name === 'host' || (n.managed && n.sync !== 'missing'));

const bareLinks = (n) => n.links.filter((l) => l.name !== 'lo' && l.kind !== 'bridge' && !(n.name === 'host' && l.kind !== 'veth')).length;

/**
 * Fills what was not typed into a veth form.
 * @param {Snapshot} t @param {Record<string, string>} given "a.namespace", "a.name", "a.master", "a.address", "b.…"
 * @returns {Record<string, string>}
 */
export function suggestVeth(t, given) {
  // The emptier a namespace, the likelier it is the one meant.
  const order = usable(t).sort((a, b) => Number(a.name === 'host') - Number(b.name === 'host') || bareLinks(a) - bareLinks(b));
  const pick = (not) => (order.find((n) => n.name !== not) ?? order[0])?.name ?? 'host';
  const v = { ...given };
  v['a.namespace'] ??= pick(v['b.namespace']);
  v['b.namespace'] ??= pick(v['a.namespace']);
  for (const [me, other] of [['a', 'b'], ['b', 'a']]) {
    v[`${me}.master`] ??= '';
    const plugged = v[`${me}.master`];
    const prefix = plugged ? 'p' : v[`${other}.master`] ? 'eth' : 'veth';
    const not = me === 'b' && v['a.namespace'] === v['b.namespace'] ? v['a.name'] : '';
    v[`${me}.name`] ??= freeLink(t, v[`${me}.namespace`], prefix, { from: plugged ? 1 : 0, not });
  }
  const pair = freePair(t);
  for (const [me, other, i] of /** @type {[string, string, number][]} */ ([['a', 'b', 0], ['b', 'a', 1]])) {
    const far = v[`${other}.master`];
    v[`${me}.address`] ??= v[`${me}.master`] ? '' : far ? freeMember(t, v[`${other}.namespace`], far) : pair[i];
  }
  return v;
}

/** The body of POST /veths from a form's values. @param {Record<string, string>} v */
export function vethBody(v) {
  const end = (me) => {
    /** @type {any} */
    const e = { namespace: v[`${me}.namespace`], name: v[`${me}.name`] };
    const address = (v[`${me}.address`] ?? '').trim();
    if (address) e.addresses = address.split(/[\s,]+/);
    if (v[`${me}.master`]) e.master = v[`${me}.master`];
    if (v[`${me}.mac`]) e.mac = v[`${me}.mac`];
    if (v[`${me}.mtu`]) e.mtu = Number(v[`${me}.mtu`]);
    return e;
  };
  return { a: end('a'), b: end('b') };
}
