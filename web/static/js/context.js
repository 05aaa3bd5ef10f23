// The parts the views are handed: made once, here.
import { createStore } from './core/store.js';
import { createApi } from './core/api.js';
import { createIgnored } from './core/ignored.js';
import { createUi } from './core/ui.js';
import { createActions } from './core/actions.js';
import { createScene } from './layout/scene.js';
import { t } from './i18n.js';

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

export const store = createStore();
export const api = createApi();
export const ui = createUi();
export const actions = createActions({ store, api, ui, t });
export const ignored = createIgnored(store, localStorage);
/** Does this viewer want things to stand still? */
export const calm = () => reducedMotion.matches;
export const scene = createScene(store, { storage: localStorage, calm });
export { t };
