// Signals for eyes: what changes more often than anybody can look.
import { effect, signal } from '../lib/signals.js';

/**
 * Follows a signal, at most once in so many milliseconds: the first change at
 * once, the last one always.
 * @template T
 * @param {{readonly value: T, peek: () => T}} source
 * @param {number} every
 * @param {{set: (f: () => void, ms: number) => any, now: () => number}} [timer] for tests
 * @returns {import('../lib/signals.js').Signal<T>} to be read
 */
export function pace(source, every, timer = systemTimer) {
  const out = signal(source.peek());
  let next = 0;
  let waiting = false;
  const pass = () => {
    waiting = false;
    next = timer.now() + every;
    out.value = source.peek();
  };
  effect(() => {
    source.value; // what this listens to
    if (waiting) return;
    const wait = next - timer.now();
    if (wait <= 0) {
      pass();
      return;
    }
    waiting = true;
    timer.set(pass, wait);
  });
  return out;
}

const systemTimer = { set: (f, ms) => setTimeout(f, ms), now: () => Date.now() };
