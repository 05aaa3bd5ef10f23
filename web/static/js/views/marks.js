// The signs of states inside the graph: every state has its own shape.
import { html } from '../lib/preact.js';
import { t } from '../context.js';

/** A port square of 10 px around x, y. @param {{x: number, y: number, state: string, label?: string}} props */
export function PortMark({ x, y, state, label = '' }) {
  return html`<g class=${`port p-${state}`} transform=${`translate(${x} ${y})`}>
    <title>${label ? `${label}: ` : ''}${t(`state.${state}`)}</title>
    <rect class="port-box" x="-5.5" y="-5.5" width="11" height="11" rx="2.5" />
    ${state === 'down' && html`<path class="port-sign" d="M-2.4-2.4L2.4 2.4M2.4-2.4L-2.4 2.4" />`}
    ${state === 'no-carrier' && html`<path class="port-sign" d="M-3 0H3" />`}
    ${state === 'missing' && html`<path class="port-sign" d="M0-2.8V.6M0 2.6V2.8" />`}
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
  return html`<g class=${`lo lo-${state}`} transform=${`translate(${x} ${y})`} data-lo=${state}>
    <title>lo ${t(`state.${state}`)}</title>
    <text x="-8" y="4" text-anchor="end">lo</text>
    <circle r="4.5" />
    ${state === 'down' && html`<path class="port-sign" d="M-2-2L2 2M2-2L-2 2" />`}
  </g>`;
}

/** Two arrows that cross: a namespace that joins networks. @param {{x: number, y: number}} props */
export function RouterMark({ x, y }) {
  return html`<g class="router-mark" transform=${`translate(${x} ${y})`}>
    <title>${t('graph.router')}</title>
    <circle r="7" /><path d="M-4 0H4M2 -2L4 0L2 2M-2 -2L-4 0L-2 2" />
  </g>`;
}
