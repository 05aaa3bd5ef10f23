import assert from 'node:assert/strict';
import { test } from 'node:test';
import { components } from '../static/js/layout/graph.js';
import { buildModel } from '../static/js/layout/model.js';
import { bridge, campus, link, namespace, star, topology, veth } from './objects.js';

const ids = (list) => list.map((x) => x.id).sort();

test('two hosts: a card each and one cable', () => {
  const m = buildModel(topology(veth('A/veth0', 'B/veth0')));
  assert.deepEqual(ids(m.nodes), ['ns:A', 'ns:B']);
  assert.deepEqual(ids(m.cables), ['A/veth0--B/veth0']);
});

test('identical ifindexes do not confuse the ends', () => {
  const m = buildModel(topology([...veth('A/veth0', 'B/veth0'), ...veth('C/veth0', 'D/veth0')]));
  assert.deepEqual(ids(m.cables), ['A/veth0--B/veth0', 'C/veth0--D/veth0']);
});

test('each half has the state of its own end', () => {
  const m = buildModel(topology(veth('A/veth0', 'B/veth0', { admin_up: false }, { carrier: false, oper_state: 'lowerlayerdown' })));
  assert.deepEqual([m.cables[0].a.state, m.cables[0].b?.state], ['down', 'no-carrier']);
});

test('an end whose peer cannot be seen dangles', () => {
  const m = buildModel(topology([link('A', 'veth0', { peer: { known: false, ifindex: 7 } })]));
  assert.equal(m.cables[0].id, 'A/veth0--?');
  assert.equal(m.cables[0].far, 'if7');
  assert.equal(m.cables[0].b, null);
});

test('ports end at the bar; the namespace of a bridge alone has no card', () => {
  const m = buildModel(topology([...star('host', 'br0', 2), ...star('sw', 'br0', 1, 'k')]));
  assert.deepEqual(ids(m.nodes), ['br:host/br0', 'br:sw/br0', 'ns:h1', 'ns:h2', 'ns:k1']);
  assert.ok(m.cables.every((c) => c.b?.node.startsWith('br:') || c.a.node.startsWith('br:')));
});

test('a namespace with a bridge and other links has both, tied together', () => {
  const m = buildModel(topology([...star('sw', 'br0', 1), ...veth('sw/up0', 'A/veth0')]));
  assert.ok(ids(m.nodes).includes('ns:sw'));
  assert.deepEqual(m.tethers.map((x) => [x.from, x.to]), [['ns:sw', 'br:sw/br0']]);
});

test('the host gets a card only for links that are not ports, lo or physical', () => {
  const quiet = [link('host', 'lo', { kind: 'loopback' }), link('host', 'eth0', { kind: 'physical' }), bridge('host', 'br0')];
  assert.deepEqual(ids(buildModel(topology(quiet)).nodes), ['br:host/br0']);
  assert.ok(ids(buildModel(topology([...quiet, ...veth('host/veth0', 'A/veth0')])).nodes).includes('ns:host'));
});

test('lo is a dot of the card', () => {
  const down = buildModel(topology([link('A', 'lo', { kind: 'loopback', admin_up: false })]));
  assert.equal(down.nodes[0].lo, 'down');
  assert.deepEqual(down.nodes[0].rows, []);
});

test('a missing veth is drawn between its namespaces', () => {
  const ghost = { sync: 'missing', ifindex: 0 };
  const m = buildModel(topology(veth('A/veth0', 'B/veth0', { ...ghost, key: 'A/veth0' }, { ...ghost, key: 'B/veth0' })));
  assert.equal(m.cables.length, 1);
  assert.deepEqual([m.cables[0].a.state, m.cables[0].b?.state], ['missing', 'missing']);
});

test('what did not change stays the same object', () => {
  const before = buildModel(topology([...veth('A/veth0', 'B/veth0'), ...veth('C/veth0', 'D/veth0')]));
  const after = buildModel(topology([...veth('A/veth0', 'B/veth0', { admin_up: false }), ...veth('C/veth0', 'D/veth0')]), before);
  assert.notEqual(after.cables[0], before.cables[0]);
  assert.equal(after.cables[1], before.cables[1]);
  assert.equal(after.nodes.find((n) => n.id === 'ns:C'), before.nodes.find((n) => n.id === 'ns:C'));
});

test('names from the kernel stay text, however odd', () => {
  const m = buildModel({ seq: 1, revision: 1, namespaces: [namespace('<img src=x>', '4-9')] });
  assert.equal(m.nodes[0].title, '<img src=x>');
});

test('components are what cables and tethers connect', () => {
  const m = buildModel(topology([...star('host', 'br0', 3), ...veth('A/veth0', 'B/veth0')], ['alone']));
  assert.deepEqual(components(m).map((g) => g.length).sort(), [1, 2, 4]);
});

test('a namespace without a name is called by who lives in it', () => {
  const title = (over) => {
    const t = topology([link('4-7', 'eth0'), bridge('4-7', 'br0')]);
    t.namespaces = t.namespaces.map((n) => (n.name === '4-7' ? { ...n, id: '4-7', names: [], ...over } : n));
    const { nodes } = buildModel(t);
    const card = nodes.find((n) => n.kind === 'ns');
    assert.equal(nodes.find((n) => n.kind === 'br')?.place, card?.title);
    assert.equal(card?.namespace, '4-7');
    return card?.title;
  };
  const processes = [{ pid: 1234, name: 'nginx' }, { pid: 1240, name: 'worker' }];
  const id = '4fd1f3e1c84bd2b8ad2a5c3e7d0a6c5b8f9e0d1c2b3a49586776655443322110';
  assert.equal(title({}), '4-7');
  assert.equal(title({ processes }), 'pid 1234 (nginx)');
  assert.equal(title({ processes, container: { id, engine: 'docker' } }), '4fd1f3e1c84b');
  assert.equal(title({ processes, container: { id, name: 'web', engine: 'docker' } }), 'web');
});

test('who lives in a named namespace does not change what it is called', () => {
  const t = topology([link('A', 'eth0')]);
  t.namespaces[1] = { ...t.namespaces[1], processes: [{ pid: 1, name: 'sh' }], container: { id: 'x', name: 'web' } };
  assert.equal(buildModel(t).nodes[0].title, 'A');
});

test('a namespace without a name and without links is no card, unless it is a container', () => {
  const t = topology([], ['4-7']);
  const titles = (over) => {
    t.namespaces[1] = { ...t.namespaces[1], id: '4-7', names: [], managed: false, sync: 'foreign', ...over };
    return buildModel(t).nodes.map((n) => n.title);
  };
  assert.deepEqual(titles({ processes: [{ pid: 7, name: 'sandbox' }] }), []);
  assert.deepEqual(titles({ container: { id: 'x', name: 'web' } }), ['web']);
});

const bars = (m) => m.nodes.filter((n) => n.kind === 'br');
const members = (m) => m.nodes.filter((n) => n.home);

test('to a dozen members a bridge shows every cable; beyond, they stand in a panel below it', () => {
  const twelve = buildModel(topology(star('host', 'br0', 12)));
  assert.deepEqual([bars(twelve)[0].foldable, bars(twelve)[0].folded, members(twelve).length], [false, false, 0]);
  const m = buildModel(topology(star('host', 'br0', 13)));
  const [bar] = bars(m);
  assert.deepEqual([bar.foldable, bar.folded, members(m).length], [true, true, 13]);
  const { panel } = /** @type {any} */ (bar);
  for (const n of members(m)) {
    const { x, y } = /** @type {any} */ (n.home);
    assert.ok(x > panel.x && x + n.w < panel.x + panel.w && y >= bar.h && y + n.h < panel.y + panel.h, n.id);
  }
  assert.equal(m.cables.length, 13, 'each keeps its cable');
});

test('folded members stand in the order people count', () => {
  const m = buildModel(topology(star('host', 'br0', 20)));
  const places = members(m).sort((a, b) => /** @type {any} */ (a.home).y - /** @type {any} */ (b.home).y || /** @type {any} */ (a.home).x - /** @type {any} */ (b.home).x);
  assert.deepEqual(places.map((n) => n.title), Array.from({ length: 20 }, (_, i) => `h${i + 1}`));
});

test('who has another cable is not folded', () => {
  const links = [...star('host', 'br0', 20), ...veth('h3/x', 'A/veth0'), link('h4', 'y', { peer: { known: false, ifindex: 9 } })];
  const m = buildModel(topology(links));
  assert.deepEqual(members(m).map((n) => n.id).filter((id) => id === 'ns:h3' || id === 'ns:h4'), []);
  assert.equal(members(m).length, 18);
});

test('a bridge is folded or not as somebody wants it', () => {
  const t = topology(star('host', 'br0', 20));
  const open = buildModel(t, undefined, () => false);
  assert.deepEqual([bars(open)[0].foldable, bars(open)[0].folded, bars(open)[0].panel], [true, false, null]);
  const few = buildModel(topology(star('host', 'br0', 5)), undefined, (id) => (id === 'br:host/br0' ? true : undefined));
  assert.deepEqual([bars(few)[0].foldable, bars(few)[0].folded], [true, true]);
});

test('a folded bridge does not open because one member goes', () => {
  let m = buildModel(topology(star('host', 'br0', 13)));
  m = buildModel(topology(star('host', 'br0', 10)), m);
  assert.equal(bars(m)[0].folded, true);
  m = buildModel(topology(star('host', 'br0', 8)), m);
  assert.equal(bars(m)[0].folded, false);
});

test('in a large lab small bridges are folded too', () => {
  assert.ok(bars(buildModel(campus(3))).every((b) => !b.folded));
  const large = buildModel(campus(12));
  assert.equal(bars(large).filter((b) => b.folded).length, 12);
});

test('each half in a panel has the state of its own end', () => {
  const links = star('host', 'br0', 20).map((l) => (l.namespace === 'h7' ? { ...l, admin_up: false } : l.name === 'p7-br0' ? { ...l, oper_state: 'lowerlayerdown', carrier: false } : l));
  const { cables } = buildModel(topology(links));
  const c = /** @type {any} */ (cables.find((x) => x.id.startsWith('h7/')));
  assert.deepEqual([c.a.state, c.b.state], ['down', 'no-carrier']);
});

test('a peer is found through its key while its namespace has another name', () => {
  const links = veth('A/veth0', 'B/veth0');
  const t = topology(links);
  t.namespaces = t.namespaces.map((n) => (n.name === 'B' ? { ...n, name: 'C', links: n.links.map((l) => ({ ...l, namespace: 'C' })) } : n));
  assert.deepEqual(ids(buildModel(t).cables), ['A/veth0--C/veth0']);
});
