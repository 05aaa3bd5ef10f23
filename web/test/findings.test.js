import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { findingText, said, summaryText } from '../static/js/core/findings.js';
import { language, languages } from '../static/js/i18n.js';
import { findings } from '../static/js/words/findings.js';

afterEach(() => { language.value = 0; });

/** The server's sentences by reason. */
const go = readFileSync(new URL('../../internal/diagnose/sentences.go', import.meta.url), 'utf8');
const sentences = Object.fromEntries([...go.matchAll(/^\t"([\w.]+)":\s+"(.+)",$/gm)].map(([, reason, text]) => [reason, text]));

test('every sentence of a diagnosis is there in each language, with the same values in it', () => {
  assert.equal(Object.keys(sentences).length, go.match(/^\t".*":/gm)?.length, 'a line of sentences.go that was not understood');
  const values = (text) => [...new Set(text.match(/\{\w+\}/g))].sort().join();
  const bad = [];
  for (const { tag } of languages.slice(1)) {
    const words = findings[tag] ?? {};
    for (const reason of new Set([...Object.keys(sentences), ...Object.keys(words)])) {
      const [en, own] = [sentences[reason], words[reason]];
      if (!en || !own?.trim()) bad.push(`${tag} ${reason}: ${en ? 'lacks words' : 'nobody says that'}`);
      else if (values(en) !== values(own)) bad.push(`${tag} ${reason}: ${values(own)} is not ${values(en)}`);
    }
  }
  assert.deepEqual(bad, []);
});

test('a finding is said in the language of the page; in English by the server', () => {
  const check = /** @type {any} */ ({ status: 'broken', reason: 'filter_drops', values: { namespace: 'reply', packet: 'reply' }, detail: 'as the server says' });
  const refused = { ...check, refusal: 'no' };
  const d = /** @type {any} */ ({ reason: 'not_reached', values: { namespace: 'A', target: 'B', finding: check.detail }, summary: 'In English.', checks: [check], first_broken: 0 });
  assert.deepEqual([findingText(check), findingText(refused), summaryText(d)], [check.detail, check.detail, 'In English.']);
  language.value = 1;
  assert.equal(findingText(check), 'reply 的防火墙丢弃回显应答');
  assert.equal(findingText(refused), 'reply 的防火墙丢弃回显应答（netdash 无法修复：no）');
  assert.equal(summaryText(d), 'A 到不了 B：reply 的防火墙丢弃回显应答。');
  assert.equal(said({ reason: 'not_known_here' }, 'as it is'), 'as it is');
  assert.equal(findingText({ ...refused, reason: 'not_known_here' }), check.detail);
});
