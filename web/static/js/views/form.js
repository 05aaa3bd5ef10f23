// What every form shares: values, the live preview by dry run, the server's
// errors beside the fields they are about.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../lib/preact.js';
import { actions, api, store, t } from '../context.js';
import { ApiError, curl } from '../core/api.js';
import { Button, Code, Icon } from './parts.js';
import { standAt } from './place.js';
import { Progress } from './progress.js';

/** Milliseconds of quiet before a dry run is asked for. */
const quiet = 220;
const linesAtMost = 200; // of the commands shown; all are copied

/**
 * Asks the server what a command would do, a moment after it last changed.
 * @param {import('../core/api.js').Command | null} command
 * @returns {{plan: import('../types.js').Plan | null, problem: import('../types.js').Problem | null, pending: boolean}}
 */
export function useDryRun(command) {
  const [answer, setAnswer] = useState(/** @type {any} */ ({ plan: null, problem: null, pending: true }));
  const text = JSON.stringify(command);
  useEffect(() => {
    if (!command) {
      setAnswer({ plan: null, problem: null, pending: true });
      return undefined;
    }
    const abort = new AbortController();
    setAnswer((old) => ({ ...old, pending: true }));
    const timer = setTimeout(async () => {
      try {
        const plan = await api.dryRun(command, abort.signal);
        setAnswer({ plan, problem: null, pending: false });
      } catch (error) {
        if (abort.signal.aborted) return;
        setAnswer({ plan: null, problem: problemOf(error), pending: false });
      }
    }, quiet);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // What the lab looks like decides the answer, too.
  }, [text, store.topology.value.revision, store.stale.value]);
  return answer;
}

/** What was wrong, the same way whoever says it. @returns {import('../types.js').Problem} */
function problemOf(error) {
  if (!(error instanceof ApiError)) return { status: 0, code: 'internal', detail: String(error) };
  if (error.problem.code !== 'unreachable') return error.problem;
  const { text, hint } = actions.explain(error);
  return { ...error.problem, detail: text, hint };
}

/**
 * A modal form for one command.
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.icon
 * @param {import('../core/api.js').Command} props.command
 * @param {string} props.submit
 * @param {(fieldErrors: (pointer: string) => string[], plan: any) => any} props.children plan: what the dry run answered, if it did
 * @param {string | null} [props.select] what to select afterwards
 * @param {{node: string, at: {x: number, y: number}}} [props.stand] where a node is to stand, in the drawing
 * @param {string} [props.focus] selector of the field to begin with; the first without
 * @param {boolean} [props.danger]
 * @param {boolean} [props.wide]
 * @param {string[]} [props.pointers] those that have a field
 * @param {boolean} [props.ready] false while there is nothing to ask the server yet
 * @param {boolean} [props.dry] false when nothing can be told before it is done
 * @param {boolean} [props.commandless] true when it never comes to any command
 * @param {() => void} [props.after] is called when all is done and told
 * @param {(result: any) => void} [props.done] hears the answer, after the form has closed; without, it is told what was run
 */
export function CommandForm({ title, icon, command, submit, children, select, stand, focus, danger = false, wide = false, pointers = [], ready = true, dry = true, commandless = !dry, done, after }) {
  const { plan, problem, pending } = useDryRun(ready && dry ? command : null);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  useEffect(() => setFailed(null), [JSON.stringify(command)]);
  const shown = failed ?? problem;
  const errorsAt = (pointer) => (shown?.errors ?? []).filter((e) => e.pointer === pointer).map((e) => e.detail);
  const loose = (shown?.errors ?? []).filter((e) => !pointers.includes(e.pointer));

  const offline = store.stale.value;
  const send = async (e) => {
    e.preventDefault();
    if (busy || !ready || offline) return;
    setBusy(true);
    try {
      const { answer, operation } = await api.perform(command);
      actions.close();
      if (done) done(answer);
      else actions.tell(operation);
      after?.();
      if (select !== undefined) actions.select(select);
      if (stand) standAt(stand.node, stand.at);
      else if (select) actions.view('reveal', select);
    } catch (error) {
      setFailed(problemOf(error));
      setBusy(false);
    }
  };
  // A select would open, or do nothing, depending on the browser.
  const key = (e) => {
    if (e.key !== 'Enter' || e.target.tagName !== 'SELECT') return;
    e.preventDefault();
    e.currentTarget.requestSubmit();
  };
  const list = plan?.changes?.map((c) => c.command) ?? [];
  const cut = list.length > linesAtMost ? [...list.slice(0, linesAtMost), `# ${t('operations.more', { count: list.length - linesAtMost })}`] : list;
  const otherwise = pending || offline ? '…' : t(shown ? 'preview.refused' : 'preview.nothing');
  return html`<${Modal} title=${title} icon=${icon} wide=${wide} focus=${focus}>
    <form onSubmit=${send} onKeyDown=${key} novalidate data-testid="form">
      <div class="fields">${children(errorsAt, plan)}</div>
      ${offline && html`<p class="offline" role="status" data-testid="offline"><${Icon} name="wifi-off" />${t('connection.offline')}</p>`}
      ${!offline && shown && html`<div class="problem" role="alert" data-testid="problem" data-code=${shown.code}>
        ${(loose.length > 0 || !shown.errors?.length) && html`<p>${shown.detail}</p>`}
        ${loose.map((e) => html`<p key=${e.pointer}><code>${e.pointer}</code> ${e.detail}</p>`)}
        ${shown.hint && html`<p class="hint">${shown.hint}</p>`}
      </div>`}
      <div class=${`preview ${pending && dry ? 'pending' : ''}`} data-testid="preview" data-pending=${pending && dry}>
        ${!commandless && html`<${Code} label=${t('preview.commands')} test="preview-commands" text=${list.join('\n') || otherwise} shown=${cut.join('\n') || otherwise} />`}
        <${Code} label=${t('preview.curl')} test="preview-curl" text=${curl(command, location.origin)} />
      </div>
      ${busy && html`<${Progress} />`}
      <footer>
        <${Button} label=${t('cancel')} onClick=${actions.close} test="cancel" />
        <button type="submit" class=${`button ${danger ? 'danger solid' : 'primary'}`} data-testid="submit" disabled=${busy || !ready || offline}>
          ${busy ? html`<${Icon} name="activity" />` : ''}<span>${submit}</span></button>
      </footer>
    </form>
  <//>`;
}

/** A modal dialog; Escape and a click beside it close it, and the focus goes back to where it was. @param {any} props */
export function Modal({ title, icon, wide = false, focus = 'input:not([hidden]), select, textarea', children }) {
  const ref = useRef(/** @type {any} */ (null));
  useLayoutEffect(() => {
    const before = /** @type {any} */ (document.activeElement);
    ref.current.showModal();
    const first = ref.current.querySelector(focus) ?? ref.current.querySelector('[type=submit]');
    first?.focus();
    if (first?.type === 'text') first.select();
    return () => { if (before?.isConnected) before.focus({ preventScroll: true }); };
  }, []);
  const outside = (e) => { if (e.target === ref.current) actions.close(); };
  return html`<dialog ref=${ref} class=${`modal ${wide === true ? 'wide' : wide || ''}`} aria-label=${title} data-testid="dialog"
      onClose=${actions.close} onMouseDown=${outside}>
    <div class="modal-inner">
      <div class="head"><${Icon} name=${icon} size=${18} /><h2>${title}</h2><${Button} icon="x" title=${t('close')} onClick=${actions.close} /></div>
      ${children}
    </div>
  </dialog>`;
}

let nextField = 0;

/**
 * A labelled input with its errors. options makes it a select.
 * @param {{name: string, label: string, value: any, set: (v: any) => void, errors?: string[], hint?: string,
 *   type?: string, options?: {value: string, label?: string}[], placeholder?: string, list?: string[], min?: number, max?: number}} props
 */
export function Field({ name, label, value, set, errors = [], hint, type = 'text', options, placeholder, list, min, max }) {
  const [id] = useState(() => `field-${nextField++}`);
  const bad = errors.length > 0;
  const common = { id, name, 'aria-invalid': bad, 'aria-describedby': bad ? `${id}-errors` : undefined };
  if (type === 'checkbox') {
    return html`<div class="field check"><label><input type="checkbox" ...${common} checked=${value} onChange=${(e) => set(e.target.checked)} />${label}</label>
      ${hint && html`<p class="hint">${hint}</p>`}<${Errors} id=${id} list=${errors} /></div>`;
  }
  const control = options
    ? html`<select ...${common} value=${value} onChange=${(e) => set(e.target.value)}>
        ${options.map((o) => html`<option key=${o.value} value=${o.value} selected=${o.value === value}>${o.label ?? o.value}</option>`)}</select>`
    : html`<input type=${type} ...${common} value=${value} placeholder=${placeholder} min=${min} max=${max} autocomplete="off" autocapitalize="off" spellcheck=${false}
        list=${list ? `${id}-list` : undefined} onInput=${(e) => set(e.target.value)} />`;
  return html`<div class=${`field ${bad ? 'invalid' : ''}`}><label for=${id}>${label}</label>${control}
    ${list && html`<datalist id=${`${id}-list`}>${list.map((x) => html`<option key=${x} value=${x} />`)}</datalist>`}
    ${hint && !bad && html`<p class="hint">${hint}</p>`}<${Errors} id=${id} list=${errors} /></div>`;
}

function Errors({ id, list }) {
  if (!list.length) return null;
  return html`<p class="error" id=${`${id}-errors`} data-testid="field-error">${list.join('; ')}</p>`;
}

/** The values of a form: those typed, over those suggested. */
export function useValues(suggest) {
  const [typed, setTyped] = useState(/** @type {Record<string, any>} */ ({}));
  const values = suggest(typed);
  const set = (name, also = []) => (value) => setTyped((old) => {
    const next = { ...old, [name]: value };
    for (const other of also) delete next[other];
    return next;
  });
  return { values, set, typed };
}
