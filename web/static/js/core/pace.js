// Signals for eyes: what changes more often than anybody can look.
import { effect, signal } from '../lib/signals.js';

/**
 * Follows a signal with so many milliseconds of rest between two changes, in
 * which what listens has been drawn. It never changes at once: while the events
 * of a storm are taken in, which a browser does in one go, nobody draws.
 * @template T
 * @param {{readonly value: T, peek: () => T}} source
 * @param {number} rest
 * @param {(f: () => void, ms: number) => any} [later] for tests
 * @returns {import('../lib/signals.js').Signal<T>} to be read
 */
export function pace(source, rest, later = (f, ms) => setTimeout(f, ms)) {
  const out = signal(source.peek());
  let state = 'idle'; // due: a change will be passed on; resting: none is, for a while
  const pass = () => {
    state = 'resting';
    out.value = source.peek();
    later(() => later(wake, rest), 0); // the rest begins when it is drawn
  };
  const wake = () => {
    state = 'idle';
    if (out.peek() !== source.peek()) soon();
  };
  const soon = () => {
    if (state !== 'idle') return;
    state = 'due';
    later(pass, 0);
  };
  effect(() => {
    if (source.value !== out.peek()) soon();
  });
  return out;
}
