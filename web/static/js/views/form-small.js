// The small forms: address, route, static MAC entry, editing a link.
import { html, useState } from '../lib/preact.js';
import { store, t } from '../context.js';
import { commands } from '../core/api.js';
import { isBridge, namespaceOf, portsOf } from '../core/lookup.js';
import { CommandForm, Field, useValues } from './form.js';

/** @param {{namespace: string, link: string}} props */
export function AddressForm({ namespace, link }) {
  const [cidr, setCidr] = useState('');
  return html`<${CommandForm} title=${t('address.title', { link: `${namespace}/${link}` })} icon="plus" submit=${t('add')}
      command=${commands.addAddress(namespace, link, cidr.trim())} pointers=${['/cidr']} ready=${cidr.trim() !== ''}>${(errors) => html`
    <${Field} name="cidr" label=${t('field.cidr')} placeholder="10.0.0.1/24" value=${cidr} set=${setCidr} errors=${errors('/cidr')} />
  `}<//>`;
}

/** @param {{namespace: string}} props */
export function RouteForm({ namespace }) {
  const { values: v, set } = useValues((typed) => ({ destination: 'default', gateway: '', link: '', metric: '', ...typed }));
  const links = namespaceOf(store.topology.value, namespace)?.links.filter((l) => l.sync !== 'missing') ?? [];
  /** @type {any} */
  const body = { destination: v.destination.trim() };
  if (v.gateway.trim()) body.gateway = v.gateway.trim();
  if (v.link) body.link = v.link;
  if (v.metric !== '') body.metric = Number(v.metric);
  return html`<${CommandForm} title=${t('route.title', { namespace })} icon="route" submit=${t('add')} command=${commands.addRoute(namespace, body)}
      pointers=${['/destination', '/gateway', '/link', '/metric']}>${(errors) => html`<div class="columns">
    <${Field} name="destination" label=${t('field.destination')} value=${v.destination} set=${set('destination')} errors=${errors('/destination')} />
    <${Field} name="gateway" label=${t('field.gateway')} placeholder="10.0.0.254" value=${v.gateway} set=${set('gateway')} errors=${errors('/gateway')} />
    <${Field} name="link" label=${t('field.via')} value=${v.link} set=${set('link')} errors=${errors('/link')}
      options=${[{ value: '', label: t('field.automatic') }, ...links.map((l) => ({ value: l.name }))]} />
    <${Field} name="metric" label=${t('field.metric')} type="number" placeholder="0" value=${v.metric} set=${set('metric')} errors=${errors('/metric')} />
  </div>`}<//>`;
}

/** @param {{namespace: string, bridge: string}} props */
export function FDBForm({ namespace, bridge }) {
  const n = namespaceOf(store.topology.value, namespace);
  const ports = n ? portsOf(n, bridge) : [];
  const { values: v, set } = useValues((typed) => ({ mac: '', port: ports[0]?.name ?? bridge, vlan: '', ...typed }));
  /** @type {any} */
  const body = { mac: v.mac.trim(), port: v.port };
  if (v.vlan) body.vlan = Number(v.vlan);
  return html`<${CommandForm} title=${t('fdb.title', { bridge: `${namespace}/${bridge}` })} icon="table-2" submit=${t('add')}
      command=${commands.addFDB(namespace, bridge, body)} pointers=${['/mac', '/port', '/vlan']} ready=${body.mac !== ''}>${(errors) => html`<div class="columns">
    <${Field} name="mac" label=${t('field.mac')} placeholder="02:00:00:00:00:09" value=${v.mac} set=${set('mac')} errors=${errors('/mac')} />
    <${Field} name="port" label=${t('mac.port')} value=${v.port} set=${set('port')} errors=${errors('/port')}
      options=${[...ports.map((p) => ({ value: p.name })), { value: bridge, label: t('fdb.itself', { bridge }) }]} />
  </div>`}<//>`;
}

/** Changes a link; only what differs is sent. @param {{link: import('../types.js').Link}} props */
export function EditForm({ link }) {
  const b = link.bridge ?? {};
  const { values: v, set, typed } = useValues((over) => ({
    name: link.name, mac: link.mac, mtu: String(link.mtu), alias: link.alias ?? '',
    stp: b.stp ?? false, ageing: String(b.ageing_seconds ?? 300), ...over,
  }));
  /** @type {any} */
  const body = {};
  if (v.name !== link.name) body.name = v.name;
  if (v.mac !== link.mac) body.mac = v.mac;
  if (v.mtu !== String(link.mtu)) body.mtu = Number(v.mtu);
  if (v.alias !== (link.alias ?? '')) body.alias = v.alias;
  const bridge = {};
  if (typed.stp !== undefined && v.stp !== b.stp) bridge.stp = v.stp;
  if (typed.ageing !== undefined && v.ageing !== String(b.ageing_seconds)) bridge.ageing_seconds = Number(v.ageing);
  if (Object.keys(bridge).length) body.bridge = bridge;
  const pointers = ['/name', '/mac', '/mtu', '/alias', '/bridge/stp', '/bridge/ageing_seconds'];
  return html`<${CommandForm} title=${t('edit.title', { link: `${link.namespace}/${link.name}` })} icon="pencil" submit=${t('save')} pointers=${pointers}
      command=${commands.patchLink(link.namespace, link.name, body)} ready=${Object.keys(body).length > 0} select=${`link:${link.namespace}/${v.name}`}>${(errors) => html`
    <div class="columns">
      <${Field} name="name" label=${t('field.linkName')} value=${v.name} set=${set('name')} errors=${errors('/name')} />
      <${Field} name="mtu" label="MTU" type="number" value=${v.mtu} set=${set('mtu')} errors=${errors('/mtu')} />
      <${Field} name="mac" label=${t('field.mac')} value=${v.mac} set=${set('mac')} errors=${errors('/mac')} />
      <${Field} name="alias" label=${t('link.alias')} placeholder=${t('field.optional')} value=${v.alias} set=${set('alias')} errors=${errors('/alias')} />
      ${isBridge(link) && html`<${Field} name="ageing_seconds" label=${t('field.ageing')} type="number" value=${v.ageing} set=${set('ageing')} errors=${errors('/bridge/ageing_seconds')} />`}
    </div>
    ${isBridge(link) && html`<${Field} name="stp" type="checkbox" label=${t('field.stp')} value=${v.stp} set=${set('stp')} errors=${errors('/bridge/stp')} />`}
  `}<//>`;
}
