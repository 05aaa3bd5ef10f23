// What a bridge does at one of its ports, each setting to be changed in place.
import { html } from '../lib/preact.js';
import { actions, t } from '../context.js';
import { commands } from '../core/api.js';
import { InlineField, InlineSwitch } from './inline.js';
import { numberOf } from './link-parts.js';
import { Facts, Section } from './parts.js';

const switches = ['learning', 'flood', 'mcast_flood', 'bcast_flood', 'hairpin', 'isolated', 'guard', 'root_block', 'fastleave'];

/** @param {{link: import('../types.js').Link, edit: boolean}} props */
export function PortSettings({ link, edit }) {
  const p = link.bridge_port;
  if (!p || !link.master) return null;
  const set = (body) => commands.patchLink(link.namespace, link.name, { bridge_port: body });
  const field = (name) => html`<${InlineField} name=${`port-${name}`} label=${t(`port.${name}`)} edit=${edit} value=${String(p[name])}
    command=${(text) => set({ [name]: numberOf(text) })} />`;
  return html`<${Section} title=${t('port.title', { bridge: link.master })} test="port-settings">
    <div class="end-card"><${Facts} rows=${[
      [t('bridge'), html`<button type="button" class="link" onClick=${() => actions.select(`link:${link.namespace}/${link.master}`)}>${link.master}</button>`],
      [t('port.state'), html`${p.state} <span class="quiet">${t('port.number', { number: p.number })}</span>`],
      [t('port.cost'), p.cost !== undefined && field('cost')],
      [t('port.priority'), p.priority !== undefined && field('priority')],
      ...switches.filter((s) => p[s] !== undefined).map((s) => [html`<span title=${t(`port.${s}.why`)}>${t(`port.${s}`)}</span>`,
        html`<${InlineSwitch} name=${`port-${s}`} label=${t(`port.${s}`)} title=${t(`port.${s}.why`)} on=${p[s]} edit=${edit} command=${(on) => set({ [s]: on })} />`]),
    ]} /></div>
  <//>`;
}
