// The drawn topology: model, positions and cables as signals, kept up to date
// with the store. Knows no DOM; storage and frames are handed in.
import { batch, computed, effect, signal, untracked } from '../lib/signals.js';
import { buildModel, reuse } from './model.js';
import { routeCables } from './geometry.js';
import { place } from './placement.js';
import { layered } from './layered.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./geometry.js').Point} Point */

/** Milliseconds in which a burst of events becomes one redraw. */
const settle = 25;
const storageKey = 'netdash.positions';

/**
 * @param {import('../core/store.js').Store} store
 * @param {{storage: {getItem: Function, setItem: Function}, frame?: (f: (t: number) => void) => any, calm?: () => boolean}} o
 */
export function createScene(store, { storage, frame = globalThis.requestAnimationFrame?.bind(globalThis), calm = () => false }) {
  /** @type {import('../lib/signals.js').Signal<Model>} */
  const model = signal({ nodes: [], cables: [], tethers: [] });
  const positions = signal(/** @type {Map<string, Point>} */ (new Map()));
  const routes = computed(() => routeCables(model.value, positions.value));
  const ready = signal(false);
  /** Counts the occasions on which the whole picture was laid out anew. */
  const laidOut = signal(0);
  let pinned = new Set();
  let remembered = new Map();
  let aspect = 1.7;
  let timer = null;
  let moving = 0;

  restore();
  effect(() => {
    store.topology.value;
    if (!store.loaded.value) return;
    if (!untracked(() => ready.value)) start();
    else timer ??= setTimeout(update, settle);
  });

  function restore() {
    try {
      const saved = JSON.parse(storage.getItem(storageKey) ?? 'null');
      remembered = new Map(saved?.positions ?? []);
      pinned = new Set(saved?.pinned ?? []);
    } catch {
      // A broken entry is as good as none.
    }
  }

  function save() {
    const known = untracked(() => positions.value);
    storage.setItem(storageKey, JSON.stringify({ positions: [...known], pinned: [...pinned] }));
  }

  async function start() {
    ready.value = true;
    const first = buildModel(untracked(() => store.topology.value));
    const known = first.nodes.some((n) => remembered.has(n.id));
    if (first.nodes.length === 0 || known) {
      set(first, place(first, null, remembered, pinned));
      laidOut.value++;
    } else await tidy(first);
  }

  function update() {
    timer = null;
    const before = model.value;
    const next = reuse(buildModel(store.topology.value), before);
    const target = place(next, before, positions.value, pinned);
    batch(() => {
      // Nodes that are new appear in place; those that move, glide.
      const from = new Map(target);
      for (const [id, p] of positions.value) if (from.has(id)) from.set(id, p);
      set(next, from);
      glide(target);
    });
  }

  function set(next, at) {
    batch(() => {
      model.value = next;
      positions.value = at;
    });
    save();
  }

  /** Lays everything out anew, forgetting what was dragged. */
  async function tidy(given = model.value) {
    pinned = new Set();
    let at;
    try {
      at = await layered(given, aspect);
    } catch (e) {
      console.warn('netdash: layout worker failed', e);
      at = place(given, null, new Map(), pinned);
    }
    // The lab may have changed while the worker was busy.
    const next = reuse(buildModel(store.topology.value), model.value);
    at = place(next, given, at, pinned);
    batch(() => {
      set(next, new Map([...at].map(([id, p]) => [id, positions.value.get(id) ?? p])));
      laidOut.value++;
      glide(at);
    });
  }

  /** Moves nodes to their places within a quarter of a second. */
  function glide(target) {
    const from = positions.value;
    const moves = [...target].filter(([id, p]) => from.get(id) && (from.get(id)?.x !== p.x || from.get(id)?.y !== p.y));
    const run = ++moving;
    if (moves.length === 0) return;
    if (!frame || calm()) {
      positions.value = target;
      save();
      return;
    }
    let begin = 0;
    const step = (now) => {
      if (run !== moving) return;
      begin ||= now;
      const x = Math.min(1, (now - begin) / 260);
      const ease = 1 - (1 - x) ** 3;
      const at = new Map(positions.value);
      for (const [id, p] of moves) {
        const q = /** @type {Point} */ (from.get(id));
        at.set(id, x === 1 ? p : { x: q.x + (p.x - q.x) * ease, y: q.y + (p.y - q.y) * ease });
      }
      positions.value = at;
      if (x < 1) frame(step);
      else save();
    };
    frame(step);
  }

  return {
    model,
    positions,
    routes,
    laidOut,
    tidy: () => tidy(),
    /** @param {number} value width by height of the canvas */
    setAspect(value) { aspect = value; },
    /** Puts a node where a hand dragged it. @param {string} id @param {Point} p */
    move(id, p) {
      moving++;
      pinned.add(id);
      positions.value = new Map(positions.value).set(id, p);
    },
    save,
  };
}

/** @typedef {ReturnType<typeof createScene>} Scene */
