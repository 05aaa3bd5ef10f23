// The drawn topology: model, positions and cables as signals, kept up to date
// with the store. Knows no DOM; storage, frames and the shared places are handed in.
import { batch, computed, effect, signal, untracked } from '../lib/signals.js';
import { layOut } from './arrange.js';
import { looksAlike } from './cards.js';
import { createFolding } from './folding.js';
import { createRouter } from './geometry.js';
import { createGlide } from './glide.js';
import { indexOf, partOf } from './graph.js';
import { buildModel, emptyModel } from './model.js';
import { homeless, isMany, place } from './placement.js';
import { standClear } from './solid.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./geometry.js').Point} Point */

/**
 * Milliseconds without an event that end a burst, and the longest it may last:
 * what an operation of several steps makes or takes away becomes one redraw, not
 * a flicker of its steps. What only changes is shown at once, frame by frame.
 */
const settle = 60;
const settleAtMost = 250;
const framePause = 16;
/** What an operation of so many Changes makes is laid out when it is done, not before it is connected. */
const waitFor = 8;
const waitAtMost = 15000; // ms

/**
 * @param {import('../core/store.js').Store} store
 * @param {object} o
 * @param {import('../core/places.js').PlacesStore} o.places
 * @param {{getItem: Function, setItem: Function}} o.storage
 * @param {(f: (t: number) => void) => any} [o.frame]
 * @param {() => boolean} [o.calm]
 */
export function createScene(store, { places, storage, frame = globalThis.requestAnimationFrame?.bind(globalThis), calm = () => false }) {
  const model = signal(/** @type {Model} */ (emptyModel));
  /** Where nodes are drawn, on their way to where they belong. */
  const positions = signal(/** @type {Map<string, Point>} */ (new Map()));
  const route = createRouter();
  const routes = computed(() => route(model.value, positions.value));
  /** Counts the occasions on which somebody had the whole picture laid out anew. */
  const laidOut = signal(0);
  /** Is there a first picture? What is less urgent waits for it. */
  const shown = signal(false);
  const folding = createFolding(storage);
  const glide = createGlide(positions, frame, calm);
  /** Where the boxes belong, and where nodes are drawn once nothing moves. */
  let base = /** @type {Map<string, Point>} */ (new Map());
  let goal = /** @type {Map<string, Point>} */ (new Map());
  /** What a hand has moved and not let go. @type {Set<string>} */
  const held = new Set();
  let aspect = 1.7;
  let ready = false;
  /** @type {any} */
  let timer = null;
  let firstOfBurst = 0;
  let lastOfBurst = 0;
  let shownAt = 0;
  let waitingSince = 0;
  let busy = false;
  let again = false;
  /** What the picture was last made of. */
  let seen = /** @type {any[]} */ ([]);

  places.listen(hear);
  store.onEvent((e) => { if (e.positions) places.hear(e.positions); }, new AbortController().signal);
  effect(() => {
    store.topology.value;
    if (store.loaded.value && ready) untracked(soon);
  });
  effect(() => {
    if (store.snapshots.value > 0) untracked(read);
  });
  effect(() => {
    store.operations.value;
    if (waitingSince) untracked(update); // it may be the one waited for that is done
  });

  function soon() {
    lastOfBurst = Date.now();
    firstOfBurst ||= lastOfBurst;
    timer ??= setTimeout(update, Math.max(0, shownAt + framePause - lastOfBurst));
  }

  /** Is there more to come of what a burst makes or takes away? @param {Model} next */
  function unsettled(next) {
    const due = Math.min(lastOfBurst + settle, firstOfBurst + settleAtMost) - Date.now();
    if (due <= 0 || sameThings(next, model.peek())) return false;
    timer ??= setTimeout(update, due);
    return true;
  }

  /** With every snapshot the places are read anew: some of what was told of them may have been missed. */
  async function read() {
    const answered = await places.load();
    ready = true;
    await update();
    if (frame) frame(() => setTimeout(() => { shown.value = true; }));
    else shown.value = true;
    if (answered) offer([...base.keys()].filter((id) => !places.get(id)));
  }

  /** Somebody else has placed these. @param {import('../core/places.js').Place[]} changed */
  function hear(changed) {
    const own = changed.filter(({ object, x, y }) => {
      const p = base.get(object);
      return p && !held.has(object) && (p.x !== x || p.y !== y);
    });
    if (own.length === 0) return;
    base = new Map(base);
    for (const { object, x, y } of own) base.set(object, { x, y });
    show(model.peek(), base);
  }

  /** @param {string[]} ids boxes that were placed by a layout */
  const offer = (ids) => places.offer(ids.map((id) => ({ object: id, .../** @type {Point} */ (base.get(id)) })));

  async function update() {
    clearTimeout(timer);
    timer = null;
    again = true;
    if (busy) return;
    busy = true;
    try {
      while (again) {
        again = false;
        await step();
      }
    } finally {
      busy = false;
    }
  }

  const build = (before = model.peek()) => buildModel(store.topology.peek(), before, folding.choice);
  const placesNow = () => ({
    before: model.peek() === emptyModel ? null : model.peek(), base, drawn: goal, pinned: places.pinned, remembered: places.get, aspect,
  });

  /** From what the store knows now to what is drawn. */
  async function step() {
    const now = [store.topology.peek().namespaces, folding.choices.peek()];
    if (!waitingSince && now[1] === seen[1] && sameView(now[0], seen[0])) {
      seen = now;
      firstOfBurst = 0;
      return;
    }
    let next = build();
    if (unsettled(next)) return;
    firstOfBurst = 0;
    shownAt = Date.now();
    const { fresh } = homeless(next, placesNow());
    if (wait(fresh.length)) return;
    seen = now;
    let parts;
    if (isMany(fresh) || (base.size === 0 && fresh.length > 0)) {
      parts = await layOutSafely(partOf(next, new Set(fresh.map((n) => n.id))));
      next = build(next); // it may have changed while the worker was busy
      seen = [store.topology.peek().namespaces, folding.choices.peek()];
    }
    const target = place(next, placesNow(), parts);
    const news = [...target.keys()].filter((id) => target.get(id) !== base.get(id) && !samePlace(places.get(id), target.get(id)));
    show(next, target);
    offer(news);
  }

  /** Is an operation about to connect what it has made so far? Not for ever. @param {number} fresh */
  function wait(fresh) {
    const running = fresh > 0 && store.operations.peek().some((o) => o.state === 'running' && (o.changes?.length ?? waitFor) >= waitFor);
    if (running) waitingSince ||= Date.now();
    if (!running || Date.now() - waitingSince > waitAtMost) {
      waitingSince = 0;
      return false;
    }
    clearTimeout(timer);
    timer = setTimeout(update, 500);
    return true;
  }

  /** Without the worker, boxes are placed one by one. @param {Model} of */
  async function layOutSafely(of) {
    try {
      return await layOut(of, aspect);
    } catch (e) {
      console.warn('netdash: layout worker failed', e);
      return [];
    }
  }

  /** Draws a model with its boxes at target. @param {Model} next @param {Map<string, Point>} target */
  function show(next, target) {
    base = target;
    // What a hand holds stays in it.
    const here = held.size ? new Map([...base, ...[...held].flatMap((id) => (base.has(id) ? [at(id)] : []))]) : base;
    goal = standClear(next, here, places.pinned);
    batch(() => {
      model.value = next;
      glide.to(goal);
    });
  }

  /** Where a box is drawn. @param {string} id @returns {[string, Point]} */
  const at = (id) => [id, /** @type {Point} */ (goal.get(id))];

  /** Lays everything out anew, for everybody, forgetting what was dragged. */
  async function tidy() {
    if (busy) return;
    busy = true;
    try {
      const parts = await layOutSafely(build());
      const nothing = { before: null, base: new Map(), drawn: new Map(), pinned: () => false, remembered: () => undefined, aspect };
      const next = build();
      const target = place(next, nothing, parts);
      places.replace([...target].map(([object, p]) => ({ object, ...p })));
      batch(() => {
        show(next, target);
        laidOut.value++;
      });
    } finally {
      busy = false;
    }
    await update();
  }

  /** @param {string[]} bars @param {boolean} folded */
  function fold(bars, folded) {
    folding.choose(bars, folded);
    update();
  }

  return {
    model,
    positions,
    routes,
    laidOut,
    shown,
    tidy,
    /** @param {number} value width by height of the canvas */
    setAspect(value) { aspect = value; },

    /** Puts a node where a hand drags it; a folded member takes its bridge along. @param {string} id @param {Point} p */
    move(id, p) {
      const nodes = indexOf(model.peek()).nodes;
      const node = nodes.get(id);
      if (!node) return;
      const box = node.home ? nodes.get(node.home.bar) : node;
      if (!box) return;
      const corner = node.home ? { x: p.x - node.home.x, y: p.y - node.home.y } : p;
      held.add(box.id);
      goal = new Map(goal).set(box.id, corner);
      for (const member of box.panel?.members ?? []) {
        const { home } = /** @type {import('./model.js').Node} */ (nodes.get(member));
        if (home) goal.set(member, { x: corner.x + home.x, y: corner.y + home.y });
      }
      glide.jump(goal);
    },

    /** A hand let go: what it moved is there for everybody. */
    save() {
      if (held.size === 0) return;
      const ids = [...held].filter((id) => base.has(id));
      held.clear();
      // Nothing stands on a bar: where it is drawn then is where it was put.
      show(model.peek(), new Map([...base, ...ids.map(at)]));
      base = new Map([...base, ...ids.map(at)]);
      places.set(ids.map((object) => ({ object, .../** @type {Point} */ (base.get(object)) })));
    },

    /** Folds the members of a bridge into a panel, or unfolds them. @param {string} id of its bar */
    toggleFold(id) {
      const bar = indexOf(model.peek()).nodes.get(id);
      if (bar?.foldable) fold([id], !bar.folded);
    },
    /** @param {boolean} folded */
    foldAll(folded) { fold(model.peek().nodes.filter((n) => n.foldable).map((n) => n.id), folded); },
  };
}

/** Does what happened leave the picture as it is, as what a bridge learns does? */
const sameView = (now, seen) => now === seen || (now.length === seen?.length && now.every((n, i) => looksAlike(seen[i], n)));
/** Are the same nodes and cables there? @param {Model} a @param {Model} b */
const sameThings = (a, b) => ['nodes', 'cables'].every((k) => a[k].length === b[k].length && a[k].every((x, i) => x.id === b[k][i].id));
const samePlace = (a, b) => a && b && a.x === b.x && a.y === b.y;

/** @typedef {ReturnType<typeof createScene>} Scene */
