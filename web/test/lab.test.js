// Drift, undo, the document: what the page makes of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commands, createApi, curl } from '../static/js/core/api.js';
import { lineCount, placeOf, putDocument, revisionOf, sortErrors } from '../static/js/core/document.js';
import { describeDifference, differencesAt, differencesOf, groupDifferences, nameOf, subjectsOf } from '../static/js/core/drift.js';
import { merge, outcome, redoTarget, titleOf, underWay, undoTarget } from '../static/js/core/history.js';
import { normalise, reduce } from '../static/js/core/reduce.js';
import { followRepair } from '../static/js/core/repair.js';
import { createStore } from '../static/js/core/store.js';
import { createUi } from '../static/js/core/ui.js';
import { createActions } from '../static/js/core/actions.js';
import { buildModel } from '../static/js/layout/model.js';
import { words } from '../static/js/i18n.js';
import { bridge, link, topology, veth } from './objects.js';

const changed = (subject, field, intended, observed) => ({ subject, kind: 'changed', field, intended, observed });
const gone = (subject) => ({ subject, kind: 'missing' });
const drift = (namespace, differences) => ({ type: 'drift.changed', seq: 9, at: '', origin: 'kernel', drift: { namespace, differences, in_sync: !differences?.length, total: 0 } });

test('differences come and go with the objects that have them', () => {
  const event = (type, object) => ({ type, seq: 9, at: '', origin: 'kernel', ...object });
  const mtu = changed('A/eth0', 'mtu', 1500, 1400);
  const route = gone('A default');
  let t = normalise(topology([link('A', 'eth0'), link('B', 'x')]));
  const a = t.namespaces.find((n) => n.name === 'A');
  t = reduce(t, event('link.changed', { link: link('A', 'eth0', { differences: [mtu] }) }));
  t = reduce(t, event('namespace.changed', { namespace: { ...a, links: null, differences: [route] } }));
  assert.deepEqual(differencesOf(t), [route, mtu]);
  // What drift.changed says of them in a list is not counted again.
  t = reduce(t, drift('A', [mtu, route]));
  assert.deepEqual(differencesOf(t), [route, mtu]);
  t = reduce(t, event('link.changed', { link: link('A', 'eth0') }));
  t = reduce(t, event('namespace.changed', { namespace: { ...a, links: null } }));
  assert.deepEqual(differencesOf(t), []);
});

test('differences are grouped by object, and lead to it by the name it goes by now', () => {
  const moved = link('B', 'foo', { intended: { namespace: 'A', name: 'eth0' }, differences: [changed('A/eth0', 'namespace', 'A', 'B'), changed('A/eth0', 'name', 'eth0', 'foo')] });
  const t = topology([moved], ['A']);
  assert.deepEqual(groupDifferences(t).map((g) => [g.object, g.select, g.differences.length]), [['A/eth0', 'link:B/foo', 2]]);
  assert.equal(nameOf(moved), 'A/eth0 → foo');
  assert.equal(nameOf({ ...moved, namespace: 'A' }), 'eth0 → foo');
  assert.deepEqual(subjectsOf({ object: 'A/eth0', select: null, differences: [gone('A/eth0 10.0.0.1/24')] }), ['A/eth0']);
  assert.deepEqual(subjectsOf({ object: 'A', select: null, differences: [gone('A default')] }), ['A default']);
  const all = [gone('A'), gone('A/eth0 10.0.0.1/24'), gone('AB/x'), gone('A default')];
  assert.deepEqual(differencesAt(all, 'A').map((d) => d.subject), ['A', 'A/eth0 10.0.0.1/24', 'A default']);
  assert.deepEqual(differencesAt(all, 'A/eth0').length, 1);
});

test('a difference is three texts', () => {
  const say = (d) => Object.values(describeDifference(d)).map(([key]) => key);
  assert.deepEqual(say(gone('A')), ['drift.whole.namespace', 'drift.there', 'drift.notThere']);
  assert.deepEqual(say(gone('A/eth0')), ['drift.whole.link', 'drift.there', 'drift.notThere']);
  assert.deepEqual(say(gone('A/eth0 10.0.0.1/24')), ['drift.whole.address', '=10.0.0.1/24', 'drift.notThere']);
  assert.deepEqual(say(gone('A/eth0 2001:db8::1/64')), ['drift.whole.address', '=2001:db8::1/64', 'drift.notThere']);
  assert.deepEqual(say(gone('A default')), ['drift.whole.route', '=default', 'drift.notThere']);
  assert.deepEqual(say({ ...gone('A default'), intended: 'via 10.0.0.1' }), ['drift.whole.route.of', '=via 10.0.0.1', 'drift.notThere']);
  assert.deepEqual(say(gone('host/br0 02:00:00:00:00:09')), ['drift.whole.mac', '=02:00:00:00:00:09', 'drift.notThere']);
  assert.deepEqual(say({ ...gone('host/br0 02:00:00:00:00:09'), intended: 'p1' }), ['drift.whole.mac.of', '=p1', 'drift.notThere']);
  assert.deepEqual(say({ subject: 'A/eth0 10.9.9.9/24', kind: 'unexpected' }), ['drift.whole.address', 'drift.notThere', '=10.9.9.9/24']);
  assert.deepEqual(say({ subject: 'A/eth0', kind: 'unexpected', field: 'address', observed: '10.9.9.9/24' }), ['drift.field.address', 'drift.notThere', '=10.9.9.9/24']);
  assert.deepEqual(say(changed('A/eth0', 'admin_up', true, false)), ['drift.field.admin_up', 'state.up', 'state.down']);
  assert.deepEqual(say(changed('A/eth0', 'master', 'br0', '')), ['drift.field.master', '=br0', 'drift.none.value']);
  assert.deepEqual(say(changed('A/br0', 'bridge.stp', true, false)), ['drift.field.bridge.stp', 'on', 'off']);
  assert.deepEqual(say(changed('A/eth0', 'mtu', 1500, 0)), ['drift.field.mtu', '=1500', '=0']);
  for (const field of ['name', 'namespace', 'kind', 'mac', 'mtu', 'alias', 'admin_up', 'master', 'addr_gen_mode', 'peer', 'address', 'bridge.stp', 'bridge.ageing_seconds', 'bridge_port.learning', 'route', 'port', 'ifindex']) {
    assert.ok(words[`drift.field.${field}`], field);
  }
  for (const key of ['drift.whole.route.of', 'drift.whole.mac.of', 'drift.there', 'drift.notThere', 'drift.none.value', ...['namespace', 'link', 'address', 'route', 'mac'].map((x) => `drift.whole.${x}`)]) assert.ok(words[key], key);
});

test('the graph marks a card with what it and its links differ in, a bar with its own', () => {
  const lab = topology([bridge('host', 'br0', { differences: [changed('host/br0', 'mtu', 1500, 1400)] }),
    ...veth('A/foo', 'host/p1', { intended: { namespace: 'A', name: 'eth0' }, sync: 'drifted', differences: [changed('A/eth0', 'name', 'eth0', 'foo')] }, { master: 'br0', differences: [changed('host/p1', 'mtu', 1500, 1400)] })]);
  /** @type {any} */ (lab.namespaces[0]).differences = [gone('host/br0 02:00:00:00:00:09')];
  /** @type {any} */ (lab.namespaces[1]).differences = [gone('A default')];
  const m = buildModel(normalise(lab));
  assert.deepEqual(m.nodes.map((n) => [n.id, n.differences]), [['br:host/br0', 2], ['ns:A', 2]]);
  assert.equal(m.nodes[1].rows[0].label, 'eth0 → foo@if2');
  assert.equal(m.cables[0].a.name, 'eth0 → foo');
});

const op = (id, over = {}) => ({ id, state: 'committed', author: '', request: `op ${id}`, changes: [], commands: [], started_at: '', duration_ms: 1, ...over });

test('undo and redo walk back and forth like in an editor', () => {
  // newest first
  let list = [op(3), op(2), op(1)];
  const undo = (id, target) => {
    list = [op(id, { undoes: target }), ...list].map((o) => (o.id === target ? { ...o, state: 'undone', undone_by: id } : o));
  };
  const targets = () => [undoTarget(list)?.id, redoTarget(list)?.id];
  assert.deepEqual(targets(), [3, undefined]);
  undo(4, 3);
  assert.deepEqual(targets(), [2, 4]);
  undo(5, 2);
  assert.deepEqual(targets(), [1, 5]);
  undo(6, 5); // redo of 2
  assert.deepEqual(targets(), [6, 4]);
  assert.deepEqual(outcome(list, list.find((o) => o.id === 2)), { state: 'redone', by: 6 });
  assert.deepEqual(outcome(list, list.find((o) => o.id === 3)), { state: 'undone', by: 4 });
  undo(7, 4); // redo of 3
  assert.deepEqual(targets(), [7, undefined]);
  undo(8, 7);
  assert.deepEqual(targets(), [6, 8]);
  list = [op(9), ...list]; // something new ends redoing
  assert.deepEqual(targets(), [9, undefined]);
  list = [op(10, { state: 'failed' }), ...list];
  assert.deepEqual(targets(), [9, undefined]);
});

test('an event of a large operation does not take away the commands that were read', () => {
  const read = op(1, { commands: ['ip netns add A', 'ip netns add B'], changes: [{}, {}] });
  const [o] = merge([read], [op(1, { state: 'undone', undone_by: 2, changes: null, commands: null })], 10);
  assert.equal(o.state, 'undone');
  assert.deepEqual(titleOf(o), { text: 'ip netns add A', more: 1 });
  assert.deepEqual(titleOf(op(2)), { text: 'op 2', more: 0 });
  assert.equal(merge([], [op(1), op(3), op(2)], 2).map((x) => x.id).join(), '3,2');
});

test('progress is followed, and not logged', () => {
  const store = createStore();
  store.take({ type: 'snapshot', seq: 1, revision: 1, topology: topology([]) });
  store.take({ type: 'operation.progress', seq: 2, at: '', origin: 'operation:7', operation: op(7, { state: 'running', progress: { done: 60, total: 430 } }) });
  assert.deepEqual(underWay(store.operations.value).map((o) => o.progress), [{ done: 60, total: 430 }]);
  assert.equal(store.log.value.length, 0);
  store.take({ type: 'operation.committed', seq: 3, at: '', origin: 'operation:7', operation: op(7) });
  assert.deepEqual(underWay(store.operations.value), []);
});

test('an operation that has ended does not run again, whatever comes late', () => {
  const ended = op(1, { state: 'failed' });
  assert.equal(merge([ended], [op(1, { state: 'running', progress: { done: 1, total: 9 } })], 9)[0].state, 'failed');
  assert.equal(merge([op(1, { state: 'running' })], [ended], 9)[0].state, 'failed');
  assert.equal(merge([op(1)], [op(1, { state: 'undone' })], 9)[0].state, 'undone');
});

test('undo asks nothing, says what it undid, and offers redo; a conflict is told in the server’s words', async () => {
  const store = createStore();
  store.addOperations([op(2, { commands: ['ip netns add B'] }), op(1)]);
  const ui = createUi();
  const asked = [];
  let refuse = false;
  const api = createApi({ fetch: async (url, init) => {
    asked.push(`${init.method} ${url}`);
    if (refuse) return new Response(JSON.stringify({ status: 409, code: 'conflict', detail: 'operation 4 needs it', hint: 'undo 4 first' }), { status: 409 });
    const target = Number(url.split('/').at(-2));
    return new Response(JSON.stringify(op(5 - target, { undoes: target })), { status: 201 });
  } });
  const actions = createActions({ store, api, ui, t: (key, values) => `${key} ${values?.what ?? ''}`.trim() });
  const said = [];
  ui.toasts.subscribe((list) => { if (list.length) said.push(list.at(-1)); });
  await Promise.all([actions.undo(), actions.undo(), actions.undo()]); // quicker than the answers
  assert.deepEqual(asked, ['POST /api/v1/operations/2/undo', 'POST /api/v1/operations/1/undo']);
  assert.deepEqual(said.map((x) => x.text), ['undo.done ip netns add B', 'undo.done op 1', 'undo.nothing']);
  assert.equal(said[0].action?.label, 'redo');
  assert.equal(ui.toasts.value.length, 1); // of what was done only the last is told
  assert.equal(redoTarget(store.operations.value)?.id, 4);
  refuse = true;
  await actions.redo();
  const last = ui.toasts.value.at(-1);
  assert.deepEqual([last?.kind, last?.text, last?.hint], ['error', 'operation 4 needs it', 'undo 4 first']);
});

test('a document is sent as what it is, and only over the one it began with', async () => {
  const calls = [];
  const api = createApi({ fetch: async (url, init) => { calls.push([url, init]); return new Response('{"changes":[]}'); } });
  await api.dryRun(putDocument('namespaces: []\n', '"12"'));
  await api.run(putDocument(' {"namespaces":[]}', ''));
  assert.equal(calls[0][0], '/api/v1/topology/intended?dry_run=true');
  assert.equal(calls[0][1].body, 'namespaces: []\n');
  assert.deepEqual(calls[0][1].headers, { Accept: 'application/json', 'If-Match': '"12"', 'Content-Type': 'application/yaml' });
  assert.equal(calls[1][1].headers['Content-Type'], 'application/json');
  assert.equal(calls[1][1].headers['If-Match'], undefined);
  assert.equal(curl(putDocument('a: 1', '"12"'), 'http://h'),
    `curl -sS -X PUT http://h/api/v1/topology/intended -H 'If-Match: "12"' \\\n  -H 'Content-Type: application/yaml' --data-binary @topology.yaml`);
  assert.deepEqual([revisionOf('"12"'), revisionOf('W/"x-1"'), revisionOf('')], [12, null, null]);
});

test('an answer without a body is no error', async () => {
  const api = createApi({ fetch: async () => new Response('', { status: 202 }) });
  assert.equal(await api.run(commands.cancel(3)), null);
});

test('line and column lead to a place in the text', () => {
  const text = 'name: x\n  é😀: bad\nlast';
  const { start, end } = placeOf(text, 2, 7);
  assert.equal(text.slice(start, end), 'bad');
  assert.deepEqual(placeOf(text, 99, 99), { start: text.length, end: text.length });
  assert.equal(text.slice(placeOf(text, 1).start, placeOf(text, 1).end), 'name: x');
  assert.deepEqual([lineCount(''), lineCount(text), lineCount('a\n')], [1, 3, 2]);
  assert.deepEqual(sortErrors([{}, { line: 3 }, { line: 2, column: 9 }, { line: 2, column: 1 }]), [{ line: 2, column: 1 }, { line: 2, column: 9 }, { line: 3 }, {}]);
});

test('automatic repair is asked about when drift changes and when its next try is due', async () => {
  const store = createStore();
  const ui = createUi();
  const abort = new AbortController();
  const timers = [];
  const clock = { set: (f, ms) => { timers.push({ f, ms }); return timers.length; }, clear: (id) => { if (id) timers[id - 1].f = () => {}; }, now: () => 1000 };
  const repair = { mode: 'auto', state: 'backing_off', attempts: 4, next_at: new Date(21000).toISOString(), reason: 'r' };
  let asked = 0;
  followRepair({ store, ui, clock, signal: abort.signal, api: /** @type {any} */ ({ drift: async () => { asked++; return { repair }; } }) });
  await timers.at(-1)?.f();
  assert.equal(asked, 0); // nothing repairs by itself: nobody is asked
  ui.settings.value = { repair: 'auto', restore: 'on_start', history: 0 };
  await timers.at(-1)?.f();
  assert.equal(ui.repair.value?.attempts, 4);
  assert.equal(timers.at(-1)?.ms, 20300);
  store.take({ type: 'snapshot', seq: 1, revision: 1, topology: topology([]) });
  store.take({ ...drift('A', []), seq: 2 });
  await timers.at(-1)?.f();
  assert.equal(asked, 2);
  ui.settings.value = { repair: 'manual', restore: 'on_start', history: 0 };
  await timers.at(-1)?.f();
  assert.equal(ui.repair.value, null);
});
