// Under any sequence of changes: what was not touched keeps its place, nothing
// overlaps, and what is new stands near what it is connected to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexOf } from '../static/js/layout/graph.js';
import { heightOf } from '../static/js/layout/measure.js';
import { buildModel } from '../static/js/layout/model.js';
import { place } from '../static/js/layout/placement.js';
import { standClear } from '../static/js/layout/solid.js';
import { bridge, topology, veth } from './objects.js';

const nobody = () => false;

/** Numbers that look like chance, the same in each run. @param {number} seed */
function chance(seed) {
  let s = seed;
  const next = () => (s = (s * 1103515245 + 12345) % 2147483648) / 2147483648;
  return { below: (n) => Math.floor(next() * n), of: (list) => list[Math.floor(next() * list.length)] };
}

/** A lab as lists that can be changed; each change tells the namespaces it touches. */
function createLab(rnd) {
  let count = 0;
  let names = ['A', 'B'];
  let bridges = ['host/br0'];
  let cables = [];
  const plugged = (ref) => (ref.startsWith('br:') ? ref.slice(3) : null);
  const ends = () => [...names.map((n) => n), ...bridges.map((b) => `br:${b}`)];
  const spaceOf = (end) => (plugged(end) ?? end).split('/')[0];
  const changes = {
    namespace() {
      names.push(`n${++count}`);
      return [`n${count}`];
    },
    host() { // with a cable to something, as most are made
      const name = `h${++count}`;
      names.push(name);
      return [name, ...changes.connect(name, rnd.of(rnd.below(3) ? bridges.map((b) => `br:${b}`) : ends()))];
    },
    bridge() {
      const where = rnd.below(2) ? 'host' : rnd.of(names);
      if (bridges.some((b) => b.startsWith(`${where}/`)) && where !== 'host') return [];
      bridges.push(`${where}/b${++count}`);
      return [where];
    },
    veth: () => changes.connect(rnd.of(ends()), rnd.of(ends())),
    connect(a, b) {
      if (!a || !b || spaceOf(a) === spaceOf(b)) return [];
      cables.push({ a, b, id: ++count });
      return [spaceOf(a), spaceOf(b)];
    },
    plug() {
      const c = rnd.of(cables.filter((x) => plugged(x.a) || plugged(x.b)));
      if (!c) return [];
      const side = plugged(c.a) ? 'a' : 'b';
      const from = spaceOf(c[side]);
      const to = rnd.of([from, ...bridges.filter((b) => b.startsWith(`${from}/`)).map((b) => `br:${b}`)]);
      c[side] = to;
      return [from, spaceOf(c.a), spaceOf(c.b)];
    },
    unlink() {
      const c = rnd.of(cables);
      if (!c) return [];
      cables = cables.filter((x) => x !== c);
      return [spaceOf(c.a), spaceOf(c.b)];
    },
    remove() {
      if (names.length < 3) return [];
      const name = rnd.of(names);
      const touched = cables.filter((c) => [spaceOf(c.a), spaceOf(c.b)].includes(name)).flatMap((c) => [spaceOf(c.a), spaceOf(c.b)]);
      names = names.filter((n) => n !== name);
      bridges = bridges.filter((b) => !b.startsWith(`${name}/`));
      cables = cables.filter((c) => spaceOf(c.a) !== name && spaceOf(c.b) !== name);
      return [name, ...touched];
    },
    rename() {
      const name = rnd.of(names);
      const to = `r${++count}`;
      const swap = (end) => (spaceOf(end) === name ? end.replace(name, to) : end);
      names = names.map((n) => (n === name ? to : n));
      bridges = bridges.map((b) => (b.startsWith(`${name}/`) ? b.replace(name, to) : b));
      cables = cables.map((c) => ({ ...c, a: swap(c.a), b: swap(c.b) }));
      return [name, to, ...cables.filter((c) => spaceOf(c.a) === to || spaceOf(c.b) === to).flatMap((c) => [spaceOf(c.a), spaceOf(c.b)])];
    },
  };
  const often = ['host', 'host', 'host', 'host', 'namespace', 'veth', 'veth', 'bridge', 'plug', 'unlink', 'remove', 'rename'];
  return {
    change() {
      const what = rnd.of(often);
      return { what, touched: new Set(changes[what]()) };
    },
    topology() {
      const port = (end, id) => [`${spaceOf(end)}/e${id}`, plugged(end) ? { master: plugged(end)?.split('/')[1] } : {}];
      const links = bridges.map((b) => bridge(...b.split('/')));
      for (const { a, b, id } of cables) {
        const [[refA, overA], [refB, overB]] = [port(a, `${id}a`), port(b, `${id}b`)];
        links.push(...veth(refA, refB, overA, overB));
      }
      return topology(links, names);
    },
  };
}

const boxesAt = (model, at) => indexOf(model).boxes.map((n) => ({ id: n.id, kind: n.kind, namespace: n.namespace, ...at.get(n.id), w: n.w, h: heightOf(n) }));
const gap = (p, q) => Math.max(p.x - q.x - q.w, q.x - p.x - p.w, p.y - q.y - q.h, q.y - p.y - p.h);

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`random changes, seed ${seed}`, () => {
    const rnd = chance(seed * 7919);
    const lab = createLab(rnd);
    let model = buildModel(lab.topology());
    const nothing = { before: null, base: new Map(), drawn: new Map(), pinned: nobody, remembered: () => undefined, aspect: 1.6 };
    let base = place(model, nothing);
    let drawn = standClear(model, base, nobody);
    for (let i = 0; i < 120; i++) {
      const { what, touched } = lab.change();
      const next = buildModel(lab.topology(), model);
      const now = place(next, { ...nothing, before: model, base, drawn });
      const shown = standClear(next, now, nobody);
      const why = `step ${i}, ${what} of ${[...touched]}`;
      const boxes = boxesAt(next, shown);
      const bars = boxes.filter((b) => b.kind === 'br');
      const was = indexOf(model).nodes;
      for (const b of boxes) {
        const belongs = /** @type {any} */ (now.get(b.id));
        if (base.has(b.id) && !touched.has(b.namespace)) assert.deepEqual(belongs, base.get(b.id), `${why}: ${b.id} was moved`);
        // Only what would stand on a bar is drawn elsewhere than it belongs.
        const onBar = bars.some((o) => o.id !== b.id && gap({ ...b, ...belongs }, o) < 0);
        if (b.kind === 'ns' && !onBar) assert.deepEqual({ x: b.x, y: b.y }, belongs, `${why}: ${b.id} is drawn elsewhere`);
        if (!was.has(b.id) && what !== 'rename') {
          const near = indexOf(next).near.get(b.id)?.map((id) => boxes.find((o) => o.id === id));
          const distance = Math.min(...near.map((o) => gap(b, o)));
          if (near.length) assert.ok(distance < 700, `${why}: ${b.id} stands ${distance} px away from what it is connected to`);
        }
      }
      boxes.forEach((b, k) => boxes.slice(k + 1).forEach((o) => assert.ok(gap(b, o) >= 0, `${why}: ${b.id} on ${o.id}`)));
      [model, base, drawn] = [next, now, shown];
    }
  });
}
