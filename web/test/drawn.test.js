// What of each object is drawn, by where one looks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalise } from '../static/js/core/reduce.js';
import { createRouter } from '../static/js/layout/geometry.js';
import { buildModel } from '../static/js/layout/model.js';
import { signal } from '../static/js/lib/signals.js';
import { createDrawn } from '../static/js/views/drawn.js';
import { topology, veth } from './objects.js';

test('near by, a cable is drawn wherever it passes, and nothing else of what is far', () => {
  globalThis.cancelAnimationFrame ??= () => {};
  const many = Array.from({ length: 200 }, (_, i) => `n${i}`);
  const model = buildModel(normalise(topology([...veth('A/x', 'B/x'), ...veth('C/x', 'D/x'), ...veth('E/x', 'F/x')], many)));
  const at = new Map(model.nodes.map((n, i) => [n.id, { x: 9000 + i * 300, y: 9000 }]));
  for (const [id, x, y] of /** @type {[string, number, number][]} */ ([['ns:A', 100, 100], ['ns:B', 600, 100], ['ns:C', -5000, 300], ['ns:D', 5000, 300], ['ns:E', -5000, 7000], ['ns:F', 5000, 7000]])) at.set(id, { x, y });
  const any = /** @type {any} */ ({
    scene: { model: signal(model), positions: signal(at), routes: signal(createRouter()(model, at)), laidOut: signal(0) },
    store: { touched: signal(new Map()) },
    ui: { lit: signal(new Set()), selection: signal(null), chosen: signal(new Set()), picking: signal(null) },
    ignored: { marks: signal({ differences: new Map(), faint: new Set(), calm: new Set() }) },
    camera: { level: signal('detail'), near: signal({ x: 0, y: 0, w: 1200, h: 800 }) },
    hands: { wire: signal(null) },
  });
  const drawn = createDrawn(any);
  const stop = drawn.follow();
  const level = (id) => drawn.cell(id).value.level;
  assert.equal(level('A/x--B/x'), 'detail');
  assert.equal(level('C/x--D/x'), 'detail', 'its ends are elsewhere, but it passes here');
  assert.equal(level('E/x--F/x'), 'far');
  assert.deepEqual([level('ns:A'), level('ns:C'), level('ns:n7')], ['detail', 'far', 'far']);
  stop();
});
