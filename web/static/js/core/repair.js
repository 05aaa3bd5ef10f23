// Follows what automatic repair is about. It is told by GET /topology/drift
// only, so that is asked again when drift changed and when the next try is due.

const quiet = 300;

/**
 * @param {object} o
 * @param {import('./store.js').Store} o.store
 * @param {import('./api.js').Api} o.api
 * @param {import('./ui.js').Ui} o.ui
 * @param {AbortSignal} o.signal
 * @param {{set: Function, clear: Function, now: () => number}} [o.clock] for tests
 */
export function followRepair({ store, api, ui, signal, clock = systemClock }) {
  /** @type {any} */
  let timer = null;

  function later(wait) {
    clock.clear(timer);
    timer = clock.set(ask, wait);
  }

  async function ask() {
    if (signal.aborted || ui.settings.value?.repair !== 'auto') {
      ui.repair.value = null;
      return;
    }
    try {
      ui.repair.value = (await api.drift()).repair ?? null;
    } catch {
      ui.repair.value = null; // the connection's state says why
      return;
    }
    const next = Date.parse(ui.repair.value?.next_at ?? '');
    if (ui.repair.value?.state !== 'idle' && next > 0) later(Math.max(1000, next - clock.now() + quiet));
  }

  store.onEvent((e) => {
    if (e.type === 'drift.changed') later(quiet);
  }, signal);
  const stop = ui.settings.subscribe(() => later(0));
  signal.addEventListener('abort', () => {
    stop();
    clock.clear(timer);
  });
}

const systemClock = {
  set: (f, ms) => setTimeout(f, ms),
  clear: (id) => clearTimeout(id),
  now: () => Date.now(),
};
