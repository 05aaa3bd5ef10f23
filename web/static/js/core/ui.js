// What the person at the page is doing: selection, open dialog, running pings.
// Views share it through here instead of calling each other.
import { signal } from '../lib/signals.js';

/** @typedef {import('./ping.js').Run} Run */
/** @typedef {{kind: string, [k: string]: any}} Dialog */
/** @typedef {{label: string, run: () => void}} ToastAction */
/** @typedef {{id: number, kind: 'error' | 'done', text: string, hint: string, action?: ToastAction, commands?: string[]}} Toast commands: what was run */
/** @typedef {{at: string, text: string, hint: string}} Bubble something went wrong with a node of the graph or a selection */

export function createUi() {
  return {
    /** "ns:A", "link:A/veth0" or null. */
    selection: signal(/** @type {string | null} */ (null)),
    /** Everything that is chosen, selection among it; panels show the selection alone. */
    chosen: signal(/** @type {Set<string>} */ (new Set())),
    /** Link refs ("host/p1") to light up, e.g. under the pointer in a table. */
    lit: signal(/** @type {Set<string>} */ (new Set())),
    dialog: signal(/** @type {Dialog | null} */ (null)),
    /** operation: the one to be shown in the history. */
    drawer: signal(/** @type {{open: boolean, tab: string, operation?: number}} */ ({ open: false, tab: 'events' })),
    /** The namespace a ping will leave from, while its target is being chosen. */
    picking: signal(/** @type {string | null} */ (null)),
    /** Shall the next ping be traced? */
    tracing: signal(false),
    runs: signal(/** @type {Run[]} */ ([])),
    toasts: signal(/** @type {Toast[]} */ ([])),
    /** The document being edited: its text, the ETag it began with, the text as it was read. */
    draft: signal(/** @type {{text: string, etag: string, saved: string} | null} */ (null)),
    settings: signal(/** @type {import('../types.js').Settings | null} */ (null)),
    /** What automatic repair is about; null when nothing repairs by itself. */
    repair: signal(/** @type {import('../types.js').Repair | null} */ (null)),
    theme: signal('auto'),
    legend: signal(true),
    /** Is the panel on the right shown? */
    panel: signal(true),
    /** What the graph's view was last asked to do; id: for whom. */
    view: signal({ what: '', id: '', count: 0 }),
    /** Is something being looked for? */
    searching: signal(false),
    bubble: signal(/** @type {Bubble | null} */ (null)),
  };
}

/** @typedef {ReturnType<typeof createUi>} Ui */
