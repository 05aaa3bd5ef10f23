// Objects for the tests, as the server sends them.

export function namespace(name, id = `4-${name}`, over = {}) {
  return { id, name, names: name === 'host' ? [] : [name], managed: name !== 'host', sync: 'in_sync', links: [], routes: [], neighbours: [], fdb: [], ...over };
}

export function link(ns, name, over = {}) {
  return {
    key: `4-${ns}:${name}`, namespace: ns, name, ifindex: 2, kind: 'veth', mac: '02:00:00:00:00:01', mtu: 1500, admin_up: true,
    oper_state: 'up', carrier: true, flags: ['UP'], addresses: [], managed: true, sync: 'in_sync', ...over,
  };
}

/** Two ends that know each other, as links to put into their namespaces. */
export function veth(a, b, overA = {}, overB = {}) {
  const [x, y] = [a, b].map((ref) => ref.split('/'));
  const peer = ([ns, name]) => ({ known: true, namespace: ns, name, ifindex: 2, key: `4-${ns}:${name}` });
  return [link(x[0], x[1], { peer: peer(y), ...overA }), link(y[0], y[1], { peer: peer(x), ...overB })];
}

/** A topology from links; namespaces come from what the links name. */
export function topology(links, names = []) {
  const all = [...new Set(['host', ...names, ...links.map((l) => l.namespace)])];
  return { seq: 1, revision: 1, namespaces: all.map((n) => namespace(n, `4-${n}`, { links: links.filter((l) => l.namespace === n) })) };
}

export const bridge = (ns, name, over = {}) => link(ns, name, { kind: 'bridge', bridge: {}, ...over });

/** Members h1…hN, each plugged into a bridge by a port p1…pN. */
export function star(ns, name, count, prefix = 'h') {
  const links = [bridge(ns, name)];
  for (let i = 1; i <= count; i++) links.push(...veth(`${prefix}${i}/eth0`, `${ns}/p${i}-${name}`, { addresses: [{ cidr: `10.0.0.${i}/24`, scope: 'global' }] }, { master: name }));
  return links;
}

/**
 * Bridges of their own namespaces with hosts, each joined by a router to one of a
 * few core bridges; now and then a host has a second cable, into the next network.
 * @param {number} bridges @param {number} [hosts] @param {number} [cores]
 */
export function campus(bridges, hosts = 10, cores = Math.ceil(bridges / 10)) {
  const links = [];
  const plug = (card, on, bridge, address) => links.push(...veth(card, on, { addresses: [{ cidr: address, scope: 'global' }] }, { master: bridge }));
  for (let c = 0; c < cores; c++) links.push(bridge(`core${c}`, 'br0'));
  for (let i = 0; i < bridges; i++) {
    links.push(bridge(`sw${i}`, 'br0'));
    plug(`rtr${i}/eth0`, `core${i % cores}/p${i}`, 'br0', `10.255.${i}.1/16`);
    plug(`rtr${i}/eth1`, `sw${i}/up`, 'br0', `10.${i}.0.1/24`);
    for (let j = 0; j < hosts; j++) plug(`pc${i}-${j}/eth0`, `sw${i}/p${j}`, 'br0', `10.${i}.0.${j + 10}/24`);
    if (i % 3 === 0 && i > 0) plug(`pc${i}-0/eth1`, `sw${i - 1}/x${i}`, 'br0', `10.${i - 1}.0.250/24`);
  }
  for (let c = 1; c < cores; c++) links.push(...veth(`core${c}/next`, `core${c - 1}/prev`, { master: 'br0' }, { master: 'br0' }));
  return topology(links);
}
