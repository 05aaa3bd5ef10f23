// The panel while nothing is selected: everything there is, as a list.
import { html, useMemo } from '../lib/preact.js';
import { actions, scene, seen, t } from '../context.js';
import { isBridge, linkId, nsId, stateOf, titleOf } from '../core/lookup.js';
import { Many } from './many.js';
import { Section, State, Sync } from './parts.js';

export function Overview() {
  const spaces = seen.topology.value.namespaces;
  const bridges = useMemo(() => spaces.flatMap((n) => n.links.filter(isBridge)), [spaces]);
  if (!scene.shown.value) return null;
  return html`<div class="overview">
    <p class="quiet pad">${t('panel.nothing')}</p>
    <${Section} title=${t('namespaces')} level=${2} count=${spaces.length}>
      <${Many} list=${spaces} name=${t('namespaces')} kind="objects" text=${(n) => `${n.name} ${titleOf(n)} ${n.sync}`} row=${(n) => html`<${SpaceRow} key=${n.id + n.name} namespace=${n} />`} />
    <//>
    ${bridges.length > 0 && html`<${Section} title=${t('bridges')} level=${2} count=${bridges.length}>
      <${Many} list=${bridges} name=${t('bridges')} kind="objects" text=${(b) => `${b.namespace}/${b.name} ${stateOf(b)} ${b.sync}`} row=${(b) => html`<li key=${b.key + b.name}>
        <button type="button" data-object=${linkId(b)} title=${`${b.namespace}/${b.name}`} onClick=${() => actions.select(linkId(b))}>
          <b class="name">${b.namespace}/${b.name}</b><${State} state=${stateOf(b)} />
          ${b.sync !== 'in_sync' && html`<${Sync} sync=${b.sync} />`}
        </button></li>`} />
    <//>`}
  </div>`;
}

/** @param {{namespace: import('../types.js').NamespaceState}} props */
function SpaceRow({ namespace: n }) {
  return useMemo(() => html`<li>
    <button type="button" data-object=${nsId(n.name)} title=${titleOf(n)} onClick=${() => actions.select(nsId(n.name))}>
      <b class="name">${titleOf(n)}</b><span class="quiet">${t('overview.links', { count: n.links.length })}</span>
      ${n.sync !== 'in_sync' && html`<${Sync} sync=${n.sync} />`}
    </button></li>`, [n]);
}
