// What hands leave on the canvas while they work: the handle to draw a cable
// from, the cable being drawn, the rectangle that chooses.
import { html } from '../lib/preact.js';
import { t } from '../context.js';

/** @param {{hands: import('./hands.js').Hands, drawn: import('./drawn.js').Drawn, camera: import('./camera.js').Camera}} props */
export function HandMarks({ hands, drawn, camera }) {
  const wire = hands.wire.value;
  const box = hands.box.value;
  return html`
    ${wire ? html`<${Wire} wire=${wire} drawn=${drawn} />` : !box && html`<${Handle} hands=${hands} drawn=${drawn} camera=${camera} />`}
    ${box && html`<rect class="choose-box" x=${box.x} y=${box.y} width=${box.w} height=${box.h} />`}
  `;
}

/** Where the handle of a node is: beside the head of a card, at the end of a bar. */
const handleOf = ({ node, x, y }) => ({ x: x + node.w + 6, y: y + (node.kind === 'ns' ? 17 : 8) });

/** @param {any} props */
function Handle({ hands, drawn, camera }) {
  const id = hands.over.value;
  const cell = id && drawn.cell(id)?.value;
  if (!cell || camera.level.value === 'block') return null;
  const at = handleOf(cell);
  // Always to be hit, however small the picture.
  const size = Math.max(1, 0.75 / camera.view.peek().k);
  return html`<g class="handle" data-connect=${id} data-node=${undefined} transform=${`translate(${at.x} ${at.y}) scale(${size})`}>
    <title>${t('graph.connect')}</title>
    <circle class="handle-hit" r="14" /><circle class="handle-dot" r="8" /><path d="M-3.5 0H3.5M0 -3.5V3.5" />
  </g>`;
}

/** @param {any} props */
function Wire({ wire, drawn }) {
  const cell = drawn.cell(wire.from)?.value;
  if (!cell) return null;
  const from = handleOf(cell);
  const target = wire.to && drawn.cell(wire.to)?.value;
  const to = target ? nearest(target, from) : wire.at;
  return html`<g class="wire">
    <circle class="handle-dot" cx=${from.x} cy=${from.y} r="6" />
    ${to && html`<path d=${`M${from.x} ${from.y}L${to.x} ${to.y}`} /><circle class="handle-dot" cx=${to.x} cy=${to.y} r="5" />`}
  </g>`;
}

/** The point of a node's box that is nearest to p. */
function nearest({ node, x, y }, p) {
  return { x: Math.max(x, Math.min(x + node.w, p.x)), y: Math.max(y, Math.min(y + node.h, p.y)) };
}
