// Intended against observed, as a table; and the box of an object's inspector.
import { html } from '../lib/preact.js';
import { actions, ignored, store, t } from '../context.js';
import { acceptCommand } from '../core/accept.js';
import { describeDifference, differencesAt, intendedRef, objectOf } from '../core/drift.js';
import { keyOf, linkKey, namespaceKey } from '../core/ignored.js';
import { Button, Icon } from './parts.js';

/** A text of describeDifference in the page's language. @param {[string, any]} text */
function say([key, values]) {
  if (key.startsWith('=')) return html`<code>${key.slice(1)}</code>`;
  const words = t(key, values);
  return words === key && values.field ? values.field : words;
}

/** The cells of one difference. @param {{difference: import('../types.js').Difference}} props */
export function DifferenceCells({ difference: d }) {
  const { what, intended, observed } = describeDifference(d);
  return html`<td>${say(what)}</td><td class="intended">${say(intended)}</td><td class="observed">${say(observed)}</td>`;
}

/** The heads of those cells. */
export const DifferenceHeads = () =>
  html`<th scope="col">${t('drift.what')}</th><th scope="col">${t('drift.intended')}</th><th scope="col">${t('drift.observed')}</th>`;

/**
 * What can be done about differences of one object: repair, adopt, ignore.
 * @param {{object: string, subjects: string[], list: import('../types.js').Difference[], kind?: string}} props subjects: what to name to have it repaired
 */
export function Ways({ object, subjects, list, kind = '' }) {
  const accept = acceptCommand(list);
  const ignore = () => {
    const keys = list.map(keyOf);
    ignored.add(keys);
    actions.toast('done', t('ignore.done', { object }), '', { label: t('ignore.again'), run: () => ignored.remove(keys) });
  };
  return html`<${Button} icon="wrench" kind=${kind} label=${t('repair')} title=${t('repair.title', { object })} test="repair" onClick=${() => actions.repair(subjects, object)} />
    ${accept && html`<${Button} icon="log-in" kind=${kind} label=${t('adopt')} title=${t('accept.why')} test="accept" onClick=${() => actions.open('accept', { object, command: accept })} />`}
    <${Button} icon="bell-off" kind=${kind} title=${`${t('ignore')}: ${t('ignore.why')}`} test="ignore" onClick=${ignore} />`;
}

/**
 * In what one object differs, with ways to mend it; nothing when it is as
 * intended.
 * @param {{object: string}} props as it is intended: "A", "A/eth0"
 */
export function DifferenceBox({ object }) {
  const list = differencesAt(ignored.seen.value, object);
  const hidden = differencesAt(ignored.hidden.value, object);
  const name = (d) => (object.includes('/') ? null : objectOf(d).split('/')[1]);
  return html`${list.length > 0 && html`<section class="differences" data-testid="differences" data-object-differences=${object}>
    <header><${Icon} name="equal-not" size=${15} /><h3>${t('drift.box', { count: list.length })}</h3><span class="space"></span>
      <${Ways} object=${object} subjects=${[object]} list=${list} /></header>
    <table class="diff"><thead><tr><${DifferenceHeads} /></tr></thead>
      <tbody>${list.map((d) => html`${name(d) && d === list.find((x) => name(x) === name(d)) && html`<tr class="of"><th colspan="3" scope="rowgroup">${name(d)}</th></tr>`}
        <tr key=${JSON.stringify(d)} data-difference=${d.subject} data-field=${d.field ?? ''}><${DifferenceCells} difference=${d} /></tr>`)}</tbody></table>
  </section>`}
  ${hidden.length > 0 && html`<p class="ignored-note" data-testid="ignored-here"><${Icon} name="bell-off" size=${14} />${t('ignore.count', { count: hidden.length })}
    <${Button} icon="bell" kind="small" label=${t('ignore.again')} test="unignore" onClick=${() => ignored.remove(hidden.map(keyOf))} /></p>`}`;
}

/** Ignores a foreign object, or no longer. @param {{link?: import('../types.js').Link, namespace?: import('../types.js').NamespaceState}} props one of the two */
export function IgnoreForeign({ link, namespace }) {
  const key = link ? linkKey(link) : namespaceKey(/** @type {any} */ (namespace));
  const off = ignored.keys.value.has(key);
  return html`<${Button} icon=${off ? 'bell' : 'bell-off'} title=${off ? t('ignore.again') : `${t('ignore')}: ${t('ignore.why')}`} aria-pressed=${off} test="ignore-foreign"
    onClick=${() => (off ? ignored.remove([key]) : ignored.add([key]))} />`;
}

/** The box of a link, which may go by another name. @param {{link: import('../types.js').Link}} props */
export const LinkDifferences = ({ link }) => (link.managed || link.intended ? html`<${DifferenceBox} object=${intendedRef(link)} />` : null);
