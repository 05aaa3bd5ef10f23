// Where frames are in the picture: from hops to points on the cables as they
// are drawn. Links without a cable in the picture, folded or unseen ones, fall
// back to the node they belong to. Pure.
import { refOfHop } from './walk.js';

/** @typedef {{x: number, y: number}} Point */
/** @typedef {import('../layout/model.js').Model} Model */
/** @typedef {import('../layout/geometry.js').Route} Route */

const bends = 14; // straight pieces a curve is cut into

/** The points along a path of M, L and C with absolute coordinates, as geometry.js draws them. @param {string} d @returns {Point[]} */
export function pointsOf(d) {
  /** @type {Point[]} */
  const points = [];
  for (const [, letter, rest] of d.matchAll(/([MLC])([^A-Za-z]*)/g)) {
    const n = (rest.match(/-?[\d.]+/g) ?? []).map(Number);
    const size = letter === 'C' ? 6 : 2;
    for (let i = 0; i + size <= n.length; i += size) {
      if (letter !== 'C') points.push({ x: n[i], y: n[i + 1] });
      else points.push(...curve(points.at(-1) ?? { x: n[i], y: n[i + 1] }, n.slice(i, i + 6)));
    }
  }
  return points;
}

/** @param {Point} p @param {any} six @returns {Point[]} */
function curve(p, [x1, y1, x2, y2, x3, y3]) {
  return Array.from({ length: bends }, (_, i) => {
    const t = (i + 1) / bends;
    const u = 1 - t;
    const at = (a, b, c, e) => u * u * u * a + 3 * u * u * t * b + 3 * u * t * t * c + t * t * t * e;
    return { x: at(p.x, x1, x2, x3), y: at(p.y, y1, y2, y3) };
  });
}

/** The point at a share of a line's length. @param {Point[]} line @param {number} share 0 to 1 @returns {Point} */
export function along(line, share) {
  const lengths = line.slice(1).map((p, i) => Math.hypot(p.x - line[i].x, p.y - line[i].y));
  let left = lengths.reduce((a, b) => a + b, 0) * Math.max(0, Math.min(1, share));
  for (let i = 0; i < lengths.length; i++) {
    if (left <= lengths[i] && lengths[i] > 0) {
      const k = left / lengths[i];
      return { x: line[i].x + (line[i + 1].x - line[i].x) * k, y: line[i].y + (line[i + 1].y - line[i].y) * k };
    }
    left -= lengths[i];
  }
  return line.at(-1) ?? { x: 0, y: 0 };
}

/** @param {Model} model @param {Map<string, Point>} positions @param {Map<string, Route>} routes */
export function createAtlas(model, positions, routes) {
  /** @type {Map<string, {cable: import('../layout/model.js').Cable, route: Route | undefined, side: 'a' | 'b'}>} */
  const cables = new Map();
  for (const cable of model.cables) {
    cables.set(cable.a.ref, { cable, route: routes.get(cable.id), side: 'a' });
    if (cable.b) cables.set(cable.b.ref, { cable, route: routes.get(cable.id), side: 'b' });
  }
  const nodes = new Map(model.nodes.map((n) => [n.id, n]));
  const rowHome = new Map(model.nodes.flatMap((n) => n.rows.map((r) => [r.ref, n.id])));

  /** The node a link, bridge or namespace stands in; null when it is not drawn. @param {string} ref "A/eth0", "host/br0", "A" */
  function nodeIdOf(ref) {
    const [namespace] = ref.split('/');
    const found = [`br:${ref}`, rowHome.get(ref), cableEnd(ref)?.node, `ns:${namespace}`].find((id) => id && nodes.has(id) && positions.has(id));
    if (found) return found;
    // A namespace that is nothing but a switch is drawn as its bar.
    const bars = model.nodes.filter((n) => n.kind === 'br' && n.namespace === namespace && positions.has(n.id));
    return bars.length === 1 ? bars[0].id : null;
  }
  const cableEnd = (ref) => {
    const c = cables.get(ref);
    return c && (c.side === 'a' ? c.cable.a : c.cable.b);
  };

  /** @param {string} ref @returns {{id: string, x: number, y: number, w: number, h: number} | null} */
  function box(ref) {
    const id = nodeIdOf(ref);
    const [n, p] = [id && nodes.get(id), id && positions.get(id)];
    return id && n && p ? { id, x: p.x, y: p.y, w: n.w, h: n.h } : null;
  }

  /** Where a link's port square is, else the middle of its node. @param {string} ref @returns {Point | null} */
  function port(ref) {
    const c = cables.get(ref);
    const p = c?.route && (c.side === 'a' ? c.route.portA : c.route.portB);
    if (p) return { x: p.x, y: p.y };
    const b = box(ref);
    return b && { x: b.x + b.w / 2, y: b.y + b.h / 2 };
  }

  /** The line from a link along its cable; whole is false when only its beginning is drawn. @param {string} ref */
  function cableFrom(ref) {
    const c = cables.get(ref);
    if (!c?.route) return null;
    const halves = [pointsOf(c.route.a), pointsOf(c.route.b)];
    if (!c.route.b) return { line: halves[0], whole: false };
    const [near, far] = c.side === 'a' ? halves : [halves[1], halves[0]];
    return { line: [...near, ...far.reverse().slice(1)], whole: true };
  }

  /** From one port to another of the same node: of folded members, whose ports stand away from the bar, by way of the bar. @param {string} from @param {string} to @returns {Point[]} */
  function within(from, to) {
    const [p, q, b] = [port(from), port(to), box(from)];
    if (!p) return [];
    if (!q || !b) return [p];
    return [p, ...[p, q].map((x) => edgeOf(b, x)).filter((e, i) => !same(e, i ? q : p))];
  }

  return {
    box,
    port,

    /** The line a move takes; empty when neither end is drawn. @param {import('./walk.js').Move} move @returns {Point[]} */
    lineOf(move) {
      const inside = move.before ? within(refOfHop(move.before), refOfHop(move.out)) : [];
      const cable = cableFrom(refOfHop(move.out));
      const lost = !move.in && move.out.end !== 'unseen';
      if (cable) {
        const line = [...inside, ...cable.line];
        return lost && cable.whole ? [...inside, ...cutAt(cable.line, 0.6)] : line;
      }
      const straight = [...inside, port(refOfHop(move.out)), move.in && port(refOfHop(move.in))].filter((p) => p !== null);
      return /** @type {Point[]} */ (straight);
    },

    /** Where a frame rests. @param {import('./walk.js').Rest} rest @returns {Point | null} */
    restAt({ hop, end }) {
      if (hop.direction === 'out' && (end === 'lost' || end === 'unseen')) {
        const cable = cableFrom(refOfHop(hop));
        if (cable) return along(cable.line, cable.whole ? 0.6 : 1);
      }
      return port(refOfHop(hop));
    },
  };
}

const between = (x, a, b) => Math.max(a, Math.min(b, x));
/** The point of a box that is nearest. */
const edgeOf = (b, p) => ({ x: between(p.x, b.x, b.x + b.w), y: between(p.y, b.y, b.y + b.h) });
const same = (p, q) => p.x === q.x && p.y === q.y;

function cutAt(line, share) {
  return Array.from({ length: bends + 1 }, (_, i) => along(line, (share * i) / bends));
}
