// The panel on the right: the inspector of what is selected.
import { html } from '../lib/preact.js';
import { seen, store, t, ui } from '../context.js';
import { resolve } from '../core/lookup.js';
import { BridgeView } from './inspect-bridge.js';
import { LinkView } from './inspect-link.js';
import { NamespaceView } from './inspect-namespace.js';
import { Overview } from './overview.js';

export function Panel() {
  const found = resolve(seen.topology.value, ui.selection.value);
  const stale = store.stale.value && store.loaded.value ? 'stale' : '';
  return html`<div class=${`panel ${stale}`} data-testid="inspector" data-selection=${found ? ui.selection.value : ''}>
    ${!found && html`<${Overview} />`}
    ${found?.kind === 'namespace' && html`<${NamespaceView} key=${ui.selection.value} namespace=${found.namespace} />`}
    ${found?.kind === 'link' && html`<${LinkView} key=${ui.selection.value} link=${found.link} />`}
    ${found?.kind === 'bridge' && html`<${BridgeView} key=${ui.selection.value} namespace=${found.namespace} link=${found.link} />`}
  </div>`;
}
