// What went wrong with an object of the graph, said beside it.
import { effect } from '../lib/signals.js';
import { html, useLayoutEffect, useRef } from '../lib/preact.js';
import { scene, t, ui } from '../context.js';
import { boxOf } from './whereabouts.js';
import { Button } from './parts.js';

const time = 15000; // ms it stays

/** @param {{camera: import('./camera.js').Camera}} props */
export function Bubble({ camera }) {
  const bubble = ui.bubble.value;
  const root = useRef(/** @type {any} */ (null));
  useLayoutEffect(() => {
    if (!bubble) return undefined;
    const close = () => { ui.bubble.value = null; };
    const timer = setTimeout(close, time);
    const abort = new AbortController();
    document.addEventListener('pointerdown', (e) => { if (!root.current?.contains(e.target)) close(); }, { signal: abort.signal, capture: true });
    // It goes along when the picture is moved.
    const stop = effect(() => {
      const { x, y, k } = camera.view.value;
      const { width, height } = camera.size.value;
      const box = boxOf(scene.model.value, scene.positions.value, scene.routes.value, bubble.at);
      const at = box ? { x: (box.x + box.w / 2) * k + x, y: (box.y + box.h) * k + y + 12 } : { x: width / 2, y: height / 2 };
      const { offsetWidth: w, offsetHeight: h } = root.current;
      root.current.style.left = `${Math.max(8, Math.min(at.x - w / 2, width - w - 8))}px`;
      root.current.style.top = `${Math.max(8, Math.min(at.y, height - h - 8))}px`;
    });
    return () => {
      clearTimeout(timer);
      abort.abort();
      stop();
    };
  }, [bubble]);
  if (!bubble) return null;
  return html`<div class="bubble" ref=${root} role="alert" data-testid="bubble" data-at=${bubble.at}>
    <div><p>${bubble.text}</p>${bubble.hint && html`<p class="hint">${bubble.hint}</p>`}</div>
    <${Button} icon="x" title=${t('close')} onClick=${() => { ui.bubble.value = null; }} />
  </div>`;
}
