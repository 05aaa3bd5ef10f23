// The parts the views are handed: made once, here.
import { createStore } from './core/store.js';
import { createApi } from './core/api.js';
import { createUi } from './core/ui.js';
import { createActions } from './core/actions.js';
import { createPlayer } from './core/player.js';
import { createProbes } from './core/probing.js';
import { createScene } from './layout/scene.js';
import { t } from './i18n.js';

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');

export const store = createStore();
export const api = createApi();
export const ui = createUi();
export const actions = createActions({ store, api, ui, t });
export const scene = createScene(store, { storage: localStorage, calm: () => reducedMotion.matches });
export const player = createPlayer();
export const probes = createProbes({ api, ui, actions, player, t, roomy: () => innerHeight >= (ui.theme.peek() === 'projector' ? 930 : 740) });
export { t };
