// Signals without any DOM: core/ and layout/ run under node as well.
export { signal, computed, effect, batch, untracked } from '../../vendor/signals-core.js';
