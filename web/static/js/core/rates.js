// Counters of links somebody looks at: what the socket is to watch, and the last
// minute of each link's rates. Pure.
import { signal } from '../lib/signals.js';

/** Seconds that are kept; there is a sample a second. */
export const kept = 60;
/** Milliseconds without a sample after which there is a gap. */
const gap = 2500;

/** @typedef {import('../types.js').LinkStats} LinkStats */
/** @typedef {import('../types.js').Link} Link */
/**
 * Oldest first, at in seconds; null where nothing is known: before the second
 * sample, and while the connection was lost.
 * @typedef {{at: number[], rx: (number | null)[], tx: (number | null)[], last: LinkStats | null}} History
 */

/** @type {History} */
export const nothing = { at: [], rx: [], tx: [], last: null };

/** The history and one sample more. @param {History} h @param {LinkStats} s @param {number} now milliseconds */
export function add(h, s, now) {
  const before = (h.at.at(-1) ?? -Infinity) * 1000;
  const lost = h.at.length > 0 && now - before > gap;
  const more = (list, v) => [...list, ...(lost ? [null] : []), v].slice(-kept);
  return {
    at: [...h.at, ...(lost ? [(before + 1) / 1000] : []), now / 1000].slice(-kept),
    rx: more(h.rx, s.rx_bits_per_second ?? null),
    tx: more(h.tx, s.tx_bits_per_second ?? null),
    last: s,
  };
}

/** Milliseconds a link is followed still when nobody does: who looks from one end to the other goes on where it was. */
const linger = 2000;

/** @param {(f: () => void, ms: number) => any} [later] for tests */
export function createRates(later = (f, ms) => setTimeout(f, ms)) {
  /** By link key. @type {Map<string, {namespace: string, users: number, history: import('../lib/signals.js').Signal<History>}>} */
  const followed = new Map();
  let watch = (/** @type {string[]} */ _) => {};
  let watched = '';

  /** Has the socket watch the namespaces of all that is followed, and no others. */
  function tell() {
    const list = [...new Set([...followed.values()].map((f) => f.namespace))].sort();
    if (list.join('\n') === watched) return;
    watched = list.join('\n');
    watch(list);
  }

  return {
    /** @param {(namespaces: string[]) => void} f openEvents' watch */
    connect(f) {
      watch = f;
      watched = '';
      tell();
    },

    /** A sample of a namespace. @param {import('../types.js').Stats} stats @param {number} [now] */
    take(stats, now = Date.now()) {
      for (const s of stats.links) {
        const f = followed.get(s.key);
        if (f) f.history.value = add(f.history.value, s, now);
      }
    },

    /**
     * Follows a link until it is released, and then a moment longer.
     * @param {Link} link
     * @returns {{history: import('../lib/signals.js').Signal<History>, release: () => void}}
     */
    follow({ key, namespace }) {
      const f = followed.get(key) ?? { namespace, users: 0, history: signal(nothing) };
      f.users += 1;
      f.namespace = namespace;
      followed.set(key, f);
      tell();
      let held = true;
      return {
        history: f.history,
        release() {
          if (!held) return;
          held = false;
          f.users -= 1;
          later(() => {
            if (f.users > 0 || followed.get(key) !== f) return;
            followed.delete(key);
            tell();
          }, linger);
        },
      };
    },
  };
}

/** @typedef {ReturnType<typeof createRates>} Rates */
