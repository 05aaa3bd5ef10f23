// A list that may be long: a filter when it is worth one, and the first so many.
import { html, useState } from '../lib/preact.js';
import { t } from '../context.js';

const filterFrom = 12;
const page = 50;

/**
 * @template T
 * @param {{list: T[], row: (x: T) => any, text: (x: T) => string, name: string, kind?: string}} props
 *   text: what the filter looks in; name: of the list, read out; kind: class of the list
 */
export function Many({ list, row, text, name, kind = 'plain' }) {
  const [filter, setFilter] = useState('');
  const [most, setMost] = useState(page);
  const words = filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fit = words.length ? list.filter((x) => { const all = text(x).toLowerCase(); return words.every((w) => all.includes(w)); }) : list;
  return html`${list.length >= filterFrom && html`<div class="mac-tools"><input type="search" name="many-filter" placeholder=${t('filter')}
      aria-label=${t('many.filter', { list: name })} value=${filter} onInput=${(e) => setFilter(e.target.value)} /></div>`}
    ${words.length > 0 && fit.length === 0 && html`<p class="quiet pad">${t('many.noMatch')}</p>`}
    <ul class=${kind} aria-label=${name}>${fit.slice(0, most).map(row)}</ul>
    ${fit.length > most && html`<p class="quiet pad" data-testid="many-more">${t('mac.ofThemShown', { shown: most, count: fit.length })}
      <button type="button" class="link" onClick=${() => setMost(most + page)}>${t('many.next', { count: Math.min(page, fit.length - most) })}</button></p>`}`;
}
