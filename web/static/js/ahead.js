// Asks for what the page shows while its scripts are still being read; loaded in
// the head, not a module. lib/ahead.js hands it on.
(() => {
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/events`;
  const socket = new WebSocket(url);
  /** @type {any} */
  const ahead = { url, socket, messages: [], positions: null };
  socket.onmessage = (e) => ahead.messages.push(e);
  // Not before: what changes from then on is told over the socket.
  socket.onopen = () => { ahead.positions = fetch('/api/v1/positions'); };
  /** @type {any} */ (globalThis).ahead = ahead;
})();
