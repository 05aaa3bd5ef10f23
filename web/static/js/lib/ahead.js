// What ahead.js has asked for already, each for whoever asks for it first.

/** @type {{url: string, socket: any, messages: any[], positions: Promise<Response> | null} | undefined} */
const ahead = /** @type {any} */ (globalThis).ahead;

/** fetch, with one answer that is on the way. @param {string} url @param {RequestInit} init */
export function fetchAhead(url, init) {
  const asked = url === '/api/v1/positions' && init.method === 'GET' ? ahead?.positions : null;
  if (!ahead || !asked) return fetch(url, init);
  ahead.positions = null; // once: they change
  return asked.catch(() => fetch(url, init));
}

/** Where the events come from. */
export const eventsUrl = ahead?.url ?? new URL('/api/v1/events', location.href).href.replace(/^http/, 'ws');

/** A maker of WebSockets, of which the first is open already. @param {string} url @returns {WebSocket} */
export function EventSocket(url) {
  const { socket, messages = [] } = ahead ?? {};
  if (!ahead || socket?.url !== url) return new WebSocket(url);
  ahead.socket = null;
  // Whoever has it now listens first, then hears what came before.
  queueMicrotask(() => {
    if (socket.readyState === WebSocket.OPEN) socket.onopen?.();
    for (const m of messages) socket.onmessage?.(m);
    if (socket.readyState === WebSocket.CLOSED) socket.onclose?.();
  });
  return socket;
}
