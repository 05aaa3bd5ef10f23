// A card (namespace) or a bar (bridge) of the graph.
import { html, useMemo } from '../lib/preact.js';
import { actions, t } from '../context.js';
import { cut } from '../core/format.js';
import { headHeight, monoWidth, rowHeight, textWidth } from '../layout/measure.js';
import { DifferenceMark, LoMark, PortMark } from './marks.js';
import { Icon } from './parts.js';

/**
 * @param {{node: import('../layout/model.js').Node, x: number, y: number, selected: boolean, picking: boolean,
 *   flash: number, lit: boolean}} props
 */
export function NodeView({ node, x, y, selected, picking, flash, lit }) {
  return useMemo(() => {
    const marks = [node.kind, `sync-${node.sync}`, `s-${node.state}`, selected && 'selected', picking && 'picking', lit && 'lit'];
    const kind = t(node.kind === 'ns' ? 'namespace' : 'bridge');
    const where = node.kind === 'br' ? ` (${node.place})` : '';
    return html`<g class=${`node ${marks.filter(Boolean).join(' ')}`} transform=${`translate(${x} ${y})`}
        data-node=${node.id} data-sync=${node.sync} data-state=${node.state} data-differences=${node.differences} tabindex="0" role="button" aria-pressed=${selected}
        aria-label=${`${kind} ${node.title}${where}, ${t(`sync.${node.sync}`)}, ${t(`state.${node.state}`)}`}>
      ${node.kind === 'ns' ? html`<${Card} node=${node} />` : html`<${Bar} node=${node} />`}
      <${DifferenceMark} x=${node.w} y=${0} count=${node.differences} />
      ${flash > 0 && html`<rect key=${flash} class="flash" x="-3" y="-3" width=${node.w + 6} height=${node.h + 6} rx="11" />`}
    </g>`;
  }, [node, x, y, selected, picking, flash, lit]);
}

/** @param {{node: import('../layout/model.js').Node}} props */
function Card({ node }) {
  const head = `M0 ${headHeight}V9A9 9 0 0 1 9 0H${node.w - 9}A9 9 0 0 1 ${node.w} 9V${headHeight}Z`;
  return html`
    <rect class="card-body" width=${node.w} height=${node.h} rx="9" />
    <path class="card-head" d=${head} />
    <rect class="card-edge" width=${node.w} height=${node.h} rx="9" />
    <circle class="card-dot" cx="17" cy=${headHeight / 2} r="4.5" />
    <text class="card-title" x="30" y=${headHeight / 2 + 5}>${node.title}<title>${node.note || node.place}</title></text>
    <${LoMark} x=${node.w - 40} y=${headHeight / 2} state=${node.lo} />
    ${node.sync !== 'missing' && html`<${PingButton} x=${node.w - 26} y=${5} namespace=${node.namespace} />`}
    ${node.rows.length === 0 && html`<text class="row-empty" x="14" y=${headHeight + 20}>${t(node.sync === 'missing' ? 'sync.missing' : 'graph.noInterfaces')}</text>`}
    ${node.rows.map((row, i) => html`<${Row} key=${row.ref} row=${row} y=${headHeight + 5 + (i + 0.5) * rowHeight} column=${node.addressColumn} w=${node.w} />`)}
  `;
}

function Row({ row, y, column, w }) {
  return html`<g class=${`row s-${row.state} sync-${row.sync}`} data-row=${row.ref} data-link=${row.ref} data-state=${row.state} data-sync=${row.sync}>
    <rect class="row-hit" x="4" y=${y - rowHeight / 2} width=${w - 8} height=${rowHeight} rx="4" />
    <g transform="translate(18 ${y}) scale(.72)"><${PortMark} x=${0} y=${0} state=${row.state} /></g>
    <text class="row-name" x="30" y=${y + 4}>${row.label}</text>
    <text class="row-address" x=${column} y=${y + 4}>${row.address}</text>
  </g>`;
}

/** @param {{node: import('../layout/model.js').Node}} props */
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
  return html`<g class="card-button" transform=${`translate(${x} ${y})`} role="button" tabindex="0" aria-label=${label}
      data-testid="card-ping" data-button onClick=${start} onKeyDown=${key}>
    <title>${label}</title>
    <rect x="-3" y="-2" width="24" height="24" rx="6" />
    <g transform="translate(2 3)"><${Icon} name="radar" size=${15} /></g>
  </g>`;
}
