import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { clearSides } from '../static/js/layout/avoid.js';
import { routeCables, spread } from '../static/js/layout/geometry.js';
import { layered, useElk } from '../static/js/layout/layered.js';
import { buildModel } from '../static/js/layout/model.js';
import { place } from '../static/js/layout/placement.js';
import { ELK } from '../static/js/lib/elk.js';
import { link, star, topology, veth } from './objects.js';

before(() => {
  // The vendored worker, run as the module it also is.
  const module = { exports: {} };
  const code = readFileSync(new URL('../static/vendor/elk-worker.js', import.meta.url), 'utf8');
  new Function('module', 'exports', 'require', code)(module, module.exports, createRequire(import.meta.url));
  const { Worker } = /** @type {any} */ (module.exports);
  useElk(new ELK({ workerFactory: (url) => new Worker(url) }));
});

const overlaps = (model, at) => model.nodes.flatMap((a, i) => model.nodes.slice(i + 1).filter((b) => {
  const [p, q] = [at.get(a.id), at.get(b.id)];
  return p.x < q.x + b.w && q.x < p.x + a.w && p.y < q.y + b.h && q.y < p.y + a.h;
}).map((b) => `${a.id} on ${b.id}`));

const labs = {
  pair: topology(veth('A/veth0', 'B/veth0')),
  star: topology(star('host', 'br0', 3)),
  twelve: topology(star('host', 'br0', 12)),
  mixed: topology([...star('host', 'br0', 3), ...star('sw', 'br0', 7, 'k'), ...veth('r/eth0', 'host/pr', {}, { master: 'br0' }),
    ...veth('r/eth1', 'sw/pr', {}, { master: 'br0' }), ...veth('A/veth0', 'B/veth0')], ['x', 'y', 'z']),
};

for (const [name, lab] of Object.entries(labs)) {
  test(`layered ${name}: everything has a place of its own`, async () => {
    const model = buildModel(lab);
    const at = await layered(model, 1.6);
    assert.equal(at.size, model.nodes.length);
    assert.deepEqual(overlaps(model, at), []);
  });

  test(`placed one by one ${name}: nothing overlaps`, () => {
    let model = null;
    let at = new Map();
    const all = lab.namespaces.flatMap((n) => n.links);
    const names = lab.namespaces.map((n) => n.name);
    for (let i = 0; i <= all.length; i++) {
      const next = buildModel(topology(all.slice(0, i), names.slice(0, i + 1)));
      at = place(next, model, at, new Set());
      model = next;
      assert.equal(at.size, model.nodes.length);
    }
    assert.deepEqual(overlaps(model, at), []);
  });
}

test('two hosts stand side by side; members hang under their bar on straight cables', async () => {
  const pair = await layered(buildModel(labs.pair), 1.6);
  assert.equal(pair.get('ns:A').y, pair.get('ns:B').y);
  const model = buildModel(labs.star);
  const at = await layered(model, 1.6);
  const routes = routeCables(model, at);
  for (const c of model.cables) {
    const { portA, portB } = /** @type {any} */ (routes.get(c.id));
    assert.ok(Math.abs(portA.x - portB.x) <= 1, `${c.id}: ${portA.x} and ${portB.x}`);
    assert.deepEqual([portA.side, portB.side], ['top', 'bottom']);
  }
});

test('what stands does not move when something is added', () => {
  const first = buildModel(topology(star('host', 'br0', 3)));
  const at = place(first, null, new Map(), new Set());
  const second = buildModel(topology([...star('host', 'br0', 4), ...veth('A/veth0', 'B/veth0')]));
  const next = place(second, first, at, new Set());
  for (const [id, p] of at) assert.deepEqual(next.get(id), p, id);
});

test('what was dragged stays, also when it is plugged in; what was not goes to its bar', () => {
  const loose = topology([star('host', 'br0', 0)[0]], ['h1', 'h2']);
  const first = buildModel(loose);
  const at = place(first, null, new Map(), new Set()).set('ns:h1', { x: 1500, y: -300 });
  const second = buildModel(topology(star('host', 'br0', 2)));
  const next = place(second, first, at, new Set(['ns:h1']));
  assert.deepEqual(next.get('ns:h1'), { x: 1500, y: -300 });
  assert.ok(next.get('ns:h2').y > next.get('br:host/br0').y);
  assert.notDeepEqual(next.get('ns:h2'), at.get('ns:h2'));
});

test('a renamed bridge keeps its place', () => {
  const first = buildModel(topology([link('host', 'br0', { kind: 'bridge', key: '4-host:9' })], ['A']));
  const at = place(first, null, new Map(), new Set()).set('br:host/br0', { x: 77, y: 55 });
  const second = buildModel(topology([link('host', 'core', { kind: 'bridge', key: '4-host:9' })], ['A']));
  assert.deepEqual(place(second, first, at, new Set()).get('br:host/core'), { x: 77, y: 55 });
});

test('ports keep their distance and their edge', () => {
  assert.deepEqual(spread([10, 10, 10], 0, 100, 20), [10, 30, 50]);
  assert.deepEqual(spread([95, 96], 0, 100, 20), [80, 100]);
});

test('a cable goes round a node that stands in its way', () => {
  const box = (y) => ({ x: 0, y, w: 200, h: 50 });
  const [a, wall, b] = [box(0), box(150), box(300)];
  const handles = (p, q) => [p, q].map((e) => {
    const [nx, ny] = { top: [0, -1], bottom: [0, 1], left: [-1, 0], right: [1, 0] }[e.side];
    return { x: e.x + nx * 100, y: e.y + ny * 100 };
  });
  assert.deepEqual(clearSides(a, b, ['bottom', 'top'], [a, b], handles), ['bottom', 'top']);
  assert.deepEqual(clearSides(a, b, ['bottom', 'top'], [a, wall, b], handles), ['left', 'left']);
});
