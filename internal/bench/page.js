// What the benchmark notes in the page itself. Runs before the page's own scripts.
(() => {
  const probe = {
    nodes: 0, // how many make the graph complete
    usable: 0, // ms after navigation: everything is drawn, and in its place
    changed: [], // [what, ms since 1970]: a cable's new state is on the screen
    frames: [], // ms between two frames, while counting
    counting: false,
    /** KiB that came over the network, but for the websocket's. */
    transferred() {
      const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
      return all.reduce((n, e) => n + e.transferSize, 0) / 1024;
    },
  };
  globalThis.probe = probe;

  const calm = 6; // frames in which nothing moves
  const sampled = 25; // nodes
  let last = '';
  let same = 0;
  let since = 0;
  const place = () => {
    const all = document.querySelectorAll('[data-node]');
    if (!probe.nodes || all.length < probe.nodes) return '';
    const step = Math.ceil(all.length / sampled);
    let text = `${document.querySelector('.world')?.style.transform}`;
    for (let i = 0; i < all.length; i += step) text += all[i].getAttribute('transform');
    return text;
  };
  const watch = (now) => {
    const at = place();
    if (at === '' || at !== last) [last, same, since] = [at, 0, now];
    else if (++same === calm) {
      probe.usable = since;
      return;
    }
    requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);

  // After the next paint, not before: a message is taken up then.
  const { port1, port2 } = new MessageChannel();
  const after = [];
  port1.onmessage = () => {
    inFrame = false;
    for (const f of after.splice(0)) f(performance.timeOrigin + performance.now());
  };

  let before = 0;
  let inFrame = false; // what changes now is painted in this frame
  const count = (now) => {
    inFrame = true;
    port2.postMessage(0);
    if (probe.counting && before) probe.frames.push(now - before);
    before = probe.counting ? now : 0;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
  const painted = (then) => {
    if (inFrame) after.push(then);
    else requestAnimationFrame(() => after.push(then));
  };
  new MutationObserver((records) => {
    for (const { target } of records) {
      const what = `${target.dataset.cable} ${target.dataset.stateA} ${target.dataset.stateB}`;
      painted((at) => probe.changed.push([what, at]));
    }
  }).observe(document, { subtree: true, attributeFilter: ['data-state-a', 'data-state-b'] });
})();
