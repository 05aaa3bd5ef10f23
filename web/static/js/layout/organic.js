// The organic layout: forces pull together what is connected and push the rest
// apart; then no two boxes overlap. In slices, so that the page goes on; always
// the same for the same topology: nothing in it is left to chance.
import { byName, indexOf } from './graph.js';
import { heightOf } from './measure.js';
import { createSpace } from './space.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./geometry.js').Point} Point */

const slice = 40; // ms of work before the page has its turn
const gap = 30;
const push = 14; // of a box, times its radius
const reach = 2400; // px
const firmness = 0.7;
/** Of so many boxes, looking at all pairs takes less than the trees that spare it. */
const pairsUpTo = 400;
const roomOf = (b) => b.r * 0.92 + gap / 2;
const ring = 260; // px between two steps from the middle, to begin with

/**
 * @param {Model} model
 * @param {Node[]} nodes boxes that are connected
 * @param {number} aspect width by height of the canvas
 * @returns {Promise<Map<string, Point>>}
 */
export async function organic(model, nodes, aspect) {
  const d3 = await import('../lib/d3-force.js');
  const turn = turns();
  const boxes = [...nodes].sort(byName).map((n) => ({ id: n.id, w: n.w, h: heightOf(n), r: Math.hypot(n.w, heightOf(n)) / 2, x: 0, y: 0 }));
  const links = linksOf(model, boxes);
  fan(boxes);
  const few = boxes.length <= pairsUpTo;
  const sim = d3.forceSimulation(boxes).stop()
    .force('link', d3.forceLink(links).distance((l) => (l.source.r + l.target.r) * 0.72 + 40).strength((l) => 1 / Math.min(l.source.degree, l.target.degree)))
    .force('charge', few ? repel(boxes) : d3.forceManyBody().strength((b) => -push * b.r).distanceMax(reach))
    .force('collide', few ? collide(boxes) : d3.forceCollide(roomOf).strength(firmness))
    .force('x', d3.forceX(0).strength(0.05))
    .force('y', d3.forceY(0).strength(0.05 * Math.min(4, aspect ** 2.5)));
  const ticks = 120;
  sim.alphaDecay(1 - 0.001 ** (1 / ticks));
  for (let i = 0; i < ticks; i++) {
    sim.tick();
    await turn();
  }
  for (const b of boxes) {
    b.x -= b.w / 2;
    b.y -= b.h / 2;
  }
  for (let i = 0; i < 60 && pushApart(boxes); i++) await turn();
  return settle(boxes, turn);
}

/** The charge between all pairs; as d3.forceManyBody has it, without its tree. */
const repel = (boxes) => (alpha) => {
  for (let i = 0; i < boxes.length; i++) {
    const a = boxes[i];
    for (let j = i + 1; j < boxes.length; j++) {
      const b = boxes[j];
      const [dx, dy] = [b.x - a.x, b.y - a.y];
      const far = Math.max(1, dx * dx + dy * dy);
      if (far > reach * reach) continue;
      const k = (push * alpha) / far;
      a.vx -= dx * k * b.r;
      a.vy -= dy * k * b.r;
      b.vx += dx * k * a.r;
      b.vy += dy * k * a.r;
    }
  }
};

/** Keeps pairs from overlapping, where they are about to be; as d3.forceCollide. */
const collide = (boxes) => () => {
  for (let i = 0; i < boxes.length; i++) {
    const a = boxes[i];
    for (let j = i + 1; j < boxes.length; j++) {
      const b = boxes[j];
      const room = roomOf(a) + roomOf(b);
      const [dx, dy] = [a.x + a.vx - b.x - b.vx, a.y + a.vy - b.y - b.vy];
      const far = dx * dx + dy * dy;
      if (far >= room * room || far === 0) continue;
      const k = ((room - Math.sqrt(far)) / Math.sqrt(far)) * firmness;
      const share = roomOf(b) ** 2 / (roomOf(a) ** 2 + roomOf(b) ** 2); // the larger one gives way less
      a.vx += dx * k * share;
      a.vy += dy * k * share;
      b.vx -= dx * k * (1 - share);
      b.vy -= dy * k * (1 - share);
    }
  }
};

/** Lets the page have its turn when a slice of time is over; a timer would wait longer than that takes. */
function turns() {
  const { port1, port2 } = new MessageChannel();
  let end = performance.now() + slice;
  return async () => {
    if (performance.now() < end) return;
    await new Promise((done) => {
      port1.onmessage = done;
      port2.postMessage(null);
    });
    port1.onmessage = null;
    end = performance.now() + slice;
  };
}

/** One link for each pair, and how many each box has. */
function linksOf(model, boxes) {
  const { near } = indexOf(model);
  const byId = new Map(boxes.map((b) => [b.id, b]));
  const links = [];
  for (const b of boxes) {
    const others = [...new Set(near.get(b.id))].filter((id) => byId.has(id));
    b.degree = others.length;
    b.near = others.map((id) => byId.get(id)).sort((p, q) => (p.id < q.id ? -1 : 1));
    for (const o of b.near) if (b.id < o.id) links.push({ source: b, target: o });
  }
  return links;
}

/** A start without crossings: a tree from the middle outwards, each branch with as much of the circle as it needs. */
function fan(boxes) {
  const middle = boxes.reduce((m, b) => (b.degree > m.degree ? b : m));
  middle.parent = middle;
  const order = [middle];
  for (const b of order) {
    for (const o of b.near) {
      if (o.parent) continue;
      o.parent = b;
      order.push(o);
    }
  }
  for (const b of order) b.weight = b.r;
  for (const b of [...order].reverse()) if (b !== middle) b.parent.weight += b.weight;
  Object.assign(middle, { from: 0, depth: 0, wide: 2 * Math.PI });
  for (const b of order) {
    let from = b.from;
    for (const o of b.near) {
      if (o.parent !== b || o === middle) continue;
      const wide = (b.wide * o.weight) / (b.weight - b.r || 1);
      Object.assign(o, { from, wide, depth: b.depth + 1, x: Math.cos(from + wide / 2) * ring * (b.depth + 1), y: Math.sin(from + wide / 2) * ring * (b.depth + 1) });
      from += wide;
    }
  }
}

/** Moves each overlapping pair half the way apart, the short way. @returns {boolean} did any overlap? */
function pushApart(boxes) {
  const space = createSpace();
  for (const b of boxes) space.put(b.id, b, b.w, b.h);
  const byId = new Map(boxes.map((b) => [b.id, b]));
  let any = false;
  for (const b of boxes) {
    for (const { id } of space.hits(b, b.w, b.h, gap, b.id)) {
      const o = byId.get(id);
      if (b.id > id) continue;
      const over = (k, size) => (b[size] + o[size]) / 2 + gap - Math.abs(b[k] + b[size] / 2 - o[k] - o[size] / 2);
      const [dx, dy] = [over('x', 'w'), over('y', 'h')];
      if (dx <= 0 || dy <= 0) continue;
      any = true;
      const [k, size, d] = dx < dy ? ['x', 'w', dx] : ['y', 'h', dy];
      const sign = b[k] + b[size] / 2 < o[k] + o[size] / 2 ? -1 : 1;
      // The larger one gives way less.
      const share = (o.w * o.h) / (b.w * b.h + o.w * o.h);
      b[k] += sign * d * share;
      o[k] -= sign * d * (1 - share);
    }
  }
  return any;
}

/** What still overlaps goes to the nearest free place, small ones round large ones. */
async function settle(boxes, turn) {
  const space = createSpace();
  const at = new Map();
  for (const b of [...boxes].sort((p, q) => q.w * q.h - p.w * p.h || (p.id < q.id ? -1 : 1))) {
    const p = space.nearest({ x: Math.round(b.x), y: Math.round(b.y) }, b.w, b.h, gap - 2, b.id);
    space.put(b.id, p, b.w, b.h);
    at.set(b.id, p);
    await turn();
  }
  return at;
}
