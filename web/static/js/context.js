// The parts the views are handed: made once, here.
import { pace } from './core/pace.js';
import { createRates } from './core/rates.js';
import { createStore } from './core/store.js';
import { createApi } from './core/api.js';
import { createIgnored } from './core/ignored.js';
import { createUi } from './core/ui.js';
import { createActions } from './core/actions.js';
import { createPlaces } from './core/places.js';
import { createPlayer } from './core/player.js';
import { createProbes } from './core/probing.js';
import { createScene } from './layout/scene.js';
import { fetchAhead } from './lib/ahead.js';
import { t } from './i18n.js';

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

export const store = createStore();
/** What panels show of the store: in a storm of events less often than it changes. */
export const seen = { topology: pace(store.topology, 100), log: pace(store.log, 250) };
export const rates = createRates();
export const api = createApi({ fetch: fetchAhead });
export const ui = createUi();
export const actions = createActions({ store, api, ui, t });
export const ignored = createIgnored(store, localStorage);
/** Does this viewer want things to stand still? */
export const calm = () => reducedMotion.matches;
const places = createPlaces({ read: api.positions, patch: api.patchPositions, put: api.putPositions });
export const scene = createScene(store, { places, storage: localStorage, calm });
export const player = createPlayer();
export const probes = createProbes({ api, ui, actions, player, t, roomy: () => innerHeight >= (ui.theme.peek() === 'projector' ? 930 : 740) });
export { t };
