// Short news that belongs to no field: what was done, and its commands; errors of
// buttons.
import { html } from '../lib/preact.js';
import { actions, t, ui } from '../context.js';
import { Button, Icon } from './parts.js';

export function Toasts() {
  const all = ui.toasts.value;
  const list = (kind) => all.filter((x) => x.kind === kind).map((x) => html`<${Toast} key=${x.id} toast=${x} />`);
  return html`<div class="toasts done" role="status" aria-live="polite">${list('done')}</div>
    <div class="toasts failed" role="status" aria-live="assertive">${list('error')}</div>`;
}

/** @param {{toast: import('../core/ui.js').Toast}} props */
function Toast({ toast: x }) {
  const commands = x.commands ?? [];
  return html`<div class=${`toast ${x.kind}`} data-testid="toast" data-kind=${x.kind}>
    ${x.kind === 'done' && html`<${Icon} name="check" />`}
    <div title=${[x.text, x.hint, ...commands.slice(0, 20)].filter(Boolean).join('\n')}><p>${x.text}</p>${x.hint && html`<p class="hint">${x.hint}</p>`}
      ${commands.length > 0 && html`<code class="ran" data-testid="toast-commands">${commands[0]}</code>`}
      ${commands.length > 1 && html`<button type="button" class="link quiet" onClick=${() => { ui.drawer.value = { open: true, tab: 'operations' }; }}>
        ${t('operations.more', { count: commands.length - 1 })}</button>`}</div>
    ${x.action && html`<${Button} kind="small" label=${x.action.label} test="toast-action"
      onClick=${() => { actions.dismiss(x.id); x.action?.run(); }} />`}
    <${Button} icon="x" title=${t('close')} onClick=${() => actions.dismiss(x.id)} />
  </div>`;
}
