// The drawer's list of what differs from what is intended, and its repair.
import { html, useEffect, useState } from '../lib/preact.js';
import { actions, store, t, ui } from '../context.js';
import { groupDifferences, subjectsOf } from '../core/drift.js';
import { DifferenceCells, DifferenceHeads } from './differences.js';
import { Button, Icon } from './parts.js';

const shownAtMost = 200; // objects; repair all reaches the others, too

export function Drift() {
  const all = store.differences.value;
  const groups = groupDifferences(store.topology.value);
  const auto = ui.settings.value?.repair === 'auto';
  return html`<div class="drift" data-testid="drift" data-differences=${all.length}>
    <div class="log-tools">
      <p class=${all.length ? 'drift-count' : 'quiet'}><${Icon} name=${all.length ? 'equal-not' : 'check'} size=${15} />
        ${all.length ? `${t('drift.count', { count: all.length })} ${t('drift.in', { count: groups.length })}` : t('drift.none')}</p>
      <button type="button" class="link quiet" data-testid="repair-mode" onClick=${() => actions.open('settings')}>${t(auto ? 'drift.auto' : 'drift.manual')}</button>
      <span class="space"></span>
      ${all.length > 0 && html`<${Button} icon="wrench" kind="primary" label=${t('repair.all')} test="repair-all" onClick=${() => actions.repair()} />`}
    </div>
    ${all.length > 0 && html`<${Waiting} />`}
    ${groups.length > 0 && html`<div class="drift-list"><table class="diff wide-diff">
      <thead><tr><th scope="col">${t('drift.object')}</th><${DifferenceHeads} /><td></td></tr></thead>
      ${groups.slice(0, shownAtMost).map((g) => html`<${GroupRows} key=${g.object} group=${g} />`)}
    </table>${groups.length > shownAtMost && html`<p class="quiet pad">${t('drift.more', { count: groups.length - shownAtMost })}</p>`}</div>`}
  </div>`;
}

/** @param {{group: import('../core/drift.js').Group}} props */
function GroupRows({ group: g }) {
  const current = g.select && g.select === ui.selection.value;
  return html`<tbody aria-current=${current} data-drift=${g.object}>${g.differences.map((d, i) => html`<tr key=${JSON.stringify(d)}>
    ${i === 0 && html`<th scope="rowgroup" rowspan=${g.differences.length}>${g.select
      ? html`<button type="button" class="link" onClick=${() => actions.select(g.select)}>${g.object}</button>` : g.object}</th>`}
    <${DifferenceCells} difference=${d} />
    ${i === 0 && html`<td class="right" rowspan=${g.differences.length}><${Button} icon="wrench" kind="small" label=${t('repair')}
      title=${t('repair.title', { object: g.object })} test="repair" onClick=${() => actions.repair(subjectsOf(g), g.object)} /></td>`}
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
