import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const css = readFileSync(new URL('../static/css/base.css', import.meta.url), 'utf8');

/** The colours of a theme: those of :root, with its own over them. @param {string} selector */
function colours(selector) {
  const start = css.indexOf(`${selector} {`);
  assert.ok(start >= 0, selector);
  const block = css.slice(start, css.indexOf('}', start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]+);/g)].map(([, name, value]) => [name, value]));
}

const dark = colours(':root');
const themes = {
  dark,
  light: { ...dark, ...colours(':root[data-theme="light"]') },
  projector: { ...dark, ...colours(':root[data-theme="projector"]') },
};

/** @param {string} hex #rgb, #rrggbb, with or without alpha @returns {number[]} 0 to 1 each, alpha last */
function rgba(hex) {
  const short = hex.length <= 5;
  const parts = short ? [...hex.slice(1)].map((c) => c + c) : hex.slice(1).match(/../g) ?? [];
  const [r, g, b, a = 1] = parts.map((p) => parseInt(p, 16) / 255);
  return [r, g, b, a];
}

const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];

function luminance([r, g, b]) {
  const [x, y, z] = [r, g, b].map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

/** As WCAG 2 has it. The first lies on the second, which lies on the third. */
export function contrast(ink, ground, under) {
  const [a, b] = [luminance(rgba(ink)), luminance(over(rgba(ground), rgba(under)))].sort((p, q) => q - p);
  return (a + 0.05) / (b + 0.05);
}

const grounds = ['ground', 'surface', 'raised'];
/** Ink, what it is written on. Soft grounds are tried on every ground there is. */
const written = [
  ...['text', 'soft', 'accent', 'up', 'down', 'warn', 'ghost'].flatMap((ink) => grounds.map((g) => [ink, g])),
  ...['text', 'soft'].map((ink) => [ink, 'head']),
  ...['up', 'down', 'warn', 'accent', 'text'].flatMap((ink) => [`${ink === 'text' ? 'accent' : ink}-soft`].map((g) => [ink, g])),
  ['accent-ink', 'accent'], ['mark-ink', 'warn'], ['bar-ink', 'bridge'], ['bar-ink', 'bridge-idle'], ['danger-ink', 'danger'],
];

for (const [name, theme] of Object.entries(themes)) {
  test(`${name}: every ink can be read on what it is written on (WCAG AA)`, () => {
    const least = name === 'projector' ? 7 : 4.5;
    const weak = [];
    for (const [ink, ground] of written) {
      for (const under of grounds) {
        const c = contrast(theme[ink], theme[ground], theme[under]);
        if (!(c >= least)) weak.push(`${ink} on ${ground} over ${under}: ${c.toFixed(2)}`);
      }
    }
    assert.deepEqual([...new Set(weak)], []);
  });

  test(`${name}: signs, edges of fields and the focus stand out (3:1)`, () => {
    const weak = [];
    for (const sign of ['up', 'up-cable', 'down', 'warn', 'ghost', 'focus', 'line-strong', 'bridge-edge']) {
      for (const ground of grounds) {
        const c = contrast(theme[sign], theme[ground], theme[ground]);
        if (!(c >= 3)) weak.push(`${sign} on ${ground}: ${c.toFixed(2)}`);
      }
    }
    assert.deepEqual(weak, []);
  });
}

test('contrast is reckoned as WCAG does', () => {
  assert.equal(contrast('#000', '#fff', '#fff'), 21);
  assert.equal(contrast('#777', '#fff', '#fff').toFixed(2), '4.48');
});
