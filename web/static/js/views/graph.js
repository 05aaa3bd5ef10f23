// The graph: what the scene holds, on a canvas that can be panned and zoomed.
import { effect, untracked } from '../lib/signals.js';
import { html, useEffect, useMemo, useRef, useSignal } from '../lib/preact.js';
import { actions, calm, ignored, player, scene, store, t, ui } from '../context.js';
import { bounds } from '../layout/geometry.js';
import { Bubble } from './bubble.js';
import { createCamera, fitView, fly, inView, viewOf, zoomAt } from './camera.js';
import { createDrawn } from './drawn.js';
import { HandMarks } from './hand-marks.js';
import { boxDrag, chooseAll, connect, createHands, moveDrag, nodeOfPort, nodeUnder, toggle, wireDrag, wireFromSelection } from './hands.js';
import { Minimap } from './minimap.js';
import { PictureMenu } from './picture-menu.js';
import { FrameLayer } from './frame-layer.js';
import { Button } from './parts.js';
import { Picture } from './picture.js';
import { Spot } from './spot.js';
import { createStops } from './stops.js';
import { handle } from './viewport.js';
import { boxOf, directions } from './whereabouts.js';

/** Pixels that search takes on the left. */
const listWidth = () => 400 * Number(getComputedStyle(document.documentElement).getPropertyValue('--zoom'));
/** Pixels between the picture and the legend below it. */
const legendGap = 36;
/** Pixels that the tools take on the right. */
const toolsWidth = 44;
const mapFrom = 100; // nodes; below, the picture itself is as good

export function Graph() {
  const stage = useRef(/** @type {any} */ (null));
  const world = useRef(/** @type {any} */ (null));
  const g = useMemo(createGraph, []);
  useEffect(() => g.mount(stage.current, world.current), []);
  return html`<div class=${`graph ${store.stale.value && store.loaded.value ? 'stale' : ''}`}>
    <div ref=${stage} class=${`canvas ${ui.lit.value.size ? 'lighting' : ''}`} role="group" aria-label=${t('graph.label')} aria-description=${t('graph.keys')} data-testid="graph">
      <div ref=${world} class="world"><svg class="drawing">
        <${Picture} drawn=${g.drawn} camera=${g.camera} />
        <${HandMarks} hands=${g.hands} drawn=${g.drawn} camera=${g.camera} />
        <${FrameLayer} camera=${g.camera} />
      </svg></div>
    </div>
    <${Tools} g=${g} />
    <${Spot} hands=${g.hands} steer=${g.steer} />
    <${Bubble} camera=${g.camera} />
    <${Stale} />
    <${Choosing} hands=${g.hands} />
    <${Chosen} />
  </div>`;
}

/** Everything beside the elements: the camera, what is drawn, what hands do. */
function createGraph() {
  const camera = createCamera();
  const hands = createHands();
  const drawn = createDrawn({ scene, store, ui, ignored, camera, hands });
  let own = false; // the view was chosen by hand: leave it alone
  let shown = false; // something was ever there to fit
  let anything = false; // something was laid out
  let legend = 0; // its height, px

  function steer() {
    own = true;
    if (!shown) camera.jump(camera.view.peek()); // details are drawn of where one looks
  }
  function fit() {
    const box = bounds(scene.model.peek(), scene.positions.peek(), scene.routes.peek());
    const { width, height } = camera.size.peek();
    own = false;
    if (!box || !width) return;
    shown = true;
    const words = player.shown.peek() ? 64 : 0; // of a bridge at the top, while a walk is played
    legend = document.querySelector('[data-testid="legend"]')?.getBoundingClientRect().height ?? 0;
    camera.jump(fitView({ ...box, y: box.y - words, h: box.h + words }, width - toolsWidth, height, { bottom: legend + legendGap }));
  }
  function zoom(factor) {
    const { width, height } = camera.size.peek();
    steer();
    camera.jump(zoomAt(camera.view.peek(), width / 2, height / 2, factor));
  }

  /** @param {string} id of a node, or a selection */
  const find = (id) => boxOf(scene.model.peek(), scene.positions.peek(), scene.routes.peek(), id);
  /** Goes to an object, near enough to read it, and beside the list of what was found. */
  function show(id) {
    const box = find(id);
    if (!box) return;
    steer();
    const left = ui.searching.peek() ? listWidth() : 0;
    const { width, height } = camera.size.peek();
    const to = viewOf(box, camera.view.peek(), { width: width - left, height }, 0.75);
    fly(camera, { ...to, x: to.x + left }, calm());
  }
  /** Goes to an object only when it cannot be seen. */
  function reveal(id) {
    const box = find(id);
    const { width, height } = camera.size.peek();
    if (!box || inView(box, camera.view.peek(), width, height)) return;
    fly(camera, viewOf(box, camera.view.peek(), camera.size.peek()), calm());
  }
  /** What was just made is not drawn yet. */
  let awaited = '';
  function expect(id) {
    awaited = find(id) ? '' : id;
    if (!awaited) reveal(id);
  }
  /** @type {import('./camera.js').View | null} where one was before looking for something */
  let kept = null;
  const wishes = {
    fit, show, reveal: expect,
    in: () => zoom(1.25),
    out: () => zoom(0.8),
    keep: () => { kept = camera.view.peek(); },
    back: () => { if (kept) fly(camera, kept, calm()); },
  };

  /** A whole new picture is fitted; a change only when it would lie outside. */
  function keepInView() {
    // A box that has grown moves others, or its cables.
    const box = bounds(scene.model.peek(), scene.positions.value, scene.routes.value);
    const { width, height } = camera.size.value;
    if (!box) shown = anything = false;
    if (!box || own || !width) return;
    // What the legend lies on is not seen, and cannot be clicked.
    if (!shown || !inView(box, camera.view.peek(), width, height - legend)) fit();
  }

  function mount(stage, world) {
    const abort = new AbortController();
    camera.mount(world);
    const measure = () => {
      const [width, height] = [stage.clientWidth, stage.clientHeight];
      if (!width || !height) return;
      const before = camera.size.peek();
      camera.size.value = { width, height };
      scene.setAspect(width / height);
      if (!own) return fit();
      // Whoever saw all of it is to see all of it beside an opened drawer, too.
      const box = bounds(scene.model.peek(), scene.positions.peek(), scene.routes.peek());
      const seen = (size) => box && inView(box, camera.view.peek(), size.width, size.height);
      if (seen(before) && !seen({ width, height })) fit();
      else camera.jump(camera.view.peek());
      own = true;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(stage);
    measure();
    const callOff = handle(stage, { camera, steer, grab: grab(camera, hands), click: click(camera, hands) }, abort.signal);
    const stops = createStops(stage, { scene, drawn, reveal });
    listen(stage, { camera, hands, callOff, stops, signal: abort.signal });
    const ends = [
      // First the view, then what is drawn of it.
      effect(keepInView),
      effect(() => {
        scene.laidOut.value;
        const asked = anything; // else it is the first there is, and stands where a hand put it
        anything = scene.model.peek().nodes.length > 0;
        requestAnimationFrame(() => { if (asked || !own) fit(); });
        setTimeout(() => { if (!own) fit(); }, 320);
      }),
      effect(() => {
        const { what, id } = ui.view.value;
        untracked(() => wishes[what]?.(id));
      }),
      effect(() => {
        scene.model.value;
        if (awaited) untracked(() => expect(awaited));
      }),
      drawn.follow(),
      stops.follow(),
    ];
    return () => {
      abort.abort();
      observer.disconnect();
      for (const end of ends) end();
    };
  }

  return { camera, hands, drawn, fit, zoom, steer, mount };
}

/** What a hand takes hold of: a handle or a loose end, a node, the ground. */
const grab = (camera, hands) => (target, e, at) => {
  const handle = target.closest('[data-connect]')?.dataset.connect;
  if (handle) return wireDrag(hands, handle, '', camera);
  const port = target.closest('[data-port]')?.dataset.port;
  const home = port && nodeOfPort(port);
  if (home) return wireDrag(hands, home, port, camera);
  const node = nodeUnder(target);
  if (node) return moveDrag(node, camera);
  return e.shiftKey ? boxDrag(hands, at, camera) : null;
};

/** What a click, or Enter, does. */
const click = (camera, hands) => (target, e, at) => {
  const node = nodeUnder(target);
  const wire = hands.wire.peek();
  if (wire) {
    hands.wire.value = null;
    if (node) connect(wire.from, wire.link, node);
    return;
  }
  const from = ui.picking.peek();
  if (from && node) {
    actions.ping({ namespace: from, to_namespace: node.slice(3).split('/')[0], count: 5 });
    return;
  }
  const tag = target.closest('[data-tag]')?.dataset.tag;
  const link = target.closest('[data-link]')?.dataset.link;
  const id = tag ? `ns:${tag}` : link ? `link:${link}` : node?.startsWith('ns:') ? node : node ? `link:${node.slice(3)}` : null;
  if (id && (e.shiftKey || e.ctrlKey || e.metaKey)) toggle(id);
  else if (id || ui.selection.peek() || from || e.shiftKey) {
    ui.picking.value = null;
    actions.select(id);
  } else if (store.loaded.peek() && !target.closest('[data-connect]')) hands.spot.value = { stage: at, at: round(camera.toWorld(at)) };
};

const round = ({ x, y }) => ({ x: Math.round(x), y: Math.round(y) });
const step = 20; // px of the drawing that a key moves a card

/** Hovering, the focus, double clicks and keys. */
function listen(stage, { camera, hands, callOff, stops, signal }) {
  const on = (type, f) => stage.addEventListener(type, f, { signal });
  const look = (e) => {
    const id = e.target.closest('[data-connect]')?.dataset.connect ?? nodeUnder(e.target);
    hands.over.value = id;
    const wire = hands.wire.peek();
    if (wire && !wire.held) hands.wire.value = { ...wire, to: id === wire.from ? null : id };
  };
  on('pointerover', look);
  on('focusin', (e) => {
    look(e);
    stops.focused(e.target);
  });
  on('pointerleave', () => { hands.over.value = null; });
  on('dblclick', (e) => {
    if (e.target.closest('[data-node],[data-cable],[data-port],[data-connect]')) return;
    hands.spot.value = null;
    const r = stage.getBoundingClientRect();
    actions.open('namespace', { at: round(camera.toWorld({ x: e.clientX - r.left, y: e.clientY - r.top })) });
  });
  on('keydown', (e) => {
    const target = e.target.closest('[data-node],[data-cable]');
    if (!target || e.target.closest('[data-button]')) return;
    if (e.key === 'Enter' || e.key === ' ') {
      e.preventDefault();
      click(camera, hands)(target, e, null);
    }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'PageDown' || e.key === 'PageUp') {
      e.preventDefault();
      stops.cable(target, e.key === 'PageDown' ? 1 : -1);
    } else if (e.key === 'o' && target.dataset.node) {
      e.preventDefault();
      scene.toggleFold(target.dataset.node);
    } else if (!e.shiftKey) {
      if (stops.walk(target, e.key)) e.preventDefault();
    } else if (directions[e.key] && target.dataset.node) {
      e.preventDefault();
      nudge(target.dataset.node, directions[e.key]);
    }
  });
  function nudge(id, [dx, dy]) {
    const drag = moveDrag(id, camera);
    const by = step * camera.view.peek().k;
    drag?.move({ x: dx * by, y: dy * by }, { x: 0, y: 0 }, null);
    drag?.end(true);
  }
  addEventListener('keydown', (e) => {
    if (ui.dialog.peek() || /** @type {any} */ (e.target).closest?.('input, textarea, select')) return;
    if (e.key === 'Escape') {
      const busy = callOff() || hands.wire.peek() || hands.spot.peek() || ui.bubble.peek();
      hands.wire.value = null;
      hands.spot.value = null;
      ui.bubble.value = null;
      if (busy) e.stopImmediatePropagation(); // what is selected stays so
    } else if (e.key === 'a' && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      chooseAll();
    } else if (e.key === 'c' && !e.ctrlKey && !e.metaKey && !e.altKey) {
      wireFromSelection(hands);
      const from = hands.wire.peek()?.from;
      if (from) stops.to(from); // arrows lead to the other end from there
    } else if (directions[e.key] && document.activeElement === document.body) {
      // Nothing has the focus: arrows begin at what is selected.
      const selected = scene.model.peek().nodes.find((n) => n.select === ui.selection.peek());
      const first = selected ?? scene.model.peek().nodes[0];
      if (!first) return;
      e.preventDefault();
      stops.to(first.id);
    }
  }, { signal, capture: true });
}

/** @param {{g: ReturnType<typeof createGraph>}} props */
function Tools({ g }) {
  const map = useSignal(localStorage.getItem('netdash.minimap') !== 'off');
  const large = g.drawn.order.value.nodes.length > mapFrom;
  const turn = () => {
    map.value = !map.value;
    localStorage.setItem('netdash.minimap', map.value ? 'on' : 'off');
  };
  return html`
    ${large && map.value && html`<${Minimap} camera=${g.camera} steer=${g.steer} />`}
    <div class="zoom" role="toolbar" aria-label=${t('graph.view')}>
      ${large && html`<${Button} icon="map" title=${t('graph.minimap')} aria-pressed=${map.value} onClick=${turn} test="minimap-toggle" />`}
      <${Button} icon="plus" title=${t('graph.zoomIn')} hint="+" onClick=${() => g.zoom(1.25)} test="zoom-in" />
      <${Button} icon="minus" title=${t('graph.zoomOut')} hint="−" onClick=${() => g.zoom(0.8)} test="zoom-out" />
      <${Button} icon="maximize" title=${t('graph.fit')} hint="f" onClick=${g.fit} test="fit" />
      <${FoldAll} />
      <${Button} icon="layout-grid" title=${t('graph.tidy')} hint="t" onClick=${scene.tidy} test="tidy" />
      <${PictureMenu} />
    </div>`;
}

/** Folds the members of every bridge, or unfolds them; not there when nothing can be folded. */
function FoldAll() {
  const bars = scene.model.value.nodes.filter((n) => n.foldable);
  if (bars.length === 0) return null;
  const folded = bars.every((n) => n.folded);
  return html`<${Button} icon=${folded ? 'chevrons-up-down' : 'chevrons-down-up'} title=${t(folded ? 'graph.unfoldAll' : 'graph.foldAll')}
    onClick=${() => scene.foldAll(!folded)} test="fold-all" />`;
}

/** Says what the next choice will do while a cable has one end only. @param {{hands: import('./hands.js').Hands}} props */
function Choosing({ hands }) {
  const wire = hands.wire.value;
  if (!wire || wire.held) return null;
  const name = wire.link || wire.from.slice(3);
  return html`<div class="picking-hint" role="status" data-testid="connecting">${t('graph.connectTo', { name })}
    <button type="button" class="button small" onClick=${() => { hands.wire.value = null; }}>${t('cancel')}<kbd>Esc</kbd></button></div>`;
}

/** Several are chosen: what can be done with them. */
function Chosen() {
  const count = ui.chosen.value.size;
  if (count < 2) return null;
  return html`<div class="chosen-bar" role="status" data-testid="chosen" data-count=${count}>${t('graph.chosen', { count })}
    <${Button} icon="trash-2" kind="small danger" label=${t('delete')} hint="Del" test="chosen-delete" onClick=${actions.deleteChosen} />
    <${Button} kind="small" label=${t('cancel')} hint="Esc" onClick=${() => actions.select(null)} /></div>`;
}

/** The picture is old, and says so. */
function Stale() {
  if (!store.stale.value || !store.loaded.value) return null;
  return html`<p class="stale-note" role="status" data-testid="stale">${t('connection.stale')}</p>`;
}
