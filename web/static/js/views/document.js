// The intended topology as a document: read, edit, check, apply, export.
import { html, useEffect, useRef, useState } from '../lib/preact.js';
import { actions, api, store, t, ui } from '../context.js';
import { ApiError } from '../core/api.js';
import { putDocument, revisionOf, sortErrors } from '../core/document.js';
import { Editor } from './editor.js';
import { ExportMenu } from './export-menu.js';
import { Modal } from './form.js';
import { Button, Code, Icon } from './parts.js';
import { Progress } from './progress.js';

const none = new Set();

export function DocumentDialog() {
  const { draft } = ui;
  const [busy, setBusy] = useState('load');
  const [answer, setAnswer] = useState(/** @type {any} */ ({}));
  const [jump, setJump] = useState(/** @type {any} */ (null));
  const file = useRef(/** @type {any} */ (null));
  const { text, etag, saved } = draft.value ?? { text: '', etag: '', saved: '' };
  const dirty = text !== saved;
  const behind = draft.value !== null && busy === '' && revisionOf(etag) !== null && revisionOf(etag) !== store.topology.value.revision;

  /** Does one thing at a time; what goes wrong is shown. */
  const work = async (what, f) => {
    setBusy(what);
    try {
      await f();
    } catch (error) {
      setAnswer({ problem: error instanceof ApiError ? error.problem : { detail: String(error), code: 'internal' } });
    }
    setBusy('');
  };
  const load = () => work('load', async () => {
    const fresh = await api.document();
    draft.value = { ...fresh, saved: fresh.text };
    setAnswer({});
  });
  /** Goes on with the own text on top of what is there now. */
  const keep = () => work('load', async () => {
    const fresh = await api.document();
    draft.value = { text, etag: fresh.etag, saved: fresh.text };
    setAnswer({});
  });
  // A text that was not applied is still there when the dialog opens again.
  useEffect(() => { if (dirty) setBusy(''); else load(); }, []);

  const set = (value) => { draft.value = { text: value, etag, saved }; };
  const check = () => work('check', async () => setAnswer({ plan: await api.dryRun(putDocument(text, etag)), of: text }));
  const apply = (e) => {
    e.preventDefault();
    return work('apply', async () => {
      await api.run(putDocument(text, etag));
      draft.value = null;
      actions.close();
      actions.toast('done', t('document.applied'), '', { label: t('undo'), run: actions.undo });
    });
  };
  const open = async (e) => {
    const chosen = e.target.files[0];
    if (chosen) set(await chosen.text());
    e.target.value = '';
  };
  const errors = sortErrors(answer.problem?.errors ?? []);
  const bad = errors.length ? new Set(errors.map((e) => e.line).filter(Boolean)) : none;
  return html`<${Modal} title=${t('document')} icon="file-text" wide="document">
    <form class="document" onSubmit=${apply} novalidate data-testid="document" data-busy=${busy}>
      <div class="document-tools">
        <${Button} icon="file-up" label=${t('document.open')} onClick=${() => file.current.click()} test="document-open" />
        <input type="file" ref=${file} hidden name="document-file" accept=".yaml,.yml,.json,application/yaml,application/json" onChange=${open} />
        <${Button} icon="refresh-cw" label=${t(dirty ? 'document.discard' : 'document.reload')} disabled=${busy !== ''} onClick=${load} test="document-reload" />
        <span class="space"></span>
        <span class="quiet">${dirty ? t('document.changed') : revisionOf(etag) === null ? '' : t('document.revision', { revision: revisionOf(etag) })}</span>
        <${ExportMenu} onFail=${(error) => setAnswer({ problem: error.problem ?? { detail: String(error) } })} />
      </div>
      ${behind && answer.problem?.status !== 412 && html`<p class="note" data-testid="document-behind">${t('document.behind')}</p>`}
      <div class="document-body">
        <${Editor} value=${text} set=${set} label=${t('document')} bad=${bad} jump=${jump} disabled=${busy === 'apply' || busy === 'load'} onCheck=${check} />
        <div class="answer" role="status" data-testid="document-answer">
          ${answer.problem?.status === 412 && html`<${Conflict} load=${load} keep=${keep} />`}
          ${answer.problem && answer.problem.status !== 412 && html`<${Refused} problem=${answer.problem} errors=${errors} jump=${setJump} />`}
          ${answer.plan && html`<${Checked} plan=${answer.plan} old=${answer.of !== text} />`}
          ${!answer.problem && !answer.plan && html`<p class="hint">${t('document.hint')}</p>`}
        </div>
      </div>
      <${Progress} />
      <footer>
        <${Button} label=${t('cancel')} onClick=${actions.close} test="cancel" />
        <${Button} icon=${busy === 'check' ? 'activity' : 'check'} label=${t('document.check')} hint="Ctrl+↵" disabled=${busy !== ''} onClick=${check} test="document-check" />
        <button type="submit" class="button primary" data-testid="document-apply" disabled=${busy !== '' || !dirty}>
          ${busy === 'apply' && html`<${Icon} name="activity" />`}<span>${t('document.apply')}</span></button>
      </footer>
    </form>
  <//>`;
}

/** Somebody else was faster. */
const Conflict = ({ load, keep }) => html`<div class="problem" role="alert" data-testid="document-conflict">
  <p>${t('document.conflict')}</p>
  <p class="actions"><${Button} kind="small" icon="refresh-cw" label=${t('document.theirs')} onClick=${load} test="document-theirs" />
    <${Button} kind="small" label=${t('document.mine')} onClick=${keep} test="document-mine" /></p>
  <p class="hint">${t('document.conflict.hint')}</p>
</div>`;

/** What the server found wrong; a line leads to its place. */
function Refused({ problem, errors, jump }) {
  return html`<div class="problem" role="alert" data-testid="problem" data-code=${problem.code}>
    <p>${problem.detail}</p>${problem.hint && html`<p class="hint">${problem.hint}</p>`}
  </div>
  <ol class="errors">${errors.map((e) => html`<li key=${JSON.stringify(e)}><button type="button" disabled=${!e.line} data-testid="document-error" data-line=${e.line ?? ''}
    onClick=${() => jump({ line: e.line, column: e.column })}>
    <code class="place">${e.line ? `${e.line}:${e.column ?? 1}` : ''}</code><span>${e.detail}${e.pointer && html` <code class="quiet">${e.pointer}</code>`}</span></button></li>`)}</ol>`;
}

/** What applying would do. */
function Checked({ plan, old }) {
  const list = plan.changes ?? [];
  return html`<p class=${old ? 'quiet' : 'good'} data-testid="document-plan" data-changes=${list.length}>${t(list.length ? 'document.plan' : 'document.noPlan', { count: list.length })}${old ? ` ${t('document.old')}` : ''}</p>
    ${list.length > 0 && html`<${Code} label=${t('preview.commands')} test="preview-commands" text=${list.map((c) => c.command).join('\n')} />`}`;
}
