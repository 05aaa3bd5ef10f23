// Where objects are in the drawing, and which is next. Pure.

/** @typedef {import('../layout/model.js').Model} Model */
/** @typedef {import('./camera.js').Box} Box */

const room = 70; // around a port, so that it is seen with what it belongs to

/**
 * The box of a node ("ns:A", "br:host/br0") or of what a selection stands for
 * ("link:A/veth0"); null when it is not drawn.
 * @param {Model} model @param {Map<string, {x: number, y: number}>} positions @param {Map<string, any>} routes @param {string} id
 * @returns {Box | null}
 */
export function boxOf(model, positions, routes, id) {
  const ref = id.replace(/^(ns|link|br):/, '');
  const node = model.nodes.find((n) => n.id === id || n.select === id) ?? model.nodes.find((n) => n.rows.some((r) => r.ref === ref));
  const p = node && positions.get(node.id);
  if (node && p) return { x: p.x, y: p.y, w: node.w, h: node.h };
  const cable = model.cables.find((c) => c.a.ref === ref || c.b?.ref === ref);
  const route = cable && routes.get(cable.id);
  const port = route && (cable.a.ref === ref ? route.portA : route.portB);
  if (port) return { x: port.x - room, y: port.y - room, w: 2 * room, h: 2 * room };
  // A namespace that is drawn by its bridges only.
  const bar = id.startsWith('ns:') ? model.nodes.find((n) => n.namespace === ref) : undefined;
  const q = bar && positions.get(bar.id);
  return bar && q ? { x: q.x, y: q.y, w: bar.w, h: bar.h } : null;
}

/** @type {Record<string, [number, number]>} */
export const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * The node that is next in a direction: near, and rather ahead than aside.
 * @param {Model} model @param {Map<string, {x: number, y: number}>} positions @param {string} from id of a node @param {[number, number]} way
 * @returns {string | null}
 */
export function nextNode(model, positions, from, [dx, dy]) {
  const me = model.nodes.find((n) => n.id === from);
  const p = positions.get(from);
  if (!me || !p) return null;
  let [best, least] = [/** @type {string | null} */ (null), Infinity];
  for (const n of model.nodes) {
    const q = positions.get(n.id);
    if (!q || n.id === from) continue;
    // From edge to edge, so that a long bar is near to all that stands below it.
    const [gapX, gapY] = [gap(p.x, me.w, q.x, n.w), gap(p.y, me.h, q.y, n.h)];
    const [midX, midY] = [q.x + n.w / 2 - p.x - me.w / 2, q.y + n.h / 2 - p.y - me.h / 2];
    const apart = gapX !== 0 || gapY !== 0;
    const ahead = dx ? (apart ? gapX : midX) * dx : (apart ? gapY : midY) * dy;
    if (ahead <= 0) continue;
    const aside = Math.abs(dx ? gapY : gapX);
    const cost = ahead + 3 * aside + Math.abs(dx ? midY : midX) * 0.05;
    if (cost < least) [best, least] = [n.id, cost];
  }
  return best;
}

/** How far b lies beyond a on one axis: negative before it, 0 beside it. */
const gap = (a, aw, b, bw) => (b >= a + aw ? b - a - aw : b + bw <= a ? b + bw - a : 0);
