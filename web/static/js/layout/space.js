// Where there is room: boxes in a grid of cells, so that asking about one place
// looks at what is near and not at everything. Pure.

/** @typedef {import('./geometry.js').Point} Point */
/** @typedef {{id: string, x: number, y: number, w: number, h: number}} Box */

const cell = 300; // px
/** Places looked at before anything free is good enough. */
const patience = 2000;

const key = (i, j) => i * 100003 + j;

export function createSpace() {
  /** @type {Map<number, Set<Box>>} */
  const cells = new Map();
  /** @type {Map<string, Box>} */
  const boxes = new Map();

  function eachCell(b, f) {
    for (let i = Math.floor(b.x / cell); i <= Math.floor((b.x + b.w) / cell); i++) {
      for (let j = Math.floor(b.y / cell); j <= Math.floor((b.y + b.h) / cell); j++) f(key(i, j));
    }
  }

  /** @param {string} id */
  function remove(id) {
    const b = boxes.get(id);
    if (!b) return;
    boxes.delete(id);
    eachCell(b, (k) => cells.get(k)?.delete(b));
  }

  /** @param {string} id @param {Point} p @param {number} w @param {number} h */
  function put(id, p, w, h) {
    remove(id);
    const b = { id, x: p.x, y: p.y, w, h };
    boxes.set(id, b);
    eachCell(b, (k) => {
      const set = cells.get(k);
      if (set) set.add(b);
      else cells.set(k, new Set([b]));
    });
  }

  /** The boxes nearer than gap to a place. @param {Point} p @param {string} [not] @returns {Box[]} */
  function hits({ x, y }, w, h, gap = 0, not = '') {
    /** @type {Set<Box>} */
    const found = new Set();
    eachCell({ x: x - gap, y: y - gap, w: w + 2 * gap, h: h + 2 * gap }, (k) => {
      for (const b of cells.get(k) ?? []) {
        if (b.id !== not && x < b.x + b.w + gap && b.x < x + w + gap && y < b.y + b.h + gap && b.y < y + h + gap) found.add(b);
      }
    });
    return [...found];
  }

  /**
   * The free place nearest to p, near enough: it slides past what is in the
   * way, and past what is in the way there.
   * @param {Point} p @param {number} w @param {number} h @param {number} gap @param {string} [not] @returns {Point}
   */
  function nearest(p, w, h, gap, not) {
    const far = (q) => Math.hypot(q.x - p.x, q.y - p.y);
    const open = [{ x: p.x, y: p.y, d: 0 }];
    const seen = new Set();
    for (let n = 0; n < patience && open.length; n++) {
      const q = pop(open);
      const blocking = hits(q, w, h, gap, not);
      if (blocking.length === 0) return { x: q.x, y: q.y };
      for (const b of blocking) {
        const ways = [[b.x - w - gap, q.y], [b.x + b.w + gap, q.y], [q.x, b.y - h - gap], [q.x, b.y + b.h + gap]];
        for (const [x, y] of ways) {
          const name = `${x} ${y}`;
          if (seen.has(name)) continue;
          seen.add(name);
          push(open, { x, y, d: far({ x, y }) });
        }
      }
    }
    const lowest = [...boxes.values()].reduce((y, b) => Math.max(y, b.y + b.h), p.y);
    return { x: p.x, y: lowest + gap };
  }

  return { put, remove, hits, nearest, boxes };
}

/** A binary heap by d; of equal ones any, but always the same. */
function push(heap, item) {
  let i = heap.push(item) - 1;
  while (i > 0) {
    const up = (i - 1) >> 1;
    if (heap[up].d <= item.d) break;
    heap[i] = heap[up];
    i = up;
  }
  heap[i] = item;
}

function pop(heap) {
  const top = heap[0];
  const last = heap.pop();
  if (heap.length === 0) return top;
  let i = 0;
  for (;;) {
    let down = 2 * i + 1;
    if (down >= heap.length) break;
    if (down + 1 < heap.length && heap[down + 1].d < heap[down].d) down++;
    if (heap[down].d >= last.d) break;
    heap[i] = heap[down];
    i = down;
  }
  heap[i] = last;
  return top;
}

/** The box around boxes. @param {{x: number, y: number, w: number, h: number}[]} boxes */
export function around(boxes) {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const b of boxes) {
    x1 = Math.min(x1, b.x);
    y1 = Math.min(y1, b.y);
    x2 = Math.max(x2, b.x + b.w);
    y2 = Math.max(y2, b.y + b.h);
  }
  return { x: x1, y: y1, w: x2 - x1, h: y2 - y1 };
}

/** @typedef {ReturnType<typeof createSpace>} Space */
