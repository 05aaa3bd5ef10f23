import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { clearSides } from '../static/js/layout/avoid.js';
import { normalise } from '../static/js/core/reduce.js';
import { layOut, pack } from '../static/js/layout/arrange.js';
import { spread } from '../static/js/layout/ends.js';
import { routeCables } from '../static/js/layout/geometry.js';
import { indexOf } from '../static/js/layout/graph.js';
import { heightOf } from '../static/js/layout/measure.js';
import { buildModel } from '../static/js/layout/model.js';
import { place } from '../static/js/layout/placement.js';
import { standClear } from '../static/js/layout/solid.js';
import { vendoredElk } from './elk.js';
import { campus, link, star, topology, veth } from './objects.js';

before(vendoredElk);

const overlaps = (model, at) => {
  const boxes = indexOf(model).boxes;
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => {
    const [p, q] = [at.get(a.id), at.get(b.id)];
    return p.x < q.x + b.w && q.x < p.x + a.w && p.y < q.y + heightOf(b) && q.y < p.y + heightOf(a);
  }).map((b) => `${a.id} on ${b.id}`));
};

const nobody = { before: null, base: new Map(), drawn: new Map(), pinned: () => false, remembered: () => undefined, aspect: 1.6 };
/** What stood when before was drawn. */
const after = (before, base, over = {}) => ({ ...nobody, before, base, drawn: standClear(before, base, () => false), ...over });
const whole = async (model, aspect = 1.6) => pack(await layOut(model, aspect), aspect);

const labs = {
  pair: topology(veth('A/veth0', 'B/veth0')),
  star: topology(star('host', 'br0', 3)),
  twelve: topology(star('host', 'br0', 12)),
  folded: topology([...star('host', 'br0', 30), ...veth('A/veth0', 'B/veth0')]),
  mixed: topology([...star('host', 'br0', 3), ...star('sw', 'br0', 7, 'k'), ...veth('r/eth0', 'host/pr', {}, { master: 'br0' }),
    ...veth('r/eth1', 'sw/pr', {}, { master: 'br0' }), ...veth('A/veth0', 'B/veth0')], ['x', 'y', 'z']),
  chain: topology([1, 2, 3, 4, 5, 6, 7].flatMap((i) => veth(`n${i}/r`, `n${i + 1}/l`))),
  large: campus(12),
};

for (const [name, lab] of Object.entries(labs)) {
  test(`laid out ${name}: everything has a place of its own, always the same`, async () => {
    const model = buildModel(normalise(lab));
    const at = await whole(model);
    assert.equal(at.size, indexOf(model).boxes.length);
    assert.deepEqual(overlaps(model, at), []);
    const again = await whole(buildModel(normalise(structuredClone(lab))));
    for (const [id, p] of again) assert.deepEqual(p, at.get(id), id);
  });

  test(`placed one by one ${name}: nothing overlaps`, () => {
    let model = buildModel(topology([]));
    let base = new Map();
    const all = lab.namespaces.flatMap((n) => n.links);
    const names = lab.namespaces.map((n) => n.name);
    for (let i = 0; i <= all.length; i++) {
      const next = buildModel(topology(all.slice(0, i), names.slice(0, i + 1)), model);
      base = place(next, after(model, base));
      model = next;
      assert.equal(base.size, indexOf(model).boxes.length);
      if (i % 20 === 0 || i === all.length) assert.deepEqual(overlaps(model, standClear(model, base, () => false)), []);
    }
  });
}

test('two hosts stand side by side; members hang under their bar on straight cables', async () => {
  const pair = await whole(buildModel(labs.pair));
  assert.equal(pair.get('ns:A').y, pair.get('ns:B').y);
  const model = buildModel(labs.star);
  const routes = routeCables(model, await whole(model));
  for (const c of model.cables) {
    const { portA, portB } = /** @type {any} */ (routes.get(c.id));
    assert.ok(Math.abs(portA.x - portB.x) <= 1, `${c.id}: ${portA.x} and ${portB.x}`);
    assert.deepEqual([portA.side, portB.side], ['top', 'bottom']);
  }
});

test('side by side, the members of a bridge stand in the order of their names', async () => {
  // As the server sends them when they were made in another order.
  const made = [...star('host', 'br0', 12)].reverse();
  const at = await whole(buildModel(topology(made)));
  const hosts = [...at].filter(([id]) => id.startsWith('ns:h')).map(([id, p]) => ({ ...p, number: Number(id.slice(4)) }));
  const rows = [...new Set(hosts.map((h) => h.y))].map((y) => hosts.filter((h) => h.y === y).sort((a, b) => a.x - b.x).map((h) => h.number));
  for (const row of rows) assert.deepEqual(row, [...row].sort((a, b) => a - b));
  assert.ok(rows.some((row) => row.length > 4));
});

test('a router stands above the middle of its two bridges', async () => {
  const model = buildModel(topology([...star('swA', 'br0', 2, 'a'), ...star('swB', 'br0', 2, 'b'),
    ...veth('r/eth0', 'swA/up', {}, { master: 'br0' }), ...veth('r/eth1', 'swB/up', {}, { master: 'br0' })]));
  const at = await whole(model);
  const { nodes } = indexOf(model);
  const middle = (id) => at.get(id).x + nodes.get(id).w / 2;
  assert.ok(Math.abs(middle('ns:r') - (middle('br:swA/br0') + middle('br:swB/br0')) / 2) < 30);
});

test('a long chain comes back below itself', async () => {
  const at = await whole(buildModel(labs.chain));
  const [first, last] = [at.get('ns:n1'), at.get('ns:n8')];
  assert.ok(last.y > first.y);
  const xs = [...at.values()].map((p) => p.x);
  assert.ok(Math.max(...xs) - Math.min(...xs) < 1800);
});

test('what stands does not move when something is added', () => {
  const first = buildModel(topology(star('host', 'br0', 3)));
  const base = place(first, nobody);
  const second = buildModel(topology([...star('host', 'br0', 4), ...veth('A/veth0', 'B/veth0')]), first);
  const next = place(second, after(first, base));
  for (const [id, p] of base) assert.deepEqual(next.get(id), p, id);
});

test('what was dragged stays, also when it is plugged in; what was not goes to its bar', () => {
  const loose = topology([star('host', 'br0', 0)[0]], ['h1', 'h2']);
  const first = buildModel(loose);
  const base = place(first, nobody).set('ns:h1', { x: 1500, y: -300 });
  const second = buildModel(topology(star('host', 'br0', 2)), first);
  const next = place(second, after(first, base, { pinned: (id) => id === 'ns:h1' }));
  assert.deepEqual(next.get('ns:h1'), { x: 1500, y: -300 });
  assert.ok(next.get('ns:h2').y > next.get('br:host/br0').y);
  assert.notDeepEqual(next.get('ns:h2'), base.get('ns:h2'));
});

test('what changed while it was being laid out: what is gone or folded is not put, what has a place keeps it', async () => {
  const first = buildModel(topology([...star('host', 'br0', 9), ...veth('A/veth0', 'B/veth0'), ...veth('C/veth0', 'D/veth0')]));
  const parts = await layOut(first, 1.6);
  assert.ok(parts.some((part) => part.nodes.some((n) => n.id === 'ns:h1')));
  const next = buildModel(topology([...star('host', 'br0', 30), ...veth('A/veth0', 'new/veth0'), ...veth('C/veth0', 'D/veth0')]), first);
  assert.ok(next.nodes.find((n) => n.id === 'ns:h1')?.home);
  const at = place(next, { ...nobody, remembered: (id) => (id === 'ns:C' ? { x: 4000, y: 5 } : undefined) }, parts);
  assert.deepEqual([...at.keys()].sort(), indexOf(next).boxes.map((n) => n.id).sort());
  assert.deepEqual(at.get('ns:C'), { x: 4000, y: 5 });
  assert.deepEqual(overlaps(next, at), []);
});

test('a renamed bridge keeps its place', () => {
  const first = buildModel(topology([link('host', 'br0', { kind: 'bridge', key: '4-host:9' })], ['A']));
  const base = place(first, nobody).set('br:host/br0', { x: 77, y: 55 });
  const second = buildModel(topology([link('host', 'core', { kind: 'bridge', key: '4-host:9' })], ['A']), first);
  assert.deepEqual(place(second, after(first, base)).get('br:host/core'), { x: 77, y: 55 });
});

test('what comes back is where it was, if there is room; what others have placed is where they have', () => {
  const first = buildModel(topology([], ['A', 'B']));
  const base = new Map([['ns:A', { x: 0, y: 0 }], ['ns:B', { x: 400, y: 0 }]]);
  const second = buildModel(topology([], ['A', 'B', 'C', 'D']), first);
  const known = new Map([['ns:C', { x: 900, y: 333 }], ['ns:D', { x: 10, y: 10 }]]);
  const next = place(second, after(first, base, { remembered: (id) => known.get(id) }));
  assert.deepEqual(next.get('ns:C'), { x: 900, y: 333 });
  assert.notDeepEqual(next.get('ns:D'), { x: 10, y: 10 });
  assert.deepEqual(overlaps(second, next), []);
});

test('a card that gets another interface and would touch its neighbour goes elsewhere, the neighbour stays', () => {
  const first = buildModel(topology(veth('A/veth0', 'B/veth0'), ['C']));
  const base = new Map([['ns:A', { x: 0, y: 0 }], ['ns:B', { x: 500, y: 0 }], ['ns:C', { x: 0, y: 70 }]]);
  const second = buildModel(topology([...veth('A/veth0', 'B/veth0'), ...veth('A/veth1', 'B/veth1')], ['C']), first);
  const next = place(second, after(first, base));
  assert.deepEqual(next.get('ns:C'), { x: 0, y: 70 });
  assert.deepEqual(overlaps(second, next), []);
});

test('ports keep their distance and their edge', () => {
  assert.deepEqual(spread([10, 10, 10], 0, 100, [0, 20, 20]), [10, 30, 50]);
  assert.deepEqual(spread([95, 96], 0, 100, [0, 20]), [80, 100]);
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
