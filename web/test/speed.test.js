// An event costs what it changes, not what there is: counted in looks, for time
// is another on every machine.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalise, reduce } from '../static/js/core/reduce.js';
import { createStore } from '../static/js/core/store.js';
import { createRouter } from '../static/js/layout/geometry.js';
import { buildModel } from '../static/js/layout/model.js';
import { place } from '../static/js/layout/placement.js';
import { standClear } from '../static/js/layout/solid.js';
import { campus, star, topology } from './objects.js';

const nobody = () => false;
const labs = { star: () => topology(star('host', 'br0', 1000)), campus: () => campus(90) };

/** A topology that counts how often the links of its namespaces are looked at. */
function counted(t) {
  const looks = new Map();
  const namespaces = t.namespaces.map((n) => Object.defineProperty({ ...n }, 'links', {
    enumerable: true,
    get() {
      looks.set(n.name, (looks.get(n.name) ?? 0) + 1);
      return n.links;
    },
  }));
  return { t: { ...t, namespaces }, looks };
}

/** Everything that is new in a list. */
const news = (now, before) => {
  const old = new Set(before);
  return [...now].filter((x) => !old.has(x));
};

for (const [name, lab] of Object.entries(labs)) {
  test(`one link event in a ${name} of a thousand`, () => {
    const { t, looks } = counted(normalise(lab()));
    let model = buildModel(t);
    const places = { before: null, base: new Map(), drawn: new Map(), pinned: nobody, remembered: () => undefined, aspect: 1.6 };
    const base = place(model, places, [{ nodes: model.nodes.filter((n) => !n.home), at: new Map(model.nodes.map((n, i) => [n.id, { x: (i % 40) * 900, y: Math.floor(i / 40) * 900 }])) }]);
    const drawn = standClear(model, base, nobody);
    const route = createRouter();
    const routes = route(model, drawn);
    looks.clear();

    const card = /** @type {any} */ (t.namespaces.find((n) => n.name === 'h500' || n.name === 'pc40-5'));
    const after = reduce(t, /** @type {any} */ ({ type: 'link.changed', seq: 2, at: '', origin: 'kernel', link: { ...card.links[0], admin_up: false } }));
    looks.clear();
    const next = buildModel(after, model);
    assert.deepEqual([...looks.keys()].filter((name) => name !== card.name), [], 'no other namespace is looked at');
    assert.deepEqual(news(next.nodes, model.nodes).map((n) => n.namespace), [card.name]);
    assert.equal(news(next.cables, model.cables).length, 1);

    const kept = place(next, { ...places, before: model, base, drawn });
    assert.equal(kept, base, 'the same places');
    const again = route(next, standClear(next, kept, nobody));
    assert.ok(news(again.values(), routes.values()).length <= 1);
  });
}

test('a card that is dragged has its own cables routed anew, and those it comes close to', () => {
  const model = buildModel(normalise(topology([...star('sw1', 'br0', 8, 'a'), ...star('sw2', 'br0', 8, 'b'), ...star('sw3', 'br0', 8, 'c')])));
  const nothing = { before: null, base: new Map(), drawn: new Map(), pinned: nobody, remembered: () => undefined, aspect: 1.6 };
  const at = standClear(model, place(model, nothing), nobody);
  const route = createRouter();
  const routes = route(model, at);
  assert.equal(route(model, new Map(at)), routes, 'the same picture is not routed again');
  const b5 = /** @type {any} */ (at.get('ns:b5'));
  const moved = route(model, new Map(at).set('ns:b5', { x: b5.x + 3, y: b5.y }));
  assert.ok(news(moved.values(), routes.values()).length <= 9);
  assert.ok([...moved].filter(([id]) => id.startsWith('a') || id.startsWith('c')).every(([id, r]) => routes.get(id) === r));
});

test('an event looks at each namespace a few times at most, and sorts nothing', () => {
  let looks = 0;
  const t = normalise(campus(90));
  const namespaces = t.namespaces.map((n) => Object.defineProperties({ ...n }, {
    name: { enumerable: true, get() { looks++; return n.name; } },
    id: { enumerable: true, get() { looks++; return n.id; } },
  }));
  const all = namespaces.length;
  const event = (type, object) => reduce({ ...t, namespaces }, /** @type {any} */ ({ type, seq: 2, at: '', origin: 'kernel', ...object }));
  const n = t.namespaces[700];
  for (const [type, object] of [
    ['link.changed', { link: { ...n.links[0], mtu: 1400 } }], ['namespace.changed', { namespace: { ...n, links: null } }],
    ['namespace.added', { namespace: { ...n, id: '4-new', name: 'new', names: ['new'] } }], ['namespace.removed', { namespace: n }],
    ['neighbour.added', { neighbour: { namespace: n.name, link: 'eth0', address: '10.0.0.1', state: 'stale' } }],
  ]) {
    looks = 0;
    event(type, object);
    assert.ok(looks <= 6 * all, `${type}: ${looks} looks at ${all} namespaces`);
  }
});

test('what events have touched is remembered while it can flash, not for ever', () => {
  const store = createStore();
  store.take({ type: 'snapshot', seq: 1, revision: 1, topology: campus(90) });
  for (const n of store.topology.value.namespaces) {
    for (const l of n.links) store.take({ type: 'link.changed', seq: 2, at: '', origin: 'kernel', link: { ...l, mtu: 1400 } });
  }
  assert.ok(store.touched.value.size <= 100);
});

test('a port of a folded bridge that goes down leaves all cards of its panel as they are', () => {
  const t = normalise(topology(star('host', 'br0', 200)));
  const model = buildModel(t);
  const link = /** @type {any} */ (t.namespaces[0].links.find((l) => l.name === 'br0'));
  const next = buildModel(reduce(t, /** @type {any} */ ({ type: 'link.changed', seq: 2, at: '', origin: 'kernel', link: { ...link, mtu: 1400, admin_up: false } })), model);
  assert.deepEqual(news(next.nodes, model.nodes).map((n) => n.id), ['br:host/br0']);
});
