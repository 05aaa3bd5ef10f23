// Bars as long as what hangs below them, and the members of large ones folded
// into a panel. Pure.
import { tens } from './cards.js';
import { natural } from './graph.js';
import { barHeight, headHeight, labelWidth, monoWidth, portGap, rowHeight, textWidth } from './measure.js';

/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./model.js').Cable} Cable */
/** @typedef {import('./model.js').Model} Model */
/** @typedef {{x: number, y: number, w: number, h: number, trunks: {x: number, y: number}[], members: string[]}} Panel below a bar,
 *   from the bar's corner; its trunks lead from the bar to y */
/** @typedef {(bar: string) => boolean | undefined} Choice whether somebody wants a bar folded; undefined: as many members make it */

/** Members in one row under a bar before the next ones go above it. */
export const rowOfMembers = 5;
export const memberGap = 40;

/** A bar with more members than this is folded; in a large lab more than the second. */
const mostUnfolded = [12, 3];
/** One that is folded stays so while it has more than this. */
const mostToUnfold = [8, 1];
/** Cards with more rows have more to tell than a panel shows. */
const rowsAtMost = 3;

/** From the left of a column: to its trunk, and to its cards. */
export const trunkAt = 16;
export const cardAt = 42;
const rowGap = 10;
const padding = 16;
/** The panel begins behind the round corners of the bar. */
const behind = 10;
const shape = 1.6; // width by height of a panel

/**
 * The nodes as they are drawn.
 * @param {Node[]} nodes @param {Cable[]} cables @param {Set<string>} tethered ids of cards that are tied to their bridge
 * @param {object} o
 * @param {boolean} o.large
 * @param {Choice} o.choice
 * @param {Map<string, Node>} [o.before] the bars of the model before
 * @returns {Node[]}
 */
export function shapeBars(nodes, cables, tethered, { large, choice, before }) {
  const plugged = membersOf(nodes, cables, tethered);
  /** @type {Map<string, Node>} */
  const folded = new Map();
  const shaped = nodes.map((bar) => {
    const on = plugged.get(bar.id);
    if (!on) return bar;
    const fitting = on.members.filter((m) => m.rows.length <= rowsAtMost);
    const usual = (before?.get(bar.id)?.folded ? mostToUnfold : mostUnfolded)[Number(large)];
    const fold = fitting.length > 1 && (choice(bar.id) ?? fitting.length > usual);
    const foldable = fold || fitting.length > mostUnfolded[Number(large)];
    if (!fold) return remake(bar, { ...bar, w: spanOf(bar, on), foldable, folded: false, panel: null });
    return foldInto(bar, fitting, folded);
  });
  return folded.size ? shaped.map((n) => folded.get(n.id) ?? n) : shaped;
}

/** Of each bar how many ports it has, the room each wants, and the cards that have a cable to it and no other. */
function membersOf(nodes, cables, tethered) {
  const plugged = new Map();
  const cards = new Map();
  for (const n of nodes) {
    if (n.kind === 'br') plugged.set(n.id, { ports: 0, room: 0, members: [] });
    else cards.set(n.id, n);
  }
  const count = new Map();
  for (const { a, b } of cables) {
    count.set(a.node, (count.get(a.node) ?? 0) + 1);
    if (b) count.set(b.node, (count.get(b.node) ?? 0) + 1);
  }
  for (const { a, b } of cables) {
    const bar = plugged.get(a.node);
    if (bar) plug(bar, a);
    if (!b || a.node === b.node) continue;
    const other = plugged.get(b.node);
    if (other) plug(other, b);
    const card = bar ? b.node : a.node;
    if (count.get(card) === 1 && !tethered.has(card) && cards.has(card)) (bar ?? other)?.members.push(cards.get(card));
  }
  return plugged;
}

function plug(bar, end) {
  bar.ports++;
  bar.room = Math.max(bar.room, portGap, labelWidth(end.name) + 14);
}

/** As long as the row of the members, so that their cables hang straight down. */
function spanOf(bar, { ports, room, members }) {
  const span = members.slice(0, rowOfMembers).reduce((w, o) => w + o.w + memberGap, -memberGap);
  return Math.max(bar.w, span, Math.min(ports, 14) * room + 20);
}

/** How many columns n members stand in. */
const columnsOf = (n, column, row) => Math.max(1, Math.min(n, Math.round(Math.sqrt((n * shape * row) / column))));

/** The bar with its panel; its members, small, go to folded. */
function foldInto(bar, members, folded) {
  const sorted = [...members].sort((a, b) => (sketch(a).order < sketch(b).order ? -1 : 1));
  const widest = sorted.reduce((w, m) => Math.max(w, sketch(m).w), 0);
  const most = sorted.reduce((rows, m) => Math.max(rows, m.rows.length), 1);
  const h = headHeight + most * rowHeight + 6;
  const columns = columnsOf(sorted.length, cardAt + widest, h + rowGap);
  // A bar with a long name has wider cards below it.
  const w = Math.max(widest, Math.ceil((bar.w - padding) / columns) - cardAt);
  sorted.forEach((m, i) => {
    const [x, y] = [(i % columns) * (cardAt + w) + cardAt, barHeight + padding + Math.floor(i / columns) * (h + rowGap)];
    folded.set(m.id, small(m, w, h, bar.id, x, y));
  });
  const rows = Math.ceil(sorted.length / columns);
  const width = columns * (cardAt + w) + padding;
  const panel = { x: 0, y: barHeight - behind, w: width, h: behind + 2 * padding + rows * (h + rowGap) - rowGap, trunks: trunks(sorted, folded, columns), members: sorted.map((m) => m.id) };
  return remake(bar, { ...bar, w: width, foldable: true, folded: true, panel });
}

/** Each column's, down to the row of its last card. */
const trunks = (members, folded, columns) => members.slice(-columns).map((m) => {
  const { home } = folded.get(m.id);
  return { x: home.x - cardAt + trunkAt, y: home.y + headHeight + 5 + rowHeight / 2 };
}).sort((a, b) => a.x - b.x);

/** What a card needs in a panel. @type {WeakMap<Node, {order: string, column: number, w: number}>} */
const sketches = new WeakMap();

/** @param {Node} m */
function sketch(m) {
  let s = sketches.get(m);
  if (!s) {
    const widest = (key) => Math.max(0, ...m.rows.map((r) => monoWidth(r[key], 12)));
    const column = 30 + widest('name') + 14;
    const addresses = widest('address');
    s = { order: natural(m.title), column, w: tens(Math.max(140, textWidth(m.title, 14) + 100, addresses ? column + addresses + 12 : 30 + column)) };
    sketches.set(m, s);
  }
  return s;
}

/** A card in a panel: what its interface is called is enough. @param {Node} m @returns {Node} */
function small(m, w, h, bar, x, y) {
  const last = made.get(m);
  if (last?.home && last.w === w && last.h === h && last.home.bar === bar && last.home.x === x && last.home.y === y) return last;
  const node = { ...m, w, h, home: { bar, x, y }, addressColumn: sketch(m).column, rows: m.rows.map((r) => ({ ...r, label: r.name })) };
  made.set(m, node);
  return node;
}

/** @type {WeakMap<Node, Node>} what was last made of a node */
const made = new WeakMap();

/** Keeps what was made of a bar last time, if it is the same again. @param {Node} of @param {Node} node @returns {Node} */
function remake(of, node) {
  const last = made.get(of);
  if (last && equal(last, node)) return last;
  made.set(of, node);
  return node;
}

/** All that shaping changes of a bar. @param {Node} a @param {Node} b */
const equal = (a, b) => a.w === b.w && a.folded === b.folded && a.foldable === b.foldable && equalPanels(a.panel, b.panel);

const equalPanels = (p, q) => (!p || !q ? p === q : p.w === q.w && p.h === q.h && p.members.length === q.members.length && p.members.every((m, i) => m === q.members[i]));
