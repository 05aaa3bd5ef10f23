// What the page knows: one place, listened to by the views. Written only by
// take() and setConnection(); everything else reads.
import { batch, computed, signal } from '../lib/signals.js';
import { emptyTopology, normalise, reduce } from './reduce.js';
import { subjectOf } from './lookup.js';

/** @typedef {import('../types.js').TopologyEvent} TopologyEvent */

const logLength = 2000;
const operationsLength = 200;

export function createStore() {
  /** @type {import('../lib/signals.js').Signal<import('../types.js').Snapshot>} */
  const topology = signal(emptyTopology);
  /** @type {import('../lib/signals.js').Signal<import('./socket.js').Connection>} */
  const connection = signal({ state: 'connecting', attempt: 0, retryAt: 0 });
  const loaded = signal(false);
  /** @type {import('../lib/signals.js').Signal<TopologyEvent[]>} newest first */
  const log = signal(/** @type {TopologyEvent[]} */ ([]));
  /** @type {import('../lib/signals.js').Signal<import('../types.js').Operation[]>} newest first */
  const operations = signal(/** @type {import('../types.js').Operation[]} */ ([]));
  /** Object (as subjectOf writes it) → how often an event touched it. */
  const touched = signal(/** @type {Map<string, number>} */ (new Map()));
  /** @type {Set<(e: TopologyEvent) => void>} */
  const listeners = new Set();

  function takeEvent(event) {
    if (event.operation) addOperations([event.operation]);
    if (event.type !== 'operation.started') log.value = [event, ...log.value].slice(0, logLength);
    topology.value = reduce(topology.value, event);
    const subject = subjectOf(event);
    if (subject && !event.type.startsWith('neighbour.')) {
      touched.value = new Map(touched.value).set(subject, (touched.value.get(subject) ?? 0) + 1);
    }
    for (const f of listeners) f(event);
  }

  /** @param {import('../types.js').Operation[]} list */
  function addOperations(list) {
    const byId = new Map([...operations.value, ...list].map((o) => [o.id, o]));
    operations.value = [...byId.values()].sort((a, b) => b.id - a.id).slice(0, operationsLength);
  }

  return {
    topology,
    connection,
    loaded,
    log,
    operations,
    touched,
    stale: computed(() => connection.value.state !== 'live'),
    addOperations,
    clearLog: () => { log.value = []; },

    /** A message of the websocket. */
    take(message) {
      batch(() => {
        if (message.type === 'snapshot') {
          topology.value = normalise({ ...message.topology, seq: message.seq, revision: message.revision });
          loaded.value = true;
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
