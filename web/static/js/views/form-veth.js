import { html, useState } from '../lib/preact.js';
import { store, t } from '../context.js';
import { commands } from '../core/api.js';
import { isBridge, namespaceOf } from '../core/lookup.js';
import { suggestVeth, usable, vethBody } from '../core/suggest.js';
import { CommandForm, Field, useValues } from './form.js';
import { Icon } from './parts.js';

const names = ['namespace', 'name', 'master', 'addresses/0', 'addresses', 'mac', 'mtu'];
const pointers = ['a', 'b'].flatMap((e) => names.map((n) => `/${e}/${n}`));

/**
 * Creates a veth pair.
 * @param {{a?: string, b?: string, aMaster?: string, bMaster?: string}} props where its ends begin: namespaces, and bridges they are plugged into
 */
export function VethForm({ a, b, aMaster, bMaster }) {
  const topology = store.topology.value;
  const begin = Object.fromEntries(Object.entries({ 'a.namespace': a, 'b.namespace': b, 'a.master': aMaster, 'b.master': bMaster }).filter(([, v]) => v));
  const form = useValues((typed) => {
    const given = { ...begin, ...typed };
    // A bridge belongs to the namespace it was meant with.
    for (const me of ['a', 'b']) if (given[`${me}.namespace`] !== begin[`${me}.namespace`] && !(`${me}.master` in typed)) delete given[`${me}.master`];
    return suggestVeth(topology, given);
  });
  const [more, setMore] = useState(false);
  const v = form.values;
  return html`<${CommandForm} title=${t('create.veth')} icon="cable" wide command=${commands.createVeth(vethBody(v))} submit=${t('create')}
      select=${`link:${v['a.namespace']}/${v['a.name']}`} focus=${a && b ? '[name="a.name"]' : undefined} pointers=${pointers}>${(errors) => html`
    <div class="two-ends">
      <${End} me="a" form=${form} errors=${errors} more=${more} topology=${topology} />
      <div class="between"><${Icon} name="cable" size=${20} /></div>
      <${End} me="b" form=${form} errors=${errors} more=${more} topology=${topology} />
    </div>
    ${!more && html`<button type="button" class="link quiet" data-testid="more" onClick=${() => setMore(true)}>${t('field.more')}</button>`}
  `}<//>`;
}

function End({ me, form: { values: v, set }, errors, more, topology }) {
  const at = (name) => errors(`/${me}/${name}`);
  const namespace = v[`${me}.namespace`];
  const bridges = namespaceOf(topology, namespace)?.links.filter((l) => isBridge(l) && l.managed && l.sync !== 'missing') ?? [];
  const other = me === 'a' ? 'b' : 'a';
  // A new place makes the old suggestions wrong, so they are asked for again.
  const also = [`${me}.name`, `${me}.address`, `${me}.master`, `${other}.address`];
  return html`<fieldset><legend>${t(`veth.${me}`)}</legend>
    <${Field} name=${`${me}.namespace`} label=${t('namespace')} value=${namespace} set=${set(`${me}.namespace`, also)} errors=${at('namespace')}
      options=${[...new Set([...usable(topology).map((n) => n.name), namespace])].map((value) => ({ value }))} />
    <${Field} name=${`${me}.master`} label=${t('field.master')} value=${v[`${me}.master`]} errors=${at('master')}
      set=${set(`${me}.master`, [`${me}.name`, `${me}.address`, `${other}.name`, `${other}.address`])}
      options=${[{ value: '', label: t('link.noBridge') }, ...bridges.map((b) => ({ value: b.name }))]} />
    <${Field} name=${`${me}.name`} label=${t('field.linkName')} value=${v[`${me}.name`]} set=${set(`${me}.name`)} errors=${at('name')} />
    <${Field} name=${`${me}.address`} label=${t('field.address')} placeholder=${t('field.optional')} value=${v[`${me}.address`]} set=${set(`${me}.address`)}
      errors=${[...at('addresses/0'), ...at('addresses')]} />
    ${more && html`<${Field} name=${`${me}.mac`} label=${t('field.mac')} placeholder=${t('field.automatic')} value=${v[`${me}.mac`] ?? ''} set=${set(`${me}.mac`)} errors=${at('mac')} />
    <${Field} name=${`${me}.mtu`} label="MTU" placeholder="1500" value=${v[`${me}.mtu`] ?? ''} set=${set(`${me}.mtu`)} errors=${at('mtu')} />`}
  </fieldset>`;
}
