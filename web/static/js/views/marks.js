// The signs of states inside the graph: every state has its own shape.
import { html } from '../lib/preact.js';
import { t } from '../context.js';

// Thousands of them may be drawn: none has a transform of its own, which the
// browser would keep apart from all others whenever the picture moves.

/** Signs by state, around x, y, k times as large. @type {Record<string, (x: number, y: number, k: number) => string>} */
const signs = {
  down: (x, y, k) => `M${x - 2.4 * k} ${y - 2.4 * k}L${x + 2.4 * k} ${y + 2.4 * k}M${x + 2.4 * k} ${y - 2.4 * k}L${x - 2.4 * k} ${y + 2.4 * k}`,
  'no-carrier': (x, y, k) => `M${x - 3 * k} ${y}H${x + 3 * k}`,
  missing: (x, y, k) => `M${x} ${y - 2.8 * k}V${y + 0.6 * k}M${x} ${y + 2.6 * k}V${y + 2.8 * k}`,
};

/** A port square of 11 px times size around x, y. @param {{x: number, y: number, state: string, label?: string, size?: number}} props */
export function PortMark({ x, y, state, label = '', size = 1 }) {
  const half = 5.5 * size;
  return html`<g class=${`port p-${state} ${size < 1 ? 'small' : ''}`}>
    <title>${label ? `${label}: ` : ''}${t(`state.${state}`)}</title>
    <rect class="port-box" x=${x - half} y=${y - half} width=${2 * half} height=${2 * half} rx=${2.5 * size} />
    ${signs[state] && html`<path class="port-sign" d=${signs[state](x, y, size)} />`}
  </g>`;
}

/** How much of an object is not as intended: a sign and a number at its corner. @param {{x: number, y: number, count: number}} props */
export function DifferenceMark({ x, y, count }) {
  if (!count) return null;
  const w = 30 + 7 * (String(count).length - 1);
  return html`<g class="difference-mark" transform=${`translate(${x - w + 8} ${y - 9})`}>
    <title>${t('drift.count', { count })}</title>
    <rect width=${w} height="18" rx="9" />
    <path d="M7 7H14M7 11H14M12.5 4.5L8.5 13.5" /><text x="18" y="13">${count}</text>
  </g>`;
}

/** lo: a dot that is red, and crossed out, while it is down. */
export function LoMark({ x, y, state }) {
  if (!state) return null;
  return html`<g class=${`lo lo-${state}`} data-lo=${state}>
    <title>lo ${t(`state.${state}`)}</title>
    <text x=${x - 8} y=${y + 4} text-anchor="end">lo</text>
    <circle cx=${x} cy=${y} r="4.5" />
    ${state === 'down' && html`<path class="port-sign" d=${signs.down(x, y, 0.83)} />`}
  </g>`;
}

/** Two arrows that cross: a namespace that joins networks. @param {{x: number, y: number}} props */
export function RouterMark({ x, y }) {
  return html`<g class="router-mark" transform=${`translate(${x} ${y})`}>
    <title>${t('graph.router')}</title>
    <circle r="7" /><path d="M-4 0H4M2 -2L4 0L2 2M-2 -2L-4 0L-2 2" />
  </g>`;
}
