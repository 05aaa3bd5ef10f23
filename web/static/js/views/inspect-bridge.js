// Inspector of a bridge: attributes, ports, MAC table.
import { html } from '../lib/preact.js';
import { actions, store, t, ui } from '../context.js';
import { linkId, nsId, peerOf, portsOf, stateOf } from '../core/lookup.js';
import { nameOf } from '../core/drift.js';
import { LinkDifferences } from './differences.js';
import { AddressList, Keeping, Switch, editable } from './link-parts.js';
import { MacTable } from './mac-table.js';
import { Button, Facts, Section, State, Sync } from './parts.js';

/** @param {{namespace: import('../types.js').NamespaceState, link: import('../types.js').Link}} props */
export function BridgeView({ namespace: n, link }) {
  const ports = portsOf(n, link.name);
  const b = link.bridge ?? {};
  const onOff = (v) => (v === undefined ? '' : t(v ? 'on' : 'off'));
  return html`<div data-inspect="bridge">
    <header class="object-head">
      <span class="kind">${t('bridge')}</span>
      <h2>${link.namespace}<span class="slash">/</span>${nameOf(link)}</h2>
      <${Sync} sync=${link.sync} />
      <div class="tools">
        ${link.managed && link.sync !== 'missing' && html`<${Button} icon="plug" label=${t('bridge.plug')} test="plug-veth"
          onClick=${() => actions.open('veth', { b: link.namespace, bMaster: link.name })} />`}
        ${editable(link) && html`<${Button} icon="pencil" label=${t('edit')} test="edit-link" onClick=${() => actions.open('edit', { link })} />`}
        <${Keeping} link=${link} />
        ${link.managed && html`<${Button} icon="trash-2" kind="danger" title=${t('delete')} hint="Del" test="delete" onClick=${() => actions.deleteLink(link)} />`}
      </div>
    </header>
    ${link.sync === 'foreign' && html`<p class="note">${t('sync.foreign.why')}</p>`}
    <${LinkDifferences} link=${link} />
    <div class="end-card">
      <div class="line"><${State} state=${stateOf(link)} /><span class="space"></span><${Switch} link=${link} label /></div>
      <${Facts} rows=${[
        [t('namespace'), html`<button type="button" class="link" onClick=${() => actions.select(nsId(link.namespace))}>${link.namespace}</button>`],
        ['ifindex', link.ifindex ? html`<code data-fact="ifindex">${link.ifindex}</code>` : ''],
        ['MAC', link.mac && html`<code>${link.mac}</code>`],
        ['MTU', link.mtu || ''],
        [t('bridge.stp'), onOff(b.stp)],
        [t('bridge.ageing'), b.ageing_seconds === undefined ? '' : `${b.ageing_seconds} s`],
        [t('bridge.vlan'), onOff(b.vlan_filtering)],
        [t('bridge.snooping'), onOff(b.multicast_snooping)],
      ]} />
      <${AddressList} link=${link} />
    </div>
    ${link.sync !== 'missing' && html`<${MacTable} namespace=${n} bridge=${link} />`}
    <${Section} title=${t('ports')} count=${ports.length} test="ports">
      ${ports.length === 0 && html`<p class="quiet pad">${t('ports.none')}</p>`}
      <ul class="links">${ports.map((p) => html`<${PortRow} key=${p.key} port=${p} />`)}</ul>
    <//>
  </div>`;
}

function PortRow({ port }) {
  const peer = peerOf(store.topology.value, port);
  const light = (on) => { ui.lit.value = new Set(on ? [`${port.namespace}/${port.name}`] : []); };
  return html`<li class="link-row" data-port-row=${port.name} onMouseEnter=${() => light(true)} onMouseLeave=${() => light(false)}>
    <div class="line">
      <span class="quiet number">${port.bridge_port?.number ?? ''}</span>
      <button type="button" class="link name" onClick=${() => actions.select(linkId(port))}>${nameOf(port)}</button>
      <${State} state=${stateOf(port)} />
      <span class="quiet">${port.bridge_port?.state ?? ''}</span>
      ${(port.sync === 'drifted' || port.sync === 'foreign') && html`<${Sync} sync=${port.sync} />`}
      <span class="space"></span>
      ${peer && html`<button type="button" class="link quiet" onClick=${() => actions.select(linkId(peer))}>${peer.namespace}/${peer.name}</button>`}
      <${Switch} link=${port} />
    </div>
  </li>`;
}
