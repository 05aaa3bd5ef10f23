// History: who asked for what, when, and the commands it came to.
import { html, useState } from '../lib/preact.js';
import { store, t } from '../context.js';
import { clock, ms } from '../core/format.js';
import { Icon } from './parts.js';

export function Operations() {
  const list = store.operations.value;
  const [open, setOpen] = useState(/** @type {number | null} */ (null));
  if (list.length === 0) return html`<p class="quiet pad">${t('operations.none')}</p>`;
  return html`<ol class="lines operations" data-testid="operations">${list.map((o) => html`<li key=${o.id} data-operation=${o.id} data-state=${o.state}>
    <button type="button" class=${`event o-${o.state}`} aria-expanded=${open === o.id} onClick=${() => setOpen(open === o.id ? null : o.id)}>
      <${Icon} name=${open === o.id ? 'chevron-down' : 'arrow-right'} size=${13} />
      <span class="number">#${o.id}</span><time>${clock(o.started_at)}</time>
      <span class=${`pill o-${o.state}`}>${t(`operation.${o.state}`)}</span>
      <code class="text">${o.commands?.[0] ?? o.request}</code>
      ${(o.commands?.length ?? 0) > 1 && html`<span class="quiet">${t('operations.more', { count: (o.commands?.length ?? 0) - 1 })}</span>`}
      <span class="origin">${o.author}</span><span class="origin number">${ms(o.duration_ms)}</span>
    </button>
    ${open === o.id && html`<div class="operation">
      <p class="quiet">${o.request}</p>${o.error && html`<p class="warning">${o.error}</p>`}<pre>${(o.commands ?? []).join('\n')}</pre></div>`}
  </li>`)}</ol>`;
}
