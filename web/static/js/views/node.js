// A card (namespace) or a bar (bridge) of the graph. From near it tells all;
// from further away its name, large; from far it is a block of colour.
import { html, useMemo } from '../lib/preact.js';
import { actions, t } from '../context.js';
import { cut } from '../core/format.js';
import { headHeight, monoWidth, rowHeight, textWidth } from '../layout/measure.js';
import { DifferenceMark, LoMark, PortMark, RouterMark } from './marks.js';
import { FoldButton } from './fold.js';
import { Icon } from './parts.js';

/** @typedef {import('../layout/model.js').Node} Node */

/**
 * stops.js says which one Tab leads to; hidden: how many of its differences are
 * ignored; faint: it is ignored itself.
 * @param {{node: Node, x: number, y: number, hidden: number, faint: boolean, level: import('./camera.js').Level, selected: boolean, picking: boolean,
 *   target: boolean, lit: boolean, flash: number, calm: (ids: string[]) => void}} props
 */
export function NodeFace({ node, x, y, hidden, faint, level, selected, picking, target, lit, flash, calm }) {
  // Moving a card leaves what is in it alone.
  const face = useMemo(() => faces[level]?.({ node: hidden ? { ...node, differences: node.differences - hidden } : node }), [node, level, hidden]);
  const marks = [node.kind, `sync-${node.sync}`, `s-${node.state}`, isRouter(node) && 'router', selected && 'selected', picking && 'picking',
    target && 'target', lit && 'lit', hidden > 0 && hidden >= node.differences && 'calm', faint && 'faint'];
  const kind = t(node.kind === 'ns' ? 'namespace' : 'bridge');
  const where = node.kind === 'br' ? ` (${node.place})` : '';
  const ended = () => calm(node.kind === 'ns' ? [node.select, `link:${node.namespace}/lo`] : [node.select]);
  return html`<g class=${`node ${marks.filter(Boolean).join(' ')}`} transform=${`translate(${x} ${y})`}
      data-node=${node.id} data-sync=${node.sync} data-state=${node.state} data-differences=${node.differences - hidden} data-level=${level}
      tabindex="-1" role="group" aria-current=${selected}
      aria-label=${`${kind} ${node.title}${where}, ${t(`sync.${node.sync}`)}, ${t(`state.${node.state}`)}`}>
    ${(selected || target) && html`<rect class="halo" x="-5" y="-5" width=${node.w + 10} height=${node.h + 10} rx="13" />`}
    ${face}
    ${flash > 0 && html`<rect key=${flash} class="flash" x="-3" y="-3" width=${node.w + 6} height=${node.h + 6} rx="11" onAnimationEnd=${ended} />`}
  </g>`;
}

/** Does a card join networks? @param {Node} node */
export function isRouter(node) {
  const networks = new Set(node.rows.map((r) => r.address.split(' ')[0]).filter(Boolean).map(networkOf));
  return node.kind === 'ns' && node.namespace !== 'host' && networks.size > 1;
}

/** "10.0.1.2/16" → its first 16 bits; of IPv6 the text before the host's part will do. @param {string} cidr */
function networkOf(cidr) {
  const [address, length] = cidr.split('/');
  if (address.includes(':')) return address.split(':').slice(0, 4).join(':');
  const bits = address.split('.').map((x) => Number(x).toString(2).padStart(8, '0')).join('');
  return bits.slice(0, Number(length));
}

/** By level; from far away there is none. @type {Record<string, any>} */
const faces = {
  detail: ({ node }) => (node.kind === 'ns' ? Card({ node }) : Bar({ node })),
  name: NameFace,
  block: BlockFace,
};

const shape = (node) => (node.kind === 'ns' ? 'card-whole' : 'bar-body');

/** The name, as large as fits, and a sign of what is wrong. @param {{node: Node}} props */
function NameFace({ node }) {
  const size = Math.min(node.kind === 'ns' ? 30 : 34, (node.w - 16) / textWidth(node.title, 1), node.h * 0.7);
  return html`
    <rect class=${shape(node)} width=${node.w} height=${node.h} rx="9" />
    <text class="name-title" x=${node.w / 2} y=${node.h / 2} dy=".36em" text-anchor="middle" font-size=${Math.round(size)}>${node.title}</text>
    ${wrong(node) && html`<g transform=${`translate(${node.w - 2} 2) scale(1.9)`}><${PortMark} x=${0} y=${0} state=${node.state} /></g>`}
    ${node.differences > 0 && html`<g transform="scale(1.5)"><${DifferenceMark} x=${14} y=${0} count=${node.differences} /></g>`}
  `;
}

/** @param {{node: Node}} props */
function BlockFace({ node }) {
  const size = Math.min(46, (node.w - 12) / textWidth(node.title, 1));
  return html`<rect class=${shape(node)} width=${node.w} height=${node.h} rx="9" />
    ${wrong(node) && html`<rect class=${`block-sign p-${node.state}`} x=${node.w - 30} y="0" width="30" height=${node.h} />`}
    ${node.kind === 'br' && html`<text class="name-title" x=${node.w / 2} y=${node.h / 2} dy=".36em" text-anchor="middle" font-size=${Math.round(size)}>${node.title}</text>`}`;
}

const wrong = (node) => node.state === 'down' || node.state === 'no-carrier';

/** @param {{node: Node}} props */
function Card({ node }) {
  const head = `M0 ${headHeight}V9A9 9 0 0 1 9 0H${node.w - 9}A9 9 0 0 1 ${node.w} 9V${headHeight}Z`;
  return html`
    <rect class="card-body" width=${node.w} height=${node.h} rx="9" />
    <path class="card-head" d=${head} />
    <rect class="card-edge" width=${node.w} height=${node.h} rx="9" />
    ${isRouter(node) ? html`<${RouterMark} x=${17} y=${headHeight / 2} />` : html`<circle class="card-dot" cx="17" cy=${headHeight / 2} r="4.5" />`}
    <text class="card-title" x="30" y=${headHeight / 2 + 5}>${node.title}<title>${node.note || node.place}</title></text>
    <${LoMark} x=${node.w - 40} y=${headHeight / 2} state=${node.lo} />
    ${node.sync !== 'missing' && html`<${PingButton} x=${node.w - 26} y=${5} namespace=${node.namespace} />`}
    ${node.rows.length === 0 && html`<text class="row-empty" x="14" y=${headHeight + 20}>${t(node.sync === 'missing' ? 'sync.missing' : 'graph.noInterfaces')}</text>`}
    ${node.rows.map((row, i) => html`<${Row} key=${row.ref} row=${row} y=${headHeight + 5 + (i + 0.5) * rowHeight} column=${node.addressColumn} w=${node.w} />`)}
    <${DifferenceMark} x=${node.w} y=${0} count=${node.differences} />
  `;
}

function Row({ row, y, column, w }) {
  return html`<g class=${`row s-${row.state} sync-${row.sync}`} data-row=${row.ref} data-link=${row.ref} data-state=${row.state} data-sync=${row.sync}>
    <rect class="row-hit" x="4" y=${y - rowHeight / 2} width=${w - 8} height=${rowHeight} rx="4" />
    <${PortMark} x=${18} y=${y} state=${row.state} size=${0.72} />
    <text class="row-name" x="30" y=${y + 4}>${row.label}</text>
    <text class="row-address" x=${column} y=${y + 4}>${row.address}</text>
  </g>`;
}

/** @param {{node: Node}} props */
function Bar({ node }) {
  const title = textWidth(node.title, 15);
  const tag = cut(node.place, 26);
  const tagWidth = textWidth(tag, 11) + 16;
  const address = node.address ? monoWidth(node.address, 12) + 12 : 0;
  const lo = node.lo ? 34 : 0;
  const start = Math.max(14, (node.w - title - tagWidth - address - lo - 12) / 2);
  const mid = node.h / 2;
  return html`
    <rect class="bar-body" width=${node.w} height=${node.h} rx="9" />
    <text class="bar-title" x=${start} y=${mid + 5}>${node.title}<title>${node.note || node.title}</title></text>
    <g class=${`tag ${node.namespace === 'host' ? 'host' : ''}`} transform=${`translate(${start + title + 12} ${mid})`} data-tag=${node.namespace}>
      <rect y="-10" width=${tagWidth} height="20" rx="10" />
      <text x=${tagWidth / 2} y="4" text-anchor="middle">${tag}</text>
    </g>
    ${node.address && html`<text class="bar-address" x=${start + title + tagWidth + 22} y=${mid + 4}>${node.address}</text>`}
    ${lo > 0 && html`<${LoMark} x=${start + title + tagWidth + address + 40} y=${mid} state=${node.lo} />`}
    <${FoldButton} node=${node} />
    <${DifferenceMark} x=${node.w} y=${0} count=${node.differences} />
  `;
}

function PingButton({ x, y, namespace }) {
  const label = t('ping.from', { namespace });
  const start = (e) => {
    e.stopPropagation();
    actions.pingFrom(namespace);
  };
  const key = (e) => {
    if (e.key === 'Enter' || e.key === ' ') {
      e.preventDefault();
      start(e);
    }
  };
  return html`<g class="card-button" role="button" tabindex="-1" aria-label=${label}
      data-testid="card-ping" data-button onClick=${start} onKeyDown=${key}>
    <title>${label}</title>
    <rect x=${x - 3} y=${y - 2} width="24" height="24" rx="6" />
    <${Icon} name="radar" size=${15} x=${x + 2} y=${y + 3} />
  </g>`;
}
