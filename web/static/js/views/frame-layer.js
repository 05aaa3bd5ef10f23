// What lies on the picture for a while: the frames of a walk with what bridges
// say of them, and the rings around what a diagnosis found.
import { effect } from '../lib/signals.js';
import { html, useEffect, useMemo, useRef } from '../lib/preact.js';
import { player, probes, scene, t } from '../context.js';
import { marksOf } from '../core/diagnosis.js';
import { refOfHop, sceneAt } from '../core/walk.js';
import { bridgeName, inOrder, lettersOf, lookOf, macName, reasonOf, speak } from '../core/walksay.js';
import { along, createAtlas } from '../core/walkway.js';
import { textWidth } from '../layout/measure.js';

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

/** @param {{camera: import('./camera.js').Camera}} props */
export function FrameLayer({ camera }) {
  const diagnosis = probes.inquiry.value?.diagnosis;
  if (!player.shown.value && !diagnosis) return null;
  return html`<g class="frame-layer"><${Findings} camera=${camera} /><${Frames} camera=${camera} /></g>`;
}

const useAtlas = () => {
  const [model, positions, routes] = [scene.model.value, scene.positions.value, scene.routes.value];
  return useMemo(() => createAtlas(model, positions, routes), [model, positions, routes]);
};

/** Envelopes stay to be seen from far away. @param {number} k */
const sizeAt = (k) => Math.max(1, Math.min(3.5, 0.8 / k));

/** The frames of a step. Where they are is written into the elements by the clock. */
function Frames({ camera }) {
  const atlas = useAtlas();
  const root = useRef(/** @type {any} */ (null));
  const { lesson } = player.shown.value ?? {};
  const index = player.index.value;
  const now = useRef(/** @type {any} */ (null));
  const drawn = useMemo(() => lesson && { ...sceneAt(lesson, index), step: lesson.steps[index] }, [lesson, index]);
  const lines = useMemo(() => drawn?.moves.map((m) => atlas.lineOf(m)) ?? [], [drawn, atlas]);
  const size = sizeAt(camera.view.value.k);
  now.current = { lines, moves: drawn?.moves, root: root.current, size };
  useClock(now, camera);
  if (!lesson || !drawn?.step) return null;
  const { frame } = drawn.step;
  return html`<g ref=${root} class="walk" data-testid="walk-layer" data-step=${index}>
    ${drawn.moves.map((m, i) => lines[i].length > 1 && html`<${Trail} key=${`t${m.out.id}`} line=${lines[i]} look=${lookOf(frame.kind)} />`)}
    ${drawn.rests.filter((r) => !r.end).map((r) => html`<${Standing} key=${`r${r.hop.id}`} at=${atlas.restAt(r)} size=${size} kind=${(lesson.frameOf.get(r.hop.id) ?? frame).kind} />`)}
    ${drawn.moves.map((m, i) => html`<g key=${`m${m.out.id}`} class=${`envelope ${lookOf(frame.kind)}`} data-moving=${i} data-frame=${frame.id} data-from=${refOfHop(m.out)}
      data-to=${m.in ? refOfHop(m.in) : ''}><${Envelope} kind=${frame.kind} /></g>`)}
    ${drawn.rests.filter((r) => r.end).map((r) => html`<${Ended} key=${`e${r.hop.id}`} rest=${r} at=${atlas.restAt(r)} size=${size}
      late=${r.end && drawn.moves.some((m) => (m.in ?? m.out) === r.hop)} />`)}
    ${drawn.decisions.map((d) => html`<${Decided} key=${`d${d.id}`} decision=${d} lesson=${lesson} mac=${frame.dst_mac} box=${atlas.box(d.bridge)} port=${atlas.port(`${d.bridge.split('/')[0]}/${d.in_port}`)} camera=${camera} />`)}
  </g>`;
}

/** Lets time pass while there is something to be played. */
function useClock(now, camera) {
  useEffect(() => {
    let frame = 0;
    let last = 0;
    const paint = (share) => {
      const { lines, moves, root, size } = now.current;
      if (!root || !moves) return;
      for (const e of root.querySelectorAll('[data-moving]')) {
        const line = lines[Number(e.dataset.moving)];
        e.style.visibility = line?.length ? '' : 'hidden';
        if (!line?.length) continue;
        const p = along(line, share);
        e.setAttribute('transform', `translate(${p.x.toFixed(1)} ${p.y.toFixed(1)}) scale(${size})`);
      }
      root.classList.toggle('there', share >= 1);
    };
    const tick = (time) => {
      frame = 0;
      // A page in the background gets no frames: it goes on where it was.
      const share = player.tick(last ? Math.min(100, time - last) : 0);
      last = time;
      paint(reducedMotion.matches ? 1 : share);
      if (player.busy()) frame = requestAnimationFrame(tick);
      else last = 0;
    };
    const stop = effect(() => {
      player.shown.value;
      player.index.value;
      player.playing.value;
      frame ||= requestAnimationFrame(tick);
    });
    // The picture may move under frames that stand.
    const follow = effect(() => {
      scene.positions.value;
      camera.view.value;
      if (!frame) frame = requestAnimationFrame(tick);
    });
    return () => {
      stop();
      follow();
      cancelAnimationFrame(frame);
    };
  }, []);
}

/** The way a frame takes in this step. */
function Trail({ line, look }) {
  return html`<path class=${`trail ${look}`} d=${line.map((p, i) => `${i ? 'L' : 'M'}${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join('')} />`;
}

/** An envelope with its letters; an answer has a folded corner the other way round and round edges. */
export function Envelope({ kind }) {
  const letters = lettersOf(kind);
  const w = 20 + letters.length * 6.6;
  const answer = lookOf(kind).includes('answer');
  return html`<rect class="envelope-body" x=${-w / 2} y="-11" width=${w} height="22" rx=${answer ? 11 : 3} />
    ${!answer && html`<path class="envelope-flap" d=${`M${-w / 2 + 1.5} -9.5L0 -3L${w / 2 - 1.5} -9.5`} />`}
    <text y=${answer ? 4 : 7} text-anchor="middle">${letters}</text>`;
}

const signs = { taken: '✓', ignored: '–', filter: '–', passed_on: '→', quiet: '–', drop: '✕', lost: '✕', unseen: '?' };

/** A frame that waits for a bridge. */
const Standing = ({ at, kind, size }) => at && html`<g class=${`envelope ${lookOf(kind)}`} transform=${`translate(${at.x} ${at.y}) scale(${size})`}><${Envelope} kind=${kind} /></g>`;

/** The sign of how a frame ended, at the corner of its envelope. */
function Ended({ rest: { hop, end }, at, late, size }) {
  if (!at) return null;
  const word = /taken|passed_on/.test(end) ? 'taken' : /ignored|filter|quiet/.test(end) ? 'ignored' : 'lost';
  return html`<g class=${`end-sign e-${end} ${late ? 'late' : ''}`} transform=${`translate(${at.x} ${at.y}) scale(${size}) translate(30 -9)`} data-end=${end} data-at=${refOfHop(hop)}>
    <title>${t(`walk.legend.${word}`)}</title><circle r="11" /><text y="5" text-anchor="middle">${signs[end] ?? '?'}</text></g>`;
}

/** What a bridge decided, in a few words beside its bar; as large as it can be read from any distance. */
function Decided({ decision: d, lesson, mac, box, port, camera }) {
  if (!box) return null;
  const { k, y: top } = camera.view.value;
  const scale = Math.max(1, 0.95 / k);
  const values = { bridge: bridgeName(lesson, d.bridge), mac, in: d.in_port, port: d.entry?.port ?? '', ports: d.out_ports };
  const lines = [{ tone: d.verdict, name: t(`walk.label.${d.verdict}`), text: t(`walk.short.${d.reason}`, values), arrow: d.out_ports.length ? ` → ${short(d.out_ports)}` : '' }];
  if (d.learned) {
    const how = { new: 'learn', moved: 'moved', refreshed: 'seen' }[d.learned.how] ?? 'learn';
    lines.push({ tone: how === 'seen' ? 'seen' : 'learn', name: t(`walk.label.${how}`), text: macName(lesson, d.learned.mac), arrow: ` → ${d.learned.port}` });
  }
  if (d.contradiction) lines.push({ tone: 'warn', name: '⚠', text: t('walk.label.contradiction'), arrow: '' });
  const h = 24 * lines.length + 8;
  const up = !port || port.y > box.y + box.h / 2; // the frame stands at the lower edge: say it above
  const w = Math.max(...lines.map((l) => wide(l.name) + 26 + wide(l.text + l.arrow))) + 16;
  const x = box.x + box.w / 2;
  const y = up ? Math.max(box.y - 12, Math.min(box.y + box.h, (8 - top) / k + h * scale)) : box.y + box.h + 12; // not above what is seen
  return html`<g class="decided" transform=${`translate(${x} ${y}) scale(${scale}) translate(${-w / 2} ${up ? -h : 0})`} data-decision=${d.bridge} data-verdict=${d.verdict} data-reason=${d.reason}
      data-learned=${d.learned?.how}>
    <title>${speak(reasonOf(d, values), t)}</title>
    <rect class="decided-back" width=${w} height=${h} rx="8" />
    ${lines.map((l, i) => html`<g key=${l.tone} class=${`verdict v-${l.tone}`} transform=${`translate(8 ${6 + 24 * i})`}>
      <rect width=${wide(l.name) + 16} height="20" rx="5" y="-1" /><text class="verdict-name" x="8" y="13.5">${l.name}</text>
      <text class="verdict-why" x=${wide(l.name) + 24} y="13.5">${l.text}<tspan class="verdict-ports">${l.arrow}</tspan></text></g>`)}
  </g>`;
}

const wide = (text) => textWidth(text, 13);
const short = (list) => {
  const ports = [...list].sort(inOrder);
  return ports.length > 6 ? `${ports.slice(0, 5).join(', ')} … (${ports.length})` : ports.join(', ');
};

/** Rings around what a diagnosis found, which also brings it into view. */
function Findings({ camera }) {
  const atlas = useAtlas();
  const inquiry = probes.inquiry.value;
  const marks = marksOf(inquiry?.diagnosis).map((m) => ({ ...m, box: spotOf(atlas, m.ref) })).filter((m) => m.box);
  const first = marks.find((m) => m.status === 'broken');
  const wanted = inquiry?.diagnosis ? `${inquiry.id} ${first?.ref ?? ''}` : '';
  useEffect(() => {
    const b = first?.box;
    const { width, height } = camera.size.peek();
    const v = camera.view.peek();
    if (!b || !width) return;
    const [x, y] = [(b.x + b.w / 2) * v.k + v.x, (b.y + b.h / 2) * v.k + v.y];
    if (x > 60 && y > 60 && x < width - 60 && y < height - 60) return;
    camera.jump({ ...v, x: v.x + width / 2 - x, y: v.y + height / 2 - y });
  }, [wanted]);
  return html`${marks.map((m) => html`<g key=${m.ref + m.status} class=${`finding f-${m.status}`} data-finding=${m.ref} data-status=${m.status}>
    <title>${t(`why.mark.${m.status}`)}</title>
    <rect x=${m.box.x - 8} y=${m.box.y - 8} width=${m.box.w + 16} height=${m.box.h + 16} rx="12" />
    <g transform=${`translate(${m.box.x - 8} ${m.box.y - 8})`}><circle r="13" />${m.status === 'broken'
      ? html`<path d="M-4.5 -4.5L4.5 4.5M4.5 -4.5L-4.5 4.5" />` : html`<path d="M0 -6V1M0 5V5.5" />`}</g>
  </g>`)}`;
}

/** The box of what is meant: a port square, if it has one, else a row's or the whole node's. */
function spotOf(atlas, ref) {
  const box = atlas.box(ref);
  if (!ref.includes('/') || box?.id === `br:${ref}`) return box;
  const p = atlas.port(ref);
  if (!p || !box) return box;
  const middle = p.x === box.x + box.w / 2 && p.y === box.y + box.h / 2;
  return middle ? box : { id: box.id, x: p.x - 9, y: p.y - 9, w: 18, h: 18 };
}
