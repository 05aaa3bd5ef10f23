import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { age, clock, describe, ms, number, percent } from '../static/js/core/format.js';
import { firstLanguage, language, t, words } from '../static/js/i18n.js';
import { link } from './objects.js';

const root = new URL('../static/js/', import.meta.url);
const read = (f) => readFileSync(new URL(f, root), 'utf8');

afterEach(() => { language.value = 0; });

test('every word the page asks for is in the dictionary', () => {
  const files = readdirSync(root, { recursive: true }).map(String).filter((f) => f.endsWith('.js'));
  const missing = [];
  for (const f of files) {
    const text = read(f);
    for (const [, key] of text.matchAll(/\bt\('([^']+)'/g)) if (!(key in words)) missing.push(`${f}: ${key}`);
    for (const [, prefix] of text.matchAll(/\bt\(`([\w.]+)\$\{/g)) {
      if (!Object.keys(words).some((k) => k.startsWith(prefix))) missing.push(`${f}: ${prefix}…`);
    }
  }
  assert.deepEqual(missing, []);
  assert.equal(t('overview.links', { count: 1 }), '1 link');
});

test('every word is there in both languages, with the same values in it', () => {
  const bad = [];
  const values = (text) => [...new Set(text.match(/\{\w+\}/g))].sort().join();
  for (const [key, [en, zh, ...more]] of Object.entries(words)) {
    if (!en?.trim() || !zh?.trim() || more.length) bad.push(`${key}: lacks a language`);
    else if (values(en) !== values(zh)) bad.push(`${key}: ${values(en)} is not ${values(zh)}`);
  }
  assert.deepEqual(bad, []);
});

test('no key stands in two topics', () => {
  const files = readdirSync(new URL('words/', root));
  const keys = files.flatMap((f) => [...read(`words/${f}`).matchAll(/^ {2}'?([^\n]*?)'?: \[/gm)].map((m) => m[1]));
  assert.equal(keys.length, Object.keys(words).length);
  assert.deepEqual(keys.filter((k, i) => keys.indexOf(k) !== i), []);
});

/** What is the same in every language: the kernel's words, units, names, keys. */
const anywhere = new Set(['netdash', 'MAC', 'MTU', 'STP', 'VLAN', 'lo', 'pid', 'ttl', 'ifindex', 'min', 'avg', 'max', 'mdev', 'CSV', 'SVG', 'PNG', 'Ctrl', 'Shift', 'Del', 'Esc',
  'br', 'eth', 'foo', 'rx', 'tx', 'default', 'via', 'IPv']); // br0, eth0, foo: examples of names

/** The texts a template of html`…` has outside its ${…}. @param {string} source */
function* staticTexts(source) {
  /** @type {{html: boolean, text: string, depth: number}[]} the templates we are in */
  const open = [];
  for (let i = 0; i < source.length; i++) {
    const at = open.at(-1);
    const c = source[i];
    if (at && at.depth === 0) {
      if (c === '`') {
        if (at.html) yield at.text;
        open.pop();
      } else if (c === '$' && source[i + 1] === '{') {
        at.text += '\0';
        at.depth = 1;
        i++;
      } else at.text += c;
      continue;
    }
    if (c === '`') open.push({ html: source.slice(0, i).endsWith('html'), text: '', depth: 0 });
    else if (c === "'" || c === '"') i = endOfString(source, i);
    else if (c === '/' && source[i + 1] === '/') i = source.indexOf('\n', i);
    else if (c === '/' && source[i + 1] === '*') i = source.indexOf('*/', i) + 1;
    else if (at && c === '{') at.depth++;
    else if (at && c === '}') at.depth--;
  }
}

function endOfString(source, i) {
  const quote = source[i];
  for (i++; source[i] !== quote && source[i] !== '\n'; i++) if (source[i] === '\\') i++;
  return i;
}

/** Words in a view that no language but one would have. @param {string} source */
function literals(source) {
  const found = [];
  for (const text of staticTexts(source)) {
    for (const [, , said] of text.matchAll(/\s(title|aria-label|placeholder|label|alt|hint)="([^"]*)"/g)) found.push(said);
    found.push(text.replace(/<[^>]*>/g, ' '));
  }
  return found.flatMap((x) => x.match(/[\p{L}]{2,}/gu) ?? []).filter((w) => !anywhere.has(w));
}

test('no view says a word that is not in the dictionary', () => {
  assert.deepEqual(literals('html`<p title="So it is">Hello ${a ? html`<b>you</b>` : `x${1}`} there</p>`'), ['you', 'So', 'it', 'is', 'Hello', 'there']);
  const bad = readdirSync(new URL('views/', root)).flatMap((f) => literals(read(`views/${f}`)).map((w) => `${f}: ${w}`));
  assert.deepEqual(bad, []);
});

test('the language is the one chosen, else what the browser asks for', () => {
  assert.equal(firstLanguage(null, ['zh-Hans-CN', 'en']), 1);
  assert.equal(firstLanguage(null, ['de', 'zh']), 1);
  assert.equal(firstLanguage('en', ['zh-CN']), 0);
  assert.equal(firstLanguage('tlh', ['de']), 0);
});

test('numbers, times and events speak the language, too', () => {
  const event = /** @type {any} */ ({ type: 'link.changed', link: link('A', 'eth0', { admin_up: false, master: 'br0' }) });
  assert.deepEqual([age(65), ms(0.0712), percent(0.125), number(12345), t('drift.count', { count: 1234 }), describe(event)],
    ['1m 05s', '0.071 ms', '12.5%', '12,345', '1,234 differences', 'A/eth0 down, port of br0']);
  assert.match(clock('2026-01-02T03:04:05'), /^03:04:05$/);
  language.value = 1;
  assert.deepEqual([age(65), describe(event)], ['1 分 05 秒', 'A/eth0 down，br0 的端口']);
});
