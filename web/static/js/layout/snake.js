// A long chain is laid out like a snake: row by row, to and fro. In one line it
// would be too small to read. Pure.
import { indexOf } from './graph.js';
import { heightOf } from './measure.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./geometry.js').Point} Point */

const longest = 5; // cards that fit into one line
const [besideGap, belowGap] = [150, 110];

/**
 * The boxes of a chain in their order; null: it is none, or a short one.
 * @param {Model} model @param {Node[]} nodes boxes that are connected
 * @returns {Node[] | null}
 */
export function chainOf(model, nodes) {
  const { near, nodes: byId } = indexOf(model);
  const others = (n) => [...new Set(near.get(n.id))];
  const ends = nodes.filter((n) => others(n).length === 1);
  if (nodes.length <= longest || ends.length !== 2 || nodes.some((n) => others(n).length > 2)) return null;
  const chain = [ends[0].id];
  for (const id of chain) {
    const next = [...new Set(near.get(id))].find((x) => !chain.includes(x));
    if (next) chain.push(next);
  }
  return chain.map((id) => /** @type {Node} */ (byId.get(id)));
}

/** @param {Node[]} chain @param {number} aspect width by height of the canvas @returns {Map<string, Point>} */
export function snake(chain, aspect) {
  const w = Math.max(...chain.map((n) => n.w));
  const h = Math.max(...chain.map(heightOf));
  const columns = Math.max(2, Math.min(longest, Math.round(Math.sqrt((chain.length * aspect * (h + belowGap)) / (w + besideGap)))));
  return new Map(chain.map((n, i) => {
    const row = Math.floor(i / columns);
    const column = row % 2 ? columns - 1 - (i % columns) : i % columns;
    return [n.id, { x: column * (w + besideGap) + (w - n.w) / 2, y: row * (h + belowGap) }];
  }));
}
