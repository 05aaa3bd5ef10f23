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
