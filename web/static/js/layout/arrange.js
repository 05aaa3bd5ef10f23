// A whole layout: layered while every cable can be followed, organic beyond.
// Knows no DOM.
import { components, indexOf, natural } from './graph.js';
import { layered } from './layered.js';
import { heightOf } from './measure.js';
import { organic } from './organic.js';
import { chainOf, snake } from './snake.js';
import { around } from './space.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./geometry.js').Point} Point */
/** @typedef {{nodes: Node[], at: Map<string, Point>}} Part boxes that are connected, and where they stand */

/** Boxes that the layered layout is good for. */
const layeredUpTo = 100;
const partGap = 90;
const loneGap = 40;

/** Is this a picture of places and distances rather than of layers? @param {Model} model */
export const isOrganic = (model) => model.large || indexOf(model).boxes.length > layeredUpTo;

/**
 * @param {Model} model
 * @param {number} aspect width by height of the canvas
 * @returns {Promise<Part[]>}
 */
export async function layOut(model, aspect) {
  const lay = isOrganic(model) ? organic : inLayers;
  /** @type {Part[]} */
  const parts = [];
  for (const nodes of components(model)) {
    const at = nodes.length === 1 ? new Map([[nodes[0].id, { x: 0, y: 0 }]]) : await lay(model, nodes, aspect);
    parts.push({ nodes, at });
  }
  return parts;
}

/** @param {Model} model @param {Node[]} nodes @param {number} aspect */
function inLayers(model, nodes, aspect) {
  const chain = chainOf(model, nodes);
  return chain ? snake(chain, aspect) : layered(model, nodes);
}

/** What has cables comes first, the largest of it before the rest; what stands alone follows by name. */
function ranked(parts) {
  return parts.map((part) => {
    const box = around(part.nodes.map((n) => ({ ...part.at.get(n.id), w: n.w, h: heightOf(n) })));
    const lone = part.nodes.length === 1 && part.nodes[0].kind !== 'br';
    return { ...part, ...box, lone, name: natural(part.nodes[0].id) };
  }).sort((a, b) => Number(a.lone) - Number(b.lone) || (a.lone ? 0 : b.w * b.h - a.w * a.h) || (a.name < b.name ? -1 : 1));
}

/**
 * Puts parts next to each other in rows, so that the whole has about the shape
 * of the canvas.
 * @param {Part[]} parts
 * @param {number} aspect width by height
 * @returns {Map<string, Point>}
 */
export function pack(parts, aspect) {
  const boxes = ranked(parts);
  const gapOf = (b) => (b.lone ? loneGap : partGap);
  const area = boxes.reduce((sum, b) => sum + (b.w + gapOf(b)) * (b.h + gapOf(b)), 0);
  const limit = Math.max(...boxes.map((b) => b.w), Math.sqrt(area * aspect) * 1.1);
  const positions = new Map();
  let [x, y, tallest] = [0, 0, 0];
  for (const b of boxes) {
    const gap = gapOf(b);
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
