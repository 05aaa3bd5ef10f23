import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedBy, evidenceText, firstBroken, marksOf, selectionOf } from '../static/js/core/diagnosis.js';
import { cellKey, commandIn, failureOf, failuresOf, gradeOf, newMatrix, takeLines, takers } from '../static/js/core/matrix.js';
import { fell, newRun, plotOf, requestOf, takeLine, tally } from '../static/js/core/ping.js';
import { createProbes } from '../static/js/core/probing.js';
import { createPlayer } from '../static/js/core/player.js';
import { createUi } from '../static/js/core/ui.js';
import { t, words } from '../static/js/i18n.js';
import { star, topology } from './objects.js';

test('a form is a request; what is left empty is not in it', () => {
  assert.deepEqual(requestOf({ from: 'A', to: ' B ', count: '5', interval: '', size: '', ttl: '', link: '', walk: false }, true), { namespace: 'A', to_namespace: 'B', count: 5 });
  assert.deepEqual(requestOf({ from: 'A', to: '10.0.0.1', count: 1, interval: '50', size: '1400', ttl: '3', link: 'eth0', walk: true }, false),
    { namespace: 'A', address: '10.0.0.1', count: 1, interval_ms: 50, size: 1400, ttl: 3, link: 'eth0', walk: true });
});

test('duplicates and notices are no answers', () => {
  let run = newRun(1, { namespace: 'A', address: 'x' });
  for (const r of [{ seq: 1, rtt_ms: 1 }, { seq: 1, rtt_ms: 2, duplicate: true }, { seq: 2, notice: 'redirect' }, { seq: 2, rtt_ms: 3 }, { seq: 3, error: 'no reply', reason: 'timeout' }]) run = takeLine(run, { type: 'reply', ...r });
  const sum = tally(run);
  assert.deepEqual([sum.sent, sum.received, sum.duplicates, sum.rtt?.mdev], [3, 2, 1, 1]);
  assert.deepEqual(plotOf(run).map((b) => b.share), [1 / 3, 1, null]);
  assert.equal(fell(run), true);
});

test('a matrix fills with cells, in the order of its names', () => {
  const first = newMatrix(['h10', 'h2', 'h1']);
  assert.deepEqual(first.names, ['h1', 'h2', 'h10']);
  const cell = (from, to, over) => ({ type: 'cell', from, to, ok: true, rtt_ms: 0.2, ...over });
  let m = takeLines(first, [{ type: 'start', namespaces: ['h1', 'h2', 'h10'] }, cell('h1', 'h2', {}), cell('h2', 'h1', { ok: false, reason: 'no_route' }), cell('h2', 'h1', { ok: false, reason: 'no_route' }), { type: 'warning', detail: 'w' }]);
  assert.deepEqual([m.count, m.reached, m.state, m.warnings], [2, 1, 'running', ['w']]);
  m = takeLines(m, [{ type: 'summary', pairs: 6, reached: 1, duration_ms: 9, warnings: ['w'] }]);
  assert.deepEqual([m.state, m.warnings, m.cells.get(cellKey('h1', 'h2'))?.rtt_ms], ['done', ['w'], 0.2]);
  assert.deepEqual(failuresOf(m).map((f) => [f.reason, f.count, f.first.from]), [['no_route', 1, 'h2']]);
});

test('failures have a sign each, times a grade', () => {
  assert.deepEqual(['no_route', 'prohibited', 'timeout', undefined].map(failureOf), ['never', 'refused', 'silent', 'silent']);
  assert.deepEqual([0.01, 0.05, 0.2, 0.9, 7].map(gradeOf), [0, 0, 2, 3, 4]);
  assert.equal(commandIn('… raise it: sysctl -w net.ipv4.neigh.default.gc_thresh3=8192'), 'sysctl -w net.ipv4.neigh.default.gc_thresh3=8192');
  assert.equal(commandIn('nothing to be done'), '');
});

test('who has an end of a cable takes part; the host only with an address of the lab', () => {
  const lab = /** @type {any} */ (topology(star('host', 'br0', 2), ['empty']));
  lab.namespaces.find((n) => n.name === 'h2').links[0].addresses = [];
  assert.deepEqual(takers(lab), ['h1', 'h2']);
});

test('a diagnosis marks its first broken thing and warnings', () => {
  const d = /** @type {any} */ ({ checks: [{ check: 'a', status: 'ok', subject: 'A' }, { check: 'b', status: 'warning', subject: 'host/br0' }, { check: 'c', status: 'broken', subject: 'B/eth0 10.0.0.2/24' }, { check: 'd', status: 'broken', subject: 'C' }] });
  assert.equal(firstBroken(d), 2);
  assert.deepEqual(marksOf(d), [{ ref: 'host/br0', status: 'warning' }, { ref: 'B/eth0', status: 'broken' }]);
  assert.deepEqual(['A', 'B/eth0 10.0.0.2/24'].map(selectionOf), ['ns:A', 'link:B/eth0']);
  assert.deepEqual([evidenceText('x'), evidenceText(['a', 'b']), evidenceText(undefined), evidenceText({ a: 1 })], ['x', 'a\nb', '', '{\n  "a": 1\n}']);
  assert.deepEqual(askedBy({ namespace: 'A', address: '10.0.0.1', count: 9, size: 1400, ttl: 3 }), { namespace: 'A', address: '10.0.0.1', size: 1400 });
});

test('a mend is the one call the server named; then it is looked again, and pinged', async () => {
  const calls = [];
  const broken = { reachable: false, checks: [{ check: 'link', status: 'broken', subject: 'B/eth0', detail: 'down', repair: { description: 'set it up', plan: { changes: [] }, request: { method: 'PATCH', path: '/api/v1/namespaces/B/links/eth0', body: { admin_up: true } } } }] };
  const api = /** @type {any} */ ({ run: async (c) => { calls.push(`${c.method} ${c.path}`); return c.path === '/diagnoses' && calls.length > 1 ? { reachable: true, checks: [] } : broken; } });
  const pinged = [];
  const actions = /** @type {any} */ ({ ping: async (r) => { pinged.push(r); }, toast() {}, fail() {} });
  const probes = createProbes({ api, ui: createUi(), actions, player: createPlayer(), t });
  await probes.diagnose({ namespace: 'A', to_namespace: 'B', count: 5 });
  await probes.mend(/** @type {any} */ (probes.inquiry.value?.diagnosis?.checks[0]));
  assert.deepEqual(calls, ['POST /diagnoses', 'PATCH /namespaces/B/links/eth0', 'POST /diagnoses']);
  assert.deepEqual(pinged, [{ namespace: 'A', to_namespace: 'B', count: 3 }]);
  assert.deepEqual([probes.inquiry.value?.diagnosis?.reachable, probes.inquiry.value?.mended.map((r) => r.description)], [true, ['set it up']]);
});

test('a traced ping shows its walk once it has ended, and opens the MAC table it is about', () => {
  const ui = createUi();
  const selected = [];
  const player = createPlayer();
  createProbes({ api: /** @type {any} */ ({}), ui, actions: /** @type {any} */ ({ select: (id) => selected.push(id) }), player, t });
  const run = { ...newRun(7, { namespace: 'A', address: 'x', walk: true }), walk: { frames: [], decisions: [/** @type {any} */ ({ bridge: 'host/br0' })], dropped: 0 } };
  ui.runs.value = [run];
  assert.equal(player.shown.value, null, 'not while it runs');
  ui.runs.value = [{ ...run, state: 'done' }];
  assert.deepEqual([player.shown.value?.id, ui.drawer.value, selected], [7, { open: true, tab: 'walk' }, ['link:host/br0']]);
  player.close();
  ui.runs.value = [...ui.runs.value];
  assert.equal(player.shown.value, null, 'only once');
});

test('every reason a ping can fail for has words', () => {
  for (const r of ['no_address', 'no_common_family', 'own_address', 'no_route', 'link_down', 'prohibited', 'send_error', 'neighbour_failed', 'neighbour_table_overflow', 'unreachable', 'ttl_exceeded', 'too_big', 'icmp_error', 'namespace_gone', 'timeout'])
    assert.ok(`reason.${r}` in words, r);
});
