// Where a node that was asked for at a place is put.
import { effect, untracked } from '../lib/signals.js';
import { scene } from '../context.js';

const patience = 10000; // ms; what is not drawn by then is not to be waited for

/** Puts the middle of a node where a hand asked for it, as soon as it is drawn. @param {string} id of the node @param {{x: number, y: number}} at in the drawing */
export function standAt(id, at) {
  let stop = () => {};
  const timer = setTimeout(() => stop(), patience);
  stop = effect(() => {
    const node = scene.model.value.nodes.find((n) => n.id === id);
    if (!node) return;
    clearTimeout(timer);
    untracked(() => {
      scene.move(id, { x: Math.round(at.x - node.w / 2), y: Math.round(at.y - node.h / 2) });
      scene.save();
    });
    queueMicrotask(() => stop());
  });
}
