// One row of the MAC table, and what is said below it when it is chosen.
import { html, useMemo } from '../lib/preact.js';
import { actions, player, seen, t } from '../context.js';
import { commands } from '../core/api.js';
import { age } from '../core/format.js';
import { firstAddress, linkOf } from '../core/lookup.js';
import { ownerOf, timeLeft } from '../core/mactable.js';
import { decisionOf, wayOf } from '../core/way.js';
import { Button, Sync } from './parts.js';

export const columns = 5;

/**
 * @param {{row: ReturnType<typeof import('../core/mactable.js').rowsOf>[0], owner: import('../types.js').Link | undefined, edit: boolean,
 *   chosen: boolean, choose: (key: string) => void, light: (key: string | null) => void, clock: any, ages: (e: any) => number | null, ageing?: number}} props
 */
export function MacRow({ row, owner, edit, chosen, choose, light, clock, ages, ageing }) {
  const { entry: e, key, mark, gone } = row;
  const hint = owner ? firstAddress(owner) : '';
  const walk = player.markOf(e);
  return useMemo(() => {
    const name = ownerOf(e);
    const remove = () => actions.run(commands.deleteFDB(e.namespace, e.bridge, e));
    const keys = (event) => {
      if (event.key !== 'Enter' && event.key !== ' ' || event.target.closest('button')) return;
      event.preventDefault();
      choose(key);
    };
    const say = mark ? t(`mac.mark.${mark.kind}`, { from: mark.from }) : t(`mac.state.${e.state}`);
    return html`<tr class=${`${mark ? `m-${mark.kind}` : ''} ${gone ? 'gone' : ''} ${walk}`} data-row-key=${key} data-mac=${e.mac} data-port=${e.port} data-state=${gone ? 'gone' : e.state} data-mark=${mark?.kind}
        aria-selected=${chosen} tabindex="0" title=${t('mac.select', { mac: e.mac })} onClick=${(event) => { if (!event.target.closest('button')) choose(key); }} onKeyDown=${keys}
        onMouseEnter=${() => light(key)} onMouseLeave=${() => light(null)}>
      <td><code>${e.mac}</code><span class=${`mac-state ms-${e.state}`}><i aria-hidden="true"></i>${say}</span></td>
      <td><button type="button" class="link" onClick=${() => actions.select(`link:${e.namespace}/${e.port}`)}>${e.port}</button>
        ${e.vlan ? html`<span class="under">${t('mac.vlan', { vlan: e.vlan })}</span>` : ''}</td>
      <td title=${[name, hint].filter(Boolean).join(' ')}>${name
        ? html`<button type="button" class="link" onClick=${() => actions.select(`link:${name}`)}>${name}</button>` : html`<span class="quiet">${t('mac.unknown')}</span>`}
        <span class="under number">${hint}</span></td>
      <td class="right number">${e.state === 'learned' && !gone ? html`<${Age} entry=${e} clock=${clock} ages=${ages} ageing=${ageing} />`
        : (e.sync === 'missing' || e.sync === 'drifted') && html`<${Sync} sync=${e.sync} />`}</td>
      <td class="right">${edit && e.state === 'static' && e.managed && !gone && html`<${Button} icon="x" title=${t('mac.delete')} test="mac-delete" onClick=${remove} />`}</td>
    </tr>`;
  }, [e, mark, gone, walk, hint, edit, chosen, choose, light, ages, ageing]);
}

/** Age and the time left, once a second; the rest of the row hears nothing of it. */
function Age({ entry, clock, ages, ageing }) {
  clock.value;
  const seconds = ages(entry);
  const left = timeLeft(seconds, ageing);
  return html`<span data-age=${seconds === null ? '' : Math.floor(seconds)}>${seconds === null ? '…' : age(seconds)}</span>
    ${left && html`<span class="left" title=${t('mac.left', { left: age(left.seconds) })}><i style=${{ width: `${Math.round(left.share * 100)}%` }}></i></span>`}`;
}

/** What the bridge does with a frame for a MAC, and the way it takes. */
export function MacWhy({ row, clock, ages, ageing }) {
  const topology = seen.topology.value;
  const { entry: e, gone } = row;
  clock.value;
  /** @type {{key: string, values: Record<string, string>}} */
  const { key, values } = gone ? { key: 'mac.why.gone', values: { mac: e.mac, bridge: e.bridge } } : decisionOf(topology, e);
  const state = values.state && (t(`state.${values.state}`) === `state.${values.state}` ? values.state : t(`state.${values.state}`));
  const left = gone ? null : timeLeft(ages(e), ageing);
  const local = key === 'mac.why.local';
  const hairpin = linkOf(topology, e.namespace, e.port)?.bridge_port?.hairpin;
  const way = gone || local ? null : wayOf(topology, e);
  return html`<tr class="mac-why" data-testid="mac-why"><td colspan=${columns}>
    <p>${t(key, { ...values, state })} ${!gone && !local && !hairpin && t('mac.why.same', { port: e.port })}
      ${left && html` ${t('mac.why.left', { left: age(left.seconds) })}`}</p>
    ${way && html`<p class="way" data-testid="mac-way" data-reached=${way.reached}><span class="quiet">${t('mac.way')}</span>
      ${way.refs.map((ref) => html`<button key=${ref} type="button" class="link" onClick=${() => actions.select(`link:${ref}`)}>${ref}</button>`)}
      ${!way.reached && html`<span class="quiet">${t('mac.wayEnds')}</span>`}</p>`}
  </td></tr>`;
}
