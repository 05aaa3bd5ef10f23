// Editing in place: a value with a pencil becomes an input. Enter saves, Escape
// leaves it; the commands it comes to, or what is wrong, stand below.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../lib/preact.js';
import { actions, api, t } from '../context.js';
import { ApiError } from '../core/api.js';
import { useDryRun } from './form.js';
import { Button } from './parts.js';

/** @typedef {import('../core/api.js').Command} Command */
/** @typedef {import('../types.js').Problem} Problem */

/**
 * Does it and says which commands that was.
 * @param {Command} command
 * @returns {Promise<Problem | null>} null when it is done
 */
async function perform(command) {
  try {
    const plan = await api.dryRun(command);
    await api.run(command);
    const text = (plan.changes ?? []).map((c) => c.command).join('\n');
    if (text) actions.toast('done', text, '', { label: t('undo'), run: () => { actions.undo(); } });
    return null;
  } catch (error) {
    return error instanceof ApiError ? error.problem : { status: 0, code: 'internal', detail: String(error) };
  }
}

/**
 * Does it at once, for a button that has no place for words: what is refused is
 * said in a toast, too.
 * @param {Command} command
 */
export async function change(command) {
  const refused = await perform(command);
  if (refused) actions.fail(new ApiError(refused));
}

/** What is wrong, in the server's words. @param {{problem: Problem, id?: string}} props */
function Wrong({ problem, id = undefined }) {
  const details = (problem.errors ?? []).map((e) => e.detail).join('; ');
  return html`<p class="error" role="alert" id=${id} data-testid="inline-error" data-code=${problem.code}>${details || problem.detail}
    ${problem.hint && html` <span class="hint">${problem.hint}</span>`}</p>`;
}

let nextId = 0;

/**
 * The input itself. command gives what a text stands for; null: nothing to do yet.
 * @param {{name: string, label: string, value?: string, placeholder?: string, wrong?: (text: string) => string,
 *   command: (text: string) => Command | null, close: () => void, done?: (text: string) => void}} props
 */
export function InlineForm({ name, label, value = '', placeholder = '', command, wrong = () => '', close, done = () => {} }) {
  const [text, setText] = useState(value);
  /** What was refused, and of which text: by the time it is, another may stand there. */
  const [failed, setFailed] = useState(/** @type {{text: string, problem: Problem} | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [id] = useState(() => `inline-${nextId++}`);
  const input = useRef(/** @type {any} */ (null));
  const changed = text.trim() !== value;
  const c = changed ? command(text.trim()) : null;
  const { plan, problem, pending } = useDryRun(c);
  const misread = changed ? wrong(text.trim()) : '';
  const shown = c ? (failed?.text === text ? failed.problem : problem) : null;
  useLayoutEffect(() => { // before anybody can type
    input.current.focus();
    input.current.select();
  }, []);
  const save = async (e) => {
    e.preventDefault();
    if (!changed) return close();
    if (!c || busy) return undefined;
    setBusy(true);
    const refused = await perform(c);
    setBusy(false);
    if (refused) return setFailed({ text, problem: refused });
    close();
    return done(text.trim());
  };
  const keys = (e) => {
    if (e.key !== 'Escape') return;
    e.preventDefault();
    e.stopPropagation();
    close();
  };
  const commands = (plan?.changes ?? []).map((x) => x.command).join('\n');
  return html`<form class="inline-form" novalidate onSubmit=${save} onKeyDown=${keys} data-testid="inline-form" data-inline=${name} data-pending=${!!c && pending}>
    <div class="inline-line"><input ref=${input} name=${`inline-${name}`} aria-label=${label} value=${text} placeholder=${placeholder} autocomplete="off" autocapitalize="off"
        spellcheck=${false} aria-invalid=${!!shown || misread !== ''} aria-describedby=${id} onInput=${(e) => setText(e.target.value)} />
      <button type="submit" class="button small primary" data-testid="inline-save" disabled=${busy || !changed}>${t('save')}</button>
      <${Button} icon="x" title=${t('cancel')} hint="Esc" test="inline-cancel" onClick=${close} /></div>
    <div id=${id} aria-live="polite">${shown && html`<${Wrong} problem=${shown} />`}
      ${misread && html`<p class="error" data-testid="inline-error">${misread}</p>`}
      ${c && !shown && html`<code class="inline-commands" data-testid="inline-commands">${commands || (pending ? '…' : t('preview.nothing'))}</code>`}</div>
  </form>`;
}

/**
 * A value that may be edited.
 * @param {{name: string, label: string, value: string, edit: boolean, command: (text: string) => Command | null,
 *   show?: any, placeholder?: string, done?: (text: string) => void}} props show: how it is shown, if not as it is
 */
export function InlineField({ name, label, value, edit, command, show = value, placeholder = '', done = undefined }) {
  const [open, setOpen] = useState(false);
  const pencil = useRef(/** @type {any} */ (null));
  const left = useRef(false);
  useEffect(() => {
    if (open || !left.current) return;
    left.current = false;
    pencil.current?.focus();
  }, [open]);
  if (!edit) return show;
  const close = () => { left.current = true; setOpen(false); };
  if (open) return html`<${InlineForm} name=${name} label=${label} value=${value} placeholder=${placeholder} command=${command} close=${close} done=${done} />`;
  return html`<span class="inline" data-inline-value=${name} onDblClick=${() => setOpen(true)}><span class="inline-value">${show || html`<span class="quiet">${t('inline.none')}</span>`}</span>
    <span class="inline-pencil" ref=${(e) => { pencil.current = e?.querySelector('button'); }}><${Button} icon="pencil" title=${t('inline.edit', { what: label })} test=${`inline-${name}`} onClick=${() => setOpen(true)} /></span></span>`;
}

/**
 * A link that becomes an input, to add something.
 * @param {{name: string, label: string, placeholder: string, command: (text: string) => Command | null, wrong?: (text: string) => string}} props
 */
export function InlineAdd({ name, label, placeholder, command, wrong = undefined }) {
  const [open, setOpen] = useState(false);
  if (open) return html`<${InlineForm} name=${name} label=${label} placeholder=${placeholder} command=${command} wrong=${wrong} close=${() => setOpen(false)} />`;
  return html`<button type="button" class="link quiet" data-testid=${`inline-add-${name}`} onClick=${() => setOpen(true)}>+ ${label}</button>`;
}

/**
 * On or off, at a click; what the server refuses is said beside it.
 * @param {{name: string, label: string, on: boolean | undefined, edit: boolean, command: (on: boolean) => Command, text?: any, title?: string}} props
 */
export function InlineSwitch({ name, label, on, edit, command, text = undefined, title = label }) {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState(/** @type {Problem | null} */ (null));
  const word = text ?? t(on ? 'on' : 'off');
  if (on === undefined) return null;
  if (!edit) return html`<span data-inline-value=${name}>${word}</span>`;
  const flip = async () => {
    setBusy(true);
    setRefused(await perform(command(!on)));
    setBusy(false);
  };
  return html`<button type="button" role="switch" class="switch labelled" aria-checked=${on} disabled=${busy} aria-label=${label} title=${title}
      data-testid=${`inline-${name}`} onClick=${flip}><i></i><span>${word}</span></button>
    ${refused && html`<${Wrong} problem=${refused} />`}`;
}
