// Forms about what is intended as a whole: repair, adopt, release, undo,
// settings.
import { html, useState } from '../lib/preact.js';
import { actions, store, t, ui } from '../context.js';
import { commands } from '../core/api.js';
import { differencesAt } from '../core/drift.js';
import { titleOf, turns, undoneTo } from '../core/history.js';
import { CommandForm, Field, Modal } from './form.js';
import { Button } from './parts.js';

/** Shows what repairs the given objects, or everything, and does it. @param {{subjects?: string[], object?: string}} props */
export function RepairForm({ subjects, object }) {
  const done = (report) => {
    const left = report?.differences ?? [];
    const mine = subjects ? subjects.flatMap((s) => differencesAt(left, s)) : left;
    if (mine.length) actions.toast('error', t('repair.left', { count: mine.length }), t('repair.left.hint'));
    else actions.toast('done', t('repair.done'));
  };
  return html`<${CommandForm} title=${subjects ? t('repair.title', { object }) : t('repair.all')} icon="wrench"
      command=${commands.reconcile(subjects)} submit=${t('repair')} done=${done}>${() => html`
    <p class="sentence">${t('repair.sentence')}</p>`}<//>`;
}

/** Makes what the kernel has the intended. @param {{object: string, command: import('../core/api.js').Command}} props */
export const AcceptForm = ({ object, command }) => html`<${CommandForm} title=${t('accept.title', { object })} icon="log-in" command=${command} submit=${t('adopt')}>${() => html`
  <p class="sentence">${t(command.method === 'PATCH' ? 'accept.sentence' : 'accept.sentence.gone', { object })}</p>`}<//>`;

/** Takes foreign objects into what is intended. @param {{subjects: string[]}} props */
export function AdoptForm({ subjects }) {
  const object = subjects.join(', ');
  const done = (answer) => actions.toast('done', t('adopt.done', { list: listOf(answer?.subjects ?? subjects) }));
  return html`<${CommandForm} title=${t('adopt.title', { object })} icon="log-in" command=${commands.adopt(subjects)} submit=${t('adopt')} done=${done} commandless>${(_, plan) => html`
    <p class="sentence">${t(object.includes('/') ? 'adopt.sentence.link' : 'adopt.sentence.namespace', { object })} ${t('adopt.untouched')}</p>
    <${Taken} plan=${plan} words="adopt" />`}<//>`;
}

/** Gives managed objects back. @param {{subjects: string[]}} props */
export function ReleaseForm({ subjects }) {
  const object = subjects.join(', ');
  const done = (answer) => actions.toast('done', t('release.done', { list: listOf(answer?.subjects ?? subjects) }));
  return html`<${CommandForm} title=${t('release.title', { object })} icon="log-out" command=${commands.release(subjects)} submit=${t('release')} done=${done} commandless>${(_, plan) => html`
    <p class="sentence">${t(object.includes('/') ? 'release.sentence.link' : 'release.sentence.namespace', { object })} ${t('adopt.untouched')}</p>
    <${Taken} plan=${plan} words="release" />`}<//>`;
}

const listedAtMost = 12;
const listOf = (list) => list.slice(0, listedAtMost).join(', ') + (list.length > listedAtMost ? ` ${t('operations.more', { count: list.length - listedAtMost })}` : '');

/** All that is taken over or given back, and what is not and why. @param {{plan: import('../types.js').Adoption | null, words: string}} props */
function Taken({ plan, words }) {
  if (!plan?.subjects) return null;
  const warnings = plan.warnings ?? [];
  return html`${plan.subjects.length > 0 && html`<p class="sentence" data-testid="taken">${t(`${words}.takes`)} <code>${listOf(plan.subjects)}</code></p>`}
    ${warnings.length > 0 && html`<div class="warnings" data-testid="taken-warnings"><p>${t(`${words}.warnings`)}</p>
      <ul>${warnings.map((w) => html`<li key=${w.subject + w.detail} data-warning=${w.subject}><code>${w.subject}</code> ${w.detail}</li>`)}</ul></div>`}`;
}

/** Undoes any operation of the history. @param {{operation: import('../types.js').Operation}} props */
export function UndoForm({ operation: o }) {
  const redo = turns(store.operations.value, o) % 2 === 1;
  return html`<${CommandForm} title=${t(redo ? 'redo.title' : 'undo.title', { id: o.id })} icon=${redo ? 'redo-2' : 'undo-2'} command=${commands.undo(o.id)}
      submit=${t(redo ? 'redo' : 'undo')} done=${(result) => result && store.addOperations([result])}>${() => html`
    <p class="sentence">${t('undo.sentence', { id: o.id, request: o.request })}</p>`}<//>`;
}

/** Takes back everything after an operation. @param {{id: number}} props */
export function UndoToForm({ id }) {
  const list = undoneTo(store.operations.value, id);
  const go = (e) => {
    e.preventDefault();
    actions.close();
    actions.undoTo(id);
  };
  return html`<${Modal} title=${t('undo.toTitle', { id })} icon="undo-2"><form onSubmit=${go}>
    <div class="fields"><p class="sentence">${t('undo.toSentence', { id, count: list.length })}</p>
      <ol class="undo-list">${list.slice(0, listedAtMost).map((o) => html`<li key=${o.id}>#${o.id} <code>${titleOf(o).text}</code></li>`)}
        ${list.length > listedAtMost && html`<li class="quiet">${t('operations.more', { count: list.length - listedAtMost })}</li>`}</ol></div>
    <footer><${Button} label=${t('cancel')} onClick=${actions.close} test="cancel" />
      <button type="submit" class="button danger solid" data-testid="submit" disabled=${list.length === 0}>${t('undo.to', { count: list.length })}</button></footer>
  </form><//>`;
}

/** How netdash behaves: what it repairs by itself, and how much it remembers. */
export function SettingsForm() {
  const now = ui.settings.value;
  const [typed, setTyped] = useState(/** @type {any} */ ({}));
  if (!now) return html`<${Modal} title=${t('settings')} icon="settings"><p class="fields">${t('settings.unread')}</p><//>`;
  const v = { ...now, ...typed };
  const set = (name) => (value) => setTyped((old) => ({ ...old, [name]: value }));
  const body = Object.fromEntries(Object.entries(v).filter(([k, x]) => x !== now[k] && x !== ''));
  const option = (field) => (value) => ({ value, label: t(`settings.${field}.${value}`) });
  return html`<${CommandForm} title=${t('settings')} icon="settings" command=${commands.settings(body)} submit=${t('save')} dry=${false}
      ready=${Object.keys(body).length > 0} pointers=${['/repair', '/restore', '/history']} done=${(s) => { ui.settings.value = s ?? { ...now, ...body }; }}>${(errors) => html`
    <${Field} name="repair" label=${t('settings.repair')} hint=${t(`settings.repair.${v.repair}.why`)} value=${v.repair} set=${set('repair')} errors=${errors('/repair')}
      options=${['manual', 'auto'].map(option('repair'))} />
    <${Field} name="restore" label=${t('settings.restore')} hint=${t(`settings.restore.${v.restore}.why`)} value=${v.restore} set=${set('restore')} errors=${errors('/restore')}
      options=${['on_start', 'never'].map(option('restore'))} />
    <${Field} name="history" type="number" label=${t('settings.history')} hint=${t('settings.history.why')} value=${String(v.history)}
      set=${(x) => set('history')(x === '' ? '' : Number(x))} errors=${errors('/history')} />`}<//>`;
}
