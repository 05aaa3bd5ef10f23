// What a diagnosis says, in the page's language. No DOM.
import { fill, languageTag } from '../i18n.js';
import { findings } from '../words/findings.js';
import { firstBroken } from './diagnosis.js';

/**
 * A sentence of the server, by its reason; as the server wrote it, in English, where
 * the page has no words of its own.
 * @param {import('../types.js').Sentence} sentence @param {string} english
 */
export function said({ reason, values }, english) {
  const words = findings[languageTag()];
  if (!words?.[reason]) return english;
  const own = Object.entries(values ?? {}).map(([name, value]) => [name, words[`${name}.${value}`] ?? value]);
  return fill(words[reason], Object.fromEntries(own));
}

/** @param {import('../types.js').Check} c */
export function findingText(c) {
  const text = said(c, c.detail);
  if (!c.refusal || text === c.detail) return text; // the server's has it in it
  return said({ reason: 'repair_refused', values: { finding: text, refusal: c.refusal } }, text);
}

/** @param {import('../types.js').Diagnosis} d */
export function summaryText(d) {
  const about = d.checks[firstBroken(d)] ?? d.checks.find((c) => c.status === 'unknown');
  return said({ reason: d.reason, values: { ...d.values, finding: about ? said(about, about.detail) : '' } }, d.summary);
}
