// What hands do to the objects of the graph: move cards, connect them, choose
// several. Its state is drawn by hand-marks.js.
import { batch, signal } from '../lib/signals.js';
import { actions, scene, ui } from '../context.js';
import { commands } from '../core/api.js';

/** @typedef {{x: number, y: number}} Point */
/** @typedef {{from: string, link: string, at: Point | null, to: string | null, held: boolean}} Wire a cable being drawn: from a node,
 *   or from the loose end of a link there; held by the pointer, or waiting for the next choice */

export function createHands() {
  return {
    wire: signal(/** @type {Wire | null} */ (null)),
    /** The rectangle that chooses what it touches, in the drawing. */
    box: signal(/** @type {import('./camera.js').Box | null} */ (null)),
    /** The node under the pointer or with the focus. */
    over: signal(/** @type {string | null} */ (null)),
    /** Where the ground was clicked: what could be made there is offered. */
    spot: signal(/** @type {{stage: Point, at: Point} | null} */ (null)),
  };
}

/** @typedef {ReturnType<typeof createHands>} Hands */

const nodeOf = (id) => scene.model.peek().nodes.find((n) => n.id === id);
/** @param {Element | null} e */
export const nodeUnder = (e) => /** @type {any} */ (e?.closest('[data-node]'))?.dataset.node ?? null;

/** The node that a link ends at: the card it is a row of, the bar it is plugged into. @param {string} ref */
export function nodeOfPort(ref) {
  const { nodes, cables } = scene.model.peek();
  const end = cables.flatMap((c) => [c.a, c.b]).find((e) => e?.ref === ref);
  return end?.node ?? nodes.find((n) => n.rows.some((r) => r.ref === ref))?.id ?? null;
}

/** Moves a node, and with it all others that are chosen. @param {string} id @returns {import('./viewport.js').Drag | null} */
export function moveDrag(id, camera) {
  const chosen = ui.chosen.peek();
  const node = nodeOf(id);
  if (!node) return null;
  const ids = chosen.has(node.select)
    ? scene.model.peek().nodes.filter((n) => chosen.has(n.select)).map((n) => n.id)
    : [id];
  const starts = ids.map((x) => [x, scene.positions.peek().get(x)]).filter(([, p]) => p);
  const put = (dx, dy) => batch(() => {
    for (const [x, p] of /** @type {[string, Point][]} */ (starts)) scene.move(x, { x: Math.round(p.x + dx), y: Math.round(p.y + dy) });
  });
  return {
    name: 'dragging',
    move: (by) => put(by.x / camera.view.peek().k, by.y / camera.view.peek().k),
    end(done) {
      if (!done) put(0, 0);
      scene.save();
    },
  };
}

/** Draws a cable to another node. @param {Hands} hands @param {string} from @param {string} link @returns {import('./viewport.js').Drag} */
export function wireDrag(hands, from, link, camera) {
  return {
    name: 'connecting',
    begin() { hands.wire.value = { from, link, at: null, to: null, held: true }; },
    move(_, at, under) {
      const to = nodeUnder(under);
      hands.wire.value = { from, link, held: true, at: camera.toWorld(at), to: to === from ? null : to };
    },
    end(done) {
      const to = hands.wire.peek()?.to;
      hands.wire.value = null;
      if (done && to) connect(from, link, to);
    },
  };
}

/** Chooses what a rectangle touches. @param {Hands} hands @param {Point} start @returns {import('./viewport.js').Drag} */
export function boxDrag(hands, start, camera) {
  const before = [...ui.chosen.peek()];
  return {
    name: 'boxing',
    move(by) {
      const [a, b] = [camera.toWorld(start), camera.toWorld({ x: start.x + by.x, y: start.y + by.y })];
      hands.box.value = { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) };
    },
    end(done) {
      const box = hands.box.peek();
      hands.box.value = null;
      if (done && box) actions.choose([...before, ...touchedBy(box)]);
    },
  };
}

function touchedBy(box) {
  const at = scene.positions.peek();
  return scene.model.peek().nodes.filter((n) => {
    const p = at.get(n.id);
    return p && p.x < box.x + box.w && box.x < p.x + n.w && p.y < box.y + box.h && box.y < p.y + n.h;
  }).map((n) => n.select);
}

/** Adds to what is chosen, or takes away. @param {string} id a selection */
export function toggle(id) {
  const rest = [...ui.chosen.peek()].filter((x) => x !== id);
  actions.choose(ui.chosen.peek().has(id) ? rest : [...rest, id]);
}

export const chooseAll = () => actions.choose(scene.model.peek().nodes.map((n) => n.select));

/** Begins a cable at what is selected, for keys: the next choice is its other end. @param {Hands} hands */
export function wireFromSelection(hands) {
  const id = ui.selection.peek();
  const node = scene.model.peek().nodes.find((n) => n.select === id);
  const ref = id?.startsWith('link:') && !node ? id.slice('link:'.length) : '';
  const from = node?.id ?? (ref ? nodeOfPort(ref) : null);
  if (from) hands.wire.value = { from, link: ref, at: null, to: null, held: false };
}

/**
 * What was connected by hand: an end is plugged into a bridge of its own
 * namespace; everything else is a veth, asked for in its form.
 * @param {string} from @param {string} link @param {string} to
 */
export function connect(from, link, to) {
  const [a, b] = [nodeOf(from), nodeOf(to)];
  if (!a || !b || a === b) return;
  const bridge = (n) => (n.kind === 'br' ? n.id.slice(n.id.indexOf('/') + 1) : undefined);
  if (link && b.kind === 'br' && b.namespace === a.namespace) {
    actions.run(commands.patchLink(a.namespace, link.slice(link.indexOf('/') + 1), { master: bridge(b) }), { at: b.id });
    return;
  }
  // The form knows a bridge at its second end.
  const [p, q] = a.kind === 'br' && b.kind !== 'br' ? [b, a] : [a, b];
  actions.open('veth', { a: p.namespace, b: q.namespace, aMaster: bridge(p), bMaster: bridge(q) });
}
