// What a person chose for this browser: language, theme, whether the panel is
// shown. Language and theme are applied to the document here, and nowhere else
// after the first paint.
import { effect } from './lib/signals.js';
import { firstLanguage, language, languages, languageTag } from './i18n.js';

const languageKey = 'netdash.language';
const themeKey = 'netdash.theme';
const panelKey = 'netdash.panel.state';

/** What one can choose; auto follows the system. */
export const themes = ['auto', 'light', 'dark', 'projector'];

/** @param {import('./core/ui.js').Ui} ui */
export function followPreferences(ui) {
  language.value = firstLanguage(localStorage.getItem(languageKey), navigator.languages);
  effect(() => { document.documentElement.lang = languageTag(); });

  const chosen = localStorage.getItem(themeKey) ?? 'auto';
  ui.theme.value = themes.includes(chosen) ? chosen : 'auto';
  const light = matchMedia('(prefers-color-scheme: light)');
  const show = () => {
    const name = ui.theme.value;
    document.documentElement.dataset.theme = name === 'auto' ? (light.matches ? 'light' : 'dark') : name;
  };
  effect(show);
  light.addEventListener('change', show);

  ui.panel.value = localStorage.getItem(panelKey) !== 'hidden';
  effect(() => localStorage.setItem(panelKey, ui.panel.value ? 'shown' : 'hidden'));
}

/** @param {number} i index into languages */
export function chooseLanguage(i) {
  localStorage.setItem(languageKey, languages[i].tag);
  language.value = i;
}

/** @param {import('./core/ui.js').Ui} ui @param {string} name one of themes */
export function chooseTheme(ui, name) {
  localStorage.setItem(themeKey, name);
  ui.theme.value = name;
}
