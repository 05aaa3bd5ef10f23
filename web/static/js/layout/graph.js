// Questions about how a model hangs together. Pure.

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */

/**
 * @typedef {object} Index
 * @property {Map<string, Node>} nodes
 * @property {Node[]} boxes what stands freely; a bar is one with the panel of its folded members
 * @property {Map<string, string[]>} near of each box the others it has a cable or a tether to, once for each
 */

/** @type {WeakMap<Model, Index>} */
const made = new WeakMap();

/** @param {Model} model @returns {Index} */
export function indexOf(model) {
  let index = made.get(model);
  if (!index) {
    index = makeIndex(model);
    made.set(model, index);
  }
  return index;
}

function makeIndex(model) {
  const nodes = new Map(model.nodes.map((n) => [n.id, n]));
  const boxes = model.nodes.filter((n) => !n.home);
  const near = new Map(boxes.map((n) => [n.id, []]));
  for (const [a, b] of edges(model, nodes)) {
    near.get(a).push(b);
    near.get(b).push(a);
  }
  return { nodes, boxes, near };
}

/** The pairs of boxes that cables and tethers connect. @returns {[string, string][]} */
function edges(model, nodes) {
  const boxOf = (id) => nodes.get(id)?.home?.bar ?? id;
  const pairs = model.cables.flatMap((c) => (c.b ? [[boxOf(c.a.node), boxOf(c.b.node)]] : []));
  for (const x of model.tethers) pairs.push([x.from, x.to]);
  return pairs.filter(([a, b]) => a !== b);
}

/** Boxes grouped by what is connected. @param {Model} model @returns {Node[][]} */
export function components(model) {
  const { nodes, boxes, near } = indexOf(model);
  const order = new Map(boxes.map((n, i) => [n.id, i]));
  const seen = new Set();
  const groups = [];
  for (const { id } of boxes) {
    if (seen.has(id)) continue;
    seen.add(id);
    const ids = [id];
    for (const x of ids) {
      for (const other of near.get(x) ?? []) {
        if (seen.has(other)) continue;
        seen.add(other);
        ids.push(other);
      }
    }
    ids.sort((a, b) => /** @type {number} */ (order.get(a)) - /** @type {number} */ (order.get(b)));
    groups.push(ids.map((x) => /** @type {Node} */ (nodes.get(x))));
  }
  return groups;
}

/** The part of a model that some of its boxes make; members go with their bar. @param {Model} model @param {Set<string>} ids @returns {Model} */
export function partOf(model, ids) {
  const inside = new Set(model.nodes.filter((n) => ids.has(n.home?.bar ?? n.id)).map((n) => n.id));
  return {
    ...model,
    nodes: model.nodes.filter((n) => inside.has(n.id)),
    cables: model.cables.filter((c) => inside.has(c.a.node) && (!c.b || inside.has(c.b.node))),
    tethers: model.tethers.filter((x) => inside.has(x.from) && inside.has(x.to)),
  };
}

/** Names in the order people count: h2 before h10. @param {string} name */
export const natural = (name) => name.replace(/\d+/g, (digits) => digits.padStart(9, '0'));

/** @param {Node} a @param {Node} b */
export const byName = (a, b) => {
  const [x, y] = [natural(a.id), natural(b.id)];
  return x < y ? -1 : x > y ? 1 : 0;
};
