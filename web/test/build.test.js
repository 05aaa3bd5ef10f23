// Building by hand: templates, search, what is ignored and adopted, where to go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptCommand } from '../static/js/core/accept.js';
import { ApiError, commands, createApi, curl } from '../static/js/core/api.js';
import { createActions } from '../static/js/core/actions.js';
import { createIgnored } from '../static/js/core/ignored.js';
import { indexOf, search } from '../static/js/core/search.js';
import { documentOf, withParts } from '../static/js/core/spec.js';
import { addressIn, freeSubnets, roomOf } from '../static/js/core/subnets.js';
import { parse } from '../static/js/core/suggest.js';
import { partsOf, templateOf, templates, usualWishes } from '../static/js/core/templates.js';
import { createStore } from '../static/js/core/store.js';
import { createUi } from '../static/js/core/ui.js';
import { boxOf, nextNode } from '../static/js/views/whereabouts.js';
import { bridge, link, namespace, star, topology, veth } from './objects.js';

const empty = topology([]);
const busy = topology([...star('host', 'br0', 3), bridge('host', 'br1')], ['r1']);
const make = (id, over = {}, t = empty, spec = {}) => {
  const template = templateOf(id);
  return partsOf(template, { ...usualWishes(template), ...over }, t, spec);
};

/** What the server would refuse: a name or an address twice, an end nowhere, a bridge that is none, a gateway out of reach. */
function problems({ namespaces = [], bridges = [], veths = [], routes = [] }, known = new Set()) {
  const bad = [];
  const spaces = new Set(['host', ...known]);
  for (const n of namespaces) {
    if (spaces.has(n.name)) bad.push(`namespace ${n.name} twice`);
    spaces.add(n.name);
  }
  const ends = veths.flatMap((v) => [v.a, v.b]);
  const links = new Set();
  for (const l of [...bridges, ...ends]) {
    const ref = `${l.namespace}/${l.name}`;
    if (links.has(ref)) bad.push(`link ${ref} twice`);
    if (!spaces.has(l.namespace)) bad.push(`${ref} is nowhere`);
    if (l.name.length > 15) bad.push(`${ref} is too long`);
    links.add(ref);
  }
  const addresses = ends.flatMap((e) => e.addresses ?? []);
  if (new Set(addresses).size !== addresses.length) bad.push('an address twice');
  for (const a of addresses) {
    const p = parse(a);
    const host = p && (p.ip & (2 ** (32 - p.bits) - 1)) >>> 0;
    if (!p || host === 0 || host === 2 ** (32 - p.bits) - 1) bad.push(`address ${a}`);
  }
  for (const e of ends) if (e.master && !bridges.some((b) => b.namespace === e.namespace && b.name === e.master)) bad.push(`no bridge ${e.master}`);
  const net = (cidr) => { const { ip, bits } = parse(cidr); return `${ip >>> (32 - bits)}/${bits}`; };
  for (const r of routes) {
    const own = ends.filter((e) => e.namespace === r.namespace).flatMap((e) => e.addresses ?? []);
    if (!own.some((a) => net(a) === net(`${r.gateway}/${a.split('/')[1]}`))) bad.push(`${r.namespace} cannot reach ${r.gateway}`);
  }
  return bad;
}

test('every template, small and large, is a lab that stands on its own', () => {
  for (const x of templates) {
    for (const count of x.count ? [x.count.min, x.count.usual, x.count.max] : [2]) {
      const made = make(x.id, { count });
      assert.ok(made, `${x.id} of ${count}`);
      assert.deepEqual(problems(made.parts), [], `${x.id} of ${count}`);
    }
  }
  assert.deepEqual(make('star', { count: 20 }).parts.veths.length, 20);
  assert.equal(make('star', { count: 1023 }).parts.veths[1022].a.addresses[0], '10.0.3.255/21');
});

test('a template takes no name and no subnet that is there or intended', () => {
  const spec = { namespaces: [{ name: 'h4' }], veths: [{ a: { namespace: 'h4', name: 'eth0', addresses: ['10.0.1.1/24'] }, b: { namespace: 'host', name: 'p1' } }] };
  const { parts } = make('router', {}, busy, spec);
  assert.deepEqual(parts.namespaces.map((n) => n.name), ['r2', 'h5', 'h6', 'h7', 'h8']);
  assert.deepEqual(parts.bridges.map((b) => b.name), ['br2', 'br3']);
  assert.deepEqual(parts.veths.slice(0, 2).map((v) => [v.a.addresses[0], v.b.name]), [['10.0.2.254/24', 'p2'], ['10.0.2.1/24', 'p3']]);
  assert.deepEqual(problems(parts), []);
  assert.deepEqual(problems(withParts(spec, parts).namespaces ? parts : {}, new Set(['h4', 'h1', 'h2', 'h3', 'r1'])), []);
});

test('a chain has the routes that lead from end to end, and says who forwards', () => {
  const { parts, routers } = make('chain', { count: 4 });
  assert.deepEqual(routers, ['r2', 'r3']);
  // From each, every network by the neighbour on the way there.
  const via = (from, to) => parts.routes.find((r) => r.namespace === from && r.destination === to)?.gateway;
  assert.deepEqual([via('r1', '10.0.2.0/24'), via('r2', '10.0.2.0/24'), via('r3', '10.0.2.0/24')], ['10.0.0.2', '10.0.1.2', undefined]);
  assert.deepEqual([via('r4', '10.0.0.0/24'), via('r3', '10.0.0.0/24'), via('r2', '10.0.0.0/24')], ['10.0.2.1', '10.0.1.1', undefined]);
});

test('a ring has STP on, and every bridge two others', () => {
  const { parts } = make('ring', { count: 5 });
  assert.ok(parts.bridges.every((b) => b.stp));
  const between = parts.veths.filter((v) => v.a.master && v.b.master);
  for (const b of parts.bridges) assert.equal(between.filter((v) => v.a.master === b.name || v.b.master === b.name).length, 2);
});

test('wishes are bounded, and kept', () => {
  for (const count of [0, 1024, 2.5, NaN]) assert.equal(make('star', { count }), null);
  for (const subnet of ['10.0.0.0/30', 'nonsense', '10.0.0.0/31', 'fd00::/64']) assert.equal(make('star', { count: 5, subnet }), null);
  const { parts } = make('chain', { count: 3, prefix: 'x-', subnet: '172.16.5.0/30', quiet: true });
  assert.deepEqual(parts.namespaces, [{ name: 'x-1', ipv6: false }, { name: 'x-2', ipv6: false }, { name: 'x-3', ipv6: false }]);
  assert.deepEqual(parts.veths.map((v) => v.b.addresses[0]), ['172.16.5.2/30', '172.16.5.6/30']);
});

test('subnets are free, and have the room they say', () => {
  const t = topology([link('A', 'x', { addresses: [{ cidr: '10.0.0.5/24', scope: 'global' }] }), link('B', 'x', { addresses: [{ cidr: '10.0.4.1/22', scope: 'global' }] })]);
  assert.deepEqual(freeSubnets(t, {}, 4, 24), ['10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24', '10.0.8.0/24']);
  assert.deepEqual(freeSubnets(t, { bridges: [{ namespace: 'host', name: 'b', addresses: ['10.0.1.1/24'] }] }, 1, 24), ['10.0.2.0/24']);
  assert.deepEqual(freeSubnets(t, {}, 2, 24, '10.0.0.9/25'), ['10.0.0.0/25', '10.0.0.128/25']); // wished for, whoever has it
  assert.deepEqual([roomOf('10.0.0.0/24'), addressIn('10.0.0.0/22', 300)], [254, '10.0.1.44/22']);
});

test('parts are a document, and go into one that is there', () => {
  const { parts } = make('pair');
  assert.deepEqual(JSON.parse(documentOf(parts)), { namespaces: parts.namespaces, veths: parts.veths });
  const spec = { name: 'lab', ipv6: false, namespaces: [{ name: 'Z' }] };
  assert.deepEqual(withParts(spec, parts).namespaces.map((n) => n.name), ['Z', 'h1', 'h2']);
  assert.deepEqual([withParts(spec, parts).name, withParts(spec, parts).ipv6, spec.namespaces.length], ['lab', false, 1]);
  assert.match(curl(commands.putSpec(spec, '"7"'), 'http://x'), /-H 'If-Match: "7"' .*\n {2}--json '\{"name":"lab"/);
  assert.match(curl(commands.putSpec(make('star', { count: 100 }).parts, '"7"'), 'http://x'), /--json @topology\.json$/);
});

test('search finds names, addresses and MACs, the best first', () => {
  const t = topology([...star('host', 'br0', 12), link('A', 'eth0', { mac: '02:00:00:00:00:2a', alias: 'Uplink' })]);
  const find = (text) => search(indexOf(t), text).hits.map((h) => h.id);
  assert.deepEqual(find('h1').slice(0, 4), ['ns:h1', 'ns:h10', 'ns:h11', 'ns:h12']);
  assert.deepEqual(find('br0')[0], 'link:host/br0');
  assert.deepEqual(find('10.0.0.1')[0], 'link:h1/eth0');
  assert.deepEqual(find('00:2A'), ['link:A/eth0']);
  assert.deepEqual(find('uplink'), ['link:A/eth0']);
  assert.deepEqual(find('h3/eth0'), ['link:h3/eth0']);
  assert.deepEqual([find(''), find('  '), find('nowhere')], [[], [], []]);
  assert.deepEqual([search(indexOf(t), 'h', 5).hits.length, search(indexOf(t), 'h', 5).more > 10], [5, true]);
});

const drifted = (observed) => topology([link('A', 'eth0', { sync: 'drifted', differences: [{ subject: 'A/eth0', kind: 'changed', field: 'mtu', intended: 1500, observed }] })]);
const storage = () => {
  const kept = new Map();
  return { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v) };
};
const storeOf = (t) => {
  const store = createStore();
  store.take({ type: 'snapshot', seq: 1, revision: 1, topology: t });
  return store;
};

test('an ignored difference is told again when it changes, and survives a reload', () => {
  const kept = storage();
  const store = storeOf(drifted(1400));
  const ignored = createIgnored(store, kept);
  ignored.add(['["A/eth0","changed","mtu",1500,1400]']);
  assert.deepEqual([ignored.seen.value.length, ignored.hidden.value.length], [0, 1]);
  assert.deepEqual([ignored.marks.value.differences.get('ns:A'), ignored.marks.value.calm.has('A/eth0')], [1, true]);
  assert.equal(createIgnored(store, kept).hidden.value.length, 1);
  store.take({ type: 'snapshot', seq: 2, revision: 1, topology: drifted(1300) });
  assert.deepEqual([ignored.seen.value.length, ignored.marks.value.calm.size], [1, 0]);
  store.take({ type: 'snapshot', seq: 3, revision: 1, topology: drifted(1400) });
  ignored.remove(['["A/eth0","changed","mtu",1500,1400]']);
  assert.equal(ignored.seen.value.length, 1);
  kept.setItem('netdash.ignored', 'no JSON');
  assert.equal(createIgnored(store, kept).keys.value.size, 0);
});

test('an ignored foreign object is faint until another one has its name', () => {
  const of = (id) => ({ seq: 1, revision: 1, namespaces: [namespace('host'), namespace('F', id, { managed: false, sync: 'foreign', links: [link('F', 'x', { sync: 'foreign', managed: false })] })] });
  const store = storeOf(of('4-1'));
  const ignored = createIgnored(store, storage());
  ignored.add(['["F","foreign","4-1"]']);
  assert.deepEqual([...ignored.marks.value.faint], ['ns:F', 'F/x']);
  assert.deepEqual(ignored.foreign.value.map((f) => f.ref), ['F']);
  store.take({ type: 'snapshot', seq: 2, revision: 1, topology: of('4-2') });
  assert.deepEqual([ignored.marks.value.faint.size, ignored.foreign.value.length], [0, 0]);
});

test('what is observed becomes the intention by one call, or is not offered', () => {
  const changed = (field, observed, subject = 'A/eth0') => ({ subject, kind: /** @type {const} */ ('changed'), field, intended: 1, observed });
  const gone = (subject) => ({ subject, kind: /** @type {const} */ ('missing') });
  assert.deepEqual(acceptCommand([changed('mtu', 1400), changed('admin_up', false), changed('master', undefined)])?.body, { mtu: 1400, admin_up: false, master: '' });
  assert.deepEqual(acceptCommand([changed('bridge.stp', true, 'host/br0')])?.body, { bridge: { stp: true } });
  assert.deepEqual(acceptCommand([changed('loopback_up', false, 'A')])?.path, '/namespaces/A/links/lo');
  assert.deepEqual(acceptCommand([gone('A'), gone('B/eth0')])?.body, { subjects: ['A', 'B/eth0'] });
  assert.deepEqual(acceptCommand([gone('A/eth0 10.0.0.1/24')])?.path, '/namespaces/A/links/eth0/addresses/10.0.0.1%2F24');
  for (const list of [[], [changed('peer', 'x')], [changed('mtu', 1), gone('A/eth0 10.0.0.1/24')], [gone('A default')], [{ subject: 'A/eth0 10.0.0.9/24', kind: /** @type {const} */ ('unexpected') }]]) {
    assert.equal(acceptCommand(list), null);
  }
});

test('a failure is said where it is about; what was done is told with its commands', async () => {
  const ui = createUi();
  let refuse = true;
  const api = createApi({ fetch: async (url) => {
    if (url.endsWith('/operations/7')) return new Response(JSON.stringify({ id: 7, state: 'committed', commands: ['ip link set dev p1 master br0'], request: 'x' }));
    return refuse ? new Response(JSON.stringify({ status: 409, code: 'conflict', detail: 'it is taken', hint: 'free it' }), { status: 409 })
      : new Response('{}', { headers: { 'Netdash-Operation': '7' } });
  } });
  const actions = createActions({ store: createStore(), api, ui, t: (key) => key });
  const command = commands.patchLink('host', 'p1', { master: 'br0' });
  assert.equal(await actions.run(command, { at: 'br:host/br0' }), false);
  assert.deepEqual([ui.bubble.value, ui.toasts.value.length], [{ at: 'br:host/br0', text: 'it is taken', hint: 'free it' }, 0]);
  await actions.run(command);
  assert.equal(ui.toasts.value[0].kind, 'error');
  refuse = false;
  assert.equal(await actions.run(command), true);
  assert.deepEqual([ui.toasts.value.at(-1)?.commands, ui.toasts.value.at(-1)?.action?.label], [['ip link set dev p1 master br0'], 'undo']);
  assert.equal(actions.explain(new ApiError({ status: 0, code: 'unreachable', detail: '' })).text, 'connection.unreachable');
});

test('deleting takes what is managed of all that is chosen', () => {
  const ui = createUi();
  const store = storeOf(topology([...veth('A/veth0', 'B/veth0'), bridge('host', 'br0'), link('host', 'eth9', { managed: false, sync: 'foreign' })]));
  const actions = createActions({ store, api: createApi({ fetch: async () => new Response('{}') }), ui, t: (key) => key });
  actions.choose(['ns:A', 'ns:host', 'link:host/br0', 'link:host/eth9', 'ns:gone']);
  actions.deleteChosen();
  assert.deepEqual([ui.dialog.value?.subjects, ui.dialog.value?.rest, ui.dialog.value?.command.path], [['A', 'host/br0'], ['host', 'host/eth9'], '/topology/delete']);
  actions.choose(['link:A/veth0']);
  actions.deleteChosen();
  assert.deepEqual([ui.dialog.value?.subjects, ui.dialog.value?.command.method], [['A/veth0'], 'DELETE']);
  actions.close();
  actions.choose(['link:host/eth9']);
  actions.deleteChosen();
  assert.deepEqual([ui.dialog.value, ui.toasts.value[0].kind], [null, 'error']);
});

test('arrows go to the node that is next that way; a port has a place, too', () => {
  const node = (id, w = 100, rows = []) => ({ id, w, h: 50, select: id, namespace: id.slice(3), rows });
  const model = /** @type {any} */ ({ nodes: [node('br:host/br0', 500), node('ns:a'), node('ns:b', 100, [{ ref: 'b/eth0' }]), node('ns:c'), node('ns:far')],
    cables: [{ id: 'x', a: { ref: 'b/eth0' }, b: { ref: 'host/p1' } }] });
  const at = new Map(Object.entries({ 'br:host/br0': { x: 0, y: 0 }, 'ns:a': { x: 0, y: 150 }, 'ns:b': { x: 200, y: 150 }, 'ns:c': { x: 400, y: 150 }, 'ns:far': { x: 1000, y: 700 } }));
  const go = (from, way) => nextNode(model, at, from, way);
  assert.deepEqual([go('br:host/br0', [0, 1]), go('ns:a', [1, 0]), go('ns:c', [-1, 0]), go('ns:a', [0, -1])], ['ns:b', 'ns:b', 'ns:b', 'br:host/br0']);
  assert.deepEqual([go('ns:a', [-1, 0]), go('ns:c', [1, 0]), go('gone', [1, 0])], [null, 'ns:far', null]);
  const routes = new Map([['x', { portA: { x: 250, y: 150 }, portB: { x: 250, y: 50 } }]]);
  assert.deepEqual([boxOf(model, at, routes, 'link:b/eth0')?.x, boxOf(model, at, routes, 'link:host/p1')?.y, boxOf(model, at, routes, 'ns:nowhere')], [200, -20, null]);
});
