// Sets the theme before the first paint; loaded in the head, not a module.
// preferences.js follows later changes.
(() => {
  const chosen = localStorage.getItem('netdash.theme') ?? 'auto';
  const light = matchMedia('(prefers-color-scheme: light)').matches;
  document.documentElement.dataset.theme = chosen === 'auto' ? (light ? 'light' : 'dark') : chosen;
})();
