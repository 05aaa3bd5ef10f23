// The drawer at the bottom: drift, events, history, ping.
import { html } from '../lib/preact.js';
import { ignored, seen, store, t, ui } from '../context.js';
import { Drift } from './drift.js';
import { EventLog } from './event-log.js';
import { Operations } from './operations.js';
import { Matrix } from './matrix.js';
import { Ping } from './ping.js';
import { Walk } from './walk.js';
import { Why } from './why.js';
import { Button, Icon } from './parts.js';

const tabs = [
  { id: 'ping', icon: 'radar', view: Ping, count: () => ui.runs.value.filter((r) => r.state === 'running').length },
  { id: 'walk', icon: 'route', view: Walk, count: () => 0 },
  { id: 'matrix', icon: 'table-2', view: Matrix, count: () => 0 },
  { id: 'why', icon: 'circle-question-mark', view: Why, count: () => 0 },
  { id: 'drift', icon: 'equal-not', view: Drift, count: () => ignored.seen.value.length, alert: true },
  { id: 'events', icon: 'list', view: EventLog, count: () => seen.log.value.length },
  { id: 'operations', icon: 'history', view: Operations, count: () => store.operations.value.length },
];

export function Drawer() {
  const { open, tab } = ui.drawer.value;
  const active = tabs.find((x) => x.id === tab) ?? tabs[0];
  const choose = (id) => { ui.drawer.value = { open: !(open && tab === id), tab: id }; };
  return html`<section class=${`drawer ${open ? `open t-${tab}` : ''}`} aria-label=${t('drawer')} data-testid="drawer">
    <div class="tabs">
      <div class="tab-list" role="tablist">
      ${tabs.map((x) => html`<button key=${x.id} type="button" role="tab" aria-selected=${open && x.id === tab} data-testid=${`tab-${x.id}`}
          onClick=${() => choose(x.id)}><${Icon} name=${x.icon} size=${14} />${t(`tab.${x.id}`)}${x.count() > 0 && html`<span class=${`count ${x.alert ? 'alert' : ''}`}>${x.count()}</span>`}</button>`)}
      </div>
      <span class="space"></span>
      <${Button} icon=${open ? 'chevron-down' : 'chevron-up'} title=${t(open ? 'drawer.close' : 'drawer.open')} test="drawer-toggle"
        onClick=${() => { ui.drawer.value = { open: !open, tab }; }} />
    </div>
    ${open && html`<div class="drawer-body" role="tabpanel"><${active.view} /></div>`}
  </section>`;
}
