// Which side of its box each end of a cable leaves by, and where on it. Pure.
import { headHeight, labelWidth, portGap, rowHeight } from './measure.js';

/** @typedef {import('./geometry.js').Side} Side */
/**
 * @typedef {{id: string, node: import('./model.js').Node, x: number, y: number, w: number, h: number}} Box with the panel below a bar
 * @typedef {{cable: string, ref: string, name: string, box: Box, other: End | null, side: Side, x: number, y: number, flip: boolean}} End
 *   flip: its name stands on its left, for the cable leads to the right
 */

const closeGap = 16;

export const centre = (b) => ({ x: b.x + b.w / 2, y: b.y + b.h / 2 });

/** @param {Box} from @param {Box} to @returns {Side} of curves: they leave at a right angle */
export function sideOf(from, to) {
  const gapX = Math.max(to.x - (from.x + from.w), from.x - (to.x + to.w));
  const gapY = Math.max(to.y - (from.y + from.h), from.y - (to.y + to.h));
  const bar = from.node.kind === 'br' || to.node.kind === 'br';
  const vertical = bar ? gapY > 8 : gapY > 8 && gapY >= gapX;
  if (vertical) return to.y > from.y ? 'bottom' : 'top';
  return centre(to).x > centre(from).x ? 'right' : 'left';
}

/** @param {Box} from @param {Box} to @returns {Side} of straight lines: they lead from middle to middle */
export function straightSide(from, to) {
  const [dx, dy] = [centre(to).x - centre(from).x, centre(to).y - centre(from).y];
  if (Math.abs(dx) * from.h > Math.abs(dy) * from.w) return dx > 0 ? 'right' : 'left';
  return dy > 0 ? 'bottom' : 'top';
}

/** Where the line to the middle of the other box crosses the side: the part of it that is along the side. @param {End} e */
function crossing(e) {
  const [c, o] = [centre(e.box), centre(/** @type {End} */ (e.other).box)];
  if (e.side === 'left' || e.side === 'right') return c.y + ((o.y - c.y) * e.box.w) / 2 / Math.max(1, Math.abs(o.x - c.x));
  return c.x + ((o.x - c.x) * e.box.h) / 2 / Math.max(1, Math.abs(o.y - c.y));
}

/**
 * Gives every end its point; those on one side of a box are ordered by where
 * they go.
 * @param {End[]} ends @param {boolean} straight
 */
export function placeOnSides(ends, straight) {
  /** @type {Map<Box, Record<Side, End[]>>} */
  const sides = new Map();
  for (const e of ends) {
    e.x = 0; // not placed yet: what is decided now must not hang on what was
    let of = sides.get(e.box);
    if (!of) sides.set(e.box, of = { top: [], bottom: [], left: [], right: [] });
    of[e.side].push(e);
  }
  const groups = [...sides.values()].flatMap((of) => Object.values(of).filter((g) => g.length));
  if (straight) return groups.forEach(placeStraight);
  // Cards first: a bar then puts its ports right opposite.
  for (const g of groups) if (g[0].box.node.kind === 'ns') placeCurved(g);
  for (const g of groups) if (g[0].box.node.kind === 'br') placeCurved(g);
}

/** @param {End[]} group */
function placeStraight(group) {
  const { box, side } = group[0];
  const flank = side === 'left' || side === 'right';
  const wanted = new Map(group.map((e) => [e, e.other ? crossing(e) : flank ? centre(box).y : centre(box).x]));
  group.sort((a, b) => wanted.get(a) - wanted.get(b) || (a.cable < b.cable ? -1 : 1));
  const [from, length] = flank ? [box.y, box.h] : [box.x, box.w];
  const room = Math.min(12, length / 4);
  for (const e of group) e.flip = !flank && e.other !== null && centre(e.other.box).x > wanted.get(e) + 6;
  const gaps = flank ? group.map(() => closeGap) : gapsOf(group);
  const along = spread(group.map((e) => wanted.get(e)), from + room, from + length - room, gaps);
  group.forEach((e, i) => {
    e.x = flank ? (side === 'left' ? box.x : box.x + box.w) : along[i];
    e.y = flank ? along[i] : side === 'top' ? box.y : box.y + box.h;
  });
}

/** Room between each end and the one before: the names that stand between them. @param {End[]} group */
const gapsOf = (group) => group.map((e, i) => (i === 0 ? 0
  : Math.max(closeGap, 14 + (group[i - 1].flip ? 0 : labelWidth(group[i - 1].name)) + (e.flip ? labelWidth(e.name) : 0))));

/** @param {End[]} group */
function placeCurved(group) {
  const { box, side } = group[0];
  const isBar = box.node.kind === 'br';
  const towards = (e) => centre(e.other ? e.other.box : box);
  if (side === 'left' || side === 'right') {
    const x = side === 'left' ? box.x : box.x + box.w;
    group.sort((a, b) => towards(a).y - towards(b).y);
    group.forEach((e, i) => {
      e.x = x;
      e.y = isBar ? box.y + (box.node.h * (i + 1)) / (group.length + 1) : rowY(box, e.ref);
    });
    return;
  }
  const y = side === 'top' ? box.y : box.y + box.h;
  group.sort((a, b) => towards(a).x - towards(b).x || (a.cable < b.cable ? -1 : 1));
  const n = group.length;
  const gap = Math.min(64, (box.w - 32) / Math.max(1, n));
  const wanted = group.map((e, i) => {
    if (!isBar) return centre(box).x + (i - (n - 1) / 2) * gap;
    return e.other && e.other.box !== box && e.other.x ? e.other.x : towards(e).x;
  });
  group.forEach((e, i) => { e.flip = bendsRight(e, wanted[i], y); });
  const xs = spread(wanted, box.x + 18, box.x + box.w - 18, gapsOf(group).map((g) => Math.max(g, isBar ? portGap : 0)));
  group.forEach((e, i) => {
    e.x = xs[i];
    e.y = y;
  });
}

/** Does a curve lead through what stands on its right? @param {End} e */
function bendsRight(e, x, y) {
  if (!e.other || e.other.box === e.box) return false;
  const to = e.other.x ? e.other : centre(e.other.box);
  return to.x - x > Math.max(40, Math.abs(to.y - y));
}

/** y of an interface's row, in the middle of it. @param {Box} box @param {string} ref */
export function rowY(box, ref) {
  const i = box.node.rows.findIndex((r) => r.ref === ref);
  return box.y + headHeight + 5 + (Math.max(0, i) + 0.5) * rowHeight;
}

/**
 * Moves ascending numbers as little as needed to lie in [min, max] and apart
 * from the one before; if there is no room for all gaps, they shrink alike.
 * @param {number[]} wanted @param {number} min @param {number} max @param {number[]} gaps the first means nothing
 */
export function spread(wanted, min, max, gaps) {
  const sum = gaps.slice(1).reduce((a, b) => a + b, 0);
  const k = Math.min(1, sum && (max - min) / sum);
  const xs = wanted.map((x) => Math.min(max, Math.max(min, x)));
  for (let i = 1; i < xs.length; i++) xs[i] = Math.max(xs[i], xs[i - 1] + gaps[i] * k);
  let limit = max;
  for (let i = xs.length - 1; i >= 0; i--) {
    xs[i] = Math.min(xs[i], limit);
    limit = xs[i] - gaps[i] * k;
  }
  return xs;
}
