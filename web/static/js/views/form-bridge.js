import { html } from '../lib/preact.js';
import { store, t } from '../context.js';
import { commands } from '../core/api.js';
import { freeLink, usable } from '../core/suggest.js';
import { CommandForm, Field, useValues } from './form.js';

const pointers = ['/namespace', '/name', '/addresses/0', '/addresses', '/ageing_seconds', '/stp'];

/** Creates a bridge. @param {{namespace?: string, at?: {x: number, y: number}}} props at: where it is to stand */
export function BridgeForm({ namespace = 'host', at }) {
  const topology = store.topology.value;
  const { values: v, set } = useValues((typed) => {
    const ns = typed.namespace ?? namespace;
    return { namespace: ns, name: freeLink(topology, ns, 'br'), address: '', stp: false, ageing: '', ...typed };
  });
  /** @type {any} */
  const body = { namespace: v.namespace, name: v.name };
  if (v.address.trim()) body.addresses = v.address.trim().split(/[\s,]+/);
  if (v.stp) body.stp = true;
  if (v.ageing !== '') body.ageing_seconds = Number(v.ageing);
  return html`<${CommandForm} title=${t('create.bridge')} icon="network" command=${commands.createBridge(body)} submit=${t('create')}
      select=${`link:${v.namespace}/${v.name}`} stand=${at && { node: `br:${v.namespace}/${v.name}`, at }} focus="[name=name]" pointers=${pointers}>${(errors) => html`
    <div class="columns">
      <${Field} name="namespace" label=${t('namespace')} value=${v.namespace} set=${set('namespace', ['name'])} errors=${errors('/namespace')}
        options=${usable(topology).map((n) => ({ value: n.name }))} />
      <${Field} name="name" label=${t('field.linkName')} value=${v.name} set=${set('name')} errors=${errors('/name')} />
      <${Field} name="address" label=${t('field.address')} placeholder=${t('field.optional')} value=${v.address} set=${set('address')}
        errors=${[...errors('/addresses/0'), ...errors('/addresses')]} />
      <${Field} name="ageing_seconds" label=${t('field.ageing')} type="number" placeholder="300" value=${v.ageing} set=${set('ageing')} errors=${errors('/ageing_seconds')} />
    </div>
    <${Field} name="stp" type="checkbox" label=${t('field.stp')} hint=${t('field.stp.why')} value=${v.stp} set=${set('stp')} errors=${errors('/stp')} />
  `}<//>`;
}
