// The parts the views are handed: made once, here.
import { createStore } from './core/store.js';
import { createApi } from './core/api.js';
import { createUi } from './core/ui.js';
import { createActions } from './core/actions.js';
import { createPlaces } from './core/places.js';
import { createScene } from './layout/scene.js';
import { t } from './i18n.js';

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

export const store = createStore();
export const api = createApi();
export const ui = createUi();
export const actions = createActions({ store, api, ui, t });
const places = createPlaces({ read: api.positions, patch: api.patchPositions, put: api.putPositions });
export const scene = createScene(store, { places, storage: localStorage, calm: () => reducedMotion.matches });
export { t };
