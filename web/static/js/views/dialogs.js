// Shows the dialog that is open, if any.
import { html } from '../lib/preact.js';
import { store, t, ui } from '../context.js';
import { consequences } from '../core/consequences.js';
import { DocumentDialog } from './document.js';
import { BridgeForm } from './form-bridge.js';
import { NamespaceForm } from './form-namespace.js';
import { AdoptForm, ReleaseForm, RepairForm, SettingsForm, UndoForm } from './form-lab.js';
import { AddressForm, EditForm, FDBForm, RouteForm } from './form-small.js';
import { VethForm } from './form-veth.js';
import { CommandForm, Modal } from './form.js';

/** @type {Record<string, any>} */
const dialogs = {
  namespace: NamespaceForm, veth: VethForm, bridge: BridgeForm, address: AddressForm, route: RouteForm,
  fdb: FDBForm, edit: EditForm, delete: DeleteForm, help: Help,
  repair: RepairForm, adopt: AdoptForm, release: ReleaseForm, undo: UndoForm, settings: SettingsForm, document: DocumentDialog,
};

export function DialogHost() {
  const dialog = ui.dialog.value;
  if (!dialog) return null;
  const { kind, ...rest } = dialog;
  return html`<${dialogs[kind]} key=${kind} ...${rest} />`;
}

/** @param {{subject: string, what: string, command: import('../core/api.js').Command}} props */
function DeleteForm({ subject, what, command }) {
  const goes = consequences(store.topology.value, subject);
  return html`<${CommandForm} title=${t('delete.title', { subject })} icon="trash-2" command=${command} submit=${t('delete')} danger select=${null}>${() => html`
    <p class="sentence" data-testid="consequences">${t('delete.sentence', { what: kindName(what), subject })}
      ${' '}${goes.length ? goes.map((g) => t(g.key, g.values)).join(' ') : t('goes.nothing')}</p>
  `}<//>`;
}

const keys = ['n', 'v', 'b', 'p', 'm', 'w', 'Del', 'Ctrl+Z', 'Ctrl+Shift+Z', 'd', 's', 'i', 'f', 't', '+ −', '← ↑ → ↓', 'Esc', '?'];

function Help() {
  return html`<${Modal} title=${t('help')} icon="circle-question-mark">
    <dl class="keys">${keys.map((k) => html`<div key=${k}><dt><kbd>${k}</kbd></dt><dd>${t(`key.${k}`)}</dd></div>`)}</dl>
    <p class="hint pad">${t('help.more')}</p>
  <//>`;
}

/** What a link is called; kinds without a word of their own keep the kernel's. */
function kindName(kind) {
  const name = t(`kind.${kind}`);
  return name === `kind.${kind}` ? kind : name;
}
