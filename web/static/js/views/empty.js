// What a first visitor sees: nothing yet, and ways to begin.
import { html, useSignal } from '../lib/preact.js';
import { actions, scene, store, t } from '../context.js';
import { bridgeLab, pairLab } from '../core/labs.js';
import { isUnnamed } from '../core/lookup.js';
import { templates } from '../core/templates.js';
import { Button, Icon } from './parts.js';

export function Empty() {
  const busy = useSignal(false);
  if (!store.loaded.value) {
    return html`<div class="empty" data-testid="loading"><p>${t('empty.loading')}</p></div>`;
  }
  if (scene.model.value.nodes.length > 0 || store.topology.value.namespaces.some((n) => n.name !== 'host' && !isUnnamed(n))) return null;
  const build = async (lab) => {
    busy.value = true;
    await actions.build(lab);
    busy.value = false;
  };
  return html`<div class="empty" data-testid="empty">
    <h2>${t('empty.title')}</h2>
    <p>${t('empty.text')}</p>
    <div class="offers">
      <button type="button" class="offer" data-testid="lab-pair" disabled=${busy.value} onClick=${() => build(pairLab())}>
        <${PairPicture} /><b>${t('lab.pair')}</b><span>${t('lab.pair.why')}</span>
      </button>
      <button type="button" class="offer" data-testid="lab-bridge" disabled=${busy.value} onClick=${() => build(bridgeLab())}>
        <${StarPicture} /><b>${t('lab.bridge')}</b><span>${t('lab.bridge.why')}</span>
      </button>
    </div>
    <p class="quiet">${t('empty.templates')} ${templates.filter((x) => x.id !== 'pair').map((x) => html`<${Button} key=${x.id} kind="small" label=${t(`template.${x.id}`)}
      test=${`empty-${x.id}`} onClick=${() => actions.open('template', { template: x.id })} />`)} <kbd>l</kbd></p>
    <p class="quiet">${t('empty.or')} <button type="button" class="link" onClick=${() => actions.open('namespace')}>
      ${t('create.namespace')}</button> <${Icon} name="arrow-right" size=${13} /> <kbd>n</kbd></p>
  </div>`;
}

const PairPicture = () => html`<svg viewBox="0 0 200 84" aria-hidden="true">
  <path class="half h-up" d="M74 46H126" />
  ${[14, 126].map((x, i) => html`<g key=${x} class="node ns"><rect class="card-body" x=${x} y="22" width="60" height="40" rx="6" />
    <rect class="card-edge" x=${x} y="22" width="60" height="40" rx="6" /><text class="card-title" x=${x + 10} y="38">${'AB'[i]}</text>
    <rect class="sketch" x=${x + 10} y="46" width="34" height="5" rx="2.5" /></g>`)}
  <g class="port p-up"><rect class="port-box" x="69" y="41" width="10" height="10" rx="2.5" /><rect class="port-box" x="121" y="41" width="10" height="10" rx="2.5" /></g>
</svg>`;

const StarPicture = () => html`<svg viewBox="0 0 200 84" aria-hidden="true">
  <g class="node br"><rect class="bar-body" x="22" y="8" width="156" height="20" rx="6" /><text class="bar-title" x="100" y="22" text-anchor="middle">br0</text></g>
  ${[46, 100, 154].map((x) => html`<g key=${x}><path class="half h-up" d=${`M${x} 30V54`} />
    <g class="node ns"><rect class="card-body" x=${x - 22} y="52" width="44" height="26" rx="5" /><rect class="card-edge" x=${x - 22} y="52" width="44" height="26" rx="5" />
    <rect class="sketch" x=${x - 14} y="64" width="28" height="5" rx="2.5" /></g>
    <g class="port p-up"><rect class="port-box" x=${x - 4.5} y="24" width="9" height="9" rx="2.5" /><rect class="port-box" x=${x - 4.5} y="48" width="9" height="9" rx="2.5" /></g></g>`)}
</svg>`;
