// Inspector of a namespace.
import { html, useEffect, useState } from '../lib/preact.js';
import { actions, api, t } from '../context.js';
import { commands } from '../core/api.js';
import { containerName, isBridge, isLoopback, isUnnamed, linkId, stateOf, titleOf } from '../core/lookup.js';
import { nameOf } from '../core/drift.js';
import { DifferenceBox } from './differences.js';
import { AddressList, Keeping, Switch, editable } from './link-parts.js';
import { Button, Facts, Section, State, Sync } from './parts.js';

/** @param {{namespace: import('../types.js').NamespaceState}} props */
export function NamespaceView({ namespace: n }) {
  const host = n.name === 'host';
  const edit = host || n.managed;
  const unnamed = isUnnamed(n);
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
      <ul class="links">${n.links.map((l) => html`<${LinkRow} key=${l.key} link=${l} />`)}</ul>
    <//>
    <${Routes} namespace=${n} edit=${edit} />
    <${Neighbours} list=${n.neighbours} />
    <${Inhabitants} namespace=${n} />
    <${Firewall} name=${n.name} />
  </div>`;
}

/** One interface; lo says plainly whether it is UP or DOWN. */
function LinkRow({ link }) {
  const state = stateOf(link);
  const plain = isLoopback(link) && state !== 'missing' ? state.toUpperCase() : undefined;
  return html`<li class=${`link-row sync-${link.sync}`} data-link-row=${link.name} data-state=${state}>
    <div class="line">
      <button type="button" class="link name" data-object=${linkId(link)} onClick=${() => actions.select(linkId(link))}>
        ${nameOf(link)}${link.peer?.ifindex ? `@if${link.peer.ifindex}` : ''}</button>
      <${State} state=${state} text=${plain} />
      ${link.sync !== 'in_sync' && !isLoopback(link) && html`<${Sync} sync=${link.sync} />`}
      <span class="space"></span>
      ${!isBridge(link) && link.master && html`<span class="quiet">${link.master}</span>`}
      ${editable(link) && !link.master && html`<${Button} icon="plus" title=${t('address.title', { link: link.name })} test="add-address"
        onClick=${() => actions.open('address', { namespace: link.namespace, link: link.name })} />`}
      <${Switch} link=${link} />
    </div>
    <${AddressList} link=${link} add=${false} />
  </li>`;
}

function Routes({ namespace: n, edit }) {
  const tools = edit && html`<${Button} icon="plus" title=${t('route.add')} test="add-route" onClick=${() => actions.open('route', { namespace: n.name })} />`;
  return html`<${Section} title=${t('routes')} count=${n.routes.length} tools=${tools} test="routes">
    ${n.routes.length === 0 ? html`<p class="quiet pad">${t('routes.none')}</p>` : html`<ul class="plain">
      ${n.routes.map((r) => html`<li key=${[r.family, r.destination, r.gateway, r.link, r.metric].join()} class=${`sync-${r.sync}`} data-route=${r.destination}>
        <code>${r.destination}</code>
        <span class="quiet">${[r.gateway && `via ${r.gateway}`, r.link && `dev ${r.link}`, r.metric && `metric ${r.metric}`, ...(r.flags ?? [])].filter(Boolean).join(' ')}</span>
        <span class="space"></span><span class="quiet">${r.protocol}</span>
        ${r.sync === 'missing' && html`<${Sync} sync=${r.sync} />`}
        ${r.managed && html`<${Button} icon="x" title=${t('route.delete')} onClick=${() => actions.run(commands.deleteRoute(n.name, r))} />`}
      </li>`)}</ul>`}
  <//>`;
}

function Neighbours({ list }) {
  return html`<${Section} title=${t('neighbours')} count=${list.length} test="neighbours">
    ${list.length === 0 ? html`<p class="quiet pad">${t('neighbours.none')}</p>` : html`<ul class="plain">
      ${list.map((x) => html`<li key=${`${x.link} ${x.address}`}><code>${x.address}</code><code class="quiet">${x.mac}</code>
        <span class="space"></span><span class="quiet">${x.link}</span><span class="quiet">${x.state}</span></li>`)}</ul>`}
  <//>`;
}

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

/** The packet filter, read when asked for: no rules is an answer, too. */
function Firewall({ name }) {
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    api.firewall(name, abort.signal).then(
      (chains) => setAnswer({ chains }),
      (error) => { if (!abort.signal.aborted) setAnswer({ error: error.message }); },
    );
    return () => abort.abort();
  }, [name, round]);
  const chains = (answer?.chains ?? []).filter((c) => c.rules?.length || c.policy === 'drop');
  const tools = html`<${Button} icon="refresh-cw" title=${t('refresh')} onClick=${() => setRound(round + 1)} />`;
  return html`<${Section} title=${t('firewall')} tools=${tools} test="firewall">
    ${!answer && html`<p class="quiet pad">…</p>`}
    ${answer?.error && html`<p class="warning">${answer.error}</p>`}
    ${answer?.chains && chains.length === 0 && html`<p class="quiet pad" data-testid="firewall-none">${t('firewall.none')}</p>`}
    ${chains.map((c) => html`<div key=${c.family + c.table + c.chain} class="chain"><p><code>${c.family} ${c.table} ${c.chain}</code>
      ${c.policy && html`<span class="quiet"> ${t('firewall.policy')} ${c.policy}</span>`}</p><pre>${c.rules.join('\n')}</pre></div>`)}
  <//>`;
}
