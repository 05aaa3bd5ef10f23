import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, commands, createApi, curl, eachLine } from '../static/js/core/api.js';
import { consequences } from '../static/js/core/consequences.js';
import { age, ms } from '../static/js/core/format.js';
import { ageOf, readAges, sortRows } from '../static/js/core/mactable.js';
import { newRun, takeLine, tally } from '../static/js/core/ping.js';
import { freeMember, freeNamespace, freePair, suggestVeth } from '../static/js/core/suggest.js';
import { link, star, topology, veth } from './objects.js';

test('suggests the first free letter, names and subnet', () => {
  const lab = topology(veth('A/veth0', 'B/veth0', { addresses: [{ cidr: '192.168.1.1/24', scope: 'global' }] }), ['C', 'D']);
  assert.equal(freeNamespace(lab), 'E');
  assert.deepEqual(freePair(lab), ['192.168.2.1/24', '192.168.2.2/24']);
  const v = suggestVeth(lab, {});
  assert.deepEqual([v['a.namespace'], v['b.namespace'], v['a.name'], v['a.address']], ['C', 'D', 'veth0', '192.168.2.1/24']);
});

test('a wide subnet in use is not suggested again', () => {
  const lab = topology([link('A', 'x', { addresses: [{ cidr: '192.168.1.9/16', scope: 'global' }] })]);
  assert.deepEqual(freePair(lab), ['', '']);
});

test('a member gets the next address of its bridge', () => {
  const lab = topology(star('host', 'br0', 3), ['new']);
  assert.equal(freeMember(lab, 'host', 'br0'), '10.0.0.4/24');
  const v = suggestVeth(lab, { 'b.namespace': 'host', 'b.master': 'br0' });
  assert.deepEqual([v['a.namespace'], v['a.name'], v['a.address'], v['b.address']], ['new', 'eth0', '10.0.0.4/24', '']);
});

test('both ends in one namespace do not get one name', () => {
  const v = suggestVeth(topology([], ['A']), { 'a.namespace': 'A', 'b.namespace': 'A' });
  assert.notEqual(v['a.name'], v['b.name']);
});

test('paths are encoded, curl lines quoted', () => {
  assert.equal(commands.deleteAddress('a b', 'v', '10.0.0.1/24').path, '/namespaces/a%20b/links/v/addresses/10.0.0.1%2F24');
  const line = curl(commands.createNamespace({ name: "it's" }), 'http://h');
  assert.equal(line, `curl -sS http://h/api/v1/namespaces \\\n  --json '{"name":"it'\\''s"}'`);
  assert.equal(curl(commands.deleteNamespace('A'), 'http://h'), 'curl -sS -X DELETE http://h/api/v1/namespaces/A');
});

test('a dry run says so, whatever the query', async () => {
  const urls = [];
  const api = createApi({ fetch: async (url) => { urls.push(url); return new Response('{"changes":[]}'); } });
  await api.dryRun(commands.deleteNamespace('A'));
  await api.dryRun(commands.deleteRoute('A', { destination: 'default' }));
  assert.deepEqual(urls, ['/api/v1/namespaces/A?dry_run=true', '/api/v1/namespaces/A/routes?destination=default&dry_run=true']);
});

test('a problem comes through with its fields; no answer is a problem, too', async () => {
  const problem = { status: 422, code: 'invalid', detail: 'no', errors: [{ pointer: '/name', detail: 'is empty' }] };
  const refuse = createApi({ fetch: async () => new Response(JSON.stringify(problem), { status: 422 }) });
  await assert.rejects(refuse.run(commands.createNamespace({})), (e) => e instanceof ApiError && e.problem.errors?.[0].pointer === '/name');
  const dead = createApi({ fetch: async () => { throw new TypeError('fetch failed'); } });
  await assert.rejects(dead.run(commands.createNamespace({})), (e) => e instanceof ApiError && e.problem.code === 'unreachable');
});

test('NDJSON is read line by line, however it is cut', async () => {
  const text = '{"a":1}\n{"b":"é"}\n{"c":3}';
  const bytes = new TextEncoder().encode(text);
  const stream = new ReadableStream({ start(c) { for (const b of bytes) c.enqueue(new Uint8Array([b])); c.close(); } });
  const lines = [];
  await eachLine(stream, (l) => lines.push(l));
  assert.deepEqual(lines, [{ a: 1 }, { b: 'é' }, { c: 3 }]);
});

test('a ping is summed up while it runs, and as the server says at the end', () => {
  let run = newRun(1, { namespace: 'A', address: '10.0.0.2' });
  run = takeLine(run, { type: 'reply', seq: 1, rtt_ms: 2 });
  run = takeLine(run, { type: 'reply', seq: 2, error: 'no reply within 1 s' });
  run = takeLine(run, { type: 'reply', seq: 1, rtt_ms: 9, duplicate: true });
  run = takeLine(run, { type: 'reply', seq: 2, notice: 'Redirect Host' });
  assert.deepEqual(tally(run), { sent: 2, received: 1, loss: 0.5, rtt: { min: 2, avg: 2, max: 2, mdev: 0 }, duplicates: 1 });
  run = takeLine(run, { type: 'summary', sent: 3, received: 1, loss: 2 / 3, error: 'network is unreachable' });
  assert.equal(run.state, 'failed');
  assert.equal(tally(run).sent, 3);
});

test('ages count on from the last reading', () => {
  const e = { mac: 'm', port: 'p', state: 'learned', age_seconds: 4 };
  const seen = readAges([e], 10_000);
  assert.equal(ageOf(seen, e, 13_000), 7);
  assert.equal(ageOf(seen, { ...e, state: 'static' }, 13_000), null);
  assert.equal(ageOf(new Map(), e, 0), null);
});

test('learned MACs come first, ports in the order of their numbers', () => {
  const rows = [['local', 'p1'], ['learned', 'p10'], ['learned', 'p2'], ['static', 'p1']].map(([state, port]) => ({ state, port, mac: 'm' }));
  assert.deepEqual(sortRows(rows).map((r) => r.port), ['p2', 'p10', 'p1', 'p1']);
});

test('deleting says what goes with it', () => {
  const lab = topology([...veth('A/veth0', 'B/veth0'), ...star('host', 'br0', 2)]);
  assert.deepEqual(consequences(lab, ['A']).map((c) => [c.key, c.values.list]), [['goes.links', 'veth0'], ['goes.peers', 'B/veth0']]);
  assert.deepEqual(consequences(lab, ['host/br0']).map((c) => c.values.list), ['host/p1-br0, host/p2-br0']);
  // What is named itself is not told again; of what goes as well nothing stays.
  assert.deepEqual(consequences(lab, ['A', 'B']).map((c) => [c.key, c.values.list]), [['goes.links', 'A/veth0, B/veth0']]);
  assert.deepEqual(consequences(lab, ['host/br0', 'h1', 'h1/eth0']).map((c) => [c.key, c.values.list]), [['goes.peers', 'host/p1-br0'], ['goes.ports', 'host/p2-br0']]);
  const large = topology(star('host', 'br0', 30));
  assert.deepEqual(consequences(large, ['host/br0']).map((c) => [c.key, c.values.count]), [['goes.ports.more', 18]]);
});

test('times and ages are short', () => {
  assert.deepEqual([age(5), age(65), age(3700)], ['5s', '1m 05s', '1h 01m']);
  assert.deepEqual([ms(0.0712), ms(12.345), ms(250)], ['0.071 ms', '12.35 ms', '250.0 ms']);
});
