// Pan, zoom and drag: pointer, wheel, pinch. Turns what hands do into calls.
import { zoomAt } from './camera.js';

const clickSlop = 4; // px
const touchSlop = 10;

/**
 * A drag of something else than the picture: begin once it moved, move with the
 * way from where it began (px) and the place now, end where it was let go.
 * @typedef {object} Drag
 * @property {string} name a class of the stage while it lasts
 * @property {() => void} [begin]
 * @property {(by: {x: number, y: number}, at: {x: number, y: number}, under: Element | null) => void} move
 * @property {(done: boolean) => void} end done: not called off
 */

/**
 * @param {HTMLElement} stage
 * @param {object} o
 * @param {import('./camera.js').Camera} o.camera
 * @param {() => void} o.steer the view is the person's own from now on
 * @param {(target: Element, e: PointerEvent, at: {x: number, y: number}) => Drag | null} o.grab what a hand took hold of; null: the picture
 * @param {(target: Element, e: PointerEvent, at: {x: number, y: number}) => void} o.click
 * @param {AbortSignal} signal
 * @returns {() => boolean} calls the drag off, if there is one
 */
export function handle(stage, { camera, steer, grab, click }, signal) {
  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();
  /** @type {any} */
  let hold = null;

  const local = (e) => {
    const r = stage.getBoundingClientRect();
    return { x: e.clientX - r.left, y: e.clientY - r.top };
  };
  const on = (type, f, options = {}) => stage.addEventListener(type, f, { signal, ...options });
  const setView = (v) => {
    steer();
    camera.move(v);
  };

  on('pointerdown', (e) => {
    if (e.button !== 0 || e.target.closest('[data-button]')) return;
    const at = local(e);
    pointers.set(e.pointerId, at);
    if (pointers.size > 1) return letGo(false); // two fingers move the picture
    hold = { target: e.target, start: at, view: camera.view.peek(), moved: false, drag: grab(e.target, e, at) };
  });

  on('pointermove', (e) => {
    if (!pointers.has(e.pointerId) || !hold) return;
    const before = [...pointers.values()];
    const at = local(e);
    pointers.set(e.pointerId, at);
    if (pointers.size === 2) return pinch(before, [...pointers.values()]);
    const by = { x: at.x - hold.start.x, y: at.y - hold.start.y };
    if (!hold.moved) {
      if (Math.hypot(by.x, by.y) < (e.pointerType === 'touch' ? touchSlop : clickSlop)) return;
      hold.moved = true;
      // Only now: a captured pointer would send the click elsewhere.
      stage.setPointerCapture(e.pointerId);
      stage.classList.add(hold.drag?.name ?? 'panning');
      hold.drag?.begin?.();
    }
    if (hold.drag) hold.drag.move(by, at, document.elementFromPoint(e.clientX, e.clientY));
    else setView({ ...hold.view, x: hold.view.x + by.x, y: hold.view.y + by.y });
  });

  function pinch(before, now) {
    const [[a0, b0], [a, b]] = [before, now];
    const v = camera.view.peek();
    const [mid0, mid] = [[a0, b0], [a, b]].map(([p, q]) => ({ x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 }));
    const factor = Math.hypot(a.x - b.x, a.y - b.y) / Math.max(1, Math.hypot(a0.x - b0.x, a0.y - b0.y));
    setView(zoomAt({ ...v, x: v.x + mid.x - mid0.x, y: v.y + mid.y - mid0.y }, mid.x, mid.y, factor));
    if (hold) hold.moved = true;
  }

  /** Ends the drag, if there is one. @param {boolean} done */
  function letGo(done) {
    const drag = hold?.moved ? hold.drag : null;
    if (!drag) return false;
    hold.drag = null;
    stage.classList.remove(drag.name);
    drag.end(done);
    return true;
  }

  const end = (e) => {
    if (!pointers.delete(e.pointerId) || !hold) return;
    const left = [...pointers.values()][0];
    if (left) { // of two fingers one went on: it pans from here
      hold = { ...hold, start: left, view: camera.view.peek(), drag: null };
      return;
    }
    const { moved, target, start } = hold;
    letGo(e.type === 'pointerup');
    hold = null;
    stage.classList.remove('panning');
    if (!moved && e.type === 'pointerup') click(target, e, start);
  };
  on('pointerup', end);
  on('pointercancel', end);

  on('wheel', (e) => {
    e.preventDefault();
    const { x, y } = local(e);
    const unit = e.deltaMode === 1 ? 20 : 1;
    setView(zoomAt(camera.view.peek(), x, y, Math.exp((-e.deltaY * unit) / (e.ctrlKey ? 120 : 450))));
  }, { passive: false });

  return () => letGo(false);
}
