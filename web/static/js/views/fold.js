// The panel below a bridge's bar that its folded members stand in, and the button
// of the bar that folds them.
import { html } from '../lib/preact.js';
import { scene, t } from '../context.js';

/** @param {{node: import('../layout/model.js').Node, x: number, y: number, lit?: boolean}} props what drawn.js has of a bar */
export function FoldPanel({ node, x, y, lit }) {
  const p = node.panel;
  if (!p) return null;
  const trunks = p.trunks.map((k) => `M${x + k.x} ${y + node.h}V${y + k.y}`).join('');
  return html`<rect class=${`fold-panel sync-${node.sync} ${lit ? 'lit' : ''}`} x=${x + p.x} y=${y + p.y} width=${p.w} height=${p.h} rx="9" data-panel=${node.id} />
    <path class=${`fold-trunk s-${node.state} sync-${node.sync}`} d=${trunks} />`;
}

/** @param {{node: import('../layout/model.js').Node}} props */
export function FoldButton({ node }) {
  if (!node.foldable) return null;
  const label = t(node.folded ? 'graph.unfold' : 'graph.fold', { bridge: node.title });
  const turn = (e) => {
    e.stopPropagation();
    scene.toggleFold(node.id);
  };
  const key = (e) => {
    if (e.key !== 'Enter' && e.key !== ' ') return;
    e.preventDefault();
    turn(e);
  };
  return html`<g class="bar-button" transform=${`translate(${node.w - 30} ${node.h / 2 - 11})`} role="button" tabindex="-1" aria-label=${label} aria-keyshortcuts="o"
      aria-expanded=${!node.folded} data-testid="fold" data-button onClick=${turn} onKeyDown=${key}>
    <title>${label}</title>
    <rect width="22" height="22" rx="6" />
    <path d=${node.folded ? 'M6 8L11 3.5L16 8M6 14L11 18.5L16 14' : 'M6 4L11 8.5L16 4M6 18L11 13.5L16 18'} />
  </g>`;
}
