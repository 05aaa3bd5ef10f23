// The bar at the top: create, undo, drift, connection, document, settings,
// language, theme, help.
import { html, useEffect, useState } from '../lib/preact.js';
import { actions, ignored, seen, store, t, ui } from '../context.js';
import { redoTarget, titleOf, undoTarget } from '../core/history.js';
import { Button, Icon } from './parts.js';
import { LanguageMenu, ThemeMenu } from './preferences.js';

/** @param {{retry: () => void}} props */
export function TopBar({ retry }) {
  const off = !store.loaded.value;
  const panel = ui.panel.value;
  return html`<header class="topbar"><div class="topbar-row">
    <h1><a class="brand" href="/" aria-label="netdash"><img src="/static/icon.svg" alt="" width="24" height="24" /><span>netdash</span></a></h1>
    <div class="create" role="toolbar" aria-label=${t('create')}>
      <${Button} icon="square" label=${t('namespace')} title=${t('create.namespace')} hint="n" test="create-namespace" disabled=${off}
        onClick=${() => actions.open('namespace')} />
      <${Button} icon="cable" label=${t('veth')} title=${t('create.veth')} hint="v" test="create-veth" disabled=${off}
        onClick=${() => actions.open('veth')} />
      <${Button} icon="network" label=${t('bridge')} title=${t('create.bridge')} hint="b" test="create-bridge" disabled=${off}
        onClick=${() => actions.open('bridge')} />
      <${Button} icon="boxes" title=${t('template.title')} hint="l" test="create-template" disabled=${off} onClick=${() => actions.open('template')} />
    </div>
    <${Turns} off=${off} />
    <${Counts} />
    <span class="space"></span>
    <${Button} icon="search" kind="roomy" label=${t('search')} title=${t('search.what')} hint="/" test="open-search" disabled=${off} onClick=${actions.search} />
    <${DriftBadge} />
    <${Connection} retry=${retry} />
    <${Button} icon="file-text" kind="roomy" label=${t('document.short')} title=${t('document')} hint="s" test="open-document" disabled=${off}
      onClick=${() => actions.open('document')} />
    <a class="button roomy" href="/docs" title=${t('docs.why')} aria-label=${t('docs.why')}><${Icon} name="book-open" /><span>${t('docs')}</span></a>
    <${Button} icon="settings" title=${t('settings')} test="open-settings" disabled=${off} onClick=${() => actions.open('settings')} />
    <${LanguageMenu} />
    <${ThemeMenu} />
    <${Button} icon="circle-question-mark" title=${t('help')} hint="?" test="help" onClick=${() => actions.open('help')} />
    <${Button} icon="panel-right" title=${t(panel ? 'panel.hide' : 'panel.show')} hint="i" test="panel-toggle" aria-expanded=${panel}
      onClick=${actions.togglePanel} />
  </div></header>`;
}

function Turns({ off }) {
  const list = store.operations.value;
  const [undo, redo] = [undoTarget(list), redoTarget(list)];
  const title = (word, o) => (o ? `${t(word)}: ${titleOf(o).text}` : t(word));
  return html`<div class="create" role="toolbar" aria-label=${t('tab.operations')}>
    <${Button} icon="undo-2" title=${title('undo', undo)} hint="Ctrl+Z" test="undo" disabled=${off || !undo} onClick=${actions.undo} />
    <${Button} icon="redo-2" title=${title('redo', redo)} hint="Ctrl+Shift+Z" test="redo" disabled=${off || !redo} onClick=${actions.redo} />
  </div>`;
}

/** Is everything as intended? Leads to the list of what is not. */
function DriftBadge() {
  if (!store.loaded.value) return null;
  const count = ignored.seen.value.length;
  const hidden = ignored.hidden.value.length;
  const waits = count > 0 && ui.repair.value?.state === 'backing_off';
  return html`<button type="button" class=${`drift-badge ${count ? 'drifted' : ''} ${store.stale.value ? 'stale' : ''}`} data-testid="drift-badge" data-differences=${count}
      title=${`${t(count ? 'drift.badge.why' : hidden ? 'drift.none.else' : 'drift.none')} (d)`} onClick=${() => { ui.drawer.value = { open: true, tab: 'drift' }; }}>
    <${Icon} name=${count ? 'equal-not' : hidden ? 'bell-off' : 'check'} size=${15} /><span>${count ? t('drift.count', { count }) : hidden ? t('ignore.count', { count: hidden }) : t('drift.inSync')}</span>
    ${waits && html`<${Icon} name="pause" size=${13} />`}</button>`;
}

function Counts() {
  const spaces = seen.topology.value.namespaces;
  const links = spaces.flatMap((n) => n.links);
  const ends = links.filter((l) => l.kind === 'veth').length;
  const down = links.filter((l) => l.kind === 'veth' && l.sync !== 'missing' && !l.admin_up).length;
  const counts = [
    ['counts.namespaces', spaces.length],
    ['counts.bridges', links.filter((l) => l.kind === 'bridge').length],
    ['counts.veths', Math.ceil(ends / 2)],
  ];
  if (!store.loaded.value) return null;
  return html`<p class="counts" data-testid="counts">${counts.map(([k, n]) => html`<span key=${k}><b>${n}</b> ${t(String(k), { count: n })}</span>`)}
    ${down > 0 && html`<span class="bad"><b>${down}</b> ${t('counts.down', { count: down })}</span>`}</p>`;
}

function Connection({ retry }) {
  const { state, retryAt } = store.connection.value;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!retryAt) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [retryAt]);
  const wait = retryAt ? Math.max(0, Math.ceil((retryAt - now) / 1000)) : 0;
  return html`<div class=${`connection c-${state}`} data-testid="connection" data-state=${state} role="status">
    <${Icon} name=${state === 'live' ? 'wifi' : 'wifi-off'} />
    <span>${t(`connection.${state}`)}${wait ? ` ${t('connection.in', { seconds: wait })}` : ''}</span>
    ${retryAt > 0 && html`<button type="button" class="button small" data-testid="retry" onClick=${retry}>${t('connection.retry')}</button>`}
  </div>`;
}
