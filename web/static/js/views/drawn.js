// What is drawn of each object, as one signal per object: a change re-renders
// its own element and no other. One pass over everything compares by identity,
// which costs less than rendering a single card.
import { batch, computed, effect, signal, untracked } from '../lib/signals.js';

/** Up to so many nodes, all have their details whatever part of them is seen; of more, what is far from there has no face. */
const few = 150;
/** More at once is not one thing that happened. */
const flashesAtMost = 40;
/** Milliseconds without a change after which a picture is at rest. */
const rest = 100;

/** @param {any} a @param {any} b */
function same(a, b) {
  for (const k in b) if (a[k] !== b[k]) return false;
  return true;
}

const overlaps = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
/** Could some of a cable be seen in a box? Its ends may both be elsewhere. @param {import('../layout/geometry.js').Route} route */
function crosses({ portA, portB, hull }, near) {
  const points = [portA, ...(portB ? [portB] : []), ...hull];
  const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return overlaps({ x, y, w: Math.max(...xs) - x, h: Math.max(...ys) - y }, near);
}

/**
 * @param {object} o
 * @param {import('../layout/scene.js').Scene} o.scene
 * @param {import('../core/store.js').Store} o.store
 * @param {import('../core/ui.js').Ui} o.ui
 * @param {import('../core/ignored.js').Ignored} o.ignored
 * @param {import('./camera.js').Camera} o.camera
 * @param {import('./hands.js').Hands} o.hands
 */
export function createDrawn({ scene, store, ui, ignored, camera, hands }) {
  /** @type {Map<string, import('../lib/signals.js').Signal<any>>} */
  const cells = new Map();
  const order = signal(/** @type {{nodes: string[], cables: string[], tethers: string[]}} */ ({ nodes: [], cables: [], tethers: [] }));
  /** Numbers of store.touched whose flash is over, and up to which all are. */
  let past = new Map();
  let over = 0;
  let laidOut = -1;
  let frame = 0;
  /** What was drawn last, and when. */
  let last = { model: /** @type {any} */ (null), at: 0 };

  /** All that what is drawn depends on. */
  const inputs = computed(() => ({
    model: scene.model.value, positions: scene.positions.value, routes: scene.routes.value, layouts: scene.laidOut.value,
    level: camera.level.value, near: camera.near.value, refs: ui.lit.value, selection: ui.selection.value, chosen: ui.chosen.value,
    picking: ui.picking.value, wire: hands.wire.value, aside: ignored.marks.value, touched: store.touched.value,
  }));

  function put(id, cell) {
    const known = cells.get(id);
    if (!known) cells.set(id, signal(cell));
    else if (!same(known.peek(), cell)) known.value = cell;
  }

  /**
   * Once a frame, however many events there were. What changes in a picture at rest
   * is made before the frame begins, not in it: of a thousand nodes it is seen some
   * milliseconds sooner.
   */
  function soon() {
    const changed = scene.model.peek() !== last.model;
    if (cells.size === 0 || (changed && performance.now() - last.at > rest)) refresh();
    else frame ||= requestAnimationFrame(refresh);
  }

  function refresh() {
    cancelAnimationFrame(frame);
    frame = 0;
    const { model, positions, routes, level, near, selection, chosen, picking, wire, aside, refs, touched, layouts } = inputs.peek();
    if (model !== last.model) last = { model, at: performance.now() };
    const lit = litOf(model, refs);
    const target = wire?.to;
    const flashOf = flashes(touched, layouts);
    const all = model.nodes.length <= few;
    const elsewhere = level === 'detail' ? 'far' : level;
    const nodes = model.nodes.filter((n) => positions.has(n.id));
    const cables = model.cables.filter((c) => routes.has(c.id));
    batch(() => {
      for (const n of nodes) {
        const { x, y } = positions.get(n.id) ?? { x: 0, y: 0 };
        const detail = level === 'detail' && (all || overlaps({ x, y, w: n.w, h: n.h }, near));
        put(n.id, {
          node: n, x, y,
          level: detail ? 'detail' : elsewhere,
          selected: selection === n.select || chosen.has(n.select),
          picking: picking === n.namespace && n.kind === 'ns',
          target: target === n.id,
          hidden: aside.differences.get(n.id) ?? 0,
          faint: aside.faint.has(n.id),
          lit: lit.nodes.has(n.id),
          flash: flashOf(n.kind === 'ns' ? [n.select, `link:${n.namespace}/lo`] : [n.select]),
        });
      }
      for (const c of cables) {
        const route = /** @type {import('../layout/geometry.js').Route} */ (routes.get(c.id));
        const detail = level === 'detail' && (all || crosses(route, near));
        const ends = c.b ? [`link:${c.a.ref}`, `link:${c.b.ref}`] : [`link:${c.a.ref}`];
        put(c.id, {
          cable: c, route,
          level: detail ? 'detail' : elsewhere,
          selected: ends.some((e) => selection === e || chosen.has(e)),
          lit: lit.cables.has(c.id),
          mark: [c.a, c.b].some((e) => e && aside.faint.has(e.ref)) ? 'faint' : [c.a, c.b].some((e) => e && aside.calm.has(e.ref)) ? 'calm' : '',
          flash: flashOf(ends),
        });
      }
      const tethers = tethersOf(model, positions);
      for (const x of tethers) put(x.id, { d: x.d });
      arrange(nodes, cables, tethers);
    });
  }

  /** Tells the list only when it is another one. */
  function arrange(nodes, cables, tethers) {
    const next = { nodes: nodes.map((n) => n.id), cables: cables.map((c) => c.id), tethers: tethers.map((x) => x.id) };
    const now = order.peek();
    const equal = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
    if (Object.keys(next).every((k) => equal(next[k], now[k]))) return;
    order.value = next;
    const ids = new Set([...next.nodes, ...next.cables, ...next.tethers]);
    for (const id of cells.keys()) if (!ids.has(id)) cells.delete(id);
  }

  /** Which flash each object shows: 0 when it is quiet. @param {Map<string, number>} touched @param {number} now how often all was laid out */
  function flashes(touched, now) {
    const all = () => {
      over = Math.max(0, ...touched.values());
      past.clear();
    };
    if (now !== laidOut) {
      laidOut = now;
      all(); // what happened before the picture was there does not flash
    }
    const active = new Map();
    for (const [id, n] of touched) if (n > over && n !== past.get(id)) active.set(id, n);
    if (active.size > flashesAtMost) {
      all();
      active.clear();
    }
    return (ids) => (active.size ? ids.reduce((latest, id) => Math.max(latest, active.get(id) ?? 0), 0) : 0);
  }

  return {
    order,
    /** @param {string} id */
    cell: (id) => /** @type {import('../lib/signals.js').Signal<any>} */ (cells.get(id)),
    /** Begins to follow; ends with the function returned. */
    follow() {
      const stop = effect(() => {
        inputs.value;
        untracked(soon);
      });
      return () => {
        stop();
        cancelAnimationFrame(frame);
      };
    },
    /** A flash is over. @param {string[]} ids as in store.touched */
    calm(ids) {
      untracked(() => {
        for (const id of ids) past.set(id, store.touched.peek().get(id) ?? 0);
        soon();
      });
    },
  };
}

/** The lines from bridges to the cards of their namespaces. */
export function tethersOf(model, positions) {
  if (model.tethers.length === 0) return [];
  const byId = new Map(model.nodes.map((n) => [n.id, n]));
  const middle = (id) => {
    const [n, p] = [byId.get(id), positions.get(id)];
    return n && p ? `${p.x + n.w / 2} ${p.y + n.h / 2}` : '';
  };
  return model.tethers.filter((x) => middle(x.from) && middle(x.to))
    .map((x) => ({ id: x.id, d: `M${middle(x.from)}L${middle(x.to)}` }));
}

/** The cables of links to be lit, and what stands at their ends. */
function litOf(model, refs) {
  const [nodes, cables] = [new Set(), new Set()];
  if (refs.size === 0) return { nodes, cables };
  for (const c of model.cables) {
    if (!refs.has(c.a.ref) && !(c.b && refs.has(c.b.ref))) continue;
    cables.add(c.id);
    nodes.add(c.a.node);
    if (c.b) nodes.add(c.b.node);
  }
  for (const n of model.nodes) {
    if (refs.has(n.id.slice(3)) || n.rows.some((r) => refs.has(r.ref))) nodes.add(n.id);
  }
  return { nodes, cables };
}

/** @typedef {ReturnType<typeof createDrawn>} Drawn */
