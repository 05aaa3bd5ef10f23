import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bits, bytes, moment } from '../static/js/core/format.js';
import { add, createRates, kept, nothing } from '../static/js/core/rates.js';
import { link } from './objects.js';

const sample = (key, rate, over = {}) => ({ name: 'eth0', ifindex: 2, key, rx_bytes: 1, tx_bytes: 2, rx_packets: 1, tx_packets: 1, rx_errors: 0, tx_errors: 0,
  rx_dropped: 0, tx_dropped: 0, rx_bits_per_second: rate, tx_bits_per_second: rate && rate * 2, ...over });

test('a history is the last minute, and a quiet link is zero in it, not nothing', () => {
  let h = nothing;
  for (let i = 0; i < kept + 20; i++) h = add(h, sample('k', i === 0 ? undefined : 0), i * 1000);
  assert.equal(h.at.length, kept);
  assert.deepEqual([h.rx.length, h.tx.length, h.at.at(-1), h.at[0]], [kept, kept, kept + 19, 20]);
  assert.ok(h.rx.every((v) => v === 0));
  assert.deepEqual(nothing, { at: [], rx: [], tx: [], last: null });
});

test('before the second sample and while the connection is lost nothing is known', () => {
  const first = add(nothing, sample('k', undefined), 1000);
  assert.deepEqual([first.rx, first.last?.rx_bytes], [[null], 1]);
  const second = add(first, sample('k', 8), 2000);
  const late = add(second, sample('k', 16), 9000);
  assert.deepEqual(late.rx, [null, 8, null, 16]);
  assert.ok(late.at[2] > 2 && late.at[2] < 9);
});

test('what is looked at is watched, once, and no longer than that', () => {
  const told = [];
  const later = [];
  const rates = createRates((f) => later.push(f));
  rates.connect((list) => told.push(list));
  assert.deepEqual(told, []); // nothing to watch is nothing to say
  const [a, b, c] = [link('A', 'eth0'), link('host', 'p1'), link('host', 'p2')];
  const held = [a, b, c].map((l) => rates.follow(l));
  assert.deepEqual(told, [['A'], ['A', 'host']]);
  held[1].release();
  held[1].release(); // twice is once
  later.splice(0).forEach((f) => f());
  assert.equal(told.length, 2); // p2 is in the same namespace
  held[2].release();
  const again = rates.follow(c); // looked at again before the time is over
  later.splice(0).forEach((f) => f());
  assert.equal(told.length, 2);
  again.release();
  held[0].release();
  later.splice(0).forEach((f) => f());
  assert.deepEqual(told.slice(2), [['A'], []]);
});

test('a sample reaches the links that are followed, and looking again goes on', () => {
  const rates = createRates(() => {});
  const l = link('A', 'eth0');
  const f = rates.follow(l);
  rates.take({ namespace: 'A', links: [sample(l.key, 5), sample('4-A:other', 9)] }, 1000);
  assert.deepEqual(f.history.value.rx, [5]);
  f.release();
  assert.deepEqual(rates.follow(l).history.value.rx, [5]);
  // A socket that is opened later is told at once.
  const told = [];
  rates.connect((list) => told.push(list));
  assert.deepEqual(told, [['A']]);
});

test('rates and amounts are written with three digits that matter', () => {
  assert.deepEqual([0, 999, 1000, 1234, 12_345, 123_456, 999_700, 2_000_000].map(bits),
    ['0 bit/s', '999 bit/s', '1 kbit/s', '1.23 kbit/s', '12.3 kbit/s', '123 kbit/s', '1.00 Mbit/s', '2 Mbit/s']);
  assert.equal(bytes(9_876_543_210), '9.88 GB');
});

test('a moment of another day has its date', () => {
  const now = new Date('2026-03-04T12:00:00');
  assert.match(moment('2026-03-04T03:04:05', now), /^03:04:05$/);
  assert.match(moment('2026-03-03T03:04:05', now), /Mar 3.*03:04$/);
  assert.match(moment('2025-12-31T03:04:05', now), /2025/);
});
