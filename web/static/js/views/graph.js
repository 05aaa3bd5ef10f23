// The graph: everything the scene holds, on an svg that can be panned and zoomed.
import { html, useEffect, useMemo, useRef, useSignal, useSignalEffect } from '../lib/preact.js';
import { actions, scene, store, t, ui } from '../context.js';
import { bounds } from '../layout/geometry.js';
import { CableView, PortsView } from './cable.js';
import { NodeView } from './node.js';
import { Button } from './parts.js';
import { fitView, handle, inView, zoomAt } from './viewport.js';

export function Graph() {
  const svg = useRef(/** @type {any} */ (null));
  const view = useSignal({ x: 0, y: 0, k: 1 });
  const own = useRef(false); // the view was chosen by hand: leave it alone

  // While the page changes its language the canvas is gone for a moment.
  const size = () => ({ width: svg.current?.clientWidth ?? 0, height: svg.current?.clientHeight ?? 0 });
  const shown = useRef(false); // something was ever there to fit
  const fit = () => {
    const box = bounds(scene.model.peek(), scene.positions.peek(), scene.routes.peek());
    const { width, height } = size();
    own.current = false;
    if (!box || !width) return;
    shown.current = true;
    view.value = fitView(box, width, height, { bottom: ui.legend.peek() ? 112 : 60 });
  };
  const zoom = (factor) => {
    const { width, height } = size();
    own.current = true;
    view.value = zoomAt(view.peek(), width / 2, height / 2, factor);
  };

  useEffect(() => {
    const abort = new AbortController();
    handle(svg.current, {
      view: () => view.peek(),
      setView: (v) => { own.current = true; view.value = v; },
      position: (id) => scene.positions.peek().get(id),
      moveNode: scene.move,
      dropNode: scene.save,
      click,
    }, abort.signal);
    const observer = new ResizeObserver(() => {
      const { width, height } = size();
      if (!width || !height) return;
      scene.setAspect(width / height);
      if (!own.current) fit();
    });
    observer.observe(svg.current);
    return () => { abort.abort(); observer.disconnect(); };
  }, []);

  // A whole new picture is fitted; a change only when it would lie outside.
  useSignalEffect(() => {
    scene.laidOut.value;
    requestAnimationFrame(fit);
    setTimeout(() => { if (!own.current) fit(); }, 320);
  });
  useSignalEffect(() => {
    const box = bounds(scene.model.value, scene.positions.value, scene.routes.value);
    if (!box) shown.current = false;
    if (!box || own.current || !svg.current) return;
    const { width, height } = size();
    if (width && (!shown.current || !inView(box, view.peek(), width, height))) fit();
  });
  useSignalEffect(() => {
    const { what } = ui.view.value;
    if (what === 'fit') fit();
    else if (what) zoom(what === 'in' ? 1.25 : 0.8);
  });

  const { x, y, k } = view.value;
  const far = k < 0.42 ? 'far' : '';
  return html`<div class=${`graph ${store.stale.value && store.loaded.value ? 'stale' : ''}`}>
    <svg ref=${svg} class=${`canvas ${far}`} role="group" aria-label=${t('graph.label')} data-testid="graph" onKeyDown=${keys}>
      <defs>
        <pattern id="dots" width="24" height="24" patternUnits="userSpaceOnUse" patternTransform=${`translate(${x} ${y}) scale(${k})`}>
          <circle class="dot" cx="1" cy="1" r="1" />
        </pattern>
      </defs>
      <rect class="ground" width="100%" height="100%" fill="url(#dots)" />
      <g transform=${`translate(${x} ${y}) scale(${k})`}><${Picture} /></g>
    </svg>
    <div class="zoom" role="toolbar" aria-label=${t('graph.view')}>
      <${Button} icon="plus" title=${t('graph.zoomIn')} hint="+" onClick=${() => zoom(1.25)} test="zoom-in" />
      <${Button} icon="minus" title=${t('graph.zoomOut')} hint="−" onClick=${() => zoom(0.8)} test="zoom-out" />
      <${Button} icon="maximize" title=${t('graph.fit')} hint="f" onClick=${fit} test="fit" />
      <${Button} icon="layout-grid" title=${t('graph.tidy')} hint="t" onClick=${scene.tidy} test="tidy" />
    </div>
  </div>`;
}

/** The drawing itself: does not hear of pan and zoom. */
function Picture() {
  const model = scene.model.value;
  const positions = scene.positions.value;
  const routes = scene.routes.value;
  const selection = ui.selection.value;
  const touched = store.touched.value;
  const lit = ui.lit.value;
  const picking = ui.picking.value;
  const started = useMemo(() => new Map(touched), [scene.laidOut.value]);
  // What happened before the picture was there does not flash.
  const flash = (...ids) => ids.reduce((n, id) => n + (touched.get(id) ?? 0) - (started.get(id) ?? 0), 0);
  const drawn = model.cables.filter((c) => routes.has(c.id));
  const isLit = (c) => lit.has(c.a.ref) || (c.b && lit.has(c.b.ref));
  return html`
    ${model.tethers.map((x) => html`<${Tether} key=${x.id} from=${boxOf(model, positions, x.from)} to=${boxOf(model, positions, x.to)} />`)}
    ${drawn.map((c) => html`<${CableView} key=${c.id} cable=${c} route=${routes.get(c.id)} lit=${isLit(c)}
      selected=${selection === `link:${c.a.ref}` || (c.b && selection === `link:${c.b.ref}`)}
      flash=${flash(`link:${c.a.ref}`, ...(c.b ? [`link:${c.b.ref}`] : []))} />`)}
    ${model.nodes.map((n) => {
      const p = positions.get(n.id);
      return p && html`<${NodeView} key=${n.id} node=${n} x=${p.x} y=${p.y} selected=${selection === n.select}
        lit=${false} picking=${picking === n.namespace && n.kind === 'ns'} flash=${flash(n.select)} />`;
    })}
    ${drawn.map((c) => html`<${PortsView} key=${c.id} cable=${c} route=${routes.get(c.id)} />`)}
  `;
}

function boxOf(model, positions, id) {
  const n = model.nodes.find((x) => x.id === id);
  const p = positions.get(id);
  return n && p ? { x: p.x + n.w / 2, y: p.y + n.h / 2 } : null;
}

/** Ties a bridge to the card of the namespace it lives in. */
function Tether({ from, to }) {
  return from && to && html`<path class="tether" d=${`M${from.x} ${from.y}L${to.x} ${to.y}`} />`;
}

/** @param {any} target what was clicked or given Enter */
function click(target) {
  const node = target.closest('[data-node]')?.dataset.node;
  const from = ui.picking.peek();
  if (from && node) {
    const to = node.slice(3).split('/')[0];
    actions.ping({ namespace: from, to_namespace: to, count: 5 });
    return;
  }
  const tag = target.closest('[data-tag]')?.dataset.tag;
  const link = target.closest('[data-link]')?.dataset.link;
  if (tag) actions.select(`ns:${tag}`);
  else if (link) actions.select(`link:${link}`);
  else if (node) actions.select(node.startsWith('ns:') ? node : `link:${node.slice(3)}`);
  else {
    ui.picking.value = null;
    actions.select(null);
  }
}

const steps = { ArrowLeft: [-20, 0], ArrowRight: [20, 0], ArrowUp: [0, -20], ArrowDown: [0, 20] };

/** Enter selects; arrows move the card that has the focus. */
function keys(e) {
  const target = e.target.closest('[data-node],[data-cable]');
  if (!target || e.target.closest('[data-button]')) return;
  if (e.key === 'Enter' || e.key === ' ') {
    e.preventDefault();
    click(target);
  }
  const id = target.dataset.node;
  const at = id && scene.positions.peek().get(id);
  if (steps[e.key] && at) {
    e.preventDefault();
    scene.move(id, { x: at.x + steps[e.key][0], y: at.y + steps[e.key][1] });
    scene.save();
  }
}
