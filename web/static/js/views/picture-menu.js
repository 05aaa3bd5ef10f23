// The picture to download, as SVG or PNG.
import { html } from '../lib/preact.js';
import { actions, t } from '../context.js';
import { Menu } from './menu.js';
import { Icon } from './parts.js';
import { save } from './download.js';
import { drawFile, pngBlob, svgBlob } from './picture-file.js';

const formats = [
  { id: 'svg', file: 'netdash.svg', make: svgBlob },
  { id: 'png', file: 'netdash.png', make: pngBlob },
];

export function PictureMenu() {
  const take = async ({ file, make }, close) => {
    close();
    try {
      const drawing = drawFile();
      if (drawing) save(file, await make(drawing));
      else actions.toast('error', t('graph.picture.none'));
    } catch (error) {
      actions.fail(error);
    }
  };
  return html`<${Menu} icon="image-down" title=${t('graph.picture')} test="export-picture">${(close) => formats.map((f) => html`<div key=${f.id} class="menu-row" role="none">
    <button type="button" role="menuitem" tabindex="-1" data-testid=${`export-${f.id}`} onClick=${() => take(f, close)}>
      <${Icon} name="download" size=${15} /><span>${t(`graph.picture.${f.id}`)}</span><code class="quiet">${f.file}</code></button>
  </div>`)}<//>`;
}
