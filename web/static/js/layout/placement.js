// Where new boxes go. What stands already stays where it is. Pure.
import { memberGap, rowOfMembers } from './bars.js';
import { components, indexOf } from './graph.js';
import { pack } from './arrange.js';
import { heightOf } from './measure.js';
import { around, createSpace } from './space.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./geometry.js').Point} Point */

/**
 * What is known of the places so far.
 * @typedef {object} Places
 * @property {Model | null} before the model they are of
 * @property {Map<string, Point>} base where its boxes belong
 * @property {Map<string, Point>} drawn where its nodes are drawn
 * @property {(id: string) => boolean} pinned put there by hand
 * @property {(id: string) => Point | undefined} remembered the place of what was there once, or of what others see already
 * @property {number} aspect width by height of the canvas
 */

const margin = memberGap;
const besideGap = 150;
const belowGap = 96;
const partGap = 90;
const inTwoRows = 24; // members
/** The width new things are spread over, px; as wide as what is there, if that is more. */
const spreadOver = 1300;

/**
 * What has to be placed: new is what nobody knows a place for; moving what was
 * connected to something else, has grown into its neighbour, or came out of a
 * panel, and stood somewhere before.
 * @param {Model} next @param {Places} places
 */
export function homeless(next, places) {
  const { before, base, drawn, pinned, remembered } = places;
  const kept = new Map();
  const [fresh, moving, back] = /** @type {Node[][]} */ ([[], [], []]);
  const names = renamed(next, before);
  const loose = before ? justConnected(next, before, pinned) : new Set();
  for (const n of indexOf(next).boxes) {
    const old = base.get(n.id) ?? base.get(names.get(n.id) ?? '');
    const last = drawn.get(n.id);
    if (old && !loose.has(n.id)) kept.set(n.id, old);
    else if (old) moving.push(n);
    else if (remembered(n.id)) back.push(n);
    else if (last) moving.push(n);
    else fresh.push(n);
  }
  if (before) grown(next, before, kept, pinned, moving);
  return { kept, fresh, moving, back };
}

/** Of each box that goes by another name now, the id it had. @returns {Map<string, string>} */
function renamed(next, before) {
  const names = new Map();
  if (!before) return names;
  const [was, is] = [indexOf(before).nodes, indexOf(next).nodes];
  const news = indexOf(next).boxes.filter((n) => !was.has(n.id));
  if (news.length === 0) return names;
  const byKey = new Map(indexOf(before).boxes.filter((n) => !is.has(n.id)).map((n) => [n.key, n.id]));
  for (const n of news) if (byKey.has(n.key)) names.set(n.id, byKey.get(n.key));
  return names;
}

/** Cards whose cables now lead to quite other boxes than before, not put there by hand. */
function justConnected(next, before, pinned) {
  const loose = new Set();
  const [was, is] = [indexOf(before), indexOf(next)];
  for (const n of is.boxes) {
    if (n.kind === 'br' || pinned(n.id)) continue;
    const then = was.near.get(n.id);
    const now = is.near.get(n.id) ?? [];
    if (then && now.length && !now.some((id) => then.includes(id))) loose.add(n.id);
  }
  return loose;
}

/** Cards that got larger and touch another now go elsewhere, unless put there by hand. */
function grown(next, before, kept, pinned, moving) {
  const was = indexOf(before).nodes;
  const larger = indexOf(next).boxes.filter((n) => {
    const old = was.get(n.id);
    return old && old !== n && n.kind === 'ns' && kept.has(n.id) && !pinned(n.id) && (n.w > old.w || n.h > old.h);
  });
  if (larger.length === 0) return;
  const space = spaceOf(next, [kept]);
  for (const n of larger) {
    if (space.hits(kept.get(n.id), n.w, n.h, 0, n.id).length === 0) continue;
    kept.delete(n.id);
    space.remove(n.id);
    moving.push(n);
  }
}

/** What stands where, in one or more pictures at once; what is not in the first is about to go elsewhere. @param {Model} model @param {Map<string, Point>[]} pictures */
function spaceOf(model, pictures) {
  const space = createSpace();
  for (const [i, picture] of pictures.entries()) {
    for (const n of indexOf(model).boxes) {
      const p = picture.get(n.id);
      if (p && (i === 0 || (pictures[0].has(n.id) && p !== pictures[0].get(n.id)))) space.put(i ? `${n.id} ${i}` : n.id, p, n.w, heightOf(n));
    }
  }
  return space;
}

/**
 * Places for every box of next. Those known are kept; one that was renamed keeps
 * its own; a card that was connected to something else, and was not put where it
 * is by hand, goes next to what it is connected to now; new ones go there too,
 * or into free space.
 * @param {Model} next
 * @param {Places} places
 * @param {import('./arrange.js').Part[]} [parts] many new boxes, laid out already
 * @returns {Map<string, Point>}
 */
export function place(next, places, parts = []) {
  const { base, drawn, pinned, remembered, before } = places;
  const { kept, fresh, moving, back } = homeless(next, places);
  if (fresh.length + moving.length + back.length === 0) return sameKeys(kept, base) ? base : kept;
  const context = { model: next, placed: kept, space: spaceOf(next, [kept, drawn]), aspect: places.aspect, ...indexOf(next) };
  const put = (n, p) => {
    kept.set(n.id, p);
    context.space.put(n.id, p, n.w, heightOf(n));
  };
  // Others see it there, or it was there before: there it is, if there is room.
  const first = kept.size === 0;
  const known = back.map((n) => ({ n, ...pointOf(/** @type {Point} */ (remembered(n.id))) }));
  for (const { n, x, y } of known) if (first || pinned(n.id)) put(n, { x, y });
  for (const { n, x, y } of known) if (!kept.has(n.id)) put(n, context.space.nearest({ x, y }, n.w, heightOf(n), 8));
  putParts(context, still(parts, context, kept), put);
  const was = before ? indexOf(before).nodes : new Map();
  const queue = [...moving, ...fresh].filter((n) => !kept.has(n.id)).sort((a, b) => Number(b.kind === 'br') - Number(a.kind === 'br'));
  // One anchor among the newcomers that have nobody placed to go next to: bars
  // first, then in order; the others follow it.
  while (queue.length) {
    let i = queue.findIndex((n) => anchorOf(context, n));
    if (i < 0) i = 0;
    const [n] = queue.splice(i, 1);
    put(n, placeOne(context, n, was, drawn));
  }
  return kept;
}

/** Of what was laid out: the boxes that are there now, as they are now, and have no place yet. @returns {import('./arrange.js').Part[]} */
function still(parts, { near, nodes }, kept) {
  return parts.map(({ nodes: laid, at }) => ({ nodes: laid.filter(({ id }) => near.has(id) && !kept.has(id)).map(({ id }) => nodes.get(id)), at }))
    .filter((part) => part.nodes.length > 0);
}

const pointOf = ({ x, y }) => ({ x, y });
const sameKeys = (a, b) => a.size === b.size && [...a.keys()].every((k) => b.has(k));

/** The placed box a box goes next to: a bar rather than a card. */
function anchorOf({ near, placed, nodes }, n) {
  const ids = near.get(n.id).filter((id) => placed.has(id));
  return ids.find((id) => nodes.get(id).kind === 'br') ?? ids[0];
}

/** @param {any} context @param {Node} n @param {Map<string, Node>} was what there was before @param {Map<string, Point>} drawn */
function placeOne(context, n, was, drawn) {
  const { space } = context;
  const last = drawn.get(n.id);
  const home = was.get(n.id)?.home;
  const anchor = anchorOf(context, n);
  if (home && last) {
    const bar = context.nodes.get(home.bar);
    const corner = drawn.get(home.bar);
    const members = was.get(home.bar)?.panel?.members ?? [];
    return bar?.folded || !corner ? space.nearest(last, n.w, heightOf(n), margin) : unfolded(context, n, home, bar, corner, members);
  }
  if (anchor) return beside(context, n, anchor, last);
  if (last) return space.nearest(last, n.w, heightOf(n), 8);
  return freeSpot(context, n);
}

/**
 * Members of a panel that was opened stand in a row below the bar and one above
 * it, where every cable can be followed; very many, or those whose bridge is
 * gone, as they stood in the panel, further apart.
 */
function unfolded({ space }, n, home, bar, corner, members) {
  const half = Math.ceil(members.length / 2);
  const i = members.indexOf(n.id);
  const pitch = n.w + margin;
  const p = bar && members.length <= inTwoRows
    ? { x: corner.x + Math.round((bar.w - half * pitch + margin) / 2) + (i % half) * pitch, y: corner.y + (i < half ? bar.h + belowGap : -n.h - belowGap) }
    : { x: corner.x + Math.round(home.x * 1.4), y: corner.y + (bar ? belowGap : 0) + Math.round(home.y * 1.7) };
  return space.nearest(p, n.w, heightOf(n), 20);
}

/** Puts what was laid out together: next to what it is connected to, or all of it into free space. */
function putParts(context, parts, put) {
  const lone = [];
  for (const part of parts) {
    const anchor = part.nodes.map((n) => anchorOf(context, n)).find(Boolean);
    if (!anchor) {
      lone.push(part);
      continue;
    }
    const box = boxOf(part.nodes, part.at);
    const [bar, corner] = [context.nodes.get(anchor), context.placed.get(anchor)];
    const wanted = { x: corner.x + Math.round((bar.w - box.w) / 2), y: corner.y + heightOf(bar) + belowGap };
    moveTo(part.nodes, part.at, box, context.space.nearest(wanted, box.w, box.h, margin), put);
  }
  if (lone.length === 0) return;
  const nodes = lone.flatMap((part) => part.nodes);
  const at = pack(lone, context.aspect);
  const box = boxOf(nodes, at);
  moveTo(nodes, at, box, freeBlock(context, box), put);
}

function moveTo(nodes, at, box, p, put) {
  for (const n of nodes) put(n, { x: Math.round(at.get(n.id).x - box.x + p.x), y: Math.round(at.get(n.id).y - box.y + p.y) });
}

/** Beside or below all that stands, so that the whole keeps the shape of the canvas. */
function freeBlock({ space, aspect }, box) {
  if (space.boxes.size === 0) return { x: 0, y: 0 };
  const all = around([...space.boxes.values()]);
  const beside = (all.w + partGap + box.w) / Math.max(all.h, box.h) / aspect;
  const below = Math.max(all.w, box.w) / (all.h + partGap + box.h) / aspect;
  const off = (ratio) => Math.abs(Math.log(ratio));
  return off(beside) < off(below) ? { x: all.x + all.w + partGap, y: all.y } : { x: all.x, y: all.y + all.h + partGap };
}

/** A free place next to an anchor; where it was, when that is beside already. */
function beside(context, n, anchorId, old) {
  const { space } = context;
  const anchor = context.nodes.get(anchorId);
  const at = context.placed.get(anchorId);
  const h = heightOf(n);
  const free = (p) => space.hits(p, n.w, h, margin, n.id).length === 0;
  if (old && free(old) && alreadyBeside(n, old, anchor, at)) return old;
  let first = /** @type {any} */ (null);
  for (const p of candidates(n, anchor, at)) {
    first ??= p;
    if (free(p)) return p;
  }
  return space.nearest(first, n.w, h, margin);
}

function alreadyBeside(n, p, anchor, at) {
  if (anchor.kind === 'br' || n.kind === 'br') return false;
  const gap = Math.max(p.x - (at.x + anchor.w), at.x - (p.x + n.w));
  return Math.abs(p.y - at.y) < 24 && gap >= 110 && gap <= 320;
}

function* candidates(n, anchor, at) {
  const below = at.y + heightOf(anchor) + belowGap;
  const above = at.y - heightOf(n) - belowGap;
  if (anchor.kind === 'br') {
    // In a row under the bar, each as far from the next as the bar expects.
    const step = 10;
    const end = at.x + Math.max(anchor.w, rowOfMembers * (n.w + memberGap)) - n.w;
    const rows = anchor.panel ? [above, below] : [below, above];
    for (const y of rows) for (let x = at.x; x <= end; x += step) yield { x, y };
    return;
  }
  if (n.kind === 'br') {
    const x = at.x + anchor.w / 2 - n.w / 2;
    yield { x, y: at.y - heightOf(n) - belowGap };
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

/** The first spot, row by row, that is clear of the whole box of everything that is connected. */
function freeSpot({ model, placed, space }, node) {
  const n = reserve(node);
  const blocks = components(model).flatMap((group) => {
    const known = group.filter((x) => placed.has(x.id)).map(reserve);
    return known.length ? [boxOf(known, placed)] : [];
  });
  if (blocks.length === 0) return { x: 0, y: 0 };
  const all = around(blocks);
  const right = all.x + Math.max(spreadOver, all.w);
  // Free rows and columns begin where something ends.
  const numbers = (list) => [...new Set(list)].sort((a, b) => a - b);
  const xs = numbers([all.x, ...blocks.map((b) => b.x + b.w + besideGap)]).filter((x) => x + n.w <= right);
  const ys = numbers([all.y, ...blocks.map((b) => b.y + b.h + 56)]);
  const blocked = (x, y) => blocks.some((b) => x < b.x + b.w + besideGap && x + n.w + besideGap > b.x && y < b.y + b.h + 56 && y + n.h + 56 > b.y);
  for (const y of ys) for (const x of xs) if (!blocked(x, y) && space.hits({ x, y }, n.w, n.h, 8).length === 0) return { x, y };
  return space.nearest({ x: all.x, y: all.y + all.h + 56 }, n.w, n.h, 56);
}

/** A bar keeps room for the members it will get. */
const reserve = (n) => (n.kind === 'br' && !n.panel ? { ...n, w: Math.max(n.w, 620), h: n.h + belowGap + 62 } : n);

const boxOf = (nodes, placed) => around(nodes.map((n) => ({ ...placed.get(n.id), w: n.w, h: heightOf(n) })));

/** Many at once are laid out together, not one after the other. @param {Node[]} fresh */
export const isMany = (fresh) => fresh.length >= 8;
