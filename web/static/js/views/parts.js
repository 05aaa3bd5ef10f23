// Small pieces every view uses.
import { Fragment, h, html, useState } from '../lib/preact.js';
import { icons } from '../lib/icons.js';
import { t } from '../context.js';

/** @param {{name: string, size?: number, x?: number, y?: number}} props x, y: in another drawing */
export function Icon({ name, size = 16, x = undefined, y = undefined }) {
  return html`<svg class="icon" viewBox="0 0 24 24" width=${size} height=${size} x=${x} y=${y} aria-hidden="true">
    ${icons[name].map(([tag, attributes]) => h(tag, attributes))}
  </svg>`;
}

/**
 * A button. Without a label it must have a title, which is read out instead.
 * @param {any} props
 */
export function Button({ icon, label, title, kind = '', hint, test, ...rest }) {
  const name = title ?? label;
  return html`<button type="button" class=${`button ${kind} ${label ? '' : 'icon-only'}`} title=${hint ? `${name} (${hint})` : name}
      aria-label=${label ? undefined : name} data-testid=${test} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}${label && html`<span>${label}</span>`}${hint && label && html`<kbd>${hint}</kbd>`}
  </button>`;
}

/** A state with its sign and its word: colour is never the only mark. */
export function State({ state, text = undefined }) {
  return html`<span class=${`state s-${state}`} data-state=${state}><i aria-hidden="true"></i>${text ?? t(`state.${state}`)}</span>`;
}

/** How an object stands between intended and observed. */
export function Sync({ sync }) {
  return html`<span class=${`sync sync-${sync}`} title=${t(`sync.${sync}.why`)}>${t(`sync.${sync}`)}</span>`;
}

/** A titled part of a panel that can be folded; level is its heading's. @param {any} props */
export function Section({ title, level = 3, count = undefined, tools = null, children, test = undefined }) {
  const [open, setOpen] = useState(true);
  return html`<section class="section" data-testid=${test}>
    <header>
      <button type="button" class="fold" aria-expanded=${open} onClick=${() => setOpen(!open)}>
        <${Icon} name=${open ? 'chevron-down' : 'arrow-right'} size=${14} />
        <${`h${level}`}>${title}<//>${count !== undefined && html`<span class="count">${count}</span>`}
      </button>
      ${tools}
    </header>
    ${open && children}
  </section>`;
}

/** Name and value pairs; those without a value are left out. @param {{rows: [string, any][]}} props */
export function Facts({ rows }) {
  return html`<dl class="facts">${rows.filter(([, v]) => v !== undefined && v !== null && v !== '').map(([k, v]) =>
    html`<${Fragment} key=${k}><dt>${k}</dt><dd>${v}</dd><//>`)}</dl>`;
}

/** Something to copy: commands, a curl line. @param {{text: string, label: string, test?: string, shown?: string}} props shown: instead of a text that is too long */
export function Code({ text, label, test = undefined, shown = text }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text).catch(() => {});
    setCopied(true);
    setTimeout(() => setCopied(false), 1200);
  };
  return html`<div class="code" data-testid=${test}>
    <div class="head">${label}<${Button} icon=${copied ? 'check' : 'copy'} title=${t('copy')} onClick=${copy} /></div>
    <pre tabindex="0">${shown}</pre>
  </div>`;
}
