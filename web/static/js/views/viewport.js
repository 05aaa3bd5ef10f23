// Pan, zoom and drag: pointer, wheel, pinch. Turns what hands do into calls.

export const zoomRange = [0.15, 2.5];
const clickSlop = 4;
const edge = 16;

/** The view that shows a box as large as sensible. @returns {{x: number, y: number, k: number}} */
export function fitView(box, width, height, { most = 1.15, pad = 48, bottom = 56 } = {}) {
  const k = Math.max(zoomRange[0], Math.min(most, (width - 2 * pad) / box.w, (height - pad - bottom) / box.h));
  return { k, x: (width - box.w * k) / 2 - box.x * k, y: (height - bottom + pad * 0.4 - box.h * k) / 2 - box.y * k };
}

/** Is a box on the screen, whole? */
export function inView(box, v, width, height) {
  return box.x * v.k + v.x >= edge && box.y * v.k + v.y >= edge &&
    (box.x + box.w) * v.k + v.x <= width - edge && (box.y + box.h) * v.k + v.y <= height - 2 * edge;
}

export function zoomAt(v, px, py, factor) {
  const k = Math.max(zoomRange[0], Math.min(zoomRange[1], v.k * factor));
  return { k, x: px - ((px - v.x) * k) / v.k, y: py - ((py - v.y) * k) / v.k };
}

/**
 * @param {SVGSVGElement} svg
 * @param {object} o
 * @param {() => {x: number, y: number, k: number}} o.view
 * @param {(v: {x: number, y: number, k: number}) => void} o.setView
 * @param {(id: string) => {x: number, y: number} | undefined} o.position of a node
 * @param {(id: string, p: {x: number, y: number}) => void} o.moveNode
 * @param {() => void} o.dropNode
 * @param {(target: Element) => void} o.click
 * @param {AbortSignal} signal
 */
export function handle(svg, { view, setView, position, moveNode, dropNode, click }, signal) {
  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();
  /** @type {any} */
  let drag = null;

  const local = (e) => {
    const r = svg.getBoundingClientRect();
    return { x: e.clientX - r.left, y: e.clientY - r.top };
  };
  const on = (type, f, options = {}) => svg.addEventListener(type, f, { signal, ...options });

  on('pointerdown', (e) => {
    if (e.button !== 0 || e.target.closest('[data-button]')) return;
    pointers.set(e.pointerId, local(e));
    const id = e.target.closest('[data-node]')?.dataset.node;
    const at = id && position(id);
    drag = { target: e.target, start: local(e), id: at ? id : null, at, view: view(), moved: false };
  });

  on('pointermove', (e) => {
    if (!pointers.has(e.pointerId) || !drag) return;
    const before = new Map(pointers);
    pointers.set(e.pointerId, local(e));
    if (pointers.size === 2) return pinch(before);
    const { x, y } = local(e);
    const [dx, dy] = [x - drag.start.x, y - drag.start.y];
    if (!drag.moved && Math.hypot(dx, dy) < clickSlop) return;
    if (!drag.moved) {
      drag.moved = true;
      // Only now: a captured pointer would send the click elsewhere.
      svg.setPointerCapture(e.pointerId);
      svg.classList.add(drag.id ? 'dragging' : 'panning');
    }
    const k = view().k;
    if (drag.id) moveNode(drag.id, { x: Math.round(drag.at.x + dx / k), y: Math.round(drag.at.y + dy / k) });
    else setView({ ...drag.view, x: drag.view.x + dx, y: drag.view.y + dy });
  });

  function pinch(before) {
    const [a0, b0] = [...before.values()];
    const [a, b] = [...pointers.values()];
    const factor = Math.hypot(a.x - b.x, a.y - b.y) / Math.max(1, Math.hypot(a0.x - b0.x, a0.y - b0.y));
    setView(zoomAt(view(), (a.x + b.x) / 2, (a.y + b.y) / 2, factor));
    drag.moved = true;
    drag.id = null;
    drag.view = view();
  }

  const end = (e) => {
    if (!pointers.delete(e.pointerId) || !drag || pointers.size) return;
    svg.classList.remove('dragging', 'panning');
    const { moved, id, target } = drag;
    drag = null;
    if (moved && id) dropNode();
    else if (!moved && e.type === 'pointerup') click(target);
  };
  on('pointerup', end);
  on('pointercancel', end);

  on('wheel', (e) => {
    e.preventDefault();
    const { x, y } = local(e);
    const unit = e.deltaMode === 1 ? 20 : 1;
    setView(zoomAt(view(), x, y, Math.exp((-e.deltaY * unit) / (e.ctrlKey ? 120 : 450))));
  }, { passive: false });
}
