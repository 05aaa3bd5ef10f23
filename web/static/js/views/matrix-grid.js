// The heat grid of a ping matrix, painted: ten thousand cells stay smooth. What
// is seen of it is drawn; names stay at the edges while it is scrolled. To
// readers of screens it is a grid with one cell, the one that has the focus.
import { effect } from '../lib/signals.js';
import { html, useEffect, useRef } from '../lib/preact.js';
import { t, ui } from '../context.js';
import { cellKey, failureOf, gradeOf } from '../core/matrix.js';

const glyphs = { silent: '✕', refused: '!', never: '–' };
const least = 11; // px a cell has at least
const most = 34;

/**
 * @param {{matrix: import('../core/matrix.js').Matrix, at: {row: number, column: number}, move: (at: {row: number, column: number}) => void,
 *   open: () => void, say: string}} props at: the cell with the focus
 */
export function MatrixGrid({ matrix, at, move, open, say }) {
  const stage = useRef(/** @type {any} */ (null));
  const canvas = useRef(/** @type {any} */ (null));
  const state = useRef(/** @type {any} */ ({}));
  const n = matrix.names.length;
  state.current = { matrix, at, move, open, draw: state.current.draw };
  useEffect(() => state.current.draw?.(), [matrix, at]);
  useEffect(() => follow(stage.current, canvas.current, state), []);
  const keys = (e) => {
    const { row, column } = at;
    const to = { ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], Home: [row, 0], End: [row, n - 1],
      PageUp: [row - 10, column], PageDown: [row + 10, column] }[e.key];
    if (to) move({ row: clamp(to[0], n), column: clamp(to[1], n) });
    else if (e.key === 'Enter' || e.key === ' ') open();
    else return;
    e.preventDefault();
  };
  return html`<div ref=${stage} class="matrix-stage" role="grid" tabindex="0" aria-label=${t('matrix.grid')} aria-rowcount=${n} aria-colcount=${n} aria-activedescendant="matrix-cell"
      data-testid="matrix-grid" data-row=${at.row} data-column=${at.column} onKeyDown=${keys}>
    <div role="row" class="sr" aria-rowindex=${at.row + 1}><span id="matrix-cell" role="gridcell" aria-colindex=${at.column + 1}>${say}</span></div>
    <canvas ref=${canvas} aria-hidden="true"></canvas>
    <div class="matrix-size" aria-hidden="true"></div>
  </div>`;
}

const clamp = (x, n) => Math.max(0, Math.min(n - 1, x));

/** Where things are: measured anew when names or room change. */
function layout(stage, names) {
  const n = names.length;
  const longest = Math.max(3, ...names.map((x) => x.length));
  const left = Math.max(96, Math.min(150, longest * 7.2 + 26));
  const [width, height] = [stage.clientWidth, stage.clientHeight];
  const size = Math.floor(Math.max(least, Math.min(most, (width - left - 4) / n, n <= 24 ? (height - 34) / n : most)));
  const slanted = size < longest * 7.2 + 6;
  const top = slanted ? Math.min(96, longest * 7 + 12) : 24;
  return { left, top, size, slanted, width, height };
}

/** Paints, and listens to the pointer. */
function follow(stage, canvas, state) {
  const abort = new AbortController();
  let frame = 0;
  const draw = () => { frame ||= requestAnimationFrame(() => { frame = 0; if (stage.isConnected) now(); }); };
  const now = () => {
    const { matrix, at } = state.current;
    const l = layout(stage, matrix.names);
    const spacer = stage.querySelector('.matrix-size').style;
    spacer.width = `${l.left + l.size * matrix.names.length + 2}px`;
    spacer.height = `${l.top + l.size * matrix.names.length + 2}px`;
    paint(canvas, { ...l, width: stage.clientWidth, height: stage.clientHeight, x: stage.scrollLeft, y: stage.scrollTop }, matrix, at);
  };
  state.current.draw = () => {
    const { matrix, at } = state.current;
    const l = layout(stage, matrix.names);
    // The cell with the focus stays in sight.
    if (stage.contains(document.activeElement)) {
      const [x, y] = [at.column * l.size, at.row * l.size];
      if (x < stage.scrollLeft) stage.scrollLeft = x;
      if (y < stage.scrollTop) stage.scrollTop = y;
      if (x + l.size > stage.scrollLeft + stage.clientWidth - l.left) stage.scrollLeft = x + l.size - stage.clientWidth + l.left;
      if (y + l.size > stage.scrollTop + stage.clientHeight - l.top) stage.scrollTop = y + l.size - stage.clientHeight + l.top;
    }
    draw();
  };
  const cellUnder = (e) => {
    const r = stage.getBoundingClientRect();
    // The page's zoom scales what is seen, but not what is measured inside.
    const zoom = r.width / stage.offsetWidth || 1;
    const l = layout(stage, state.current.matrix.names);
    const [x, y] = [(e.clientX - r.left) / zoom, (e.clientY - r.top) / zoom];
    if (x < l.left || y < l.top) return null;
    const at = { row: Math.floor((y - l.top + stage.scrollTop) / l.size), column: Math.floor((x - l.left + stage.scrollLeft) / l.size) };
    const n = state.current.matrix.names.length;
    return at.row < n && at.column < n ? at : null;
  };
  const on = (type, f) => stage.addEventListener(type, f, { signal: abort.signal });
  on('scroll', draw);
  on('pointermove', (e) => { const at = cellUnder(e); if (at) state.current.move(at); });
  on('click', (e) => { const at = cellUnder(e); if (at) { state.current.move(at); state.current.open(); } });
  const size = new ResizeObserver(draw);
  size.observe(stage);
  const themed = effect(() => { ui.theme.value; setTimeout(draw, 50); });
  draw();
  return () => {
    abort.abort();
    size.disconnect();
    themed();
    cancelAnimationFrame(frame);
  };
}

/** @param {HTMLCanvasElement} canvas @param {any} l @param {import('../core/matrix.js').Matrix} matrix @param {{row: number, column: number}} at */
function paint(canvas, l, matrix, at) {
  const ratio = devicePixelRatio * (canvas.getBoundingClientRect().width / canvas.offsetWidth || 1);
  canvas.width = Math.round(l.width * ratio);
  canvas.height = Math.round(l.height * ratio);
  canvas.style.width = `${l.width}px`;
  canvas.style.height = `${l.height}px`;
  const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const css = getComputedStyle(canvas);
  const colour = new Map();
  const of = (name) => {
    if (!colour.has(name)) colour.set(name, css.getPropertyValue(name).trim());
    return colour.get(name);
  };
  c.scale(ratio, ratio);
  const { names, cells } = matrix;
  const gap = l.size > 14 ? 2 : 1;
  const [r0, r1] = [Math.floor(l.y / l.size), Math.min(names.length, Math.ceil((l.y + l.height) / l.size))];
  const [c0, c1] = [Math.floor(l.x / l.size), Math.min(names.length, Math.ceil((l.x + l.width) / l.size))];
  c.font = `700 ${Math.min(15, l.size - 3)}px ${of('--sans')}`;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  for (let row = r0; row < r1; row++) {
    for (let column = c0; column < c1; column++) {
      const [x, y] = [l.left + column * l.size - l.x, l.top + row * l.size - l.y];
      const cell = cells.get(cellKey(names[row], names[column]));
      const look = row === column ? 'self' : !cell ? 'waiting' : cell.ok ? `grade-${gradeOf(cell.rtt_ms ?? 0)}` : failureOf(cell.reason);
      c.fillStyle = of(`--m-${look}`);
      c.fillRect(x, y, l.size - gap, l.size - gap);
      if (!cell || cell.ok) continue;
      c.fillStyle = of('--m-ink');
      c.fillText(glyphs[failureOf(cell.reason)], x + (l.size - gap) / 2, y + (l.size - gap) / 2 + 0.5);
    }
  }
  edges(c, l, names, at, of);
  const [x, y] = [l.left + at.column * l.size - l.x, l.top + at.row * l.size - l.y];
  if (x >= l.left - l.size && y >= l.top - l.size) {
    c.strokeStyle = of('--text');
    c.lineWidth = 2;
    c.strokeRect(Math.max(x, l.left) - 1, Math.max(y, l.top) - 1, l.size - gap + 2, l.size - gap + 2);
  }
}

/** Names of rows and columns; those of the cell with the focus stand out. */
function edges(c, l, names, at, of) {
  c.fillStyle = of('--surface');
  c.fillRect(0, 0, l.left - 2, l.height);
  c.fillRect(0, 0, l.width, l.top - 2);
  c.textBaseline = 'middle';
  const skip = Math.max(1, Math.ceil(12 / l.size)); // px a line of names needs
  names.forEach((name, i) => {
    const on = { row: i === at.row, column: i === at.column };
    const y = l.top + (i + 0.5) * l.size - l.y - 1;
    if (y > l.top - 4 && y < l.height + l.size && (on.row || i % skip === 0)) label(c, name, l.left - 8, y, 0, 'right', on.row, of);
    const x = l.left + (i + 0.5) * l.size - l.x - 1;
    if (x > l.left - 4 && x < l.width + l.size && (on.column || i % skip === 0)) {
      if (l.slanted) label(c, name, x, l.top - 6, -Math.PI / 2, 'left', on.column, of);
      else label(c, name, x, l.top - 12, 0, 'center', on.column, of);
    }
  });
  c.fillStyle = of('--surface');
  c.fillRect(0, 0, l.left - 2, l.top - 2);
  label(c, `${t('matrix.from')} ↓  ${t('matrix.to')} →`, l.left - 8, Math.max(12, l.top - 12), 0, 'right', false, of);
}

function label(c, text, x, y, angle, align, strong, of) {
  c.save();
  c.translate(x, y);
  c.rotate(angle);
  c.textAlign = align;
  c.font = `${strong ? 700 : 400} 12px ${of('--sans')}`;
  c.fillStyle = of(strong ? '--text' : '--soft');
  c.fillText(text, 0, 0, 140);
  c.restore();
}
