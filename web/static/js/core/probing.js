// What the page can ask of the network beside a ping: the matrix of all pairs,
// why something does not ping, and the walk of a ping that was traced.
import { batch, effect, signal, untracked } from '../lib/signals.js';
import { ApiError } from './api.js';
import { askedBy, newInquiry } from './diagnosis.js';
import { said } from './findings.js';
import { newMatrix, takeLines } from './matrix.js';

const drawEvery = 80; // ms between two drawings of a matrix that fills

/**
 * @param {{api: import('./api.js').Api, ui: import('./ui.js').Ui, actions: import('./actions.js').Actions, player: import('./player.js').Player,
 *   t: (key: string, values?: any) => string, roomy?: () => boolean}} o roomy: is there room for the steps of a walk beside the picture?
 */
export function createProbes({ api, ui, actions, player, t, roomy = () => true }) {
  const matrix = signal(/** @type {import('./matrix.js').Matrix | null} */ (null));
  const inquiry = signal(/** @type {import('./diagnosis.js').Inquiry | null} */ (null));
  /** @type {AbortController | null} */
  let filling = null;
  let lastId = 0;

  const open = (tab) => { ui.drawer.value = { open: true, tab }; };
  const problemOf = (error) => {
    const p = error instanceof ApiError ? error.problem : null;
    return { error: [p?.detail ?? String(error), ...(p?.errors ?? []).map((e) => e.detail)].join(': '), hint: p?.hint ?? '' };
  };

  // A traced ping that has ended shows its walk by itself, once.
  let walked = 0;
  effect(() => {
    const run = ui.runs.value.find((r) => r.request.walk && r.state !== 'running' && r.walk && r.id > walked);
    if (!run) return;
    walked = run.id;
    untracked(() => {
      player.load(run.id, /** @type {import('../types.js').Walk} */ (run.walk));
      const bridge = run.walk?.decisions[0]?.bridge;
      // The MAC table beside the picture: its rows light up as they are learned.
      if (bridge && !ui.selection.peek()) actions.select(`link:${bridge}`);
      ui.drawer.value = { open: roomy(), tab: 'walk' };
    });
  });

  /** @param {import('./diagnosis.js').Inquiry} now */
  async function look(now) {
    inquiry.value = now;
    const current = () => inquiry.value?.id === now.id;
    try {
      const diagnosis = await api.run({ method: 'POST', path: '/diagnoses', body: now.request });
      if (current()) inquiry.value = { ...now, state: 'done', diagnosis };
    } catch (error) {
      if (current()) inquiry.value = { ...now, state: 'failed', ...problemOf(error) };
    }
  }

  return {
    matrix,
    inquiry,

    /** Shows the walk of a ping again. @param {import('./ping.js').Run} run */
    showWalk(run) {
      if (!run.walk) return;
      player.load(run.id, run.walk);
      open('walk');
    },

    /** Pings each from each. @param {string[]} namespaces */
    async fillMatrix(namespaces, more = {}) {
      filling?.abort();
      const abort = filling = new AbortController();
      matrix.value = newMatrix(namespaces);
      /** @type {any[]} */
      let waiting = [];
      const take = () => {
        if (waiting.length === 0 || !matrix.value || filling !== abort) return;
        matrix.value = takeLines(matrix.value, waiting);
        waiting = [];
      };
      const timer = setInterval(take, drawEvery);
      try {
        await api.stream({ method: 'POST', path: '/ping-matrix', body: { namespaces, ...more } }, (line) => { waiting.push(line); }, abort.signal);
        take();
        if (filling === abort && matrix.value?.state === 'running') matrix.value = { ...matrix.value, state: 'stopped' };
      } catch (error) {
        take();
        if (filling !== abort || !matrix.value) return;
        matrix.value = abort.signal.aborted ? { ...matrix.value, state: 'stopped' } : { ...matrix.value, state: 'failed', ...problemOf(error) };
      } finally {
        clearInterval(timer);
      }
    },
    stopMatrix() { filling?.abort(); },

    /** Why does it not ping? @param {import('../types.js').PingRequest | import('../types.js').DiagnosisRequest} request */
    diagnose(request) {
      batch(() => {
        ui.picking.value = null;
        open('why');
      });
      return look(newInquiry(++lastId, askedBy(/** @type {any} */ (request))));
    },
    forget() { inquiry.value = null; },

    /** Applies the mend of a check; then looks again, and pings. @param {import('../types.js').Check} check */
    async mend(check) {
      const now = inquiry.value;
      const repair = check.repair;
      const request = repair?.request;
      if (!now || !request) return;
      inquiry.value = { ...now, state: 'mending' };
      try {
        await api.run({ method: request.method, path: request.path.replace(/^\/api\/v1/, ''), body: request.body });
      } catch (error) {
        if (inquiry.value?.id === now.id) inquiry.value = { ...now, state: 'done' };
        actions.fail(error);
        return;
      }
      actions.toast('done', t('why.mended', { what: said(repair, repair.description) }));
      await look(newInquiry(++lastId, now.request, [...now.mended, repair]));
      const { size: _, ...target } = now.request;
      const ping = actions.ping({ ...target, count: 3 });
      open('why'); // the ping runs beside
      await ping;
    },
  };
}

/** @typedef {ReturnType<typeof createProbes>} Probes */
