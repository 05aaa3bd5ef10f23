// From where the boxes belong to where everything is drawn. Nothing may stand on
// a bar or on its panel: what would is drawn beside it, for as long as that is
// so. Folding and unfolding a bridge thus leaves all else where it was. Pure.
import { indexOf } from './graph.js';
import { heightOf } from './measure.js';
import { createSpace } from './space.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./geometry.js').Point} Point */

const gap = 24;

/**
 * @param {Model} model
 * @param {Map<string, Point>} base of each box
 * @param {(id: string) => boolean} pinned put there by hand
 * @returns {Map<string, Point>} of each node
 */
export function standClear(model, base, pinned) {
  const { boxes } = indexOf(model);
  const at = new Map();
  const space = createSpace();
  const placed = boxes.filter((n) => base.has(n.id));
  for (const n of placed) {
    const p = /** @type {Point} */ (base.get(n.id));
    at.set(n.id, p);
    space.put(n.id, p, n.w, heightOf(n));
  }
  const bars = placed.filter((n) => n.kind === 'br').sort((a, b) => Number(pinned(b.id)) - Number(pinned(a.id)));
  /** Bars whose place is settled. */
  const solid = createSpace();
  const settle = (n) => {
    const p = at.get(n.id);
    if (solid.hits(p, n.w, heightOf(n)).length) {
      const free = space.nearest(p, n.w, heightOf(n), gap, n.id);
      at.set(n.id, free);
      space.put(n.id, free, n.w, heightOf(n));
    }
  };
  for (const n of bars) {
    settle(n);
    solid.put(n.id, at.get(n.id), n.w, heightOf(n));
  }
  for (const n of placed) if (n.kind !== 'br') settle(n);
  for (const n of model.nodes) {
    const corner = n.home && at.get(n.home.bar);
    if (n.home && corner) at.set(n.id, { x: corner.x + n.home.x, y: corner.y + n.home.y });
  }
  return at;
}
