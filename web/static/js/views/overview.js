// The panel while nothing is selected: everything there is, as a list.
import { html } from '../lib/preact.js';
import { actions, store, t } from '../context.js';
import { isBridge, linkId, nsId, stateOf, titleOf } from '../core/lookup.js';
import { Section, State, Sync } from './parts.js';

export function Overview() {
  const spaces = store.topology.value.namespaces;
  const bridges = spaces.flatMap((n) => n.links.filter(isBridge));
  if (!store.loaded.value) return null;
  return html`<div class="overview">
    <p class="quiet pad">${t('panel.nothing')}</p>
    <${Section} title=${t('namespaces')} level=${2} count=${spaces.length}>
      <ul class="objects">${spaces.map((n) => html`<li key=${n.id + n.name}>
        <button type="button" data-object=${nsId(n.name)} onClick=${() => actions.select(nsId(n.name))}>
          <b class="name">${titleOf(n)}</b><span class="quiet">${t('overview.links', { count: n.links.length })}</span>
          ${n.sync !== 'in_sync' && html`<${Sync} sync=${n.sync} />`}
        </button></li>`)}</ul>
    <//>
    ${bridges.length > 0 && html`<${Section} title=${t('bridges')} level=${2} count=${bridges.length}>
      <ul class="objects">${bridges.map((b) => html`<li key=${b.key}>
        <button type="button" data-object=${linkId(b)} onClick=${() => actions.select(linkId(b))}>
          <b class="name">${b.namespace}/${b.name}</b><${State} state=${stateOf(b)} />
          ${b.sync !== 'in_sync' && html`<${Sync} sync=${b.sync} />`}
        </button></li>`)}</ul>
    <//>`}
  </div>`;
}
