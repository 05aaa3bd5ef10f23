// The whole picture, small: the part that is seen is a frame in it, to be dragged.
import { effect } from '../lib/signals.js';
import { html, useEffect, useRef } from '../lib/preact.js';
import { scene, t } from '../context.js';
import { bounds } from '../layout/geometry.js';
import { shownBox } from './camera.js';

const [width, height] = [210, 132];
const pause = 120; // ms between two drawings

/** @param {{camera: import('./camera.js').Camera, steer: () => void}} props */
export function Minimap({ camera, steer }) {
  const canvas = useRef(/** @type {any} */ (null));
  const frame = useRef(/** @type {any} */ (null));
  useEffect(() => {
    /** how the drawing lies in the map */
    let map = { x: 0, y: 0, k: 0 };
    let last = 0;
    /** @type {any} */
    let timer = null;
    const abort = new AbortController();

    function draw() {
      timer = null;
      last = performance.now();
      const box = bounds(scene.model.peek(), scene.positions.peek(), scene.routes.peek());
      if (!box) return;
      const k = Math.min((width - 12) / box.w, (height - 12) / box.h);
      map = { k, x: (width - box.w * k) / 2 - box.x * k, y: (height - box.h * k) / 2 - box.y * k };
      paint(canvas.current, map);
      outline();
    }

    function outline() {
      const b = shownBox(camera.view.peek(), camera.size.peek());
      const [x, y] = [b.x * map.k + map.x, b.y * map.k + map.y];
      const [x1, y1] = [Math.max(0, x), Math.max(0, y)];
      const style = frame.current.style;
      style.transform = `translate(${x1}px,${y1}px)`;
      style.width = `${Math.max(4, Math.min(width, x + b.w * map.k) - x1)}px`;
      style.height = `${Math.max(4, Math.min(height, y + b.h * map.k) - y1)}px`;
    }

    const stops = [
      effect(() => {
        scene.model.value;
        scene.positions.value;
        timer ??= setTimeout(draw, Math.max(0, last + pause - performance.now()));
      }),
      effect(() => {
        camera.view.value;
        camera.size.value;
        if (map.k) outline();
      }),
    ];
    // The map is painted in colours of the theme.
    const observer = new MutationObserver(draw);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });

    const go = (e) => {
      const r = canvas.current.getBoundingClientRect();
      const { k } = camera.view.peek();
      const at = { x: (e.clientX - r.left - map.x) / map.k, y: (e.clientY - r.top - map.y) / map.k };
      const size = camera.size.peek();
      steer();
      camera.move({ k, x: size.width / 2 - at.x * k, y: size.height / 2 - at.y * k });
    };
    const root = canvas.current.parentElement;
    root.addEventListener('pointerdown', (e) => {
      root.setPointerCapture(e.pointerId);
      go(e);
    }, { signal: abort.signal });
    root.addEventListener('pointermove', (e) => { if (root.hasPointerCapture(e.pointerId)) go(e); }, { signal: abort.signal });
    return () => {
      abort.abort();
      observer.disconnect();
      clearTimeout(timer);
      for (const stop of stops) stop();
    };
  }, []);
  // Keys pan the picture itself; the map is for eyes and pointers.
  return html`<div class="minimap" role="img" aria-label=${t('graph.minimap')} data-testid="minimap">
    <canvas ref=${canvas}></canvas><div class="minimap-frame" ref=${frame}></div>
  </div>`;
}

/** @param {HTMLCanvasElement} canvas @param {{x: number, y: number, k: number}} map */
function paint(canvas, map) {
  const ratio = devicePixelRatio;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const css = getComputedStyle(canvas);
  const colours = new Map();
  const colour = (name) => {
    if (!colours.has(name)) colours.set(name, css.getPropertyValue(name));
    return colours.get(name);
  };
  c.setTransform(ratio * map.k, 0, 0, ratio * map.k, ratio * map.x, ratio * map.y);
  c.strokeStyle = colour('--line-strong');
  c.lineWidth = 0.7 / map.k;
  c.beginPath();
  for (const { portA, portB } of scene.routes.peek().values()) {
    if (!portB) continue;
    c.moveTo(portA.x, portA.y);
    c.lineTo(portB.x, portB.y);
  }
  c.stroke();
  const wrong = { down: '--down', 'no-carrier': '--warn', missing: '--ghost' };
  const positions = scene.positions.peek();
  for (const n of scene.model.peek().nodes) {
    const p = positions.get(n.id);
    if (!p) continue;
    c.fillStyle = colour(wrong[n.state] ?? (n.sync === 'drifted' ? '--warn' : n.kind === 'br' ? '--bridge' : '--map-card'));
    c.fillRect(p.x, p.y, Math.max(n.w, 2 / map.k), Math.max(n.h, 2 / map.k));
  }
}
