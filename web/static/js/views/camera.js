// Where the person looks: pan and zoom, kept out of preact. While a hand moves
// the picture, nothing but one transform changes; when it rests, the picture is
// drawn sharp again and with as much detail as can be read.
import { signal } from '../lib/signals.js';

/** @typedef {{x: number, y: number, k: number}} View */
/** @typedef {{x: number, y: number, w: number, h: number}} Box */
/** @typedef {'far' | 'block' | 'name' | 'detail'} Level not drawn → colour block → name → name and addresses */

export const zoomRange = [0.03, 2.5];
const restAfter = 140; // ms without a move
const flightTime = 200; // ms
const edge = 16;
/** Below these scales 12 px rows, and then names of 30 px, cannot be read. */
const detailFrom = 0.45;
const nameFrom = 0.16;

/** @param {number} k @returns {Level} */
export const levelOf = (k) => (k >= detailFrom ? 'detail' : k >= nameFrom ? 'name' : 'block');

/** The view that shows a box as large as sensible. @param {Box} box @returns {View} */
export function fitView(box, width, height, { most = 1.15, pad = 48, bottom = 56 } = {}) {
  const k = Math.max(zoomRange[0], Math.min(most, (width - 2 * pad) / box.w, (height - pad - bottom) / box.h));
  return { k, x: (width - box.w * k) / 2 - box.x * k, y: (height - bottom + pad * 0.4 - box.h * k) / 2 - box.y * k };
}

/** Is a box on the screen, whole? @param {Box} box @param {View} v */
export function inView(box, v, width, height) {
  return box.x * v.k + v.x >= edge && box.y * v.k + v.y >= edge &&
    (box.x + box.w) * v.k + v.x <= width - edge && (box.y + box.h) * v.k + v.y <= height - 2 * edge;
}

/** @param {View} v @returns {View} */
export function zoomAt(v, px, py, factor) {
  const k = Math.max(zoomRange[0], Math.min(zoomRange[1], v.k * factor));
  return { k, x: px - ((px - v.x) * k) / v.k, y: py - ((py - v.y) * k) / v.k };
}

/** The view with a box in its middle, near enough to read it. @param {Box} box @param {View} v @returns {View} */
export function viewOf(box, v, { width, height }, least = v.k) {
  const k = Math.max(v.k, least);
  return { k, x: width / 2 - (box.x + box.w / 2) * k, y: height / 2 - (box.y + box.h / 2) * k };
}

/** Counts flights: a new one ends the one before. */
let flights = 0;

/**
 * Moves a camera to another view, within a moment, so that one sees where it
 * goes; at once for who wants things to stand still.
 * @param {Camera} camera @param {View} to @param {boolean} calm
 */
export function fly(camera, to, calm) {
  const me = ++flights;
  const from = camera.view.peek();
  if (calm || (from.x === to.x && from.y === to.y && from.k === to.k)) return camera.jump(to);
  const { width, height } = camera.size.peek();
  const middle = (v) => ({ x: (width / 2 - v.x) / v.k, y: (height / 2 - v.y) / v.k });
  const [a, b] = [middle(from), middle(to)];
  let begin = 0;
  let last = from;
  const step = (now) => {
    if (me !== flights || camera.view.peek() !== last) return; // or a hand has taken over
    begin ||= now;
    const x = Math.min(1, (now - begin) / flightTime);
    const ease = 1 - (1 - x) ** 3;
    const k = from.k * (to.k / from.k) ** ease;
    const at = { x: a.x + (b.x - a.x) * ease, y: a.y + (b.y - a.y) * ease };
    last = x < 1 ? { k, x: width / 2 - at.x * k, y: height / 2 - at.y * k } : to;
    camera.move(last);
    if (x < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

/** What of the drawing a view shows. @param {View} v @returns {Box} */
export const shownBox = (v, { width, height }) => ({ x: -v.x / v.k, y: -v.y / v.k, w: width / v.k, h: height / v.k });

/** A box with that part of it more on every side. @param {Box} b @param {number} by */
const widen = (b, by) => ({ x: b.x - by * b.w, y: b.y - by * b.h, w: (1 + 2 * by) * b.w, h: (1 + 2 * by) * b.h });
const within = (a, b) => a.x >= b.x && a.y >= b.y && a.x + a.w <= b.x + b.w && a.y + a.h <= b.y + b.h;

export function createCamera() {
  const view = signal(/** @type {View} */ ({ x: 0, y: 0, k: 1 }));
  const size = signal({ width: 0, height: 0 });
  const level = signal(/** @type {Level} */ ('block'));
  /** Details are drawn within; a quarter of a screen more than is seen on every side. */
  const near = signal(/** @type {Box} */ ({ x: 0, y: 0, w: 0, h: 0 }));
  /** @type {any} the element that is moved */
  let world = null;
  let frame = 0;
  /** @type {any} */
  let timer = null;

  function apply() {
    frame = 0;
    const { x, y, k } = view.peek();
    if (world) world.style.transform = `translate(${x}px,${y}px) scale(${k})`;
    // Of what is far from the details nothing is drawn: it may come into sight.
    if ((level.peek() === 'detail' || level.peek() === levelOf(k)) && !within(widen(shownBox(view.peek(), size.peek()), 1 / 16), near.peek())) look();
  }

  function look() {
    const v = view.peek();
    const b = shownBox(v, size.peek());
    near.value = widen(b, 1 / 4);
    level.value = levelOf(v.k);
  }

  function rest() {
    clearTimeout(timer);
    timer = null;
    look();
  }

  return {
    view,
    size,
    level,
    near,

    /** @param {any} element */
    mount(element) {
      world = element;
      apply();
    },

    /** Follows a hand: the next frame shows it. @param {View} v */
    move(v) {
      view.value = v;
      frame ||= requestAnimationFrame(apply);
      clearTimeout(timer);
      timer = setTimeout(rest, restAfter);
    },

    /** Shows something else, at once. @param {View} v */
    jump(v) {
      view.value = v;
      apply();
      rest();
    },

    /** A point of the stage in the drawing. @param {{x: number, y: number}} p */
    toWorld(p) {
      const { x, y, k } = view.peek();
      return { x: (p.x - x) / k, y: (p.y - y) / k };
    },
  };
}

/** @typedef {ReturnType<typeof createCamera>} Camera */
