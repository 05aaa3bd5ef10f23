// Starts the page: data flows socket → store → views.
import { effect } from './lib/signals.js';
import { EventSocket, eventsUrl } from './lib/ahead.js';
import { html, render } from './lib/preact.js';
import { followRepair } from './core/repair.js';
import { openEvents } from './core/socket.js';
import { actions, api, rates, store, ui } from './context.js';
import { language } from './i18n.js';
import { followPreferences } from './preferences.js';
import { App } from './views/app.js';

const events = openEvents({
  url: eventsUrl,
  onMessage: store.take,
  onState: store.setConnection,
  onStats: (stats) => rates.take(stats),
  WebSocket: EventSocket,
});
rates.connect(events.watch);

addEventListener('online', () => events.retry());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') events.retry();
});

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
root.replaceChildren();
followPreferences(ui);
/** Another language is another page: views that remember what they drew begin anew. */
const Page = () => html`<${App} key=${language.value} retry=${() => events.retry()} />`;
render(html`<${Page} />`, root);

// The history, long after a large edit, follows the picture.
const stop = effect(() => {
  if (!store.loaded.value) return;
  queueMicrotask(() => stop());
  requestIdleCallback(() => { api.operations({ limit: 100 }).then(store.addOperations, actions.fail); }, { timeout: 3000 });
});
actions.loadSettings().catch(actions.fail);
followRepair({ store, api, ui, signal: new AbortController().signal });
