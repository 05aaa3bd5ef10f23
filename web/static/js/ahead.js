// Asks for what the page shows while its scripts are still being read; loaded in
// the head, not a module. lib/ahead.js hands it on. It is the first, and so comes
// over the connection that brought the page.
(() => {
  // Browsers give up a connection that is just being made when an address of their
  // machine changes, which is what netdash does to its own. Without one of its
  // files the page would stay empty, so it is loaded anew: soon, then less often.
  addEventListener('error', (e) => {
    if (!(e.target instanceof HTMLScriptElement || e.target instanceof HTMLLinkElement)) return;
    const [{ type }] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'));
    setTimeout(() => location.reload(), type === 'reload' ? 3000 : 500);
  }, true);

  const url = new URL('/api/v1/events', location.href).href.replace(/^http/, 'ws');
  const socket = new WebSocket(url);
  /** @type {any} */
  const ahead = { url, socket, messages: [], positions: null };
  socket.onmessage = (e) => ahead.messages.push(e);
  // Not before: what changes from then on is told over the socket.
  socket.onopen = () => {
    ahead.positions = fetch('/api/v1/positions');
    ahead.positions.catch(() => {}); // whoever takes it up hears of it
  };
  /** @type {any} */ (globalThis).ahead = ahead;
})();
