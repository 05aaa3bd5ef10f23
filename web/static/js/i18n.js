// Every word the page says stands in words/, in each language. Values in braces
// are filled in by t(); they are text, never markup.
import { signal } from './lib/signals.js';
import { common } from './words/common.js';
import { document } from './words/document.js';
import { drift } from './words/drift.js';
import { events } from './words/events.js';
import { forms } from './words/forms.js';
import { frames } from './words/frames.js';
import { graph } from './words/graph.js';
import { inspector } from './words/inspector.js';
import { mac } from './words/mac.js';
import { ping } from './words/ping.js';
import { why } from './words/why.js';

/** @typedef {Record<string, [en: string, zh: string]>} Words by key; in the order of languages */

/** What a language is called by those who speak it, and its tag for html's lang. */
export const languages = [
  { tag: 'en', name: 'English' },
  { tag: 'zh-CN', name: '简体中文' },
];

/** @type {Words} */
export const words = {
  ...common,
  ...document,
  ...drift,
  ...events,
  ...forms,
  ...frames,
  ...graph,
  ...inspector,
  ...mac,
  ...ping,
  ...why,
};

/** Index into languages; views that say words listen to it through t(). */
export const language = signal(0);

/** The tag of the language now, for html's lang and for Intl. */
export const languageTag = () => languages[language.value].tag;

/**
 * The language to begin with: the one chosen before, else the first of those
 * the browser asks for that the page speaks, else English.
 * @param {string | null} chosen a tag @param {readonly string[]} wished tags
 */
export function firstLanguage(chosen, wished) {
  const short = (tag) => tag.toLowerCase().split('-')[0];
  for (const tag of [chosen, ...wished]) {
    const i = languages.findIndex((l) => tag && short(l.tag) === short(tag));
    if (i >= 0) return i;
  }
  return 0;
}

/**
 * The words that a key stands for; the key itself when there are none. A count
 * of 1 takes the key with .one behind it, where the language has such a form.
 * @param {string} key @param {Record<string, any>} [values]
 */
export function t(key, values = {}) {
  const now = language.value;
  const say = (k) => words[k]?.[now] || words[k]?.[0];
  return fill((values.count === 1 ? say(key + '.one') : undefined) ?? say(key) ?? key, values);
}

/** Puts values in the place of their names in braces. @param {string} text @param {Record<string, any>} values */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const v = values[name];
    if (v === undefined) return whole;
    return name === 'count' && v >= 1000 ? v.toLocaleString(languageTag()) : String(v);
  });
}
