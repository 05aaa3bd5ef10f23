// IPv4 subnets that nobody uses, and the addresses in them. Pure.
import { addresses, format, mask, parse } from './suggest.js';

/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').Spec} Spec */

/** Free subnets are looked for from here on. */
const first = (10 << 24) >>> 0;
const last = (11 << 24) >>> 0;

/** Every IPv4 network that is in use or intended, as a range of addresses. @param {Snapshot} t @param {Spec} spec */
function networks(t, spec) {
  const intended = [
    ...(spec.namespaces ?? []).map((n) => n.loopback_addresses),
    ...(spec.bridges ?? []).map((b) => b.addresses),
    ...(spec.veths ?? []).flatMap((v) => [v.a.addresses, v.b.addresses]),
  ].flatMap((list) => (list ?? []).map(parse)).filter((x) => x !== null);
  const ranges = new Map();
  for (const { ip, bits } of [...addresses(t), ...intended]) {
    const from = (ip & mask(bits)) >>> 0;
    ranges.set(`${from}/${bits}`, { from, to: from + 2 ** (32 - bits) });
  }
  return [...ranges.values()];
}

/**
 * As many subnets as asked for, one after the other: the lowest free ones, or
 * from the one that was wished for, whoever uses it. Fewer when there is no
 * room, or no such subnet.
 * @param {Snapshot} t @param {Spec} spec @param {number} count @param {number} bits length of their prefix @param {string} [wish] in CIDR form
 * @returns {string[]}
 */
export function freeSubnets(t, spec, count, bits, wish = '') {
  const given = wish.trim() ? parse(wish.trim()) : { ip: first, bits };
  if (!given || given.bits > 30 || given.bits < 8) return [];
  const size = 2 ** (32 - given.bits);
  const taken = wish.trim() ? [] : networks(t, spec);
  const end = wish.trim() ? 2 ** 32 : last;
  const found = [];
  for (let at = (given.ip & mask(given.bits)) >>> 0; found.length < count && at + size <= end; at += size) {
    if (!taken.some(({ from, to }) => from < at + size && at < to)) found.push(`${format(at)}/${given.bits}`);
  }
  return found;
}

/** How many hosts a subnet holds. @param {string} subnet */
export const roomOf = (subnet) => 2 ** (32 - (parse(subnet)?.bits ?? 32)) - 2;

/** The n-th address of a subnet, from 1, in CIDR form. @param {string} subnet @param {number} n */
export function addressIn(subnet, n) {
  const { ip, bits } = parse(subnet) ?? { ip: 0, bits: 32 };
  return `${format(ip + n)}/${bits}`;
}
