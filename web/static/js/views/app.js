// The whole page, and its keys.
import { html, useEffect, useRef, useSignal } from '../lib/preact.js';
import { actions, scene, store, t, ui } from '../context.js';
import { DialogHost } from './dialogs.js';
import { Drawer } from './drawer.js';
import { Empty } from './empty.js';
import { Graph } from './graph.js';
import { Legend } from './legend.js';
import { Panel } from './panel.js';
import { Progress } from './progress.js';
import { Search } from './search.js';
import { Toasts } from './toasts.js';
import { TopBar } from './topbar.js';

/** @param {{retry: () => void}} props */
export function App({ retry }) {
  const width = useSignal(Number(localStorage.getItem('netdash.panel')) || defaultWidth());
  useEffect(() => {
    const abort = new AbortController();
    addEventListener('keydown', keys, { signal: abort.signal });
    return () => abort.abort();
  }, []);
  const shell = useRef(/** @type {any} */ (null));
  useEffect(() => {
    shell.current.style.setProperty('--panel', `${width.value}px`);
    localStorage.setItem('netdash.panel', String(width.value));
  }, [width.value]);
  return html`<div class=${`shell ${ui.panel.value ? '' : 'wide'}`} ref=${shell}>
    <${TopBar} retry=${retry} />
    <main class="stage">
      <${Graph} />
      <${Empty} />
      <${Progress} />
      <${Picking} />
      <${Legend} />
      <${Search} />
    </main>
    <${Splitter} width=${width} />
    <${Panel} />
    <${Drawer} />
    <${DialogHost} />
    <${Toasts} />
  </div>`;
}

const defaultWidth = () => (innerWidth < 1500 ? 350 : 410);
const clamp = (w) => Math.max(300, Math.min(720, w));

/** Changes the width of the panel by pointer or arrow keys. */
function Splitter({ width }) {
  const down = (e) => {
    const start = { x: e.clientX, width: width.value };
    e.target.setPointerCapture(e.pointerId);
    e.target.onpointermove = (m) => { width.value = clamp(start.width + start.x - m.clientX); };
    e.target.onpointerup = () => { e.target.onpointermove = null; };
  };
  const key = (e) => {
    const step = { ArrowLeft: 20, ArrowRight: -20 }[e.key];
    if (step) width.value = clamp(width.value + step);
  };
  return html`<div class="splitter" role="separator" aria-orientation="vertical" aria-label=${t('panel.resize')} tabindex="0"
    aria-valuenow=${width.value} aria-valuemin="300" aria-valuemax="720" onPointerDown=${down} onKeyDown=${key}></div>`;
}

/** Says what the next click will do while a ping target is chosen. */
function Picking() {
  const from = ui.picking.value;
  if (!from) return null;
  return html`<div class="picking-hint" role="status">${t('ping.pick', { namespace: from })}
    <button type="button" class="button small" onClick=${() => { ui.picking.value = null; }}>${t('cancel')}<kbd>Esc</kbd></button></div>`;
}

/** @type {Record<string, () => void>} */
const bindings = {
  n: () => actions.open('namespace'),
  v: () => actions.open('veth'),
  b: () => actions.open('bridge'),
  l: () => actions.open('template'),
  '/': () => actions.search(),
  p: () => {
    const id = ui.selection.value;
    if (id) actions.pingFrom(id.replace(/^(ns|link):/, '').split('/')[0]);
    else ui.drawer.value = { open: true, tab: 'ping' };
  },
  i: () => actions.togglePanel(),
  d: () => { ui.drawer.value = { open: true, tab: 'drift' }; },
  s: () => actions.open('document'),
  f: () => actions.view('fit'),
  t: () => scene.tidy(),
  '+': () => actions.view('in'),
  '-': () => actions.view('out'),
  '?': () => actions.open('help'),
  Delete: () => actions.deleteChosen(),
  Escape: () => {
    if (ui.picking.value) ui.picking.value = null;
    else actions.select(null);
  },
};

/** The same with Ctrl (or ⌘), where letters come as capitals with Shift. */
const withControl = (e) =>
  ({ z: actions.undo, Z: actions.redo, y: actions.redo, k: actions.search })[e.shiftKey ? e.key.toUpperCase() : e.key.toLowerCase()];

function keys(e) {
  if (e.altKey || ui.dialog.value || !store.loaded.value) return;
  if (e.target.closest?.('input, textarea, select')) return;
  const control = e.ctrlKey || e.metaKey;
  const action = control ? withControl(e) : bindings[e.key];
  if (!action) return;
  e.preventDefault();
  if (!(control && e.repeat)) action(); // held down, undo is still one wish
}
