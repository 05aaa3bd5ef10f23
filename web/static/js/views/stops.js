// The graph is one stop of Tab: one of its cards and cables can have the focus,
// and arrows lead from each to the next. Else Tab would walk through a thousand.
import { effect } from '../lib/signals.js';
import { directions, nextNode } from './whereabouts.js';

const objects = '[data-node],[data-cable]';

/**
 * @param {HTMLElement} stage
 * @param {{scene: import('../layout/scene.js').Scene, drawn: import('./drawn.js').Drawn, reveal: (id: string) => void}} o
 */
export function createStops(stage, { scene, drawn, reveal }) {
  /** @type {any} */
  let current = null;
  /** The node whose cables are gone through. */
  let home = '';

  /** @param {any} element */
  function make(element) {
    if (current !== element) current?.setAttribute('tabindex', '-1');
    current = element;
    current?.setAttribute('tabindex', '0');
  }
  const find = (attribute, id) => [...stage.querySelectorAll(`[${attribute}]`)].find((e) => e.getAttribute(attribute) === id);

  /** @param {any} element @param {string} [node] to be seen */
  function go(element, node = element?.dataset.node) {
    if (!element) return;
    make(element);
    element.focus({ preventScroll: true });
    if (node) reveal(node);
  }

  const cablesOf = (id) => scene.model.peek().cables.filter((c) => c.a.node === id || c.b?.node === id);

  return {
    /** Keeps one stop there, whatever comes and goes. Ends with the function returned. */
    follow: () => effect(() => {
      drawn.order.value;
      requestAnimationFrame(() => { if (!current?.isConnected) make(stage.querySelector('[data-node]')); });
    }),
    /** What has the focus is where Tab comes back to. */
    focused(element) { make(element.closest(objects)); },
    /** Goes to a node. @param {string} id */
    to(id) { go(find('data-node', id)); },
    /** Goes the way of an arrow; from a cable to the card at its end that way. @param {any} from @param {string} key @returns {boolean} was it one? */
    walk(from, key) {
      const way = directions[key];
      if (!way) return false;
      const positions = scene.positions.peek();
      const cable = scene.model.peek().cables.find((c) => c.id === from.dataset.cable);
      if (cable) {
        const ends = [cable.a.node, cable.b?.node].filter((n) => n && positions.has(n));
        const along = (id) => { const p = /** @type {any} */ (positions.get(id)); return p.x * way[0] + p.y * way[1]; };
        const end = ends.sort((a, b) => along(b) - along(a))[0];
        if (end) go(find('data-node', end));
      } else {
        const next = nextNode(scene.model.peek(), positions, from.dataset.node, way);
        if (next) go(find('data-node', next));
      }
      return true;
    },
    /** Goes to the next cable of the card, or to another of the same card. @param {any} from @param {number} step */
    cable(from, step) {
      home = from.dataset.node ?? home;
      const list = cablesOf(home);
      if (list.length === 0) return;
      const i = list.findIndex((c) => c.id === from.dataset.cable);
      const next = list[i < 0 ? (step > 0 ? 0 : list.length - 1) : (i + step + list.length) % list.length];
      go(find('data-cable', next.id), home);
    },
  };
}
