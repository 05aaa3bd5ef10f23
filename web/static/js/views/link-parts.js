// What the inspectors of namespaces, links and bridges share.
import { html, useState } from '../lib/preact.js';
import { actions, store, t } from '../context.js';
import { commands } from '../core/api.js';
import { isLoopback, namespaceOf } from '../core/lookup.js';
import { Menu } from './menu.js';
import { IgnoreForeign } from './differences.js';
import { Button, Icon } from './parts.js';

/** May netdash change this link? lo of a managed namespace or of host: its state, yes. */
export function editable(link) {
  if (link.sync === 'missing') return false;
  const n = namespaceOf(store.topology.value, link.namespace);
  return link.managed || (isLoopback(link) && !!n?.managed);
}

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

/** Up or down, at a click. @param {{link: import('../types.js').Link, label?: boolean}} props */
export function Switch({ link, label = false }) {
  const [busy, setBusy] = useState(false);
  if (!editable(link)) return null;
  const flip = async () => {
    setBusy(true);
    await actions.run(commands.patchLink(link.namespace, link.name, { admin_up: !link.admin_up }));
    setBusy(false);
  };
  const text = t(link.admin_up ? 'link.setDown' : 'link.setUp');
  return html`<button type="button" role="switch" class=${`switch ${label ? 'labelled' : ''}`} aria-checked=${link.admin_up} disabled=${busy}
    title=${text} aria-label=${`${link.name}: ${text}`} data-testid="link-toggle" data-toggle=${`${link.namespace}/${link.name}`} onClick=${flip}>
    <i></i>${label && html`<span>${t(link.admin_up ? 'state.up' : 'state.down')}</span>`}</button>`;
}

/** The addresses of a link, with ways to add and remove. @param {{link: import('../types.js').Link, add?: boolean}} props */
export function AddressList({ link, add = true }) {
  const edit = editable(link);
  return html`<ul class="addresses">
    ${link.addresses.map((a) => html`<li key=${a.cidr} data-address=${a.cidr}><code>${a.cidr}</code>
      ${a.scope !== 'global' && html`<span class="quiet">${a.scope}</span>`}
      ${(a.flags ?? []).map((f) => html`<span key=${f} class="quiet">${f}</span>`)}
      ${edit && a.scope === 'global' && html`<${Button} icon="x" title=${t('address.delete')}
        onClick=${() => actions.run(commands.deleteAddress(link.namespace, link.name, a.cidr))} />`}</li>`)}
    ${edit && add && html`<li><button type="button" class="link quiet" data-testid="add-address"
      onClick=${() => actions.open('address', { namespace: link.namespace, link: link.name })}>+ ${t('address.add')}</button></li>`}
  </ul>`;
}
