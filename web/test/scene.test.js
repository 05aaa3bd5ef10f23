// The scene: from messages of the websocket to places, for one viewer and for all.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createPlaces } from '../static/js/core/places.js';
import { createStore } from '../static/js/core/store.js';
import { createScene } from '../static/js/layout/scene.js';
import { vendoredElk } from './elk.js';
import { bridge, campus, link, namespace, star, topology, veth } from './objects.js';

before(vendoredElk);

/** Waits for something to become true. @param {() => any} f @param {string} what */
async function until(f, what) {
  for (let i = 0; i < 2000; i++) {
    if (f()) return;
    await new Promise((done) => setTimeout(done, 5));
  }
  assert.fail(`never: ${what}`);
}

/** What a server keeps, for all viewers of a test. */
function createServer(stored = new Map()) {
  const requests = [];
  const viewers = [];
  let seq = 1;
  const tell = (items, replaced = false) => viewers.forEach((s) => s.take({ type: 'positions.changed', seq: ++seq, positions: { items, replaced } }));
  const api = {
    read: async () => [...stored.values()],
    patch: async (items) => {
      requests.push({ method: 'PATCH', items });
      const changed = items.filter((i) => (i.forget ? stored.delete(i.object) : (i.pinned || !stored.has(i.object)) && stored.set(i.object, i)));
      if (changed.length) tell(changed);
      return items.filter((i) => stored.has(i.object)).map((i) => stored.get(i.object));
    },
    put: async (items) => {
      requests.push({ method: 'PUT', items });
      stored.clear();
      for (const i of items) stored.set(i.object, i);
      tell(items, true);
    },
  };
  return {
    stored, requests,
    viewer({ storage = new Map(), random = Math.random } = {}) {
      const store = createStore();
      const scene = createScene(store, {
        places: createPlaces({ ...api, random }),
        storage: { getItem: (k) => storage.get(k) ?? null, setItem: (k, v) => storage.set(k, v) },
        frame: /** @type {any} */ (null),
      });
      viewers.push(store);
      return {
        store, scene,
        at: (id) => scene.positions.value.get(id),
        snapshot(t) { store.take({ type: 'snapshot', seq: ++seq, revision: 1, topology: t }); },
        event(type, object) { store.take({ type, seq: ++seq, at: '', origin: 'kernel', ...object }); },
      };
    },
  };
}

const shows = (v, count) => until(() => v.scene.model.value.nodes.length === count && v.scene.positions.value.size === count, `${count} nodes`);

test('a dragged card is where it was put, for everybody and after a reload', async () => {
  const server = createServer();
  const [a, b] = [server.viewer(), server.viewer()];
  const lab = topology(star('host', 'br0', 3));
  a.snapshot(lab);
  b.snapshot(lab);
  await Promise.all([shows(a, 4), shows(b, 4)]);
  await until(() => server.stored.size === 4, 'the first layout is told');
  a.scene.move('ns:h2', { x: 1234, y: 567 });
  assert.deepEqual(a.at('ns:h2'), { x: 1234, y: 567 });
  assert.notDeepEqual(b.at('ns:h2'), { x: 1234, y: 567 }, 'not before it was let go');
  a.scene.save();
  await until(() => b.at('ns:h2')?.x === 1234, 'the second viewer has it');
  const c = server.viewer();
  c.snapshot(lab);
  await shows(c, 4);
  for (const id of ['ns:h1', 'ns:h2', 'ns:h3', 'br:host/br0']) assert.deepEqual(c.at(id), a.at(id), id);
  // A tidy of one is one for all.
  await a.scene.tidy();
  await until(() => b.at('ns:h2')?.x !== 1234, 'tidied for the second viewer');
  for (const id of ['ns:h1', 'ns:h2', 'ns:h3', 'br:host/br0']) assert.deepEqual(b.at(id), a.at(id), id);
});

test('what somebody else does does not take the card out of a hand', async () => {
  const server = createServer();
  const [a, b] = [server.viewer(), server.viewer()];
  for (const v of [a, b]) v.snapshot(topology([], ['A', 'B']));
  await Promise.all([shows(a, 2), shows(b, 2)]);
  a.scene.move('ns:A', { x: 900, y: 900 });
  b.scene.move('ns:A', { x: 1, y: 700 });
  b.scene.move('ns:B', { x: 1, y: 800 });
  b.scene.save();
  await until(() => a.at('ns:B')?.y === 800, 'B has moved');
  assert.deepEqual(a.at('ns:A'), { x: 900, y: 900 });
});

test('dragging a bar takes its panel along; dragging a member drags the bar', async () => {
  const server = createServer();
  const v = server.viewer();
  v.snapshot(topology(star('host', 'br0', 20)));
  await shows(v, 21);
  const [bar, h7] = [v.at('br:host/br0'), v.at('ns:h7')];
  v.scene.move('br:host/br0', { x: bar.x + 100, y: bar.y + 50 });
  assert.deepEqual(v.at('ns:h7'), { x: h7.x + 100, y: h7.y + 50 });
  v.scene.move('ns:h7', h7);
  assert.deepEqual(v.at('br:host/br0'), bar);
  v.scene.save();
  await until(() => server.stored.get('br:host/br0')?.pinned, 'the bar is told');
  assert.deepEqual([...server.stored.keys()], ['br:host/br0'], 'members have no place of their own');
});

test('a bridge is unfolded for this viewer alone; the choice outlives a reload, and folding again moves nothing', async () => {
  const server = createServer();
  const storage = new Map();
  const [a, b] = [server.viewer({ storage }), server.viewer()];
  const lab = topology([...star('host', 'br0', 20), ...veth('r/eth0', 'host/up', {}, { master: 'br0' }), ...veth('r/eth1', 'X/eth0')]);
  for (const v of [a, b]) v.snapshot(lab);
  await Promise.all([shows(a, 23), shows(b, 23)]);
  const before = new Map(a.scene.positions.value);
  a.scene.toggleFold('br:host/br0');
  await until(() => a.scene.model.value.nodes.every((n) => !n.home), 'unfolded');
  const boxes = a.scene.model.value.nodes.map((n) => ({ id: n.id, ...a.at(n.id), w: n.w, h: n.h }));
  boxes.forEach((p, i) => boxes.slice(i + 1).forEach((q) => assert.ok(p.x >= q.x + q.w || q.x >= p.x + p.w || p.y >= q.y + q.h || q.y >= p.y + p.h, `${p.id} on ${q.id}`)));
  assert.ok(b.scene.model.value.nodes.some((n) => n.folded));
  const c = server.viewer({ storage });
  c.snapshot(lab);
  await shows(c, 23);
  assert.ok(c.scene.model.value.nodes.every((n) => !n.folded));
  a.scene.foldAll(true);
  await until(() => a.scene.model.value.nodes.some((n) => n.folded), 'folded');
  assert.deepEqual(a.scene.positions.value, before);
});

test('a panel that opens pushes aside what it would cover, and gives it its place back', async () => {
  const server = createServer();
  const v = server.viewer();
  const lab = topology(star('host', 'br0', 20), ['Z']);
  v.snapshot(lab);
  await shows(v, 22);
  v.scene.toggleFold('br:host/br0');
  await until(() => v.scene.model.value.nodes.every((n) => !n.home), 'unfolded');
  const bar = v.at('br:host/br0');
  const spot = { x: bar.x - 2000, y: bar.y };
  v.scene.move('br:host/br0', spot);
  v.scene.move('ns:Z', { x: spot.x + 50, y: spot.y + 150 });
  v.scene.save();
  const where = v.at('ns:Z');
  v.scene.toggleFold('br:host/br0');
  await until(() => v.scene.model.value.nodes.some((n) => n.folded), 'folded');
  assert.notDeepEqual(v.at('ns:Z'), where);
  v.scene.toggleFold('br:host/br0');
  await until(() => v.scene.model.value.nodes.every((n) => !n.home), 'unfolded');
  assert.deepEqual(v.at('ns:Z'), where);
});

test('what is gone comes back to where it was', async () => {
  const server = createServer();
  const v = server.viewer();
  v.snapshot(topology(veth('A/veth0', 'B/veth0'), ['C']));
  await shows(v, 3);
  v.scene.move('ns:C', { x: 3000, y: 300 });
  v.scene.save();
  v.event('namespace.removed', { namespace: namespace('C') });
  await shows(v, 2);
  v.event('namespace.added', { namespace: namespace('C') });
  await shows(v, 3);
  assert.deepEqual(v.at('ns:C'), { x: 3000, y: 300 });
});

test('a thousand new objects are told in a few requests, a folded thousand in one', async () => {
  const server = createServer();
  const v = server.viewer();
  v.snapshot(topology([...star('host', 'br0', 600), ...star('sw', 'br0', 400, 'k')]));
  await shows(v, 1002);
  await until(() => server.stored.size === 2, 'two bars are told');
  assert.equal(server.requests.length, 1);
  v.scene.foldAll(false);
  await until(() => server.stored.size === 1002, 'all are told');
  assert.ok(server.requests.length <= 4, `${server.requests.length} requests`);
});

test('while an operation makes many objects, they are laid out once, when they are connected', async () => {
  const server = createServer();
  const v = server.viewer();
  v.snapshot(topology([], ['A']));
  await shows(v, 1);
  const lab = campus(10);
  v.event('operation.started', { operation: { id: 9, state: 'running', author: '', request: '', changes: null, commands: null, started_at: '', duration_ms: 0 } });
  for (const n of lab.namespaces) if (n.name !== 'host') v.event('namespace.added', { namespace: { ...n, links: [] } });
  await new Promise((done) => setTimeout(done, 400));
  assert.equal(v.scene.model.value.nodes.length, 1, 'nothing is placed before it is connected');
  for (const n of lab.namespaces) for (const l of n.links) v.event('link.added', { link: l });
  v.event('operation.committed', { operation: { id: 9, state: 'committed', author: '', request: '', changes: null, commands: null, started_at: '', duration_ms: 9 } });
  await until(() => v.scene.model.value.nodes.length > 100, 'everything');
  assert.equal(v.scene.positions.value.size, v.scene.model.value.nodes.length);
});

test('a small lab that comes slowly, in pieces, is laid out as one when its operation is done', async () => {
  const v = createServer().viewer();
  v.snapshot(topology([], ['A']));
  await shows(v, 1);
  const parts = star('host', 'br0', 4);
  const operation = { id: 9, author: '', request: '', changes: Array(13).fill({ kind: '', subject: '', command: '' }), commands: [], started_at: '', duration_ms: 0 };
  v.event('operation.started', { operation: { ...operation, state: 'running' } });
  for (const l of parts) {
    if (l.namespace !== 'host') v.event('namespace.added', { namespace: { ...namespace(l.namespace), links: [] } });
    v.event('link.added', { link: l });
    await new Promise((done) => setTimeout(done, 70)); // longer than a pause that ends a burst
  }
  assert.equal(v.scene.model.value.nodes.length, 1);
  v.event('operation.committed', { operation: { ...operation, state: 'committed' } });
  await until(() => v.scene.model.value.nodes.length === 6, 'everything');
  const row = [1, 2, 3, 4].map((i) => v.at(`ns:h${i}`).y);
  assert.equal(new Set(row).size, 1, `one row, not ${row}`);
});

test('events that change nothing to be drawn leave the picture as it is', async () => {
  const server = createServer();
  const v = server.viewer();
  v.snapshot(topology([bridge('host', 'br0'), link('A', 'x')]));
  await shows(v, 2);
  const [model, routes] = [v.scene.model.value, v.scene.routes.value];
  v.event('neighbour.added', { neighbour: { namespace: 'A', link: 'x', address: '10.0.0.1', state: 'reachable' } });
  v.event('fdb.added', { fdb: { namespace: 'host', bridge: 'br0', mac: '02:00:00:00:00:01', port: 'br0', state: 'learned' } });
  await new Promise((done) => setTimeout(done, 400)); // longer than a burst lasts
  assert.equal(v.scene.model.value, model, 'what a bridge has learned is not drawn');
  v.event('link.changed', { link: link('A', 'x', { admin_up: false }) });
  await until(() => v.scene.model.value !== model, 'the change');
  assert.equal(v.scene.model.value.nodes.find((n) => n.kind === 'br'), model.nodes.find((n) => n.kind === 'br'));
  assert.ok(routes);
});
