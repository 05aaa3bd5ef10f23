import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyTopology, normalise, reduce } from '../static/js/core/reduce.js';
import { link, namespace } from './objects.js';

const start = () => normalise({ seq: 5, revision: 1, namespaces: [namespace('B', '4-2'), namespace('host', '4-1')] });
const event = (type, seq, object) => ({ type, seq, at: '', origin: 'kernel', ...object });

test('host comes first, then names in order', () => {
  const t = reduce(start(), event('namespace.added', 6, { namespace: { id: '4-3', name: 'A', names: ['A'], managed: true, sync: 'in_sync' } }));
  assert.deepEqual(t.namespaces.map((n) => n.name), ['host', 'A', 'B']);
  assert.deepEqual(t.namespaces[1].links, []);
  assert.equal(t.seq, 6);
});

test('an event leaves everything it does not touch the same object', () => {
  const before = start();
  const after = reduce(before, event('link.added', 6, { link: link('B', 'veth0', { key: '4-2:2', ifindex: 2 }) }));
  assert.equal(after.namespaces[0], before.namespaces[0]);
  assert.notEqual(after.namespaces[1], before.namespaces[1]);
});

test('namespace.changed without links keeps them', () => {
  let t = reduce(start(), event('link.added', 6, { link: link('B', 'veth0', { key: '4-2:2' }) }));
  t = reduce(t, event('namespace.changed', 7, { namespace: { id: '4-2', name: 'renamed', names: ['renamed'], managed: true, sync: 'drifted', links: null } }));
  const n = t.namespaces.find((x) => x.name === 'renamed');
  assert.equal(n?.links.length, 1);
  assert.equal(t.namespaces.length, 2);
});

test('a missing link that is found again takes the place of its ghost, and the other way round', () => {
  const ghost = link('B', 'veth0', { key: 'B/veth0', ifindex: 0, sync: 'missing' });
  const real = link('B', 'veth0', { key: '4-2:7', ifindex: 7 });
  let t = reduce(start(), event('link.added', 6, { link: ghost }));
  t = reduce(t, event('link.added', 7, { link: real }));
  t = reduce(t, event('link.removed', 8, { link: ghost }));
  assert.deepEqual(t.namespaces[1].links.map((l) => l.key), ['4-2:7']);
  t = reduce(t, event('link.removed', 9, { link: real }));
  t = reduce(t, event('link.added', 10, { link: ghost }));
  assert.deepEqual(t.namespaces[1].links.map((l) => l.key), ['B/veth0']);
});

test('one of another kind that has the name of a missing link for a while does not take its place', () => {
  const ghost = link('B', 'br0', { key: 'B/br0', kind: 'bridge', ifindex: 0, sync: 'missing' });
  const other = link('B', 'br0', { key: '4-2:7', kind: 'dummy', ifindex: 7, managed: false, sync: 'foreign' });
  let t = reduce(start(), event('link.added', 6, { link: ghost }));
  t = reduce(t, event('link.added', 7, { link: other }));
  assert.deepEqual(t.namespaces[1].links.map((l) => l.key), ['4-2:7', 'B/br0']);
  t = reduce(t, event('link.changed', 8, { link: { ...other, name: 'd0' } }));
  assert.deepEqual(t.namespaces[1].links.map((l) => [l.key, l.name]), [['4-2:7', 'd0'], ['B/br0', 'br0']]);
});

test('removing a ghost does not remove the real link of that name', () => {
  let t = reduce(start(), event('link.added', 6, { link: link('B', 'veth0', { key: '4-2:7', ifindex: 7 }) }));
  t = reduce(t, event('link.removed', 7, { link: link('B', 'veth0', { key: 'B/veth0', ifindex: 0 }) }));
  assert.equal(t.namespaces[1].links.length, 1);
});

test('addresses come to the link of their key, once', () => {
  const address = { namespace: 'B', link: 'veth0', key: '4-2:2', cidr: '10.0.0.1/24', scope: 'global' };
  let t = reduce(start(), event('link.added', 6, { link: link('B', 'veth0', { key: '4-2:2' }) }));
  t = reduce(t, event('address.added', 7, { address }));
  t = reduce(t, event('address.added', 8, { address }));
  assert.deepEqual(t.namespaces[1].links[0].addresses.map((a) => a.cidr), ['10.0.0.1/24']);
  t = reduce(t, event('address.removed', 9, { address }));
  assert.deepEqual(t.namespaces[1].links[0].addresses, []);
});

test('a MAC that moves leaves its old port', () => {
  const entry = { namespace: 'host', bridge: 'br0', mac: '02:00:00:00:00:01', port: 'p1', state: 'learned' };
  let t = reduce(start(), event('fdb.added', 6, { fdb: entry }));
  t = reduce(t, event('fdb.moved', 7, { fdb: { ...entry, port: 'p2' } }));
  assert.deepEqual(t.namespaces[0].fdb.map((e) => e.port), ['p2']);
  t = reduce(t, event('fdb.removed', 8, { fdb: { ...entry, port: 'p2' } }));
  assert.deepEqual(t.namespaces[0].fdb, []);
});

test('an object of an unknown namespace is dropped, not invented', () => {
  const t = reduce(emptyTopology, event('link.added', 1, { link: link('X', 'veth0', { key: '9-9:2' }) }));
  assert.deepEqual(t.namespaces, []);
});

test('routes of one destination are told apart by gateway and metric', () => {
  const route = { namespace: 'B', family: 'inet', destination: 'default', gateway: '10.0.0.1' };
  let t = reduce(start(), event('route.added', 6, { route }));
  t = reduce(t, event('route.added', 7, { route: { ...route, metric: 100 } }));
  assert.equal(t.namespaces[1].routes.length, 2);
  t = reduce(t, event('route.removed', 8, { route }));
  assert.deepEqual(t.namespaces[1].routes.map((r) => r.metric), [100]);
});

const missing = { subject: 'B/veth0', kind: 'missing' };
test('a route or an entry that is found again outlives what showed it as missing', () => {
  const route = { namespace: 'B', family: 'inet', destination: 'default', gateway: '10.0.0.1', link: 'veth0' };
  const entry = { namespace: 'B', bridge: 'br0', mac: '02:00:00:00:00:09', port: 'p1', state: 'static' };
  let t = reduce(start(), event('route.added', 6, { route: { ...route, sync: 'missing' } }));
  t = reduce(t, event('fdb.added', 7, { fdb: { ...entry, sync: 'missing' } }));
  t = reduce(t, event('route.added', 8, { route: { ...route, sync: 'in_sync' } }));
  t = reduce(t, event('fdb.added', 9, { fdb: { ...entry, sync: 'in_sync' } }));
  t = reduce(t, event('route.removed', 10, { route: { ...route, sync: 'missing' } }));
  t = reduce(t, event('fdb.removed', 11, { fdb: { ...entry, sync: 'missing' } }));
  assert.deepEqual(t.namespaces[1].routes.map((r) => r.sync), ['in_sync']);
  assert.deepEqual(t.namespaces[1].fdb.map((e) => e.sync), ['in_sync']);
});

test('namespace.changed brings its differences, or takes them away', () => {
  let t = reduce(start(), event('namespace.changed', 6, { namespace: { id: '4-2', name: 'B', names: ['B'], managed: true, sync: 'drifted', differences: [missing], links: null } }));
  assert.deepEqual(t.namespaces[1].differences, [missing]);
  t = reduce(t, event('namespace.changed', 7, { namespace: { id: '4-2', name: 'B', names: ['B'], managed: true, sync: 'in_sync', links: null } }));
  assert.equal(t.namespaces[1].differences, undefined);
});

test('an operation that is undone changes neither the topology nor its revision', () => {
  const before = reduce(start(), event('operation.committed', 6, { operation: { id: 4, state: 'committed', undoes: 3 } }));
  const after = reduce(before, event('operation.undone', 7, { operation: { id: 3, state: 'undone', undone_by: 4 } }));
  assert.deepEqual([after.seq, after.revision], [7, 4]);
  assert.equal(after.namespaces, before.namespaces);
});
