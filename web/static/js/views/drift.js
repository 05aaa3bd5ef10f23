// The drawer's list of what differs from what is intended, and its repair.
import { html, useEffect, useState } from '../lib/preact.js';
import { actions, ignored, store, t, ui } from '../context.js';
import { groupDifferences, subjectsOf } from '../core/drift.js';
import { keyOf } from '../core/ignored.js';
import { DifferenceCells, DifferenceHeads, Ways } from './differences.js';
import { Button, Icon } from './parts.js';

const shownAtMost = 200; // objects; repair all reaches the others, too

export function Drift() {
  const all = ignored.seen.value;
  const groups = groupDifferences(store.topology.value, all);
  const hidden = groupDifferences(store.topology.value, ignored.hidden.value);
  const foreign = ignored.foreign.value;
  const auto = ui.settings.value?.repair === 'auto';
  return html`<div class="drift" data-testid="drift" data-differences=${all.length}>
    <div class="log-tools">
      <p class=${all.length ? 'drift-count' : 'quiet'}><${Icon} name=${all.length ? 'equal-not' : 'check'} size=${15} />
        ${all.length ? `${t('drift.count', { count: all.length })} ${t('drift.in', { count: groups.length })}` : t(hidden.length ? 'drift.none.else' : 'drift.none')}</p>
      <button type="button" class="link quiet" data-testid="repair-mode" onClick=${() => actions.open('settings')}>${t(auto ? 'drift.auto' : 'drift.manual')}</button>
      <span class="space"></span>
      ${all.length > 0 && html`<${Button} icon="wrench" kind="primary" label=${t('repair.all')} test="repair-all" onClick=${() => actions.repair()} />`}
    </div>
    ${all.length > 0 && html`<${Waiting} />`}
    ${groups.length + hidden.length + foreign.length > 0 && html`<div class="drift-list">${groups.length > 0 && html`<table class="diff wide-diff">
      <thead><tr><th scope="col">${t('drift.object')}</th><${DifferenceHeads} /><td></td></tr></thead>
      ${groups.slice(0, shownAtMost).map((g) => html`<${GroupRows} key=${g.object} group=${g} />`)}
    </table>`}${groups.length > shownAtMost && html`<p class="quiet pad">${t('drift.more', { count: groups.length - shownAtMost })}</p>`}
      <${Ignored} groups=${hidden} foreign=${foreign} /></div>`}
  </div>`;
}

/** What this viewer does not want to be reminded of, to be taken back. @param {{groups: import('../core/drift.js').Group[], foreign: import('../core/ignored.js').Foreign[]}} props */
function Ignored({ groups, foreign }) {
  if (groups.length + foreign.length === 0) return null;
  const again = (keys, title) => html`<td class="right"><${Button} icon="bell" kind="small" label=${t('ignore.again')} title=${title} test="unignore" onClick=${() => ignored.remove(keys)} /></td>`;
  const name = (select, text) => (select ? html`<button type="button" class="link" onClick=${() => actions.select(select)}>${text}</button>` : text);
  return html`<table class="diff wide-diff ignored-list" data-testid="ignored-list"><caption>${t('ignore.list')}</caption>
    ${groups.slice(0, shownAtMost).map((g) => html`<tbody key=${g.object} data-ignored=${g.object}>${g.differences.map((d, i) => html`<tr key=${JSON.stringify(d)}>
      ${i === 0 && html`<th scope="rowgroup" rowspan=${g.differences.length}>${name(g.select, g.object)}</th>`}
      <${DifferenceCells} difference=${d} />${again([keyOf(d)], `${t('ignore.again')}: ${d.subject}`)}</tr>`)}</tbody>`)}
    ${foreign.slice(0, shownAtMost).map((f) => html`<tbody key=${f.key} data-ignored=${f.ref}><tr><th scope="row">${name(f.select, f.ref)}</th>
      <td colspan="3">${t('ignore.foreign')}</td>${again([f.key], `${t('ignore.again')}: ${f.ref}`)}</tr></tbody>`)}
  </table>`;
}

/** @param {{group: import('../core/drift.js').Group}} props */
function GroupRows({ group: g }) {
  const current = g.select && g.select === ui.selection.value;
  return html`<tbody aria-current=${current} data-drift=${g.object}>${g.differences.map((d, i) => html`<tr key=${JSON.stringify(d)}>
    ${i === 0 && html`<th scope="rowgroup" rowspan=${g.differences.length}>${g.select
      ? html`<button type="button" class="link" onClick=${() => actions.select(g.select)}>${g.object}</button>` : g.object}</th>`}
    <${DifferenceCells} difference=${d} />
    ${i === 0 && html`<td class="right ways" rowspan=${g.differences.length}><${Ways} object=${g.object} subjects=${subjectsOf(g)} list=${g.differences} kind="small" /></td>`}
  </tr>`)}</tbody>`;
}

/** Why automatic repair waits, and until when. */
function Waiting() {
  const repair = ui.repair.value;
  const next = Date.parse(repair?.next_at ?? '');
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!next) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [next]);
  if (repair?.state !== 'backing_off') return null;
  const wait = next ? Math.max(0, Math.ceil((next - now) / 1000)) : 0;
  return html`<p class="warning" role="status" data-testid="repair-waiting">
    ${[t('repair.backingOff', { count: repair.attempts ?? 0 }), sentence(repair.reason), wait > 0 ? t('repair.next', { seconds: wait }) : next ? t('repair.now') : ''].join(' ')}</p>`;
}

/** The server's words with a full stop. @param {string} [text] */
const sentence = (text) => (text ? text.replace(/\.?$/, '.') : '');
