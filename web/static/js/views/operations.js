// History: who asked for what, when, and the commands it came to.
import { html, useEffect, useState } from '../lib/preact.js';
import { actions, store, t } from '../context.js';
import { clock, ms } from '../core/format.js';
import { outcome, titleOf, turns, undoable } from '../core/history.js';
import { Button, Icon } from './parts.js';

export function Operations() {
  const list = store.operations.value;
  const [open, setOpen] = useState(/** @type {number | null} */ (null));
  if (list.length === 0) return html`<p class="quiet pad">${t('operations.none')}</p>`;
  return html`<ol class="lines operations" data-testid="operations">${list.map((o) => html`<${Operation} key=${o.id} operation=${o} list=${list}
    open=${open === o.id} toggle=${() => setOpen(open === o.id ? null : o.id)} />`)}</ol>`;
}

/** @param {{operation: import('../types.js').Operation, list: import('../types.js').Operation[], open: boolean, toggle: () => void}} props */
function Operation({ operation: o, list, open, toggle }) {
  const { text, more } = titleOf(o);
  const redo = turns(list, o) % 2 === 1;
  const { state, by } = outcome(list, o);
  // An event of a large operation leaves its commands out.
  const lacking = open && o.state !== 'running' && !o.commands?.length;
  useEffect(() => { if (lacking) actions.loadOperation(o.id); }, [lacking]);
  return html`<li data-operation=${o.id} data-state=${o.state} data-undoes=${o.undoes} data-undone-by=${o.undone_by}>
    <div class="operation-line"><button type="button" class=${`event o-${state}`} aria-expanded=${open} onClick=${toggle}>
      <${Icon} name=${open ? 'chevron-down' : 'arrow-right'} size=${13} />
      <span class="number">#${o.id}</span><time>${clock(o.started_at)}</time>
      <span class=${`pill o-${state}`}>${t(`operation.${state}`)}${by ? ` ${t('operation.by', { id: by })}` : ''}</span>
      ${(o.undoes ?? 0) > 0 && html`<span class="pill">${t(redo ? 'operation.undoes' : 'operation.redoes', { id: o.undoes })}</span>`}
      <code class="text">${text}</code>
      ${more > 0 && html`<span class="quiet">${t('operations.more', { count: more })}</span>`}
      <span class="origin">${o.author}</span><span class="origin number">${ms(o.duration_ms)}</span>
    </button>
    ${undoable(o) ? html`<${Button} icon=${redo ? 'redo-2' : 'undo-2'} title=${t(redo ? 'redo.title' : 'undo.title', { id: o.id })} test="operation-undo"
      onClick=${() => actions.open('undo', { operation: o })} />` : html`<span class="button-room"></span>`}</div>
    ${open && html`<div class="operation">
      <p class="quiet">${o.request}</p>${o.error && html`<p class="warning">${o.error}</p>`}<pre>${(o.commands ?? []).join('\n')}</pre></div>`}
  </li>`;
}
