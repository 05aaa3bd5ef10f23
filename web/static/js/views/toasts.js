// Short news that belongs to no field: errors of buttons, a lab that was built.
import { html } from '../lib/preact.js';
import { actions, t, ui } from '../context.js';
import { Button } from './parts.js';

const commandsAtMost = 3;

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">${ui.toasts.value.map((x) => html`
    <div key=${x.id} class=${`toast ${x.kind}`} data-testid="toast" data-kind=${x.kind}>
      <div><p>${x.text}</p>${x.hint && html`<p class="hint">${x.hint}</p>`}${x.commands && html`<${Commands} list=${x.commands} />`}</div>
      ${x.action && html`<${Button} kind="small" label=${x.action.label} test="toast-action"
        onClick=${() => { actions.dismiss(x.id); x.action?.run(); }} />`}
      <${Button} icon="x" title=${t('close')} onClick=${() => actions.dismiss(x.id)} />
    </div>`)}</div>`;
}

/** What was run; the history has all of it. @param {{list: string[]}} props */
function Commands({ list }) {
  if (list.length === 0) return null;
  const more = list.length - commandsAtMost;
  return html`<pre class="ran" data-testid="toast-commands">${list.slice(0, commandsAtMost).join('\n')}</pre>
    ${more > 0 && html`<button type="button" class="link quiet" onClick=${() => { ui.drawer.value = { open: true, tab: 'operations' }; }}>${t('operations.more', { count: more })}</button>`}`;
}
