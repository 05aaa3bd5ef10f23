// Inspector of a link: both ends of a veth, or one plain link.
import { Fragment, html } from '../lib/preact.js';
import { actions, seen, t } from '../context.js';
import { commands } from '../core/api.js';
import { isBridge, isLoopback, linkId, namespaceOf, nsId, peerOf, stateOf } from '../core/lookup.js';
import { nameOf } from '../core/drift.js';
import { LinkDifferences } from './differences.js';
import { change } from './inline.js';
import { AddressList, Keeping, Switch, changeable, editable, linkFields } from './link-parts.js';
import { Button, Facts, Section, State, Sync } from './parts.js';
import { PortSettings } from './port-settings.js';
import { Counters } from './rates.js';

/** @param {{link: import('../types.js').Link}} props */
export function LinkView({ link }) {
  const peer = peerOf(seen.topology.value, link);
  const veth = link.kind === 'veth';
  return html`<div data-inspect="link">
    <header class="object-head">
      <span class="kind">${veth ? t('veth') : link.kind}</span>
      <h2>${link.namespace}<span class="slash">/</span>${nameOf(link)}</h2>
      <${Sync} sync=${link.sync} />
      <div class="tools">
        ${link.sync !== 'missing' && html`<${Button} icon="radar" label=${t('ping')} hint="p" test="ping" onClick=${() => actions.pingFrom(link.namespace)} />`}
        ${changeable(link) && html`<${Button} icon="pencil" label=${t('edit')} test="edit-link" onClick=${() => actions.open('edit', { link })} />`}
        <${Keeping} link=${link} />
        ${link.managed && !isLoopback(link) && html`<${Button} icon="trash-2" kind="danger" title=${t('delete')} hint="Del" test="delete" onClick=${() => actions.deleteLink(link)} />`}
      </div>
    </header>
    ${link.sync === 'foreign' && !isLoopback(link) && html`<p class="note">${t('sync.foreign.why')}</p>`}
    <${LinkDifferences} link=${link} />
    <${EndCard} link=${link} title=${veth ? t('link.thisEnd') : ''} />
    <${PortSettings} link=${link} edit=${changeable(link)} />
    ${veth && peer && html`<${EndCard} key=${peer.key} link=${peer} title=${t('link.otherEnd')} jump><${LinkDifferences} link=${peer} /><//>
      <${PortSettings} link=${peer} edit=${changeable(peer)} />`}
    ${veth && !peer && html`<${Section} title=${t('link.otherEnd')}><p class="quiet pad" data-testid="peer-unseen">
      ${t('link.unseen', { ifindex: link.peer?.ifindex ?? '?' })}</p><//>`}
  </div>`;
}

/** @param {{link: import('../types.js').Link, title: string, jump?: boolean, children?: any}} props */
function EndCard({ link, title, jump = false, children = null }) {
  const fields = linkFields(link, changeable(link), !jump);
  const edit = editable(link);
  const body = html`<div class="end-card" data-end=${`${link.namespace}/${link.name}`}>
    <div class="line"><${State} state=${stateOf(link)} />
      ${jump && html`<button type="button" class="link name" data-object=${linkId(link)} onClick=${() => actions.select(linkId(link))}>${link.namespace}/${nameOf(link)}</button>`}
      <span class="space"></span><${Switch} link=${link} edit=${edit} label /></div>
    ${link.ifindex > 0 && html`<${Counters} link=${link} />`}
    <${Facts} rows=${[
      [t('namespace'), html`<button type="button" class="link" onClick=${() => actions.select(nsId(link.namespace))}>${link.namespace}</button>`],
      fields.name,
      ['ifindex', link.ifindex ? html`<code data-fact="ifindex">${link.ifindex}</code>` : ''],
      [t('link.peer'), link.peer && html`<code data-fact="peer">${peerText(link.peer)}</code>`],
      fields.mac, fields.mtu,
      [t('link.operState'), link.sync === 'missing' ? '' : `${link.oper_state}${link.carrier ? '' : `, ${t('state.no-carrier')}`}`],
      fields.alias,
      [t('link.flags'), link.flags?.length ? html`<span class="small">${link.flags.join(' ')}</span>` : ''],
    ]} />
    <${AddressList} link=${link} edit=${edit} />
    <${Plug} link=${link} />
  </div>`;
  return title ? html`<${Section} title=${title}>${children}${body}<//>` : html`<${Fragment}>${body}<//>`;
}

/** "B/veth0, ifindex 7"; only the ifindex when the namespace cannot be seen. */
function peerText(peer) {
  const number = `ifindex ${peer.ifindex}`;
  return peer.known ? `${peer.namespace}/${peer.name}, ${number}` : `${number}, ${t('state.unseen')}`;
}

/** Plugs a link into a bridge of its namespace, or takes it out. */
function Plug({ link }) {
  const n = namespaceOf(seen.topology.value, link.namespace);
  const bridges = (n?.links ?? []).filter((l) => isBridge(l) && l.sync !== 'missing');
  if (isLoopback(link) || isBridge(link)) return null;
  if (!editable(link) || (bridges.length === 0 && !link.master)) {
    return link.master ? html`<p class="quiet">${t('link.portOf', { bridge: link.master })}</p>` : null;
  }
  const plug = (e) => change(commands.patchLink(link.namespace, link.name, { master: e.target.value }));
  return html`<label class="plug">${t('link.pluggedInto')}
    <select name="master" data-testid="plug" value=${link.master ?? ''} onChange=${plug}>
      <option value="" selected=${!link.master}>${t('link.noBridge')}</option>
      ${bridges.map((b) => html`<option key=${b.key} value=${b.name} selected=${b.name === link.master}>${b.name}</option>`)}
    </select>
  </label>`;
}
