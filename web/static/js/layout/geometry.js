// Where ports sit and how cables run, from where the nodes are. Pure, but for
// what a router remembers of the picture before: what did not change keeps its
// route, the same object.
import { isOrganic } from './arrange.js';
import { clearSides } from './avoid.js';
import { cardAt, trunkAt } from './bars.js';
import { placeOnSides, rowY, sideOf, straightSide } from './ends.js';
import { heightOf } from './measure.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./model.js').Cable} Cable */
/** @typedef {import('./ends.js').Box} Box */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {'top' | 'bottom' | 'left' | 'right'} Side */
/** @typedef {Point & {side: Side, ref: string, node: string, bare: boolean, flip: boolean}} Port bare: without its name beside it; flip: with it on its left */
/** @typedef {{a: string, b: string, portA: Port, portB: Port | null, stub: Point | null,
 *   mid: Point, hull: Point[], folded: boolean}} Route paths of the two halves, where they meet, and points they stay between */

const stubLength = 46;
const stubLabel = 50;
/** As far as curves swing out of the box around both ends. */
const swing = 170;

/** @param {Model} model @param {Map<string, Point>} positions top left corners @returns {Map<string, Route>} by cable id */
export const routeCables = (model, positions) => createRouter()(model, positions);

/** Routes one picture after the other, each from what is left of the one before. */
export function createRouter() {
  /** @type {Map<string, Box>} */
  let boxes = new Map();
  /** @type {Map<string, any>} what was decided for each cable */
  let plans = new Map();
  /** @type {Map<string, Route>} */
  let routes = new Map();
  let wasStraight = false;

  /** @param {Model} model @param {Map<string, Point>} positions @returns {Map<string, Route>} */
  return function route(model, positions) {
    const straight = isOrganic(model);
    const moved = /** @type {Box[]} */ ([]);
    boxes = boxesOf(model, positions, boxes, moved);
    const obstacles = straight ? [] : [...boxes.values()].filter((b) => !b.node.home);
    const next = new Map();
    for (const cable of model.cables) {
      const A = boxes.get(cable.a.node);
      const B = cable.b && boxes.get(cable.b.node);
      if (!A || (cable.b && !B)) continue;
      const old = plans.get(cable.id);
      const stays = old && old.A === A && old.B === B && straight === wasStraight;
      const undisturbed = stays && (straight || !moved.some((m) => near(m, old)));
      const now = undisturbed ? old : plan(cable, A, B, straight, obstacles);
      next.set(cable.id, stays && sameSides(old, now) ? old : now);
    }
    placeOnSides([...next.values()].flatMap((p) => (p.folded ? [] : p.ends)), straight);
    const changed = next.size !== plans.size || [...next.keys()].some((id) => !plans.has(id));
    [plans, wasStraight] = [next, straight];
    const drawn = new Map([...plans].map(([id, p]) => [id, redraw(p, straight)]));
    // The same routes are the same picture.
    if (changed || [...drawn].some(([id, r]) => routes.get(id) !== r)) routes = drawn;
    return routes;
  };
}

/** A box for each node; what did not move keeps its own, what did goes to moved, as it was and as it is. */
function boxesOf(model, positions, before, moved) {
  const boxes = new Map();
  for (const node of model.nodes) {
    const p = positions.get(node.id);
    if (!p) continue;
    const old = before.get(node.id);
    if (old && old.node === node && old.x === p.x && old.y === p.y) {
      boxes.set(node.id, old);
      continue;
    }
    const box = { id: node.id, node, x: p.x, y: p.y, w: node.w, h: heightOf(node) };
    boxes.set(node.id, box);
    if (!node.home) moved.push(box);
    if (old && !old.node.home) moved.push(old);
  }
  for (const [id, old] of before) if (!boxes.has(id) && !old.node.home) moved.push(old);
  return boxes;
}

/** Could a box be in the way of a cable, on one side or the other? */
function near(box, { A, B, folded }) {
  if (folded) return false;
  const C = B ?? A;
  return box.x < Math.max(A.x + A.w, C.x + C.w) + swing && box.x + box.w > Math.min(A.x, C.x) - swing
    && box.y < Math.max(A.y + A.h, C.y + C.h) + swing && box.y + box.h > Math.min(A.y, C.y) - swing;
}

/** Decides by which sides a cable leaves. @param {Cable} cable @param {Box} A @param {Box | null | undefined} B */
function plan(cable, A, B, straight, obstacles) {
  const end = (box, e, side) => ({ cable: cable.id, ref: e.ref, name: e.name, box, other: /** @type {any} */ (null), side, straight, x: 0, y: 0, flip: false });
  const own = A.node.kind === 'br' ? 'top' : 'right';
  if (!cable.b || !B) return { A, B, ends: [end(A, cable.a, own)] };
  const folded = A.node.home?.bar === B.id || B.node.home?.bar === A.id;
  const [sideA, sideB] = folded || A === B ? [own, own]
    : straight ? [straightSide(A, B), straightSide(B, A)]
      : clearSides(A, B, [sideOf(A, B), sideOf(B, A)], obstacles, handles);
  const ends = [end(A, cable.a, sideA), end(B, cable.b, sideB)];
  [ends[0].other, ends[1].other] = [ends[1], ends[0]];
  if (folded) branch(ends);
  return { A, B, ends, folded };
}

const sameSides = (p, q) => p.ends.every((e, i) => e.side === q.ends[i].side);

/** In a panel: from the trunk, which is the bridge, to the row of the card. */
function branch(ends) {
  const card = ends[0].box.node.home ? ends[0] : ends[1];
  const bar = card.other;
  const y = rowY(card.box, card.ref);
  Object.assign(card, { side: 'left', x: card.box.x, y, folded: true });
  Object.assign(bar, { side: 'right', x: card.box.x - cardAt + trunkAt, y, folded: true });
}

/** The route of a plan; the last one, if its ends are where they were. */
function redraw(p, straight) {
  const [a, b] = p.ends;
  const { last } = p;
  const same = (e, port) => e.x === port.x && e.y === port.y && e.flip === port.flip;
  if (last && same(a, last.portA) && (!b || same(b, last.portB))) return last;
  p.last = { ...draw(a, b, straight || p.folded), folded: Boolean(p.folded) };
  return p.last;
}

const normals = { top: [0, -1], bottom: [0, 1], left: [-1, 0], right: [1, 0] };
const port = (e) => ({ x: e.x, y: e.y, side: e.side, ref: e.ref, node: e.box.id, bare: bare(e), flip: e.flip });
const at = (p) => `${round(p.x)} ${round(p.y)}`;
const round = (n) => Math.round(n * 10) / 10;

/** Beside its row an end is told by the row; in a panel there is no room. */
const bare = (e) => e.folded || ((e.side === 'left' || e.side === 'right') && e.box.node.kind === 'ns' && !e.straight);

/** @returns {Omit<Route, 'folded'>} */
function draw(a, b, straight) {
  if (!b) {
    const [nx, ny] = normals[a.side];
    const tip = { x: a.x + nx * stubLength, y: a.y + ny * stubLength };
    return { a: `M${at(a)}L${at(tip)}`, b: '', portA: port(a), portB: null, stub: tip, mid: { x: (a.x + tip.x) / 2, y: (a.y + tip.y) / 2 }, hull: [a, tip, { x: tip.x + stubLabel, y: tip.y }] };
  }
  if (straight) {
    const m = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    return { a: `M${at(a)}L${at(m)}`, b: `M${at(b)}L${at(m)}`, portA: port(a), portB: port(b), stub: null, mid: m, hull: [a, b] };
  }
  const [h1, h2] = handles(a, b);
  // De Casteljau at one half gives each end its own half of the curve.
  const mid = (p, q) => ({ x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 });
  const p01 = mid(a, h1);
  const p12 = mid(h1, h2);
  const p23 = mid(h2, b);
  const p012 = mid(p01, p12);
  const p123 = mid(p12, p23);
  const m = mid(p012, p123);
  return {
    a: `M${at(a)}C${at(p01)} ${at(p012)} ${at(m)}`,
    b: `M${at(b)}C${at(p23)} ${at(p123)} ${at(m)}`,
    portA: port(a),
    portB: port(b),
    stub: null,
    mid: m,
    hull: [p01, p012, p123, p23],
  };
}

export function handles(a, b) {
  const distance = Math.hypot(b.x - a.x, b.y - a.y);
  const same = a.box === b.box;
  return [a, b].map((e) => {
    const [nx, ny] = normals[e.side];
    const along = Math.abs(nx ? b.x - a.x : b.y - a.y);
    // Ends that leave by the same flank swing out; others meet half way.
    const length = same || a.side === b.side ? Math.max(64, Math.min(220, distance * 0.45)) : Math.max(24, Math.min(160, along * 0.55, distance * 0.6));
    return { x: e.x + nx * length, y: e.y + ny * length };
  });
}

/** The box around all that is drawn. @param {Model} model @param {Map<string, Point>} positions @param {Map<string, Route>} routes */
export function bounds(model, positions, routes) {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (x, y) => {
    x1 = Math.min(x1, x);
    y1 = Math.min(y1, y);
    x2 = Math.max(x2, x);
    y2 = Math.max(y2, y);
  };
  for (const n of model.nodes) {
    const p = positions.get(n.id);
    if (!p || n.home) continue;
    take(p.x, p.y);
    take(p.x + n.w, p.y + heightOf(n));
  }
  for (const { hull } of routes.values()) for (const p of hull) take(p.x, p.y);
  return x1 === Infinity ? null : { x: x1, y: y1, w: x2 - x1, h: y2 - y1 };
}
