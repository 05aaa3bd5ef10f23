import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff, openEvents } from '../static/js/core/socket.js';

/** A hand-driven socket and clock. */
function stage() {
  const sockets = [];
  const timers = [];
  class Socket {
    constructor(url) {
      this.url = url;
      this.readyState = 0;
      this.said = [];
      sockets.push(this);
    }
    open() { this.readyState = 1; this.onopen(); }
    send(text) { this.said.push(JSON.parse(text)); }
    close(reason) { this.readyState = 3; this.onclose?.({ reason }); }
    say(message) { this.onmessage({ data: JSON.stringify(message) }); }
  }
  const clock = {
    now: () => 1000,
    set: (f, ms) => timers.push({ f, ms }) && timers.length - 1,
    clear: (i) => { timers[i].f = () => {}; },
  };
  const messages = [];
  const states = [];
  const stats = [];
  const events = openEvents({ url: 'ws://x/events', WebSocket: Socket, clock, onMessage: (m) => messages.push(m), onState: (s) => states.push(s.state), onStats: (s) => stats.push(s) });
  return { sockets, timers, messages, states, stats, events, last: () => sockets.at(-1) };
}

test('is live only once it has a picture', () => {
  const s = stage();
  s.last().onopen();
  assert.deepEqual(s.states, ['connecting']);
  s.last().say({ type: 'snapshot', seq: 7 });
  assert.deepEqual(s.states, ['connecting', 'live']);
});

test('resumes after the last event it took', () => {
  const s = stage();
  s.last().say({ type: 'snapshot', seq: 7 });
  s.last().say({ type: 'link.added', seq: 8 });
  s.last().close();
  assert.equal(s.states.at(-1), 'reconnecting');
  s.timers.at(-1).f();
  assert.equal(s.last().url, 'ws://x/events?since=8');
  s.last().onopen();
  assert.equal(s.states.at(-1), 'live');
  s.last().say({ type: 'link.removed', seq: 9 });
  assert.equal(s.messages.length, 3);
});

test('a gap in the numbers means a fresh start, and the event is not taken', () => {
  const s = stage();
  s.last().say({ type: 'snapshot', seq: 7 });
  s.last().say({ type: 'link.added', seq: 9 });
  assert.equal(s.messages.length, 1);
  s.timers.at(-1).f();
  assert.equal(s.last().url, 'ws://x/events');
});

test('events that were left out, and are told of, are no gap', () => {
  const s = stage();
  s.last().say({ type: 'snapshot', seq: 7 });
  s.last().say({ type: 'link.changed', seq: 12, coalesced: 4 });
  s.last().say({ type: 'link.changed', seq: 13 });
  assert.deepEqual(s.messages.map((m) => m.seq), [7, 12, 13]);
  s.last().say({ type: 'link.changed', seq: 17, coalesced: 2 });
  assert.equal(s.messages.length, 3);
  s.timers.at(-1).f();
  assert.equal(s.last().url, 'ws://x/events');
});

test('watches namespaces, on every new connection again', () => {
  const s = stage();
  s.events.watch(['A']);
  assert.deepEqual(s.last().said, []);
  s.last().open();
  assert.deepEqual(s.last().said, [{ watch: ['A'] }]);
  s.events.watch(['B', 'C']);
  assert.deepEqual(s.last().said[1], { watch: ['B', 'C'] });
  s.last().close();
  s.timers.at(-1).f();
  s.last().open();
  assert.deepEqual(s.last().said, [{ watch: ['B', 'C'] }]);
  s.events.watch([]);
  assert.deepEqual(s.last().said[1], { watch: [] });
});

test('counters are no event: they neither count nor reach the picture', () => {
  const s = stage();
  s.last().say({ type: 'snapshot', seq: 7 });
  s.last().say({ type: 'stats', seq: 9, stats: { namespace: 'A', links: [] } });
  s.last().say({ type: 'link.added', seq: 8 });
  assert.deepEqual(s.messages.map((m) => m.seq), [7, 8]);
  assert.deepEqual(s.stats, [{ namespace: 'A', links: [] }]);
});

test('tells why the connection ended', () => {
  const states = [];
  class Socket { close() {} }
  let socket;
  openEvents({ url: 'ws://x', WebSocket: class extends Socket { constructor() { super(); socket = this; } }, onMessage() {}, onState: (s) => states.push(s), clock: { set() {}, clear() {}, now: () => 0 } });
  socket.onclose({ reason: 'netdash is stopping' });
  assert.equal(states.at(-1).reason, 'netdash is stopping');
});

test('an event that was had already is not taken twice', () => {
  const s = stage();
  s.last().say({ type: 'snapshot', seq: 7 });
  s.last().say({ type: 'link.added', seq: 7 });
  assert.equal(s.messages.length, 1);
});

test('resync is followed by a snapshot of any number', () => {
  const s = stage();
  s.last().say({ type: 'snapshot', seq: 7 });
  s.last().say({ type: 'resync' });
  s.last().say({ type: 'snapshot', seq: 90 });
  s.last().say({ type: 'link.added', seq: 91 });
  assert.deepEqual(s.messages.map((m) => m.seq), [7, 90, 91]);
});

test('waits longer each time, and never long', () => {
  const waits = [0, 1, 2, 3, 20].map((n) => backoff(n, () => 0.5));
  assert.deepEqual(waits, [400, 800, 1600, 3200, 10000]);
});

test('retry does not wait; stop ends it', () => {
  const s = stage();
  s.last().close();
  s.events.retry();
  assert.equal(s.sockets.length, 2);
  s.events.stop();
  assert.equal(s.states.at(-1), 'stopped');
  assert.equal(s.timers.length, 1);
});
