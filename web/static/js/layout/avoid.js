// Cables keep clear of what is not theirs. Pure.

/** @typedef {import('./geometry.js').Side} Side */

/** Both ends may leave by the same flank instead, round what is between them. */
const detours = /** @type {[Side, Side][]} */ ([['left', 'left'], ['right', 'right'], ['left', 'right'], ['right', 'left']]);
const samples = 24;
const clearance = 4;
/** Half of the longest handle and more: a curve stays between its ends and its handles. */
const reach = 170;

/**
 * The sides a cable leaves by: those wanted, unless another pair leads through
 * fewer strange nodes.
 * @param {any} a box of one end: {x, y, w, h}
 * @param {any} b
 * @param {[Side, Side]} wanted
 * @param {any[]} boxes all of them
 * @param {(e: any, f: any) => {x: number, y: number}[]} handles
 * @returns {[Side, Side]}
 */
export function clearSides(a, b, wanted, boxes, handles) {
  // No way round leads further than this.
  const [x1, y1] = [Math.min(a.x, b.x) - reach, Math.min(a.y, b.y) - reach];
  const [x2, y2] = [Math.max(a.x + a.w, b.x + b.w) + reach, Math.max(a.y + a.h, b.y + b.h) + reach];
  const strange = boxes.filter((x) => x !== a && x !== b && x.x < x2 && x.x + x.w > x1 && x.y < y2 && x.y + x.h > y1);
  const cost = ([s, t]) => hits(middle(a, s), middle(b, t), strange, handles);
  let [best, least] = [wanted, cost(wanted)];
  if (least === 0) return wanted;
  for (const pair of detours) {
    const c = cost(pair);
    if (c < least) [best, least] = [pair, c];
  }
  return best;
}

/** The middle of a side of a box, as an end to draw from. @param {any} box @param {Side} side */
function middle(box, side) {
  const x = side === 'left' ? box.x : side === 'right' ? box.x + box.w : box.x + box.w / 2;
  const y = side === 'top' ? box.y : side === 'bottom' ? box.y + box.h : box.y + box.h / 2;
  return { x, y, side, box };
}

/** How many boxes a curve touches. */
function hits(p, q, boxes, handles) {
  const [h, i] = handles(p, q);
  const touched = new Set();
  for (let n = 1; n < samples; n++) {
    const t = n / samples;
    const u = 1 - t;
    const at = (k) => u * u * u * p[k] + 3 * u * u * t * h[k] + 3 * u * t * t * i[k] + t * t * t * q[k];
    const [x, y] = [at('x'), at('y')];
    for (const b of boxes) {
      if (x > b.x - clearance && x < b.x + b.w + clearance && y > b.y - clearance && y < b.y + b.h + clearance) touched.add(b);
    }
  }
  return touched.size;
}
