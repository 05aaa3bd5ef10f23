// Where ports sit and how cables run, from where the nodes are. Pure.
import { clearSides } from './avoid.js';
import { headHeight, rowHeight } from './measure.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {'top' | 'bottom' | 'left' | 'right'} Side */
/** @typedef {Point & {side: Side, ref: string, node: string}} Port */
/** @typedef {{a: string, b: string, portA: Port, portB: Port | null, stub: Point | null,
 *   mid: Point, hull: Point[]}} Route paths of the two halves, where they meet, and points they stay between */

const portGap = 46;
const stubLength = 46;
const stubLabel = 50;

/**
 * @param {Model} model
 * @param {Map<string, Point>} positions top left corners
 * @returns {Map<string, Route>} by cable id
 */
export function routeCables(model, positions) {
  const boxes = new Map();
  for (const n of model.nodes) {
    const p = positions.get(n.id);
    if (p) boxes.set(n.id, { node: n, x: p.x, y: p.y, w: n.w, h: n.h });
  }
  const ends = model.cables.flatMap((c) => planEnds(c, boxes));
  placeOnEdges(ends, boxes);
  const byCable = groupBy(ends, (e) => e.cable);
  const routes = new Map();
  for (const [cable, [a, b]] of byCable) routes.set(cable, draw(a, b));
  return routes;
}

function groupBy(list, key) {
  const groups = new Map();
  for (const x of list) groups.set(key(x), [...(groups.get(key(x)) ?? []), x]);
  return groups;
}

/** Chooses the side each end of a cable leaves its node by. */
function planEnds(cable, boxes) {
  const A = boxes.get(cable.a.node);
  if (!A) return [];
  const end = (box, e, side, towards) => ({ cable: cable.id, ref: e.ref, box, side, towards, x: 0, y: 0 });
  if (!cable.b) {
    const side = A.node.kind === 'br' ? 'top' : 'right';
    return [end(A, cable.a, side, centre(A))];
  }
  const B = boxes.get(cable.b.node);
  if (!B) return [];
  if (A === B) {
    const side = A.node.kind === 'br' ? 'top' : 'right';
    return [end(A, cable.a, side, centre(A)), end(B, cable.b, side, centre(B))];
  }
  const [sideA, sideB] = clearSides(A, B, [sideOf(A, B), sideOf(B, A)], [...boxes.values()], handles);
  return [end(A, cable.a, sideA, centre(B)), end(B, cable.b, sideB, centre(A))];
}

const centre = (b) => ({ x: b.x + b.w / 2, y: b.y + b.h / 2 });

/** @returns {Side} */
function sideOf(from, to) {
  const gapX = Math.max(to.x - (from.x + from.w), from.x - (to.x + to.w));
  const gapY = Math.max(to.y - (from.y + from.h), from.y - (to.y + to.h));
  const bar = from.node.kind === 'br' || to.node.kind === 'br';
  const vertical = bar ? gapY > 8 : gapY > 8 && gapY >= gapX;
  if (vertical) return to.y > from.y ? 'bottom' : 'top';
  return centre(to).x > centre(from).x ? 'right' : 'left';
}

/** Gives every end its point; those on one edge are ordered by where they go. */
function placeOnEdges(ends, boxes) {
  const edges = groupBy(ends, (e) => `${e.box.node.id} ${e.side}`);
  // Cards first: a bar then puts its ports right opposite.
  const order = [...edges.values()].sort((a, b) => rank(a[0]) - rank(b[0]));
  for (const group of order) placeEdge(group, ends);
}

const rank = (e) => (e.box.node.kind === 'br' ? 1 : 0);

function placeEdge(group, all) {
  const { box, side } = group[0];
  const isBar = box.node.kind === 'br';
  if (side === 'left' || side === 'right') {
    const x = side === 'left' ? box.x : box.x + box.w;
    group.sort((a, b) => a.towards.y - b.towards.y);
    group.forEach((e, i) => {
      e.x = x;
      e.y = isBar ? box.y + (box.h * (i + 1)) / (group.length + 1) : rowY(box, e.ref);
    });
    return;
  }
  const y = side === 'top' ? box.y : box.y + box.h;
  group.sort((a, b) => a.towards.x - b.towards.x || (a.cable < b.cable ? -1 : 1));
  const n = group.length;
  const gap = Math.min(portGap * 1.4, (box.w - 32) / Math.max(1, n));
  const wanted = group.map((e, i) => {
    if (!isBar) return centre(box).x + (i - (n - 1) / 2) * gap;
    const other = all.find((o) => o.cable === e.cable && o !== e && o.box !== box);
    return other && other.x ? other.x : e.towards.x;
  });
  const xs = spread(wanted, box.x + 18, box.x + box.w - 18, Math.min(portGap, (box.w - 36) / Math.max(1, n - 1)));
  group.forEach((e, i) => {
    e.x = xs[i];
    e.y = y;
  });
}

/** y of an interface's row, in the middle of it. */
function rowY(box, ref) {
  const i = box.node.rows.findIndex((r) => r.ref === ref);
  return box.y + headHeight + 5 + (Math.max(0, i) + 0.5) * rowHeight;
}

/**
 * Moves ascending numbers as little as needed to lie in [min, max] and at
 * least gap apart.
 * @param {number[]} wanted @param {number} min @param {number} max @param {number} gap
 */
export function spread(wanted, min, max, gap) {
  const xs = wanted.map((x) => Math.min(max, Math.max(min, x)));
  for (let i = 1; i < xs.length; i++) xs[i] = Math.max(xs[i], xs[i - 1] + gap);
  let limit = max;
  for (let i = xs.length - 1; i >= 0; i--) {
    xs[i] = Math.min(xs[i], limit);
    limit = xs[i] - gap;
  }
  return xs;
}

const normals = { top: [0, -1], bottom: [0, 1], left: [-1, 0], right: [1, 0] };
const port = (e) => ({ x: e.x, y: e.y, side: e.side, ref: e.ref, node: e.box.node.id });
const at = (p) => `${round(p.x)} ${round(p.y)}`;
const round = (n) => Math.round(n * 10) / 10;

/** @returns {Route} */
function draw(a, b) {
  if (!b) {
    const [nx, ny] = normals[a.side];
    const tip = { x: a.x + nx * stubLength, y: a.y + ny * stubLength };
    return { a: `M${at(a)}L${at(tip)}`, b: '', portA: port(a), portB: null, stub: tip, mid: { x: (a.x + tip.x) / 2, y: (a.y + tip.y) / 2 }, hull: [a, tip, { x: tip.x + stubLabel, y: tip.y }] };
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

function handles(a, b) {
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
  for (const n of model.nodes) {
    const p = positions.get(n.id);
    if (!p) continue;
    x1 = Math.min(x1, p.x);
    y1 = Math.min(y1, p.y);
    x2 = Math.max(x2, p.x + n.w);
    y2 = Math.max(y2, p.y + n.h);
  }
  for (const { hull } of routes.values()) {
    for (const p of hull) {
      x1 = Math.min(x1, p.x);
      y1 = Math.min(y1, p.y);
      x2 = Math.max(x2, p.x);
      y2 = Math.max(y2, p.y);
    }
  }
  return x1 === Infinity ? null : { x: x1, y: y1, w: x2 - x1, h: y2 - y1 };
}
