// What the drawing's signs mean.
import { html, useEffect } from '../lib/preact.js';
import { store, t, ui } from '../context.js';
import { DifferenceMark, PortMark } from './marks.js';
import { Icon } from './parts.js';

const ends = ['up', 'down', 'no-carrier', 'missing'];
const syncs = ['in_sync', 'foreign', 'drifted', 'missing'];

const roomForLegend = 860; // px of window height; below, it begins folded

export function Legend() {
  useEffect(() => { ui.legend.value = innerHeight >= roomForLegend; }, []);
  if (!store.loaded.value) return null;
  const open = ui.legend.value;
  return html`<aside class="legend" aria-label=${t('legend')} data-testid="legend">
    <button type="button" class="fold" aria-expanded=${open} onClick=${() => { ui.legend.value = !open; }}>
      <${Icon} name=${open ? 'chevron-down' : 'chevron-up'} size=${14} />${t('legend')}
    </button>
    ${open && html`<ul>
      ${syncs.map((s) => html`<li key=${s} title=${t(`sync.${s}.why`)}><svg width="24" height="16" aria-hidden="true">
        <g class=${`node ns sync-${s}`}><rect class="card-body" x="2" y="2" width="20" height="12" rx="3" />
        <rect class="card-edge" x="2" y="2" width="20" height="12" rx="3" /></g></svg>${t(`sync.${s}`)}</li>`)}
      <li title=${t('legend.renamed.why')}><code class="renamed">eth0 → foo</code>${t('legend.renamed')}</li>
      <li title=${t('drift.badge.why')}><svg width="32" height="18" aria-hidden="true"><${DifferenceMark} x=${23} y=${9} count=${2} /></svg>${t('legend.differences')}</li>
    </ul><ul>
      ${ends.map((s) => html`<li key=${s}><svg width="34" height="16" aria-hidden="true">
        <path class=${`half h-${s}`} d="M11 8H33" /><${PortMark} x=${8} y=${8} state=${s} /></svg>${t(`state.${s}`)}</li>`)}
      <li><svg width="34" height="16" aria-hidden="true"><path class="half h-up" d="M2 8H18" />
        <g class="stub" transform="translate(25 8)"><circle r="7" /><text y="4" text-anchor="middle">?</text></g></svg>${t('state.unseen')}</li>
    </ul>`}
  </aside>`;
}
