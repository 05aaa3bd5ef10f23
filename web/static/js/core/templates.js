// Labs that are made from a few wishes: pair, star, chain, router, ring. A
// template gives the parts to be added to the intended topology, with names and
// subnets that are free in it. Pure.
import { addressIn, freeSubnets, roomOf } from './subnets.js';

/** @typedef {import('../types.js').Spec} Spec */
/** @typedef {import('../types.js').Snapshot} Snapshot */
/** @typedef {import('../types.js').SpecEnd} SpecEnd */

/**
 * What a person wishes: how many, what the namespaces are called, an IPv4
 * subnet to take (empty: a free one), whether links are kept quiet.
 * @typedef {{count: number, prefix: string, subnet: string, quiet: boolean}} Wishes
 */

/**
 * A template: the bounds of count, which a template without has none of; the
 * prefix its names begin with; how many subnets it needs, and of what length.
 * @typedef {object} Template
 * @property {string} id
 * @property {{min: number, max: number, usual: number} | null} count
 * @property {string} prefix
 * @property {(n: number) => number} subnets
 * @property {(n: number) => number} bits
 * @property {(n: number) => number} hosts how many addresses the fullest of them has to hold
 * @property {(make: Maker, n: number) => void} build
 */

/** The ports a bridge takes (BR_MAX_PORTS in net/bridge/br_private.h, less one). */
const portsAtMost = 1023;
/** From so many on, IPv6 costs more than it teaches. */
export const quietFrom = 50;

/** The shortest prefix that holds n hosts. @param {number} n */
const bitsFor = (n) => Math.min(24, 32 - Math.ceil(Math.log2(n + 2)));

/** @type {Template[]} */
export const templates = [
  {
    id: 'pair', count: null, prefix: 'h', subnets: () => 1, bits: () => 24, hosts: () => 2,
    build(make) {
      const [a, b] = make.hosts(2);
      make.cable(a, b, 0);
    },
  },
  {
    id: 'star', count: { min: 1, max: portsAtMost, usual: 5 }, prefix: 'h', subnets: () => 1, bits: bitsFor, hosts: (n) => n,
    build(make, n) {
      const bridge = make.bridge();
      for (const h of make.hosts(n)) make.plug(h, bridge, 0);
    },
  },
  {
    id: 'chain', count: { min: 2, max: 30, usual: 4 }, prefix: 'r', subnets: (n) => n - 1, bits: () => 24, hosts: () => 2,
    build(make, n) {
      const all = make.hosts(n);
      const ways = all.slice(1).map((right, i) => make.cable(all[i], right, i));
      // Each knows every network it is not part of by the neighbour on the way there.
      all.forEach((me, i) => ways.forEach((way, j) => {
        if (j > i) make.route(me, way.subnet, ways[i].b);
        else if (j < i - 1) make.route(me, way.subnet, ways[i - 1].a);
      }));
    },
  },
  {
    id: 'router', count: { min: 1, max: 100, usual: 2 }, prefix: 'h', subnets: () => 2, bits: () => 24, hosts: (n) => n + 1,
    build(make, n) {
      const [router] = make.hosts(1, 'r');
      const hosts = make.hosts(2 * n);
      for (const side of [0, 1]) {
        const bridge = make.bridge();
        const gateway = make.plug(router, bridge, side, make.last(side));
        for (const h of hosts.slice(side * n, (side + 1) * n)) {
          make.plug(h, bridge, side);
          make.route(h, 'default', gateway);
        }
      }
    },
  },
  {
    id: 'ring', count: { min: 3, max: 12, usual: 3 }, prefix: 'h', subnets: () => 1, bits: () => 24, hosts: (n) => n,
    build(make, n) {
      const bridges = make.hosts(n).map((h) => {
        const bridge = make.bridge({ stp: true, forward_delay_seconds: 2, hello_seconds: 1, max_age_seconds: 6 });
        make.plug(h, bridge, 0);
        return bridge;
      });
      bridges.forEach((b, i) => make.join(b, bridges[(i + 1) % n]));
    },
  },
];

/** @param {string} id @returns {Template} */
export const templateOf = (id) => templates.find((x) => x.id === id) ?? templates[0];

/** The first subnet a template would take. @param {Snapshot} t @param {Spec} spec @param {Template} template @param {number} n */
export const suggestSubnet = (t, spec, template, n) => freeSubnets(t, spec, template.subnets(n), template.bits(n))[0] ?? '';

/** The wishes a template begins with. @param {Template} template @returns {Wishes} */
export const usualWishes = (template) => ({ count: template.count?.usual ?? 2, prefix: template.prefix, subnet: '', quiet: false });

/**
 * The parts a template adds; null when its wishes cannot be met: a count out of
 * bounds, no such subnet.
 * @param {Template} template @param {Wishes} wishes
 * @param {Snapshot} t what is observed @param {Spec} spec what is intended
 * @returns {{parts: Spec, names: string[], routers: string[]} | null}
 */
export function partsOf(template, wishes, t, spec) {
  const n = template.count ? wishes.count : 2;
  if (template.count && !(Number.isInteger(n) && n >= template.count.min && n <= template.count.max)) return null;
  const subnets = freeSubnets(t, spec, template.subnets(n), template.bits(n), wishes.subnet);
  if (subnets.length < template.subnets(n) || subnets.some((s) => roomOf(s) < template.hosts(n))) return null;
  const make = new Maker(t, spec, wishes, subnets);
  template.build(make, n);
  return { parts: make.parts, names: make.parts.namespaces.map((x) => x.name), routers: make.routers() };
}

/** Makes the parts, each with a name nobody has. */
class Maker {
  /** @param {Snapshot} t @param {Spec} spec @param {Wishes} wishes @param {string[]} subnets */
  constructor(t, spec, wishes, subnets) {
    this.wishes = wishes;
    this.subnets = subnets;
    /** How many addresses of each subnet are taken. */
    this.used = subnets.map(() => 0);
    /** Where to look on for a free link name. @type {Map<string, number>} */
    this.next = new Map();
    this.spaces = new Set([...t.namespaces.flatMap((n) => [n.name, ...(n.names ?? [])]), ...(spec.namespaces ?? []).map((n) => n.name)]);
    this.links = new Set(t.namespaces.flatMap((n) => n.links.map((l) => `${n.name}/${l.name}`)));
    for (const l of [...(spec.bridges ?? []), ...(spec.veths ?? []).flatMap((v) => [v.a, v.b])]) this.links.add(`${l.namespace}/${l.name}`);
    /** @type {Required<Pick<Spec, 'namespaces' | 'bridges' | 'veths' | 'routes'>>} */
    this.parts = { namespaces: [], bridges: [], veths: [], routes: [] };
  }

  /** New namespaces: h1, h2, … @param {number} count */
  hosts(count, prefix = this.wishes.prefix) {
    const names = [];
    for (let i = 1; names.length < count; i++) {
      const name = `${prefix}${i}`;
      if (this.spaces.has(name)) continue;
      this.spaces.add(name);
      this.parts.namespaces.push(this.wishes.quiet ? { name, ipv6: false } : { name });
      names.push(name);
    }
    return names;
  }

  /** A new bridge on host. @param {object} [attributes] */
  bridge(attributes = {}) {
    const name = this.link('host', 'br', 0);
    this.parts.bridges.push({ namespace: 'host', name, ...(this.wishes.quiet ? { ipv6: false } : {}), ...attributes });
    return name;
  }

  /** A cable between two namespaces. @param {string} a @param {string} b @param {number} subnet */
  cable(a, b, subnet) {
    const ends = [a, b].map((namespace) => ({ namespace, name: this.link(namespace, 'eth', 0), addresses: [this.address(subnet)] }));
    this.parts.veths.push({ a: ends[0], b: ends[1] });
    return { subnet: this.subnets[subnet], a: ends[0].addresses[0], b: ends[1].addresses[0] };
  }

  /**
   * Plugs a namespace into a bridge of host; gives its address.
   * @param {string} namespace @param {string} bridge @param {number} subnet @param {number} [last] its place in the subnet
   */
  plug(namespace, bridge, subnet, last) {
    const address = this.address(subnet, last);
    this.parts.veths.push({
      a: { namespace, name: this.link(namespace, 'eth', 0), addresses: [address] },
      b: { namespace: 'host', name: this.link('host', 'p', 1), master: bridge },
    });
    return address;
  }

  /** A cable between two bridges. */
  join(one, other) {
    const [a, b] = [one, other].map((master) => ({ namespace: 'host', name: this.link('host', 'p', 1), master }));
    this.parts.veths.push({ a, b });
  }

  /** @param {string} namespace @param {string} destination @param {string} gateway an address, its prefix length counts for nothing */
  route(namespace, destination, gateway) {
    this.parts.routes.push({ namespace, destination, gateway: gateway.split('/')[0] });
  }

  /** Namespaces with more than one address: these have to forward. */
  routers() {
    const count = new Map();
    for (const { a, b } of this.parts.veths) for (const e of [a, b]) if (e.addresses) count.set(e.namespace, (count.get(e.namespace) ?? 0) + 1);
    return [...count].filter(([, n]) => n > 1).map(([name]) => name);
  }

  /** The last place in a subnet, where gateways are. */
  last(subnet) { return roomOf(this.subnets[subnet]); }

  /** @param {number} subnet @param {number} [last] */
  address(subnet, last) {
    return addressIn(this.subnets[subnet], last ?? ++this.used[subnet]);
  }

  /** The first of prefix0, prefix1, … that is free in a namespace. */
  link(namespace, prefix, from) {
    for (let i = this.next.get(`${namespace}/${prefix}`) ?? from; ; i++) {
      const ref = `${namespace}/${prefix}${i}`;
      if (this.links.has(ref)) continue;
      this.links.add(ref);
      this.next.set(`${namespace}/${prefix}`, i + 1);
      return prefix + i;
    }
  }
}
