// Bars as long as what hangs below them, and the members of large ones folded
// into a panel. Pure.
import { tens } from './cards.js';
import { natural } from './graph.js';
import { barHeight, headHeight, labelWidth, monoWidth, portGap, rowHeight, textWidth } from './measure.js';

/** @typedef {import('./model.js').Node} Node */
/** @typedef {import('./model.js').Model} Model */
/** @typedef {{x: number, y: number, w: number, h: number, trunks: {x: number, y: number}[], members: string[]}} Panel below a bar,
 *   from the bar's corner; its trunks lead from the bar to y */
/** @typedef {{sorted: Node[], cards: Node[], w: number, h: number, columns: number}} Fold the members of a bar, and as they are drawn in its panel */
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
 * @param {Node[]} nodes
 * @param {Map<string, import('./cards.js').Parts>} parts by namespace
 * @param {Map<string, import('./cables.js').Joined>} joined the same
 * @param {{large: boolean, choice: Choice, before: Model}} o
 * @returns {{nodes: Node[], folds: Map<string, Fold>}}
 */
export function shapeBars(nodes, parts, joined, { large, choice, before }) {
  /** @type {Map<Node, Node>} */
  const folded = new Map();
  /** @type {Map<string, Fold>} */
  const folds = new Map();
  const shaped = nodes.map((bar) => {
    if (bar.kind !== 'br') return bar;
    const on = pluggedInto(bar, /** @type {any} */ (joined.get(bar.namespace)), parts);
    const fitting = on.members.filter((m) => m.rows.length <= rowsAtMost);
    const usual = (before.folds.has(bar.id) ? mostToUnfold : mostUnfolded)[Number(large)];
    const fold = fitting.length > 1 && (choice(bar.id) ?? fitting.length > usual);
    const foldable = fold || fitting.length > mostUnfolded[Number(large)];
    if (!fold) return remake(bar, { ...bar, w: spanOf(bar, on), foldable, folded: false, panel: null });
    const f = foldOf(bar, fitting, before.folds.get(bar.id));
    folds.set(bar.id, f);
    f.cards.forEach((card, i) => folded.set(f.sorted[i], card));
    return remake(bar, withPanel(bar, f));
  });
  return { nodes: folded.size ? shaped.map((n) => folded.get(n) ?? n) : shaped, folds };
}

/** The joints of each namespace by the bar they are at: looked through once, not for every bar. @type {WeakMap<object, Map<string, any[]>>} */
const byBar = new WeakMap();

function jointsAt(bar, joined) {
  let groups = byBar.get(joined);
  if (!groups) {
    groups = new Map();
    for (const joint of joined.joints) {
      const { cable: { a, b } } = joint;
      for (const node of new Set([a.node, b?.node])) {
        if (!node?.startsWith('br:')) continue;
        const group = groups.get(node);
        if (group) group.push(joint);
        else groups.set(node, [joint]);
      }
    }
    byBar.set(joined, groups);
  }
  return groups.get(bar.id) ?? [];
}

/** How many ports a bar has, the room each wants, and the cards that have a cable to it and no other. */
function pluggedInto(bar, joined, parts) {
  const on = { ports: 0, room: portGap, members: /** @type {Node[]} */ ([]) };
  for (const { cable: { a, b }, partner } of jointsAt(bar, joined)) {
    const [own, other] = a.node === bar.id ? [a, b] : [b, a];
    on.ports++;
    on.room = Math.max(on.room, labelWidth(own.name) + 14);
    const there = parts.get(partner);
    // A card that is tied to bars of its own has more to it than this cable.
    if (there?.cables === 1 && there.tethers.length === 0 && there.card.id === other?.node) on.members.push(there.card);
  }
  return on;
}

/** As long as the row of the members, so that their cables hang straight down. */
function spanOf(bar, { ports, room, members }) {
  const span = members.slice(0, rowOfMembers).reduce((w, o) => w + o.w + memberGap, -memberGap);
  return Math.max(bar.w, span, Math.min(ports, 14) * room + 20);
}

/** How many columns n members stand in. */
const columnsOf = (n, column, row) => Math.max(1, Math.min(n, Math.round(Math.sqrt((n * shape * row) / column))));

/** The cards in a panel: what their interface is called is enough. Those that stay where they are stay the same. */
function foldOf(bar, members, last) {
  const sorted = inOrder(members, last);
  const widest = sorted.reduce((w, m) => Math.max(w, sketch(m).w), 0);
  const most = sorted.reduce((rows, m) => Math.max(rows, m.rows.length), 1);
  const h = headHeight + most * rowHeight + 6;
  const columns = columnsOf(sorted.length, cardAt + widest, h + rowGap);
  // A bar with a long name has wider cards below it.
  const w = Math.max(widest, Math.ceil((bar.w - padding) / columns) - cardAt);
  const same = last && last.w === w && last.h === h && last.columns === columns;
  const cards = sorted.map((m, i) => {
    if (same && last.sorted[i] === m) return last.cards[i];
    const [x, y] = [(i % columns) * (cardAt + w) + cardAt, barHeight + padding + Math.floor(i / columns) * (h + rowGap)];
    return { ...m, w, h, home: { bar: bar.id, x, y }, addressColumn: sketch(m).column, rows: m.rows.map((r) => ({ ...r, label: r.name })) };
  });
  return { sorted, cards, w, h, columns };
}

/** @param {Node} bar @param {Fold} fold @returns {Node} */
function withPanel(bar, { cards, w, h, columns }) {
  const width = columns * (cardAt + w) + padding;
  const rows = Math.ceil(cards.length / columns);
  const panel = { x: 0, y: barHeight - behind, w: width, h: behind + 2 * padding + rows * (h + rowGap) - rowGap, trunks: trunks(cards, columns), members: cards.map((m) => m.id) };
  return { ...bar, w: width, foldable: true, folded: true, panel };
}

/** Members in the order of their names; a look at the order before spares the sorting. */
function inOrder(members, last) {
  const byId = new Map(members.map((m) => [m.id, m]));
  if (last?.sorted.length === members.length && last.sorted.every((m) => byId.has(m.id))) return last.sorted.map((m) => byId.get(m.id));
  return [...members].sort((a, b) => (sketch(a).order < sketch(b).order ? -1 : 1));
}

/** Each column's, down to the row of its last card. */
const trunks = (cards, columns) => cards.slice(-columns)
  .map(({ home }) => ({ x: home.x - cardAt + trunkAt, y: home.y + headHeight + 5 + rowHeight / 2 })).sort((a, b) => a.x - b.x);

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
