// Inspector of a namespace.
import { html, useMemo } from '../lib/preact.js';
import { actions, t } from '../context.js';
import { commands } from '../core/api.js';
import { containerName, isBridge, isLoopback, isUnnamed, linkId, stateOf, titleOf } from '../core/lookup.js';
import { nameOf } from '../core/drift.js';
import { parseRoute } from '../core/route.js';
import { DifferenceBox } from './differences.js';
import { Firewall, Forwarding, useFirewall } from './firewall.js';
import { InlineAdd, change } from './inline.js';
import { AddressList, Keeping, Switch, editable } from './link-parts.js';
import { Many } from './many.js';
import { Button, Facts, Section, State, Sync } from './parts.js';

/** @param {{namespace: import('../types.js').NamespaceState}} props */
export function NamespaceView({ namespace: n }) {
  const host = n.name === 'host';
  const edit = (host || n.managed) && n.sync !== 'missing';
  const unnamed = isUnnamed(n);
  const reading = useFirewall(n);
  return html`<div data-inspect="namespace">
    <header class="object-head">
      <span class="kind">${t('namespace')}</span>
      <h2>${titleOf(n)}</h2>
      ${!host && html`<${Sync} sync=${n.sync} />`}
      <div class="tools">
        ${n.sync !== 'missing' && html`<${Button} icon="radar" label=${t('ping')} title=${`${t('ping')} (p)`} test="ping" onClick=${() => actions.pingFrom(n.name)} />`}
        ${edit && html`<${Button} icon="cable" label=${t('veth')} title=${t('create.veth')} onClick=${() => actions.open('veth', { a: n.name })} />`}
        ${edit && html`<${Button} icon="network" label=${t('bridge')} title=${t('create.bridge')} onClick=${() => actions.open('bridge', { namespace: n.name })} />`}
        ${!host && !unnamed && html`<${Keeping} namespace=${n} />`}
        ${!host && n.managed && html`<${Button} icon="trash-2" kind="danger" title=${t('delete')} hint="Del" test="delete" onClick=${() => actions.deleteNamespace(n.name)} />`}
      </div>
    </header>
    ${n.incomplete && html`<p class="warning">${t('namespace.incomplete')} ${n.incomplete}</p>`}
    ${n.sync === 'foreign' && !host && html`<p class="note">${unnamed ? t('namespace.unnamed', { id: n.id }) : t('sync.foreign.why')}</p>`}
    <${DifferenceBox} object=${n.name} />
    <${Section} title=${t('interfaces')} count=${n.links.length} test="interfaces">
      <${Many} list=${n.links} name=${t('interfaces')} kind="links" text=${linkText} row=${(l) => html`<${LinkRow} key=${l.key + l.name} link=${l} edit=${editable(l)} />`} />
    <//>
    <${Routes} namespace=${n} edit=${edit} reading=${reading} />
    <${Section} title=${t('neighbours')} count=${n.neighbours.length} test="neighbours">
      ${n.neighbours.length === 0 && html`<p class="quiet pad">${t('neighbours.none')}</p>`}
      <${Many} list=${n.neighbours} name=${t('neighbours')} text=${(x) => `${x.address} ${x.mac ?? ''} ${x.link} ${x.state}`} row=${neighbour} />
    <//>
    <${Inhabitants} namespace=${n} />
    ${n.sync !== 'missing' && html`<${Firewall} reading=${reading} />`}
  </div>`;
}

/** What the filter of the interfaces looks in. */
const linkText = (l) => `${l.name} ${stateOf(l)} ${l.sync} ${l.master ?? ''} ${l.mac} ${l.peer?.namespace ?? ''}/${l.peer?.name ?? ''} ${l.addresses.map((a) => a.cidr).join(' ')}`;

/** One interface; lo says plainly whether it is UP or DOWN. */
function LinkRow({ link, edit }) {
  return useMemo(() => {
    const state = stateOf(link);
    const plain = isLoopback(link) && state !== 'missing' ? state.toUpperCase() : undefined;
    return html`<li class=${`link-row sync-${link.sync}`} data-link-row=${link.name} data-state=${state}>
      <div class="line">
        <button type="button" class="link name" title=${link.name} data-object=${linkId(link)} onClick=${() => actions.select(linkId(link))}>
          ${nameOf(link)}${link.peer?.ifindex ? `@if${link.peer.ifindex}` : ''}</button>
        <${State} state=${state} text=${plain} />
        ${link.sync !== 'in_sync' && !isLoopback(link) && html`<${Sync} sync=${link.sync} />`}
        <span class="space"></span>
        ${!isBridge(link) && link.master && html`<span class="quiet master" title=${link.master}>${link.master}</span>`}
        ${edit && !link.master && html`<${Button} icon="plus" title=${t('address.title', { link: link.name })} test="add-address"
          onClick=${() => actions.open('address', { namespace: link.namespace, link: link.name })} />`}
        <${Switch} link=${link} edit=${edit} />
      </div>
      <${AddressList} link=${link} edit=${edit} add=${false} />
    </li>`;
  }, [link, edit]);
}

/** @param {{namespace: import('../types.js').NamespaceState, edit: boolean, reading: import('./firewall.js').Reading}} props */
function Routes({ namespace: n, edit, reading }) {
  const tools = edit && html`<${Button} icon="plus" title=${t('route.add')} test="add-route" onClick=${() => actions.open('route', { namespace: n.name })} />`;
  const row = (r) => html`<li key=${[r.family, r.destination, r.gateway, r.link, r.metric].join()} class=${`sync-${r.sync}`} data-route=${r.destination}>
    <code>${r.destination}</code>
    <span class="quiet">${routeText(r)}</span>
    <span class="space"></span><span class="quiet">${r.protocol}</span>
    ${r.sync === 'missing' && html`<${Sync} sync=${r.sync} />`}
    ${r.managed && html`<${Button} icon="x" title=${t('route.delete')} test="delete-route" onClick=${() => change(commands.deleteRoute(n.name, r))} />`}
  </li>`;
  const command = (text) => { const { body } = parseRoute(text); return body && commands.addRoute(n.name, body); };
  const wrong = (text) => { const w = parseRoute(text).wrong; return w && t('route.wrong', { word: w }); };
  return html`<${Section} title=${t('routes')} count=${n.routes.length} tools=${tools} test="routes">
    ${n.routes.length === 0 && html`<p class="quiet pad">${t('routes.none')}</p>`}
    <${Many} list=${n.routes} name=${t('routes')} text=${(r) => `${r.destination} ${routeText(r)} ${r.protocol}`} row=${row} />
    ${edit && html`<div class="inline-room"><${InlineAdd} name="route" label=${t('route.inline')} placeholder="default via 10.0.0.254" command=${command} wrong=${wrong} /></div>`}
    <${Forwarding} namespace=${n} reading=${reading} />
  <//>`;
}

/** Where it leads, in the words of ip-route(8). @param {import('../types.js').RouteState} r */
const routeText = (r) => [r.gateway && `via ${r.gateway}`, r.link && `dev ${r.link}`, r.metric && `metric ${r.metric}`, ...(r.flags ?? [])].filter(Boolean).join(' ');

const neighbour = (x) => html`<li key=${`${x.link} ${x.address}`}><code>${x.address}</code><code class="quiet">${x.mac}</code>
  <span class="space"></span><span class="quiet">${x.link}</span><span class="quiet">${x.state}</span></li>`;

/** Who lives there. Of the host that is everybody else, whom nobody lists. */
function Inhabitants({ namespace: n }) {
  const count = n.process_count ?? 0;
  if (count === 0) return null;
  const { container: c, processes: list = [] } = n;
  return html`<${Section} title=${t('processes')} count=${count} test="processes">
    ${c && html`<div class="end-card" data-testid="container"><${Facts} rows=${[
      [t('container'), containerName(c)], [t('container.engine'), c.engine], [t('container.image'), c.image],
    ]} /></div>`}
    <ul class="plain">${list.map((p) => html`<li key=${p.pid} data-process=${p.pid}><code>${p.name}</code>
      <span class="space"></span><span class="quiet">pid ${p.pid}</span></li>`)}
      ${count > list.length && html`<li class="quiet">${t('processes.more', { count: count - list.length })}</li>`}</ul>
  <//>`;
}
