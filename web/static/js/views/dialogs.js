// Shows the dialog that is open, if any.
import { html } from '../lib/preact.js';
import { t, ui } from '../context.js';
import { DocumentDialog } from './document.js';
import { BridgeForm } from './form-bridge.js';
import { DeleteForm } from './form-delete.js';
import { NamespaceForm } from './form-namespace.js';
import { AcceptForm, AdoptForm, ReleaseForm, RepairForm, SettingsForm, UndoForm, UndoToForm } from './form-lab.js';
import { AddressForm, EditForm, FDBForm, RouteForm } from './form-small.js';
import { TemplateForm } from './form-template.js';
import { VethForm } from './form-veth.js';
import { Modal } from './form.js';

/** @type {Record<string, any>} */
const dialogs = {
  namespace: NamespaceForm, veth: VethForm, bridge: BridgeForm, address: AddressForm, route: RouteForm,
  fdb: FDBForm, edit: EditForm, delete: DeleteForm, template: TemplateForm, help: Help,
  repair: RepairForm, accept: AcceptForm, adopt: AdoptForm, release: ReleaseForm, undo: UndoForm, 'undo-to': UndoToForm, settings: SettingsForm, document: DocumentDialog,
};

export function DialogHost() {
  const dialog = ui.dialog.value;
  if (!dialog) return null;
  const { kind, ...rest } = dialog;
  return html`<${dialogs[kind]} key=${kind} ...${rest} />`;
}

/** The keys by what they are about. */
const keys = [
  ['n', 'v', 'b', 'l', 'c', 'Del', 'Ctrl+Z', 'Ctrl+Shift+Z'],
  ['/', 'f', 't', '+ −', '← ↑ → ↓', 'Shift+← ↑ → ↓', 'PgUp PgDn', 'o', '↵', 'Shift+↵', 'Ctrl+A'],
  ['p', 'm', 'w', 'd', 's', 'i', 'Esc', '?'],
];

function Help() {
  return html`<${Modal} title=${t('help')} icon="circle-question-mark" wide>
    ${keys.map((list, i) => html`<section key=${i} class="key-group"><h3>${t(`help.group.${i}`)}</h3>
      <dl class="keys">${list.map((k) => html`<div key=${k}><dt><kbd>${k}</kbd></dt><dd>${t(`key.${k}`)}</dd></div>`)}</dl></section>`)}
    <p class="hint pad">${t('help.more')}</p>
  <//>`;
}
