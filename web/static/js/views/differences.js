// Intended against observed, as a table; and the box of an object's inspector.
import { html } from '../lib/preact.js';
import { actions, store, t } from '../context.js';
import { describeDifference, differencesAt, intendedRef, objectOf } from '../core/drift.js';
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
 * In what one object differs, with a way to mend it; nothing when it is as
 * intended.
 * @param {{object: string}} props as it is intended: "A", "A/eth0"
 */
export function DifferenceBox({ object }) {
  const list = differencesAt(store.differences.value, object);
  if (list.length === 0) return null;
  const name = (d) => (object.includes('/') ? null : objectOf(d).split('/')[1]);
  return html`<section class="differences" data-testid="differences" data-object-differences=${object}>
    <header><${Icon} name="equal-not" size=${15} /><h3>${t('drift.box', { count: list.length })}</h3><span class="space"></span>
      <${Button} icon="wrench" label=${t('repair')} test="repair" onClick=${() => actions.repair([object])} /></header>
    <table class="diff"><thead><tr><${DifferenceHeads} /></tr></thead>
      <tbody>${list.map((d) => html`${name(d) && d === list.find((x) => name(x) === name(d)) && html`<tr class="of"><th colspan="3" scope="rowgroup">${name(d)}</th></tr>`}
        <tr key=${JSON.stringify(d)} data-difference=${d.subject} data-field=${d.field ?? ''}><${DifferenceCells} difference=${d} /></tr>`)}</tbody></table>
  </section>`;
}

/** The box of a link, which may go by another name. @param {{link: import('../types.js').Link}} props */
export const LinkDifferences = ({ link }) => (link.managed || link.intended ? html`<${DifferenceBox} object=${intendedRef(link)} />` : null);
