// The websocket of GET /events: connects, resumes where it stopped, and tells
// the state of the connection. It needs nothing but a WebSocket, so other programs
// can use it too: docs/events.md shows how, in a browser's console and in Node.
//
//   const events = openEvents({
//     url: 'ws://127.0.0.1:8080/api/v1/events',
//     onMessage: (m) => { topology = m.type === 'snapshot' ? normalise(m.topology) : reduce(topology, m); },
//     onStats: (stats) => console.table(stats.links),
//   });
//   events.watch(['A', 'B']);

/**
 * States: connecting (first time), live, reconnecting (the picture is stale),
 * stopped.
 * reason is the server's word for why the last connection ended, if it had one.
 * @typedef {{state: string, attempt: number, retryAt: number, reason: string}} Connection
 */

/** Milliseconds before the n-th attempt: doubling, bounded, spread by ±20 %. */
export function backoff(attempt, random = Math.random) {
  return Math.min(10000, 400 * 2 ** Math.min(attempt, 10)) * (0.8 + 0.4 * random());
}

/**
 * @param {object} o
 * @param {string} o.url without query
 * @param {(message: any) => void} o.onMessage a snapshot or the next event
 * @param {(c: Connection) => void} [o.onState]
 * @param {(stats: any) => void} [o.onStats] a sample of what watch asks for
 * @param {any} [o.WebSocket] another maker of sockets
 * @param {{set: Function, clear: Function, now: () => number}} [o.clock] for tests
 */
export function openEvents({ url, onMessage, onState = ignore, onStats = ignore, WebSocket = globalThis.WebSocket, clock = systemClock }) {
  /** @type {any} */
  let socket = null;
  let timer = null;
  let attempt = 0;
  let stopped = false;
  /** @type {number | null} seq of the last event taken in; null: start afresh */
  let seq = null;
  let everLive = false;
  let reason = '';
  /** @type {string[]} */
  let watched = [];

  const report = (state, retryAt = 0) => onState({ state, attempt, retryAt, reason });
  const say = (ws) => ws.send(JSON.stringify({ watch: watched }));

  function connect() {
    timer = null;
    report(everLive ? 'reconnecting' : 'connecting');
    const ws = new WebSocket(seq === null ? url : `${url}?since=${seq}`);
    socket = ws;
    ws.onopen = () => {
      // Resuming with nothing missed brings no message: being open is enough
      // once there is a picture to go on from.
      if (seq !== null) live();
      if (watched.length > 0) say(ws);
    };
    ws.onmessage = (e) => {
      if (ws === socket) take(ws, JSON.parse(e.data));
    };
    ws.onclose = (e) => {
      if (ws === socket) lost(e?.reason ?? '');
    };
  }

  function live() {
    attempt = 0;
    everLive = true;
    reason = '';
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
    if (message.type === 'stats') { // not numbered
      onStats(message.stats);
      return;
    }
    if (seq !== null && message.seq <= seq) return;
    // To a slow client netdash sends less, and says how many it left out.
    if (seq === null || message.seq - (message.coalesced ?? 0) !== seq + 1) {
      // Events were lost. Guessing would make the picture lie: start afresh.
      seq = null;
      ws.close();
      return;
    }
    seq = message.seq;
    onMessage(message);
  }

  function lost(why) {
    socket = null;
    reason = why;
    if (stopped) return;
    const wait = backoff(attempt);
    attempt += 1;
    report(everLive ? 'reconnecting' : 'connecting', clock.now() + wait);
    timer = clock.set(connect, wait);
  }

  connect();
  return {
    /**
     * Has the counters of these namespaces, by name or id, and of no others, come
     * once a second. It outlasts lost connections.
     * @param {string[]} namespaces
     */
    watch(namespaces) {
      watched = [...namespaces];
      if (socket?.readyState === 1) say(socket); // OPEN; otherwise once it is
    },
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

function ignore() {}

const systemClock = {
  set: (f, ms) => setTimeout(f, ms),
  clear: (id) => clearTimeout(id),
  now: () => Date.now(),
};
