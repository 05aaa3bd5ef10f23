// The topology in the words of other programs, to download or to copy.
import { html } from '../lib/preact.js';
import { actions, api, t } from '../context.js';
import { formats } from '../core/document.js';
import { save } from './download.js';
import { Menu } from './menu.js';
import { Icon } from './parts.js';

/** @param {{onFail: (error: any) => void}} props */
export function ExportMenu({ onFail }) {
  const take = async (format, use, close) => {
    close();
    try {
      await use(await api.exported(format.id));
    } catch (error) {
      onFail(error);
    }
  };
  const download = (format) => (text) => save(format.file, text);
  const copy = (format) => async (text) => {
    await navigator.clipboard.writeText(text);
    actions.toast('done', t('export.copied', { what: t(`export.${format.id}`) }));
  };
  return html`<${Menu} icon="download" label=${t('export')} test="export">${(close) => formats.map((f) => html`<div key=${f.id} class="menu-row" role="none">
    <button type="button" role="menuitem" tabindex="-1" data-export=${f.id} onClick=${() => take(f, download(f), close)}>
      <${Icon} name="download" size=${15} /><span>${t(`export.${f.id}`)}</span><code class="quiet">${f.file}</code></button>
    <button type="button" role="menuitem" tabindex="-1" data-export-copy=${f.id} title=${t('export.copy', { what: t(`export.${f.id}`) })}
      aria-label=${t('export.copy', { what: t(`export.${f.id}`) })} onClick=${() => take(f, copy(f), close)}><${Icon} name="copy" size=${15} /></button>
  </div>`)}<//>`;
}
