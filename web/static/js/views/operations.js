// History: who asked for what, when, and the commands it came to.
import { html, useEffect, useMemo, useState } from '../lib/preact.js';
import { actions, api, store, t, ui } from '../context.js';
import { moment, ms } from '../core/format.js';
import { merge, outcome, titleOf, turns, undoable, undoneTo } from '../core/history.js';
import { Button, Icon } from './parts.js';

const page = 100;

export function Operations() {
  const [older, setOlder] = useState(/** @type {import('../types.js').Operation[]} */ ([]));
  const [end, setEnd] = useState(false);
  const [filter, setFilter] = useState('');
  const wanted = ui.drawer.value.operation;
  const [open, setOpen] = useState(/** @type {number | undefined} */ (undefined));
  useEffect(() => setOpen(wanted), [wanted]);
  const list = useMemo(() => merge(older, store.operations.value, Infinity), [older, store.operations.value]);
  const words = filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const text = (o) => `#${o.id} ${o.author} ${o.request} ${o.state} ${(o.commands ?? []).join(' ')} ${o.error ?? ''}`.toLowerCase();
  const found = words.length ? list.filter((o) => words.every((w) => text(o).includes(w))) : list;
  const oldest = list.at(-1)?.id ?? 0;
  const more = () => api.operations({ limit: page, before: oldest }).then((next) => {
    setOlder((known) => merge(known, next, Infinity));
    setEnd(next.length < page);
  }, actions.fail);
  if (list.length === 0) return html`<p class="quiet pad">${t('operations.none')}</p>`;
  return html`<div class="log"><div class="log-tools">
      <input type="search" name="operation-filter" placeholder=${t('filter')} aria-label=${t('operations.filter')} value=${filter} onInput=${(e) => setFilter(e.target.value)} /></div>
    <ol class="lines operations" data-testid="operations">${found.map((o) => html`<${Operation} key=${o.id} operation=${o} list=${list}
      open=${open === o.id} toggle=${() => setOpen(open === o.id ? undefined : o.id)} />`)}
      ${found.length === 0 && html`<li class="quiet pad">${t('many.noMatch')}</li>`}
      ${!end && oldest > 1 && list.length >= page && html`<li class="pad"><button type="button" class="link" data-testid="operations-older" onClick=${more}>${t('operations.older')}</button></li>`}</ol>
  </div>`;
}

/** @param {{operation: import('../types.js').Operation, list: import('../types.js').Operation[], open: boolean, toggle: () => void}} props */
function Operation({ operation: o, list, open, toggle }) {
  const { text, more } = titleOf(o);
  const redo = turns(list, o) % 2 === 1;
  const { state, by } = outcome(list, o);
  // An event of a large operation leaves its commands out.
  const lacking = open && o.state !== 'running' && !o.commands?.length;
  useEffect(() => { if (lacking) actions.loadOperation(o.id); }, [lacking]);
  const after = undoneTo(list, o.id).length;
  const { done = 0, total = 0 } = (o.state === 'running' && o.progress) || {};
  return html`<li data-operation=${o.id} data-state=${o.state} data-undoes=${o.undoes} data-undone-by=${o.undone_by}>
    <div class="operation-line"><button type="button" class=${`event o-${state}`} aria-expanded=${open} title=${text} onClick=${toggle}>
      <${Icon} name=${open ? 'chevron-down' : 'arrow-right'} size=${13} />
      <span class="number">#${o.id}</span><time>${moment(o.started_at)}</time>
      <span class=${`pill o-${state}`}>${t(`operation.${state}`)}${by ? ` ${t('operation.by', { id: by })}` : ''}</span>
      ${(o.undoes ?? 0) > 0 && html`<span class="pill">${t(redo ? 'operation.undoes' : 'operation.redoes', { id: o.undoes })}</span>`}
      ${total > 0 && html`<progress max=${total} value=${done} aria-label=${t('progress.of', { done, total })}></progress><span class="origin">${t('progress.of', { done, total })}</span>`}
      <code class="text">${text}</code>
      ${more > 0 && html`<span class="quiet more">${t('operations.more', { count: more })}</span>`}
      <span class="origin author" title=${o.author}>${o.author}</span><span class="origin number">${o.state === 'running' ? '' : ms(o.duration_ms)}</span>
    </button>
    ${undoable(o) ? html`<${Button} icon=${redo ? 'redo-2' : 'undo-2'} title=${t(redo ? 'redo.title' : 'undo.title', { id: o.id })} test="operation-undo"
      onClick=${() => actions.open('undo', { operation: o })} />` : html`<span class="button-room"></span>`}</div>
    ${open && html`<div class="operation">
      <p class="quiet">${o.request}</p>${o.error && html`<p class="warning">${o.error}</p>`}<pre>${(o.commands ?? []).join('\n')}</pre>
      ${after > 0 && html`<p><${Button} icon="undo-2" kind="small" label=${t('undo.to', { count: after })} test="operation-undo-to" onClick=${() => actions.open('undo-to', { id: o.id })} /></p>`}</div>`}
  </li>`;
}
