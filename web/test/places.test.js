import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPlaces } from '../static/js/core/places.js';

/** A server as docs/api.md describes it, and a clock that goes when it is told to. */
function createServer() {
  const stored = new Map();
  const requests = [];
  const viewers = [];
  let broken = 0;
  const tell = (items, replaced) => { for (const v of viewers) v.events.push({ items, replaced }); };
  const check = () => { if (broken) throw { problem: { status: broken } }; };
  const api = {
    read: async () => { check(); return [...stored.values()]; },
    patch: async (items) => {
      requests.push(items);
      check();
      assert.equal(new Set(items.map((i) => i.object)).size, items.length, 'named once');
      const changed = items.filter((i) => {
        if (i.forget) return stored.delete(i.object);
        assert.equal(typeof i.pinned, 'boolean');
        if (!i.pinned && stored.has(i.object)) return false;
        stored.set(i.object, i);
        return true;
      });
      if (changed.length) tell(changed);
      return items.filter((i) => stored.has(i.object)).map((i) => stored.get(i.object));
    },
    put: async (items) => {
      requests.push(items);
      check();
      stored.clear();
      for (const i of items) stored.set(i.object, i);
      tell(items, true);
    },
  };
  return {
    stored, requests,
    /** @param {number} status */
    refuse(status) { broken = status; },
    viewer(random = 0.5) {
      let timers = [];
      const clock = { set: (f, ms) => { timers.push({ f, ms }); return timers.at(-1); }, clear: (x) => { timers = timers.filter((y) => y !== x); } };
      const places = createPlaces({ ...api, random: () => random, clock });
      const v = {
        places, events: [], changes: /** @type {any[]} */ ([]),
        /** Lets so many ms pass, and everything on its way arrive. */
        async pass(ms) {
          const due = timers.filter((x) => x.ms <= ms);
          timers = timers.filter((x) => x.ms > ms).map((x) => ({ ...x, ms: x.ms - ms }));
          for (const x of due) x.f();
          await v.arrive();
        },
        async arrive() {
          await new Promise((done) => setImmediate(done));
          for (const e of v.events.splice(0)) places.hear(e);
        },
      };
      places.listen((list) => v.changes.push(...list.map((p) => `${p.object} ${p.x} ${p.y}`)));
      viewers.push(v);
      return v;
    },
  };
}

const at = (object, x, y = 0) => ({ object, x, y });

test('what a hand did is told once, as pinned, and shown by others', async () => {
  const server = createServer();
  const [a, b] = [server.viewer(), server.viewer()];
  await Promise.all([a.places.load(), b.places.load()]);
  for (let x = 1; x <= 30; x++) a.places.set([at('ns:A', x)]);
  await a.pass(200);
  await b.arrive();
  assert.equal(server.requests.length, 1);
  assert.deepEqual(server.stored.get('ns:A'), { object: 'ns:A', x: 30, y: 0, pinned: true });
  assert.deepEqual(b.changes, ['ns:A 30 0']);
  assert.equal(b.places.pinned('ns:A'), true);
  assert.deepEqual(a.changes, [], 'not told what it did itself');
});

test('of viewers who lay out the same, one tells and the others keep quiet', async () => {
  const server = createServer();
  const viewers = Array.from({ length: 20 }, (_, i) => server.viewer(i / 20));
  await Promise.all(viewers.map((v) => v.places.load()));
  viewers.forEach((v, i) => v.places.offer([at('ns:A', i)]));
  for (let ms = 0; ms < 1200; ms += 10) for (const v of viewers) await v.pass(10);
  assert.equal(server.requests.length, 1);
  assert.equal(server.stored.get('ns:A').x, 0);
  assert.equal(viewers[7].places.get('ns:A')?.x, 0);
});

test('two who tell at once: the first one wins, and the second hears it', async () => {
  const server = createServer();
  const [a, b] = [server.viewer(), server.viewer()];
  await Promise.all([a.places.load(), b.places.load()]);
  a.places.offer([at('ns:A', 1)]);
  b.places.offer([at('ns:A', 2)]);
  await Promise.all([a.pass(2000), b.pass(2000)]);
  assert.equal(server.stored.get('ns:A').x, 1);
  assert.deepEqual(b.changes, ['ns:A 1 0']);
  assert.deepEqual(a.changes, []);
});

test('what a layout moves is forgotten first, for the first one wins', async () => {
  const server = createServer();
  server.stored.set('ns:A', { ...at('ns:A', 1), pinned: false });
  const a = server.viewer();
  await a.places.load();
  a.places.offer([at('ns:A', 5), at('ns:B', 6)]);
  await a.pass(2000);
  assert.deepEqual([server.stored.get('ns:A').x, server.stored.get('ns:B').x, server.requests.length], [5, 6, 2]);
});

test('a new picture replaces all, for everybody', async () => {
  const server = createServer();
  server.stored.set('ns:old', { ...at('ns:old', 1), pinned: true });
  const [a, b] = [server.viewer(), server.viewer()];
  await Promise.all([a.places.load(), b.places.load()]);
  b.places.offer([at('ns:A', 99)]);
  a.places.replace([at('ns:A', 5)]);
  await a.arrive();
  await b.arrive();
  await b.pass(2000);
  assert.deepEqual([...server.stored.keys()], ['ns:A']);
  assert.equal(server.stored.get('ns:A').x, 5);
  assert.equal(b.places.get('ns:old'), undefined);
  assert.ok(b.changes.includes('ns:A 5 0'));
});

test('who may not, or has no server, works alone and does not ask again and again', async () => {
  for (const status of [403, 0]) {
    const server = createServer();
    const a = server.viewer();
    await a.places.load();
    server.refuse(status || 503);
    for (let i = 0; i < 10; i++) {
      a.places.set([at('ns:A', i)]);
      await a.pass(2000);
    }
    assert.ok(server.requests.length <= (status ? 1 : 10));
    assert.equal(a.places.get('ns:A')?.x, 9);
  }
});

test('what could not be told is told after the next reading, and not taken back by it', async () => {
  const server = createServer();
  server.stored.set('ns:A', { ...at('ns:A', 1), pinned: true });
  const a = server.viewer();
  await a.places.load();
  server.refuse(503);
  a.places.set([at('ns:A', 7)]);
  await a.pass(2000);
  server.refuse(0);
  await a.places.load();
  assert.equal(a.places.get('ns:A')?.x, 7);
  assert.deepEqual(a.changes, ['ns:A 1 0'], 'that of the first reading');
  await a.pass(2000);
  assert.equal(server.stored.get('ns:A').x, 7);
});

test('events that come while the places are read are not lost', async () => {
  const server = createServer();
  const a = server.viewer();
  const loading = a.places.load();
  a.places.hear({ items: [{ ...at('ns:A', 4), pinned: false }] });
  await loading;
  assert.equal(a.places.get('ns:A')?.x, 4);
});
