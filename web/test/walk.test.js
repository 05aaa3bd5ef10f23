import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { newRun, takeLine } from '../static/js/core/ping.js';
import { createPlayer } from '../static/js/core/player.js';
import { lessonOf, lookedUpIn, sceneAt, taughtIn } from '../static/js/core/walk.js';
import { doubtsOf, sentencesOf, speak } from '../static/js/core/walksay.js';
import { along, createAtlas, pointsOf } from '../static/js/core/walkway.js';
import { language, t, words } from '../static/js/i18n.js';
import { routeCables } from '../static/js/layout/geometry.js';
import { buildModel } from '../static/js/layout/model.js';
import { star, topology } from './objects.js';

afterEach(() => { language.value = 0; });

/** A ping from h1 to h2 over a bridge with three members, as the program streamed it. */
const recorded = readFileSync(new URL('fixtures/walk-star.ndjson', import.meta.url), 'utf8').trim().split('\n').map((l) => JSON.parse(l));
const runOf = (lines) => lines.reduce(takeLine, newRun(1, { namespace: 'h1', to_namespace: 'h2', walk: true }));
/** @returns {import('../static/js/types.js').Walk} */
const walk = () => structuredClone(runOf(recorded).walk);
const said = (lesson, i) => sentencesOf(lesson, lesson.steps[i]).map((x) => speak(x, t));

/** A frame through the links named, "A/eth0>" going out and ">host/p1" coming in. */
function frame(id, kind, path, over = {}) {
  let last = 0;
  const hops = path.map((p, i) => {
    const [namespace, link] = p.replaceAll('>', '').split('/');
    const hop = { id: id * 100 + i, from: over.from && i === 0 ? over.from : last || undefined, at: '', us: id * 10 + i, namespace, link, direction: p.startsWith('>') ? 'in' : 'out', kind, src_mac: '02:00:00:00:00:01', dst_mac: '02:00:00:00:00:02' };
    last = hop.id;
    return hop;
  });
  if (over.end) hops.at(-1).end = over.end;
  return { id, kind, src_mac: '02:00:00:00:00:01', dst_mac: '02:00:00:00:00:02', src_ip: '10.0.0.1', dst_ip: '10.0.0.2', hops, ...over.frame };
}

const decision = (id, f, hop, over) => ({ id, bridge: 'host/br0', frame: f, hop, at: '', us: hop, in_port: 'p1', out_ports: [], verdict: 'drop', reason: 'unexplained', detail: '', ...over });

test('lines of a stream come together to a walk', () => {
  const run = runOf(recorded);
  assert.equal(run.state, 'done');
  assert.deepEqual([run.walk?.frames.length, run.walk?.decisions.length, run.walk?.dropped], [4, 4, 0]);
});

test('each frame goes, is decided about, and goes on: branches of a flood at once', () => {
  const lesson = lessonOf(walk());
  assert.deepEqual(lesson.steps.map((s) => `${s.frame.kind} ${s.kind}`), ['arp_request', 'arp_reply', 'echo_request', 'echo_reply'].flatMap((k) => [`${k} move`, `${k} decide`, `${k} move`]));
  assert.ok(lesson.steps.every((s, i, all) => i === 0 || s.us >= all[i - 1].us), 'in the order of time');
  assert.deepEqual(lesson.steps[2].moves.map((m) => `${m.before?.link} ${m.out.link} ${m.in?.namespace}`), ['p1 p3 h3', 'p1 p2 h2']);
  assert.deepEqual(taughtIn(lesson.steps[1]).map((x) => `${x.bridge} ${x.port} ${x.how}`), ['host/br0 p1 new']);
  assert.deepEqual(lookedUpIn(lesson.steps[4]).map((x) => x.port), ['p1']);
});

test('a bridge keeps its word while the copies leave; ends are told apart', () => {
  const lesson = lessonOf(walk());
  const flood = sceneAt(lesson, 2);
  assert.equal(flood.decisions[0].verdict, 'flood');
  assert.deepEqual(flood.rests.map((r) => `${r.hop.namespace} ${r.end}`).sort(), ['h2 taken', 'h3 quiet'], 'h3 gave no answer');
  assert.deepEqual(sceneAt(lesson, 1).rests.map((r) => r.hop.link), ['p1'], 'it waits at the port while the bridge decides');
  assert.deepEqual(sceneAt(lesson, 3).rests, [], 'another frame, another picture');
});

test('sentences say who asks whom, what the bridge does and why', () => {
  const lesson = lessonOf(walk());
  assert.match(said(lesson, 0)[0], /^h1 asks everyone: who has 10\.0\.0\.2\? \(ARP request, to ff:ff/);
  const flood = said(lesson, 1);
  assert.match(flood[0], /^br0 floods it: it is for everyone \(broadcast\)\. A copy leaves by p2, p3\.$/);
  assert.ok(flood.some((x) => /^br0 learns: \S+ \(h1\) is behind p1\.$/.test(x)), flood.join());
  assert.deepEqual(said(lesson, 2), ['h2: 10.0.0.2 is its address, so it will answer.', 'h3 gets it, too, and keeps quiet: it is not 10.0.0.2.']);
  assert.match(said(lesson, 4)[0], /^br0 forwards it by p1 only: its MAC table has \S+ \(h1\) at p1/);
  assert.equal(said(lesson, 11)[0], 'h1 has its answer: ping 1 went there and back.');
});

test('every sentence there can be has words, in both languages, with nothing left in braces', () => {
  const missing = [];
  const look = (x) => {
    if (!(x.key in words)) missing.push(x.key);
    for (const v of Object.values(x.values)) if (v?.key) look(v);
    for (const l of [0, 1]) {
      language.value = l;
      if (/[{}]/.test(speak(x, t))) missing.push(`${x.key}: ${speak(x, t)}`);
    }
  };
  const kinds = ['arp_request', 'arp_reply', 'neighbour_solicitation', 'neighbour_advertisement', 'echo_request', 'echo_reply', 'icmp_error', 'fragment'];
  const reasons = ['broadcast', 'multicast', 'unknown', 'known', 'same_port', 'for_bridge', 'disabled', 'blocking', 'listening', 'learning', 'isolated', 'flood_off', 'too_long', 'no_port', 'bridge_down', 'unexplained'];
  for (const kind of kinds) {
    for (const end of ['taken', 'ignored', 'passed_on', 'lost', 'unseen']) {
      const out = frame(1, kind, /lost|unseen/.test(end) ? ['A/eth0>'] : ['A/eth0>', '>B/eth0'], { end });
      const group = { ...out, id: 2, dst_mac: 'ff:ff:ff:ff:ff:ff' };
      for (const f of [out, group, { ...out, continues: 9 }]) {
        const lesson = lessonOf({ frames: [f], decisions: [], dropped: 0 });
        for (const s of lesson.steps) sentencesOf(lesson, s).forEach(look);
      }
    }
  }
  for (const reason of reasons) {
    for (const verdict of ['flood', 'forward', 'filter', 'local', 'drop']) {
      for (const how of ['new', 'moved', 'refreshed']) {
        const d = decision(1, 1, 101, { verdict, reason, out_ports: ['p2'], to_itself: true, contradiction: 'x', learned: { mac: 'm', port: 'p1', how, from_port: 'p9' }, skipped: [{ port: 'p3', reason: 'isolated' }],
          entry: { port: 'p2', state: 'learned', age_seconds: 2 } });
        const lesson = lessonOf({ frames: [frame(1, 'echo_request', ['A/eth0>', '>host/p1'])], decisions: [/** @type {any} */ (d)], dropped: 0 });
        for (const s of lesson.steps) sentencesOf(lesson, s).forEach(look);
      }
    }
  }
  doubtsOf({ frames: [], decisions: [], incomplete: 'x', dropped: 3 }).forEach(look);
  for (const r of ['disabled', 'blocking', 'listening', 'learning', 'isolated', 'flood_off', 'too_long']) if (!(`walk.skip.${r}` in words)) missing.push(r);
  for (const r of reasons) if (!(`walk.short.${r}` in words)) missing.push(`short ${r}`);
  assert.deepEqual([...new Set(missing)], []);
});

test('a frame that a bridge drops, or that is lost on a cable, keeps its cross to the end', () => {
  const f = frame(1, 'echo_request', ['A/eth0>', '>host/p1']);
  const dropped = lessonOf({ frames: [f, frame(2, 'arp_request', ['B/eth0>', '>host/p2'], { end: 'taken' })], decisions: [/** @type {any} */ (decision(1, 1, 101, { us: 11 }))], dropped: 0 });
  assert.deepEqual(sceneAt(dropped, dropped.steps.length - 1).rests.filter((r) => r.end === 'drop').map((r) => r.hop.link), ['p1']);
  const lost = lessonOf({ frames: [frame(1, 'echo_request', ['A/eth0>'], { end: 'lost' })], decisions: [], dropped: 0 });
  assert.deepEqual(lost.steps.map((s) => s.kind), ['move']);
  assert.match(said(lost, 0)[1], /last seen leaving by A\/eth0/);
});

test('what a bridge itself sends is decided about before it moves', () => {
  const f = frame(1, 'arp_request', ['host/br0>', 'host/p2>', '>B/eth0'], { end: 'taken' });
  const lesson = lessonOf({ frames: [f], decisions: [/** @type {any} */ (decision(1, 1, 100, { verdict: 'flood', reason: 'broadcast', in_port: 'br0', out_ports: ['p2'], us: 10 }))], dropped: 0 });
  assert.deepEqual(lesson.steps.map((s) => s.kind), ['send', 'decide', 'move']);
  assert.deepEqual(lesson.steps[2].moves.map((m) => m.out.link), ['p2']);
});

test('bridges of one name are called by their whole name', () => {
  const f = frame(1, 'echo_request', ['A/eth0>', '>s1/p1', 's1/u>', '>s2/u', 's2/p>', '>B/eth0'], { end: 'taken' });
  const lesson = lessonOf({ frames: [f], decisions: [decision(1, 1, 101, { bridge: 's1/br0', us: 11 }), decision(2, 1, 103, { bridge: 's2/br0', us: 13 })].map((d) => /** @type {any} */ (d)), dropped: 0 });
  assert.match(said(lesson, 1)[0], /^s1\/br0 /);
});

test('the player plays step by step, stops at the end and obeys hands', () => {
  const player = createPlayer();
  player.load(1, walk());
  assert.equal(player.playing.value, true);
  let shares = [];
  for (let i = 0; i < 6; i++) shares.push(player.tick(100));
  assert.ok(shares.every((x, i) => i === 0 || x >= shares[i - 1]) && shares.at(-1) <= 1 && player.index.value === 0, shares.join());
  for (let i = 0; i < 2000 && player.playing.value; i++) player.tick(50);
  assert.deepEqual([player.index.value, player.playing.value, player.busy()], [11, false, false]);
  player.play();
  assert.equal(player.index.value, 0, 'from the beginning again');
  player.move(1);
  assert.deepEqual([player.index.value, player.playing.value], [1, false]);
  for (let i = 0; i < 100; i++) player.tick(100);
  assert.equal(player.index.value, 1, 'a step gone to by hand stays');
  assert.equal(player.markOf(/** @type {any} */ ({ namespace: 'host', bridge: 'br0', mac: walk().decisions[0].learned?.mac })), 'walk-learns');
  player.move(-9);
  assert.equal(player.index.value, 0);
  player.close();
  assert.equal(player.markOf(/** @type {any} */ ({ namespace: 'host', bridge: 'br0', mac: 'x' })), '');
  assert.equal(player.tick(10), 1);
});

test('a walk without frames is no trouble', () => {
  const player = createPlayer();
  player.load(1, { frames: [], decisions: [], dropped: 0 });
  assert.deepEqual([player.playing.value, player.step.value, player.sentences.value.length], [false, undefined, 0]);
});

const lab = () => {
  const model = buildModel(/** @type {any} */ (topology(star('host', 'br0', 3))));
  const positions = new Map(model.nodes.map((n, i) => [n.id, n.kind === 'br' ? { x: 0, y: 0 } : { x: i * 200, y: 300 }]));
  return { model, positions, atlas: createAtlas(model, positions, routeCables(model, positions)) };
};
const hopAt = (ref, direction, over = {}) => /** @type {any} */ ({ id: 1, namespace: ref.split('/')[0], link: ref.split('/')[1], direction, us: 0, ...over });

test('a frame follows its cable from port to port, inside the bridge from port to port, too', () => {
  const { atlas } = lab();
  const line = atlas.lineOf({ before: hopAt('host/p1-br0', 'in'), out: hopAt('host/p2-br0', 'out'), in: hopAt('h2/eth0', 'in') });
  assert.deepEqual(line[0], atlas.port('host/p1-br0'));
  assert.deepEqual(line[1], atlas.port('host/p2-br0'));
  assert.deepEqual(line.at(-1), atlas.port('h2/eth0'));
  assert.ok(line.length > 10, 'along a curve');
  const lost = atlas.lineOf({ before: null, out: hopAt('h1/eth0', 'out', { end: 'lost' }), in: null });
  const [a, b, end] = [atlas.port('h1/eth0'), atlas.port('host/p1-br0'), lost.at(-1)];
  assert.ok(a && b && end && end.y < a.y && end.y > b.y, 'lost on the way');
});

test('between ports that stand away from their bar a frame goes by way of the bar', () => {
  const { model, positions } = lab();
  const cables = model.cables.map((c) => [c.id, { a: 'M0 0L0 0', b: 'M0 0L0 0', portA: { x: 60, y: 310 }, portB: { x: c.a.ref === 'h1/eth0' ? 20 : 90, y: 300 } }]);
  const atlas = createAtlas(model, positions, /** @type {any} */ (new Map(/** @type {any} */ (cables))));
  const bar = atlas.box('host/br0');
  const line = atlas.lineOf({ before: hopAt('host/p1-br0', 'in'), out: hopAt('host/p2-br0', 'out'), in: hopAt('h2/eth0', 'in') });
  const edge = (bar?.y ?? 0) + (bar?.h ?? 0);
  assert.deepEqual(line.slice(0, 3), [{ x: 20, y: 300 }, { x: 20, y: edge }, { x: 90, y: edge }]);
});

test('links that are not drawn fall back to their node, and then to nothing', () => {
  const { atlas, model, positions } = lab();
  assert.equal(atlas.box('host/br0')?.id, 'br:host/br0');
  assert.equal(atlas.box('h1')?.id, 'ns:h1');
  const bare = createAtlas({ ...model, cables: [] }, positions, new Map());
  const line = bare.lineOf({ before: null, out: hopAt('h1/eth0', 'out'), in: hopAt('host/p1-br0', 'in') });
  assert.equal(line.length, 2, 'straight from card to bar');
  assert.deepEqual(atlas.lineOf({ before: null, out: hopAt('gone/x', 'out'), in: hopAt('gone/y', 'in') }), []);
  assert.equal(atlas.restAt({ hop: hopAt('gone/x', 'in'), from: 0, until: 1, end: '' }), null);
});

test('points of a path lie on it', () => {
  const points = pointsOf('M0 0C0 10 10 10 10 0L20 -5.5');
  assert.deepEqual([points[0], points.at(-1)], [{ x: 0, y: 0 }, { x: 20, y: -5.5 }]);
  assert.ok(points.some((p) => Math.abs(p.x - 5) < 0.01 && Math.abs(p.y - 7.5) < 0.01), 'the middle of the curve');
  assert.deepEqual(along([{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 10, y: 10 }], 0.75), { x: 10, y: 5 });
});
