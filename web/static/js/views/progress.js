// Large operations that run: how far each is, and a way to stop it.
import { html, useState } from '../lib/preact.js';
import { actions, store, t } from '../context.js';
import { underWay } from '../core/history.js';
import { Button } from './parts.js';

export function Progress() {
  const list = underWay(store.operations.value);
  if (list.length === 0) return null;
  return html`<div class="progress-list" role="status">${list.map((o) => html`<${One} key=${o.id} operation=${o} />`)}</div>`;
}

/** @param {{operation: import('../types.js').Operation}} props */
function One({ operation: o }) {
  const [cancelled, setCancelled] = useState(false);
  const { done, total } = o.progress ?? { done: 0, total: 1 };
  const cancel = async () => {
    setCancelled(true);
    if (!(await actions.cancelOperation(o.id))) setCancelled(false);
  };
  return html`<div class="progress" data-testid="progress" data-progress=${o.id}>
    <span class="text"><b>#${o.id}</b> ${cancelled ? t('progress.cancelling') : o.request}</span>
    <progress max=${total} value=${done} aria-label=${t('progress.of', { done, total })}></progress>
    <span class="number" data-testid="progress-count">${t('progress.of', { done, total })}</span>
    <${Button} icon="circle-stop" kind="small danger" label=${t('cancel')} test="progress-cancel" disabled=${cancelled} onClick=${cancel} />
  </div>`;
}
