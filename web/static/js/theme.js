// Sets the theme before the first paint; loaded in the head, not a module.
(() => {
  const chosen = localStorage.getItem('netdash.theme') ?? 'auto';
  const dark = chosen === 'dark' || (chosen === 'auto' && !matchMedia('(prefers-color-scheme: light)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  document.documentElement.dataset.themeChoice = chosen;
})();
