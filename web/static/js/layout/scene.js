// The drawn topology: model, positions and cables as signals, kept up to date
// with the store. Knows no DOM; storage and frames are handed in.
import { batch, computed, effect, signal, untracked } from '../lib/signals.js';
import { buildModel, reuse } from './model.js';
import { routeCables } from './geometry.js';
import { place } from './placement.js';
import { layered } from './layered.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./geometry.js').Point} Point */

/**
 * Milliseconds without an event that end a burst, and the longest it may last:
 * an operation of several steps becomes one redraw, not a flicker of its steps.
 */
const settle = 60;
const settleAtMost = 250;
const glideTime = 260;
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
  /** Where the nodes belong; positions is where they are drawn on the way there. */
  let goal = new Map();
  let pinned = new Set();
  let remembered = new Map();
  let aspect = 1.7;
  /** @type {any} */
  let timer = null;
  let firstOfBurst = 0;
  let moving = 0;

  restore();
  effect(() => {
    store.topology.value;
    if (!store.loaded.value) return;
    untracked(() => (ready.value ? soon() : start()));
  });

  function soon() {
    clearTimeout(timer);
    firstOfBurst ||= Date.now();
    timer = setTimeout(update, Math.max(0, Math.min(settle, firstOfBurst + settleAtMost - Date.now())));
  }

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
    storage.setItem(storageKey, JSON.stringify({ positions: [...goal], pinned: [...pinned] }));
  }

  async function start() {
    ready.value = true;
    const first = buildModel(store.topology.value);
    const known = first.nodes.some((n) => remembered.has(n.id));
    if (first.nodes.length === 0 || known) {
      show(first, place(first, null, remembered, pinned));
      laidOut.value++;
    } else await tidy(first);
  }

  function update() {
    firstOfBurst = 0;
    const before = model.value;
    const next = reuse(buildModel(store.topology.value), before);
    show(next, place(next, before, goal, pinned));
  }

  /** Draws a model: nodes that are new appear in place, those that move glide. */
  function show(next, target) {
    goal = target;
    save();
    batch(() => {
      model.value = next;
      positions.value = new Map([...target].map(([id, p]) => [id, positions.value.get(id) ?? p]));
    });
    glide();
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
      show(next, at);
      laidOut.value++;
    });
  }

  /** Moves nodes to where they belong within a quarter of a second. */
  function glide() {
    const from = positions.value;
    const moves = [...goal].filter(([id, p]) => from.get(id)?.x !== p.x || from.get(id)?.y !== p.y);
    const run = ++moving;
    if (moves.length === 0) return;
    if (!frame || calm()) {
      positions.value = goal;
      return;
    }
    let begin = 0;
    const step = (now) => {
      if (run !== moving) return;
      begin ||= now;
      const x = Math.min(1, (now - begin) / glideTime);
      const ease = 1 - (1 - x) ** 3;
      const at = new Map(goal);
      for (const [id, p] of moves) {
        const q = from.get(id) ?? p;
        if (x < 1) at.set(id, { x: q.x + (p.x - q.x) * ease, y: q.y + (p.y - q.y) * ease });
      }
      positions.value = at;
      if (x < 1) frame(step);
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
      moving++; // whatever glides is there at once
      pinned.add(id);
      goal = new Map(goal).set(id, p);
      positions.value = goal;
    },
    save,
  };
}

/** @typedef {ReturnType<typeof createScene>} Scene */
