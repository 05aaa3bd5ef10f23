// What the inspectors of namespaces, links and bridges share.
import { html, useState } from '../lib/preact.js';
import { actions, seen, t } from '../context.js';
import { commands } from '../core/api.js';
import { isLoopback, namespaceOf } from '../core/lookup.js';
import { InlineAdd, InlineField, InlineSwitch, change } from './inline.js';
import { Menu } from './menu.js';
import { IgnoreForeign } from './differences.js';
import { Button, Icon } from './parts.js';

/** May netdash change this link? lo of a managed namespace: its state and addresses, yes. @param {import('../types.js').Link} link */
export function editable(link) {
  if (link.sync === 'missing') return false;
  if (link.managed) return true;
  return isLoopback(link) && !!namespaceOf(seen.topology.value, link.namespace)?.managed;
}

/** May netdash change more of it than lo lets anybody? @param {import('../types.js').Link} link */
export const changeable = (link) => editable(link) && !isLoopback(link);

/** A number as it is sent; what is none goes as it is, for the server to say so. @param {string} text */
export const numberOf = (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text);

/**
 * Takes a foreign object into what is intended, or gives a managed one back.
 * @param {{link?: import('../types.js').Link, namespace?: import('../types.js').NamespaceState}} props one of the two
 */
export function Keeping({ link, namespace }) {
  const o = /** @type {any} */ (link ?? namespace);
  if (link && isLoopback(link)) return null;
  const subject = link ? `${link.namespace}/${link.name}` : o.name;
  if (o.sync === 'foreign') {
    return html`<${Button} icon="log-in" label=${t('adopt')} title=${t('adopt.title', { object: subject })} test="adopt"
      onClick=${() => actions.open('adopt', { subjects: [subject] })} /><${IgnoreForeign} link=${link} namespace=${namespace} />`;
  }
  if (!o.managed) return null;
  return html`<${Menu} icon="ellipsis" title=${t('more')} test="more-actions">${(close) => html`<button type="button" role="menuitem" tabindex="-1"
    data-testid="release" onClick=${() => { close(); actions.open('release', { subjects: [subject] }); }}><${Icon} name="log-out" size=${15} /><span>${t('release')}…</span></button>`}<//>`;
}

/** Up or down, at a click. @param {{link: import('../types.js').Link, edit: boolean, label?: boolean}} props */
export function Switch({ link, edit, label = false }) {
  const [busy, setBusy] = useState(false);
  if (!edit) return null;
  const flip = async () => {
    setBusy(true);
    await change(commands.patchLink(link.namespace, link.name, { admin_up: !link.admin_up }));
    setBusy(false);
  };
  const text = t(link.admin_up ? 'link.setDown' : 'link.setUp');
  return html`<button type="button" role="switch" class=${`switch ${label ? 'labelled' : ''}`} aria-checked=${link.admin_up} disabled=${busy}
    title=${text} aria-label=${`${link.name}: ${text}`} data-testid="link-toggle" data-toggle=${`${link.namespace}/${link.name}`} onClick=${flip}>
    <i></i>${label && html`<span>${t(link.admin_up ? 'state.up' : 'state.down')}</span>`}</button>`;
}

/** The addresses of a link, with ways to add and remove. @param {{link: import('../types.js').Link, edit: boolean, add?: boolean}} props */
export function AddressList({ link, edit, add = true }) {
  return html`<ul class="addresses">
    ${link.addresses.map((a) => html`<li key=${a.cidr} data-address=${a.cidr}><code>${a.cidr}</code>
      ${a.scope !== 'global' && html`<span class="quiet">${a.scope}</span>`}
      ${(a.flags ?? []).map((f) => html`<span key=${f} class="quiet">${f}</span>`)}
      ${edit && a.scope === 'global' && html`<${Button} icon="x" title=${t('address.delete')}
        onClick=${() => change(commands.deleteAddress(link.namespace, link.name, a.cidr))} />`}</li>`)}
    ${edit && add && html`<li><${InlineAdd} name="address" label=${t('address.add')} placeholder="10.0.0.1/24"
      command=${(cidr) => (cidr ? commands.addAddress(link.namespace, link.name, cidr) : null)} /></li>`}
  </ul>`;
}

/**
 * Facts of any link that can be edited in place: a row's name and value each.
 * @param {import('../types.js').Link} link @param {boolean} edit
 * @param {boolean} follow whether the selection goes along with a new name
 * @returns {Record<'name' | 'mac' | 'mtu' | 'alias', [string, any]>}
 */
export function linkFields(link, edit, follow = true) {
  const field = (name, label, value, body, more = {}) => /** @type {[string, any]} */ ([label,
    (edit || value) && html`<${InlineField} name=${name} label=${label} value=${value} edit=${edit}
      command=${(text) => commands.patchLink(link.namespace, link.name, body(text))} ...${more} />`]);
  return {
    name: field('name', t('link.name'), link.name, (name) => ({ name }), { done: follow ? (name) => actions.select(`link:${link.namespace}/${name}`) : undefined }),
    mac: field('mac', 'MAC', link.mac, (mac) => ({ mac }), { show: html`<code>${link.mac}</code>` }),
    mtu: field('mtu', 'MTU', link.mtu ? String(link.mtu) : '', (mtu) => ({ mtu: numberOf(mtu) })),
    alias: field('alias', t('link.alias'), link.alias ?? '', (alias) => ({ alias })),
  };
}

/** Settings of a bridge: a row's name and value each. @param {import('../types.js').Link} link @param {boolean} edit @returns {[string, any][]} */
export function bridgeFields(link, edit) {
  const b = /** @type {any} */ (link.bridge ?? {});
  const set = (body) => commands.patchLink(link.namespace, link.name, { bridge: body });
  const onOff = (name, label) => /** @type {[string, any]} */ ([label, b[name] !== undefined && html`<${InlineSwitch} name=${`bridge-${name}`} label=${label} on=${b[name]} edit=${edit}
    command=${(on) => set({ [name]: on })} />`]);
  const count = (name, label, unit = '') => /** @type {[string, any]} */ ([label, b[name] !== undefined && html`<${InlineField} name=${`bridge-${name}`} label=${label} value=${String(b[name])}
    show=${`${b[name]}${unit}`} edit=${edit} command=${(text) => set({ [name]: numberOf(text) })} />`]);
  /** @type {[string, any][]} */
  const tree = b.stp ? [
    [t('bridge.root'), b.root_id && html`<code>${b.root_id}</code>${b.root_id === b.id && html` <span class="quiet">${t('bridge.isRoot')}</span>`}`],
    count('priority', t('bridge.priority')), count('forward_delay_seconds', t('bridge.forwardDelay'), ' s'),
    count('hello_seconds', t('bridge.hello'), ' s'), count('max_age_seconds', t('bridge.maxAge'), ' s'),
  ] : [];
  return [
    count('ageing_seconds', t('bridge.ageing'), ' s'), onOff('stp', t('bridge.stp')), ...tree,
    onOff('vlan_filtering', t('bridge.vlan')), onOff('multicast_snooping', t('bridge.snooping')),
  ];
}
