// Inspector of a bridge: attributes, MAC table, ports.
import { html, useMemo } from '../lib/preact.js';
import { actions, seen, t, ui } from '../context.js';
import { linkId, nsId, peerOf, portsOf, stateOf } from '../core/lookup.js';
import { nameOf } from '../core/drift.js';
import { LinkDifferences } from './differences.js';
import { AddressList, Keeping, Switch, bridgeFields, editable, linkFields } from './link-parts.js';
import { MacTable } from './mac-table.js';
import { Many } from './many.js';
import { Button, Facts, Section, State, Sync } from './parts.js';
import { Spark } from './rates.js';

/** @param {{namespace: import('../types.js').NamespaceState, link: import('../types.js').Link}} props */
export function BridgeView({ namespace: n, link }) {
  const ports = portsOf(n, link.name);
  const edit = editable(link);
  const fields = linkFields(link, edit);
  return html`<div data-inspect="bridge">
    <header class="object-head">
      <span class="kind">${t('bridge')}</span>
      <h2>${link.namespace}<span class="slash">/</span>${nameOf(link)}</h2>
      <${Sync} sync=${link.sync} />
      <div class="tools">
        ${link.managed && link.sync !== 'missing' && html`<${Button} icon="plug" label=${t('bridge.plug')} test="plug-veth"
          onClick=${() => actions.open('veth', { b: link.namespace, bMaster: link.name })} />`}
        ${edit && html`<${Button} icon="pencil" label=${t('edit')} test="edit-link" onClick=${() => actions.open('edit', { link })} />`}
        <${Keeping} link=${link} />
        ${link.managed && html`<${Button} icon="trash-2" kind="danger" title=${t('delete')} hint="Del" test="delete" onClick=${() => actions.deleteLink(link)} />`}
      </div>
    </header>
    ${link.sync === 'foreign' && html`<p class="note">${t('sync.foreign.why')}</p>`}
    <${LinkDifferences} link=${link} />
    <div class="end-card">
      <div class="line"><${State} state=${stateOf(link)} /><span class="space"></span><${Switch} link=${link} edit=${edit} label /></div>
      <${Facts} rows=${[
        [t('namespace'), html`<button type="button" class="link" onClick=${() => actions.select(nsId(link.namespace))}>${link.namespace}</button>`],
        fields.name,
        ['ifindex', link.ifindex ? html`<code data-fact="ifindex">${link.ifindex}</code>` : ''],
        fields.mac, fields.mtu, fields.alias, ...bridgeFields(link, edit),
      ]} />
      <${AddressList} link=${link} edit=${edit} />
    </div>
    ${link.sync !== 'missing' && html`<${MacTable} namespace=${n} bridge=${link} />`}
    <${Section} title=${t('ports')} count=${ports.length} test="ports">
      ${ports.length === 0 && html`<p class="quiet pad">${t('ports.none')}</p>`}
      <${Many} list=${ports} name=${t('ports')} kind="links" text=${portText} row=${(p) => html`<${PortRow} key=${p.key + p.name} port=${p} peer=${peerOf(seen.topology.value, p)} edit=${editable(p)} />`} />
    <//>
  </div>`;
}

/** What the filter of the ports looks in. */
const portText = (p) => `${p.name} ${p.peer?.namespace ?? ''}/${p.peer?.name ?? ''} ${stateOf(p)} ${p.bridge_port?.state ?? ''}`;

/** @param {{port: import('../types.js').Link, peer: import('../types.js').Link | undefined, edit: boolean}} props */
function PortRow({ port, peer, edit }) {
  return useMemo(() => {
    const light = (on) => { ui.lit.value = new Set(on ? [`${port.namespace}/${port.name}`] : []); };
    const stp = port.bridge_port?.state;
    return html`<li class="link-row" data-port-row=${port.name} onMouseEnter=${() => light(true)} onMouseLeave=${() => light(false)}>
      <div class="line">
        <span class="quiet number">${port.bridge_port?.number ?? ''}</span>
        <button type="button" class="link name" title=${port.name} onClick=${() => actions.select(linkId(port))}>${nameOf(port)}</button>
        <${State} state=${stateOf(port)} />
        ${stp && stp !== 'forwarding' && html`<span class="quiet">${stp}</span>`}
        ${(port.sync === 'drifted' || port.sync === 'foreign') && html`<${Sync} sync=${port.sync} />`}
        <span class="space"></span>
        <${Switch} link=${port} edit=${edit} />
      </div>
      <div class="line">
        <span class="number"></span>
        ${peer ? html`<button type="button" class="link quiet far" title=${`${peer.namespace}/${peer.name}`} onClick=${() => actions.select(linkId(peer))}>→ ${peer.namespace}/${peer.name}</button>` : html`<span class="quiet">${t('state.unseen')}</span>`}
        <span class="space"></span>
        ${port.ifindex > 0 && html`<${Spark} link=${port} />`}
      </div>
    </li>`;
  }, [port, peer?.namespace, peer?.name, edit]);
}
