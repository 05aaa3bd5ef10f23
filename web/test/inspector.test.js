import assert from 'node:assert/strict';
import { test } from 'node:test';
import { undoneTo } from '../static/js/core/history.js';
import { linkByKey } from '../static/js/core/lookup.js';
import { pace } from '../static/js/core/pace.js';
import { parseRoute } from '../static/js/core/route.js';
import { signal } from '../static/js/lib/signals.js';
import { link, topology } from './objects.js';

test('a route is written as ip route does', () => {
  const body = (text) => parseRoute(text).body;
  assert.deepEqual(body(' default  via 10.0.0.254 '), { destination: 'default', gateway: '10.0.0.254' });
  assert.deepEqual(body('via 10.0.0.254'), { destination: 'default', gateway: '10.0.0.254' });
  assert.deepEqual(body('10.2.0.0/16 dev eth0 metric 10 via 10.0.0.1'), { destination: '10.2.0.0/16', gateway: '10.0.0.1', link: 'eth0', metric: 10 });
  assert.deepEqual(body('fd00::/8'), { destination: 'fd00::/8' });
  assert.deepEqual(parseRoute(''), { body: null, wrong: '' });
  for (const [text, wrong] of [['default 10.0.0.1', '10.0.0.1'], ['default via', 'via'], ['default via a via b', 'via'], ['default metric x', 'metric'], ['default src 1.1.1.1', 'src']]) {
    assert.deepEqual(parseRoute(text), { body: null, wrong }, text);
  }
});

const op = (id, over = {}) => /** @type {any} */ ({ id, state: 'committed', ...over });

test('undoing to an operation takes back what came after it and is in force', () => {
  const ids = (list, id) => undoneTo([...list].reverse(), id).map((o) => o.id);
  assert.deepEqual(ids([op(1), op(2), op(3, { state: 'failed' }), op(4)], 1), [4, 2]);
  // 3 undid 2, 5 undid 4 which undid 1: what is left to take back is 5's turn of 1, or none.
  const turned = [op(1, { state: 'undone', undone_by: 4 }), op(2, { state: 'undone', undone_by: 3 }), op(3, { undoes: 2 }),
    op(4, { state: 'undone', undoes: 1, undone_by: 5 }), op(5, { undoes: 4 }), op(6)];
  assert.deepEqual(ids(turned, 1), [6]); // 2 was undone, and 1 is in force as it was
  assert.deepEqual(ids(turned, 2), [6, 3]); // 2 was in force then
  assert.deepEqual(ids(turned, 4), [6, 5]); // 1 was not
  assert.deepEqual(ids(turned, 6), []);
});

test('a paced signal rests between two changes, and has the last one in the end', () => {
  const source = signal(0);
  const due = [];
  const seen = pace(source, 100, (f, ms) => due.push([ms, f]));
  const told = [];
  seen.subscribe((v) => told.push(v));
  const next = () => { const [ms, f] = due.shift(); f(); return ms; };
  for (let i = 1; i < 50; i++) source.value = i;
  assert.deepEqual([told, due.length], [[0], 1]); // none while they come in
  assert.equal(next(), 0);
  assert.deepEqual(told, [0, 49]);
  source.value = 50;
  source.value = 51;
  assert.equal(next(), 0); // it is drawn
  assert.deepEqual(told, [0, 49]);
  assert.equal(next(), 100);
  assert.equal(next(), 0);
  assert.deepEqual(told, [0, 49, 51]);
  next();
  next();
  assert.equal(due.length, 0); // and then nothing
  source.value = 52;
  next();
  assert.deepEqual(told, [0, 49, 51, 52]);
});

test('a link is found by its key, in its namespace alone', () => {
  const t = topology([link('A', 'eth0'), link('B', 'eth0')]);
  assert.equal(linkByKey(t, '4-B:eth0')?.namespace, 'B');
  assert.equal(linkByKey(t, '4-C:eth0'), undefined);
  assert.equal(linkByKey(t, undefined), undefined);
});
