// Where new nodes go. What is placed already stays where it is. Pure.
import { components, memberGap, rowOfMembers } from './model.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./geometry.js').Point} Point */

const margin = memberGap;
const besideGap = 150;
const belowGap = 96;

/**
 * Positions for every node of next: those known are kept; a node that was
 * renamed keeps its own; a card that was connected to something else, and was
 * not put where it is by hand, goes next to what it is connected to now; new
 * ones go there too, or into free space.
 * @param {Model} next
 * @param {Model | null} before
 * @param {Map<string, Point>} positions of before (may know more)
 * @param {Set<string>} pinned ids of nodes dragged by hand
 * @param {number} [width] of the canvas, in its own units
 * @returns {Map<string, Point>}
 */
export function place(next, before, positions, pinned, width = 1300) {
  const placed = new Map();
  const byKey = new Map((before?.nodes ?? []).map((n) => [n.key, n.id]));
  const homeless = [];
  const loose = justConnected(next, before, pinned);
  for (const n of next.nodes) {
    const old = positions.get(n.id) ?? positions.get(byKey.get(n.key) ?? '');
    if (old && !loose.has(n.id)) placed.set(n.id, old);
    else homeless.push(n);
  }
  const context = { model: next, placed, nodes: new Map(next.nodes.map((n) => [n.id, n])), width };
  // One anchor among the newcomers that have nobody placed to go next to:
  // bars first, then in order; the others follow it.
  const queue = [...homeless].sort((a, b) => Number(b.kind === 'br') - Number(a.kind === 'br'));
  while (queue.length) {
    let i = queue.findIndex((n) => neighbours(context, n.id).some((id) => placed.has(id)));
    if (i < 0) i = 0;
    const [n] = queue.splice(i, 1);
    const old = positions.get(n.id);
    const near = neighbours(context, n.id).find((id) => placed.has(id));
    if (!near && old && free(context, n, old)) placed.set(n.id, old);
    else placed.set(n.id, near ? beside(context, n, near, old) : freeSpot(context, n));
  }
  return placed;
}

/** Cards whose cables now lead to quite other nodes than before, not dragged. */
function justConnected(next, before, pinned) {
  const loose = new Set();
  if (!before) return loose;
  const known = new Set(before.nodes.map((n) => n.id));
  const context = (model) => ({ model, nodes: new Map(model.nodes.map((n) => [n.id, n])) });
  const [was, is] = [context(before), context(next)];
  for (const n of next.nodes) {
    if (n.kind === 'br' || !known.has(n.id) || pinned.has(n.id)) continue;
    const now = neighbours(is, n.id);
    const then = new Set(neighbours(was, n.id));
    if (now.length && !now.some((id) => then.has(id))) loose.add(n.id);
  }
  return loose;
}

/** Ids of the nodes a node has a cable to, bars first. */
function neighbours({ model, nodes }, id) {
  const ids = [];
  for (const c of model.cables) {
    if (!c.b) continue;
    if (c.a.node === id && c.b.node !== id) ids.push(c.b.node);
    if (c.b.node === id && c.a.node !== id) ids.push(c.a.node);
  }
  for (const x of model.tethers) {
    if (x.from === id) ids.push(x.to);
    if (x.to === id) ids.push(x.from);
  }
  return ids.sort((a, b) => Number(nodes.get(b)?.kind === 'br') - Number(nodes.get(a)?.kind === 'br'));
}

/** Would the node at p keep clear of every placed one? */
function free({ placed, nodes }, n, p) {
  for (const [id, q] of placed) {
    const o = nodes.get(id);
    if (!o || id === n.id) continue;
    const apart = p.x + n.w + margin <= q.x || q.x + o.w + margin <= p.x || p.y + n.h + margin <= q.y || q.y + o.h + margin <= p.y;
    if (!apart) return false;
  }
  return true;
}

/** A free place next to an anchor; where it was, when that is beside already. */
function beside(context, n, anchorId, old) {
  const anchor = context.nodes.get(anchorId);
  const at = context.placed.get(anchorId);
  if (old && free(context, n, old) && alreadyBeside(n, old, anchor, at)) return old;
  for (const p of candidates(n, anchor, at)) if (free(context, n, p)) return p;
  return freeSpot(context, n);
}

function alreadyBeside(n, p, anchor, at) {
  if (anchor.kind === 'br' || n.kind === 'br') return false;
  const gap = Math.max(p.x - (at.x + anchor.w), at.x - (p.x + n.w));
  return Math.abs(p.y - at.y) < 24 && gap >= 110 && gap <= 320;
}

function* candidates(n, anchor, at) {
  const below = at.y + anchor.h + belowGap;
  const above = at.y - n.h - belowGap;
  if (anchor.kind === 'br') {
    // In a row under the bar, each as far from the next as the bar expects.
    const step = 10;
    const end = at.x + Math.max(anchor.w, rowOfMembers * (n.w + memberGap)) - n.w;
    for (const y of [below, above]) for (let x = at.x; x <= end; x += step) yield { x, y };
    for (let x = end; x < end + 2000; x += step) yield { x, y: below };
    return;
  }
  if (n.kind === 'br') {
    const x = at.x + anchor.w / 2 - n.w / 2;
    yield { x, y: at.y - n.h - belowGap };
    yield { x, y: below };
  }
  yield { x: at.x + anchor.w + besideGap, y: at.y };
  yield { x: at.x - n.w - besideGap, y: at.y };
  yield { x: at.x + (anchor.w - n.w) / 2, y: below };
  yield { x: at.x + (anchor.w - n.w) / 2, y: above };
  for (let i = 1; i < 8; i++) {
    yield { x: at.x + anchor.w + besideGap, y: at.y + i * (n.h + margin) };
    yield { x: at.x - n.w - besideGap, y: at.y + i * (n.h + margin) };
  }
}

/** The first spot, row by row, that is clear of every component's whole box. */
function freeSpot({ model, placed, width }, node) {
  const n = reserve(node);
  const blocks = components(model).flatMap((group) => {
    const known = group.filter((x) => placed.has(x.id) && x.id !== n.id).map(reserve);
    return known.length ? [boxOf(known, placed)] : [];
  });
  if (blocks.length === 0) return { x: 0, y: 0 };
  const all = merge(blocks);
  const right = Math.max(all.x + width, all.x + all.w);
  for (let y = all.y; ; y += 10) {
    for (let x = all.x; x + n.w <= right; x += 10) {
      const hit = blocks.find((b) => x < b.x + b.w + besideGap && x + n.w + besideGap > b.x && y < b.y + b.h + 56 && y + n.h + 56 > b.y);
      if (!hit) return { x, y };
    }
  }
}

/** A bar keeps room for the members it will get. */
const reserve = (n) => (n.kind === 'br' ? { ...n, w: Math.max(n.w, 620), h: n.h + belowGap + 62 } : n);

function boxOf(nodes, placed) {
  return merge(nodes.map((n) => ({ ...placed.get(n.id), w: n.w, h: n.h })));
}

function merge(boxes) {
  const x = Math.min(...boxes.map((b) => b.x));
  const y = Math.min(...boxes.map((b) => b.y));
  return {
    x,
    y,
    w: Math.max(...boxes.map((b) => b.x + b.w)) - x,
    h: Math.max(...boxes.map((b) => b.y + b.h)) - y,
  };
}

/**
 * Puts laid-out components next to each other in rows, so that the whole has
 * about the shape of the canvas.
 * @param {{nodes: Node[], at: Map<string, Point>}[]} parts
 * @param {number} aspect width by height
 * @returns {Map<string, Point>}
 */
export function pack(parts, aspect) {
  const gap = 90;
  const boxes = parts.map(({ nodes, at }) => ({ at, nodes, ...boxOf(nodes, at) }));
  boxes.sort((a, b) => b.nodes.length - a.nodes.length || (a.nodes[0].id < b.nodes[0].id ? -1 : 1));
  const area = boxes.reduce((sum, b) => sum + (b.w + gap) * (b.h + gap), 0);
  const limit = Math.max(...boxes.map((b) => b.w), Math.sqrt(area * aspect) * 1.1);
  const positions = new Map();
  let [x, y, tallest] = [0, 0, 0];
  for (const b of boxes) {
    if (x > 0 && x + b.w > limit) [x, y, tallest] = [0, y + tallest + gap, 0];
    for (const n of b.nodes) {
      const p = /** @type {Point} */ (b.at.get(n.id));
      positions.set(n.id, { x: Math.round(p.x - b.x + x), y: Math.round(p.y - b.y + y) });
    }
    x += b.w + gap;
    tallest = Math.max(tallest, b.h);
  }
  return positions;
}
