// The MAC table: what just happened, what it means, where a frame goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageOf, followTable, isMulticast, macOf, matches, readAges, rowsOf, timeLeft, toCSV } from '../static/js/core/mactable.js';
import { linksByRef } from '../static/js/core/lookup.js';
import { blocked, decisionOf, floodPorts, wayOf } from '../static/js/core/way.js';
import { bridge, link, topology, veth } from './objects.js';

const mac = (n) => `02:00:00:00:00:0${n}`;
const entry = (port, n, over = {}) => /** @type {any} */ ({ namespace: 'host', bridge: 'br0', mac: mac(n), port, state: 'learned', managed: false, ...over });
const event = (type, fdb, reason) => /** @type {any} */ ({ type, seq: 1, at: '', origin: 'kernel', fdb, reason });

test('a row is marked when its MAC is learned, moves and goes, and keeps its identity', () => {
  const table = followTable('host', 'br0', [entry('p1', 1)]);
  assert.equal(table.take(event('fdb.added', entry('p2', 2)), 0), true);
  assert.equal(table.take(event('fdb.moved', entry('p3', 1)), 0), true);
  const rows = rowsOf([entry('p3', 1), entry('p2', 2)], table.marks);
  assert.deepEqual(rows.map((r) => [r.entry.port, r.mark?.kind, r.mark?.from]), [['p2', 'learned', ''], ['p3', 'moved', 'p1']]);
  assert.equal(rows[1].key, rowsOf([entry('p1', 1)], new Map())[0].key);
  table.take(event('fdb.removed', entry('p3', 1), 'expired'), 5000);
  const left = rowsOf([entry('p2', 2)], table.marks);
  assert.deepEqual(left.map((r) => [r.entry.port, r.gone, r.mark?.kind]), [['p2', false, 'learned'], ['p3', true, 'expired']]);
  assert.equal(table.sweep(100_000), true);
  assert.deepEqual(rowsOf([entry('p2', 2)], table.marks).map((r) => r.entry.mac), [mac(2)]);
});

test('a MAC that comes back is no ghost any more; other bridges and ghosts of drift are not of this table', () => {
  const table = followTable('host', 'br0', [entry('p1', 1)]);
  table.take(event('fdb.removed', entry('p1', 1), 'flushed'), 0);
  table.take(event('fdb.added', entry('p1', 1)), 0);
  assert.deepEqual(rowsOf([entry('p1', 1)], table.marks).map((r) => [r.gone, r.mark?.kind]), [[false, 'learned']]);
  assert.equal(table.take(event('fdb.added', entry('p1', 5, { bridge: 'br1' })), 0), false);
  assert.equal(table.take(event('fdb.added', entry('p1', 5, { namespace: 'A' })), 0), false);
  table.take(event('fdb.added', entry('p1', 6, { state: 'static', sync: 'missing' })), 0);
  assert.deepEqual([...table.marks.keys()], [`${mac(1)} 0`]);
});

test('an age outlasts a move, and the time left runs out', () => {
  const seen = readAges([entry('p1', 1, { age_seconds: 10 })], 0);
  assert.equal(ageOf(seen, entry('p2', 1), 5000), 15);
  assert.deepEqual(timeLeft(15, 60), { seconds: 45, share: 0.75 });
  assert.deepEqual(timeLeft(70, 60), { seconds: 0, share: 0 });
  assert.deepEqual(timeLeft(1, 0), { seconds: 0, share: 0 });
  assert.equal(timeLeft(null, 60), null);
});

test('a filter finds by MAC, port, owner and address; a MAC is known as typed', () => {
  const e = entry('p1', 1, { owner: { namespace: 'A', name: 'eth0' } });
  for (const text of ['00:01', 'P1', 'a/eth0', 'learned', '10.0.0', 'p1 eth0', '']) assert.ok(matches(e, text, '10.0.0.1/24'), text);
  assert.ok(!matches(e, 'p1 p2'));
  assert.deepEqual(['02-00-00-00-00-0A', ' 02:00:00:00:00:0a ', '02:00', 'zz:00:00:00:00:00'].map(macOf), ['02:00:00:00:00:0a', '02:00:00:00:00:0a', null, null]);
  assert.deepEqual(['01:00:5e:00:00:01', 'ff:ff:ff:ff:ff:ff', mac(1)].map(isMulticast), [true, true, false]);
});

test('the CSV quotes what needs it, and no name becomes a formula', () => {
  const links = linksByRef(topology([link('=A,1', 'eth0', { addresses: [{ cidr: '10.0.0.1/24', scope: 'global' }] })]));
  const text = toCSV([entry('-p"1', 1, { owner: { namespace: '=A,1', name: 'eth0' }, vlan: 7 }), entry('p2', 2, { state: 'static' })],
    { ages: (e) => (e.state === 'learned' ? 1.25 : null), ageing: 300, links });
  assert.equal(text, 'namespace,bridge,mac,vlan,port,state,owner,address,age_seconds,seconds_left\r\n'
    + `host,br0,${mac(1)},7,"'-p""1",learned,"'=A,1/eth0",10.0.0.1/24,1.3,298.8\r\n`
    + `host,br0,${mac(2)},,p2,static,,,,\r\n`);
});

/** host/br0 with p1 to A and down0 to sw/br1, which has q1 to B. */
function twoBridges(over = {}) {
  const t = topology([
    bridge('host', 'br0'), bridge('sw', 'br1'),
    ...veth('A/eth0', 'host/p1', {}, { master: 'br0' }),
    ...veth('sw/up0', 'host/down0', { master: 'br1' }, { master: 'br0' }),
    ...veth('B/eth0', 'sw/q1', {}, { master: 'br1' }),
    ...veth('C/eth0', 'sw/q2', {}, { master: 'br1', ...over }),
  ]);
  return t;
}
const withTable = (t, ns, fdb) => ({ ...t, namespaces: t.namespaces.map((n) => (n.name === ns ? { ...n, fdb } : n)) });
const ownedBy = (namespace) => ({ owner: { namespace, name: 'eth0' } });

test('the way to a MAC leads through further bridges, as they have learned it', () => {
  const t = withTable(twoBridges(), 'sw', [entry('q1', 1, { namespace: 'sw', bridge: 'br1' })]);
  assert.deepEqual(wayOf(t, entry('p1', 1, ownedBy('A'))), { refs: ['host/br0', 'host/p1', 'A/eth0'], reached: true });
  const far = ['host/br0', 'host/down0', 'sw/up0', 'sw/br1', 'sw/q1', 'B/eth0'];
  assert.deepEqual(wayOf(t, entry('down0', 1, ownedBy('B'))), { refs: far, reached: true });
});

test('where a bridge has learned nothing, the way is the one to the owner', () => {
  assert.deepEqual(wayOf(twoBridges(), entry('down0', 1, ownedBy('C'))).refs.slice(-2), ['sw/q2', 'C/eth0']);
  const up = twoBridges();
  assert.deepEqual(wayOf(up, entry('down0', 1, { owner: { namespace: 'sw', name: 'br1' } })), { refs: ['host/br0', 'host/down0', 'sw/up0', 'sw/br1'], reached: true });
  const nobody = wayOf(twoBridges(), entry('down0', 1));
  assert.deepEqual([nobody.refs.at(-1), nobody.reached], ['sw/br1', false]);
});

test('a loop of bridges and an unseen end do not hold the way up', () => {
  const t = topology([bridge('host', 'br0'), bridge('sw', 'br1'),
    ...veth('host/a', 'sw/a', { master: 'br0' }, { master: 'br1' }), ...veth('host/b', 'sw/b', { master: 'br0' }, { master: 'br1' })]);
  assert.equal(wayOf(withTable(t, 'sw', [entry('b', 1, { namespace: 'sw', bridge: 'br1' })]), entry('a', 1)).reached, false);
  const unseen = topology([bridge('host', 'br0'), link('host', 'p1', { master: 'br0', peer: { known: false, ifindex: 9 } })]);
  assert.deepEqual(wayOf(unseen, entry('p1', 1)), { refs: ['host/br0', 'host/p1'], reached: false });
});

test('what the bridge does with a frame', () => {
  const down = { oper_state: 'lowerlayerdown', carrier: false };
  const t = topology([bridge('host', 'br0'), ...veth('A/eth0', 'host/p1', {}, { master: 'br0' }), ...veth('B/eth0', 'host/p2', {}, { master: 'br0', ...down }),
    ...veth('C/eth0', 'host/p3', {}, { master: 'br0', bridge_port: { state: 'blocking', number: 3 } }), ...veth('D/eth0', 'host/p4', {}, { master: 'br0', bridge_port: { state: 'forwarding', number: 4, flood: false } })]);
  const says = (e) => { const d = decisionOf(t, e); return [d.key, d.values.state]; };
  assert.deepEqual(says(entry('p1', 1)), ['mac.why.learned', undefined]);
  assert.deepEqual(says(entry('p1', 1, { state: 'static' })), ['mac.why.static', undefined]);
  assert.deepEqual(says(entry('p1', 1, { state: 'local' })), ['mac.why.local', undefined]);
  assert.deepEqual(says(entry('p2', 1)), ['mac.why.blocked', 'no-carrier']);
  assert.deepEqual(says(entry('p3', 1)), ['mac.why.blocked', 'blocking']);
  assert.deepEqual(floodPorts(t, 'host', 'br0'), ['p1']);
  assert.equal(blocked(link('host', 'x', { admin_up: false })), 'down');
});
