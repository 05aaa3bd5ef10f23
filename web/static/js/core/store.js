// What the page knows: one place, listened to by the views. Written only by
// take() and setConnection(); everything else reads.
import { batch, computed, signal } from '../lib/signals.js';
import { differencesOf } from './drift.js';
import { merge } from './history.js';
import { emptyTopology, normalise, reduce } from './reduce.js';
import { subjectOf } from './lookup.js';

/** @typedef {import('../types.js').TopologyEvent} TopologyEvent */

const logLength = 2000;
const operationsLength = 200;
/** More than flash at once; those before have long been seen. */
const touchedAtMost = 100;
/** Events that tell how something goes on or is drawn, and would only fill the log. */
const unlogged = new Set(['operation.started', 'operation.progress', 'positions.changed']);
/** Events that come along with others, which say it of the object itself. */
const silent = /^(neighbour|drift)\./;

export function createStore() {
  /** @type {import('../lib/signals.js').Signal<import('../types.js').Snapshot>} */
  const topology = signal(emptyTopology);
  /** @type {import('../lib/signals.js').Signal<import('./socket.js').Connection>} */
  const connection = signal({ state: 'connecting', attempt: 0, retryAt: 0, reason: '' });
  const loaded = signal(false);
  /** @type {import('../lib/signals.js').Signal<TopologyEvent[]>} newest first */
  const log = signal(/** @type {TopologyEvent[]} */ ([]));
  /** @type {import('../lib/signals.js').Signal<import('../types.js').Operation[]>} newest first */
  const operations = signal(/** @type {import('../types.js').Operation[]} */ ([]));
  /** Counts the snapshots: with each the page begins anew. */
  const snapshots = signal(0);
  /** The objects (as subjectOf writes them) that events touched last → the number of that event, counted here. */
  const touched = signal(/** @type {Map<string, number>} */ (new Map()));
  let touches = 0;
  /** @type {Set<(e: TopologyEvent) => void>} */
  const listeners = new Set();

  function takeEvent(event) {
    if (event.operation) addOperations([event.operation]);
    if (!unlogged.has(event.type)) log.value = [event, ...log.value].slice(0, logLength);
    topology.value = reduce(topology.value, event);
    const subject = subjectOf(event);
    if (subject && !silent.test(event.type)) touch(subject);
    for (const f of listeners) f(event);
  }

  /** @param {string} subject */
  function touch(subject) {
    const next = new Map(touched.value);
    next.delete(subject);
    if (next.size >= touchedAtMost) next.delete(next.keys().next().value ?? '');
    touched.value = next.set(subject, ++touches);
  }

  /** @param {import('../types.js').Operation[]} list */
  function addOperations(list) {
    operations.value = merge(operations.value, list, operationsLength);
  }

  return {
    topology,
    connection,
    loaded,
    log,
    operations,
    touched,
    snapshots,
    /** In what the observed is not the intended, everywhere. */
    differences: computed(() => differencesOf(topology.value)),
    stale: computed(() => connection.value.state !== 'live'),
    addOperations,
    clearLog: () => { log.value = []; },

    /** A message of the websocket. */
    take(message) {
      batch(() => {
        if (message.type === 'snapshot') {
          topology.value = normalise({ ...message.topology, seq: message.seq, revision: message.revision });
          loaded.value = true;
          snapshots.value++;
        } else takeEvent(message);
      });
    },

    /** @param {import('./socket.js').Connection} c */
    setConnection(c) { connection.value = c; },

    /** Hears every event, after it was taken in. @param {(e: TopologyEvent) => void} f @param {AbortSignal} abort */
    onEvent(f, abort) {
      listeners.add(f);
      abort.addEventListener('abort', () => listeners.delete(f));
    },
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */
