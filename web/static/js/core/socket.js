// The websocket of GET /events: connects, resumes where it stopped, and tells
// the state of the connection.

/**
 * States: connecting (first time), live, reconnecting (the picture is stale),
 * stopped.
 * @typedef {{state: string, attempt: number, retryAt: number}} Connection
 */

/** Milliseconds before the n-th attempt: doubling, bounded, spread by ±20 %. */
export function backoff(attempt, random = Math.random) {
  return Math.min(10000, 400 * 2 ** Math.min(attempt, 10)) * (0.8 + 0.4 * random());
}

/**
 * @param {object} o
 * @param {string} o.url without query
 * @param {(message: any) => void} o.onMessage a snapshot or the next event
 * @param {(c: Connection) => void} o.onState
 * @param {any} [o.WebSocket] for tests
 * @param {{set: Function, clear: Function, now: () => number}} [o.clock] for tests
 */
export function openEvents({ url, onMessage, onState, WebSocket = globalThis.WebSocket, clock = systemClock }) {
  /** @type {any} */
  let socket = null;
  let timer = null;
  let attempt = 0;
  let stopped = false;
  /** @type {number | null} seq of the last event taken in; null: start afresh */
  let seq = null;
  let everLive = false;

  const report = (state, retryAt = 0) => onState({ state, attempt, retryAt });

  function connect() {
    timer = null;
    report(everLive ? 'reconnecting' : 'connecting');
    const ws = new WebSocket(seq === null ? url : `${url}?since=${seq}`);
    socket = ws;
    ws.onopen = () => {
      // Resuming with nothing missed brings no message: being open is enough
      // once there is a picture to go on from.
      if (seq !== null) live();
    };
    ws.onmessage = (e) => {
      if (ws === socket) take(ws, JSON.parse(e.data));
    };
    ws.onclose = () => {
      if (ws === socket) lost();
    };
  }

  function live() {
    attempt = 0;
    everLive = true;
    report('live');
  }

  function take(ws, message) {
    if (message.type === 'snapshot') {
      seq = message.seq;
      onMessage(message);
      live();
      return;
    }
    if (message.type === 'resync') return; // the snapshot follows
    if (seq !== null && message.seq <= seq) return;
    if (seq === null || message.seq !== seq + 1) {
      // Events were lost. Guessing would make the picture lie: start afresh.
      seq = null;
      ws.close();
      return;
    }
    seq = message.seq;
    onMessage(message);
  }

  function lost() {
    socket = null;
    if (stopped) return;
    const wait = backoff(attempt);
    attempt += 1;
    report(everLive ? 'reconnecting' : 'connecting', clock.now() + wait);
    timer = clock.set(connect, wait);
  }

  connect();
  return {
    /** Tries at once instead of waiting for the backoff to end. */
    retry() {
      if (timer === null || stopped) return;
      clock.clear(timer);
      connect();
    },
    stop() {
      stopped = true;
      if (timer !== null) clock.clear(timer);
      socket?.close();
      report('stopped');
    },
  };
}

const systemClock = {
  set: (f, ms) => setTimeout(f, ms),
  clear: (id) => clearTimeout(id),
  now: () => Date.now(),
};
