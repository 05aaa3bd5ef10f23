// The menus of language and theme.
import { html } from '../lib/preact.js';
import { t, ui } from '../context.js';
import { language, languages } from '../i18n.js';
import { chooseLanguage, chooseTheme, themes } from '../preferences.js';
import { Menu } from './menu.js';
import { Icon } from './parts.js';

const icons = { auto: 'monitor', light: 'sun', dark: 'moon', projector: 'presentation' };

export function ThemeMenu() {
  const now = ui.theme.value;
  return html`<${Menu} icon=${icons[now]} title=${t('theme')} test="theme">${(close) => themes.map((name) => html`
    <${Choice} key=${name} icon=${icons[name]} label=${t(`theme.${name}`)} checked=${name === now} test=${`theme-${name}`}
      choose=${() => { chooseTheme(ui, name); close(); }} />`)}<//>`;
}

export function LanguageMenu() {
  const choose = (i) => {
    chooseLanguage(i);
    // The page is drawn anew in the other language, and this button with it.
    requestAnimationFrame(() => /** @type {any} */ (document.querySelector('[data-testid="language"]'))?.focus());
  };
  return html`<${Menu} icon="languages" title=${t('language')} test="language">${() => languages.map((l, i) => html`
    <${Choice} key=${l.tag} lang=${l.tag} label=${l.name} checked=${i === language.value} test=${`language-${l.tag}`} choose=${() => choose(i)} />`)}<//>`;
}

/** One of several, the present one ticked. */
function Choice({ icon, label, checked, choose, test, lang }) {
  return html`<button type="button" role="menuitemradio" aria-checked=${checked} tabindex="-1" lang=${lang} data-testid=${test} onClick=${choose}>
    ${icon && html`<${Icon} name=${icon} size=${15} />`}<span>${label}</span><span class="space"></span>
    ${checked && html`<${Icon} name="check" size=${15} />`}</button>`;
}
