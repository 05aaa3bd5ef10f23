import { html, useState } from '../lib/preact.js';
import { store, t } from '../context.js';
import { commands } from '../core/api.js';
import { freeNamespace } from '../core/suggest.js';
import { CommandForm, Field } from './form.js';

/** Creates a namespace. @param {{at?: {x: number, y: number}}} props where it is to stand */
export function NamespaceForm({ at }) {
  const [name, setName] = useState(() => freeNamespace(store.topology.value));
  const [lo, setLo] = useState(true);
  const body = lo ? { name } : { name, loopback_up: false };
  return html`<${CommandForm} title=${t('create.namespace')} icon="square" command=${commands.createNamespace(body)} submit=${t('create')}
      select=${`ns:${name}`} stand=${at && { node: `ns:${name}`, at }} pointers=${['/name', '/loopback_up']}>${(errors) => html`
    <${Field} name="name" label=${t('field.name')} value=${name} set=${setName} errors=${errors('/name')} />
    <${Field} name="loopback_up" type="checkbox" label=${t('field.loopback')} hint=${t('field.loopback.why')} value=${lo} set=${setLo} errors=${errors('/loopback_up')} />
  `}<//>`;
}
