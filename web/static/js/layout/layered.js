// The layered layout: elkjs, in its worker.
import { ELK, workerUrl } from '../lib/elk.js';
import { rowOfMembers } from './bars.js';
import { byName } from './graph.js';
import { heightOf } from './measure.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./model.js').Node} Node */

/** @type {any} */
let elk = null;

/** Node has no Worker; tests hand in an elk of their own. */
export const useElk = (instance) => { elk = instance; };

function layouter() {
  elk ??= new ELK({ workerFactory: () => new Worker(workerUrl) });
  return elk;
}

/**
 * @param {Model} model
 * @param {Node[]} nodes boxes that are connected
 * @returns {Promise<Map<string, {x: number, y: number}>>}
 */
export async function layered(model, nodes) {
  const ids = new Set(nodes.map((n) => n.id));
  const edges = model.cables.filter((c) => c.b && ids.has(c.a.node) && ids.has(c.b.node) && c.a.node !== c.b.node)
    .map((c) => ({ id: c.id, pair: [c.a.node, /** @type {any} */ (c.b).node] }));
  edges.push(...model.tethers.filter((x) => ids.has(x.from)).map((x) => ({ id: x.id, pair: [x.to, x.from] })));
  const down = nodes.some((n) => n.kind === 'br');
  const result = await layouter().layout({
    id: 'part',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': down ? 'DOWN' : 'RIGHT',
      'elk.layered.spacing.nodeNodeBetweenLayers': down ? '96' : '170',
      'elk.spacing.nodeNode': '40',
      'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
      'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
      'elk.layered.crossingMinimization.forceNodeModelOrder': 'false',
    },
    children: nodes.map((n) => ({ id: n.id, width: n.w, height: heightOf(n), layoutOptions: { 'elk.alignment': down ? 'TOP' : 'CENTER' } })),
    edges: orient(nodes, edges, down).map(([id, from, to]) => ({ id, sources: [from], targets: [to] })),
  });
  const at = new Map((result.children ?? []).map((c) => [c.id, { x: c.x ?? 0, y: c.y ?? 0 }]));
  sortRows(nodes, edges, at);
  centreBars(nodes, edges, at);
  return at;
}

/** What hangs on one bar alone, side by side, stands in the order of its names. */
function sortRows(nodes, edges, at) {
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const degree = degreesOf(edges);
  const rows = new Map();
  for (const { pair } of edges) {
    for (const [bar, id] of [pair, [...pair].reverse()]) {
      if (byId.get(bar).kind !== 'br' || degree.get(id) !== 1) continue;
      const row = `${bar} ${at.get(id).y}`;
      rows.set(row, [...(rows.get(row) ?? []), id]);
    }
  }
  for (const ids of rows.values()) {
    const was = [...ids].sort((a, b) => at.get(a).x - at.get(b).x);
    const end = (id) => at.get(id).x + byId.get(id).w;
    const [left, right, y] = [at.get(was[0]).x, end(was[was.length - 1]), at.get(ids[0]).y];
    const between = (n) => !ids.includes(n.id) && at.get(n.id).x < right && end(n.id) > left && at.get(n.id).y < y + 1 && at.get(n.id).y + heightOf(n) > y;
    if (nodes.some(between)) continue;
    const gaps = was.slice(1).map((id, i) => at.get(id).x - end(was[i]));
    let x = left;
    for (const [i, id] of [...ids].sort((a, b) => byName(byId.get(a), byId.get(b))).entries()) {
      at.get(id).x = x;
      x += byId.get(id).w + (gaps[i] ?? 0);
    }
  }
}

/** Room beside a bar that was moved, px. */
const barGap = 20;

/** How many edges each node has. */
function degreesOf(edges) {
  const count = new Map();
  for (const { pair } of edges) for (const id of pair) count.set(id, (count.get(id) ?? 0) + 1);
  return count;
}

/** Puts each bar right above the middle of its members' row: straight cables. */
function centreBars(nodes, edges, at) {
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const degree = degreesOf(edges);
  for (const bar of nodes.filter((n) => n.kind === 'br')) {
    const leaves = edges.filter((e) => e.pair.includes(bar.id))
      .map((e) => (e.pair[0] === bar.id ? e.pair[1] : e.pair[0])).filter((id) => degree.get(id) === 1);
    if (leaves.length < 2) continue;
    const left = Math.min(...leaves.map((id) => at.get(id).x));
    const right = Math.max(...leaves.map((id) => at.get(id).x + byId.get(id).w));
    const place = at.get(bar.id);
    const x = (left + right - bar.w) / 2;
    const free = nodes.every((n) => n === bar || at.get(n.id).y > place.y + heightOf(bar) || at.get(n.id).y + heightOf(n) < place.y
      || at.get(n.id).x > x + bar.w + barGap || at.get(n.id).x + n.w + barGap < x);
    if (free) place.x = x;
  }
}

/**
 * Gives every edge a direction, away from the middle of the component (a bar,
 * when one is as central): layers then read from the core outwards. Members
 * that do not fit into the row under their bar are turned round, which puts
 * them above it.
 * @returns {string[][]} [edge, from, to]
 */
export function orient(nodes, edges, fromMiddle) {
  /** @type {Record<string, string[]>} */
  const near = Object.fromEntries(nodes.map((n) => [n.id, []]));
  for (const { pair: [a, b] } of edges) {
    near[a].push(b);
    near[b].push(a);
  }
  const depths = nodes.map((n) => ({ n, depth: distances(near, n.id) }));
  const reach = (d) => Math.max(...d.depth.values());
  const sign = fromMiddle ? 1 : -1;
  depths.sort((a, b) =>
    sign * (reach(a) - reach(b)) ||
    Number(b.n.kind === 'br') - Number(a.n.kind === 'br') ||
    sign * (near[b.n.id].length - near[a.n.id].length) ||
    (a.n.id < b.n.id ? -1 : 1));
  const depth = depths[0]?.depth ?? new Map();
  const count = new Map();
  const degree = degreesOf(edges);
  return edges.map(({ id, pair: [a, b] }) => {
    const [from, to] = (depth.get(a) ?? 0) < (depth.get(b) ?? 0) || ((depth.get(a) === depth.get(b)) && a < b) ? [a, b] : [b, a];
    if (degree.get(to) === 1 && from.startsWith('br:')) {
      count.set(from, (count.get(from) ?? 0) + 1);
      if (count.get(from) > rowOfMembers) return [id, to, from];
    }
    return [id, from, to];
  });
}

/** Steps from start to every other node. */
function distances(near, start) {
  /** @type {Map<string, any>} */
  const depth = new Map([[start, 0]]);
  const queue = [start];
  for (const id of queue) {
    for (const other of near[id]) {
      if (!depth.has(other)) {
        depth.set(other, (depth.get(id) ?? 0) + 1);
        queue.push(other);
      }
    }
  }
  return depth;
}
