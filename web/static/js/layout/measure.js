// Sizes of text without a DOM: widths are estimates on the safe side (in px),
// good for every system font the stylesheet names.

export const rowHeight = 22;
export const headHeight = 30;
export const barHeight = 46;

const wide = /[MWmw@%]/;
const narrow = /[iljtfrI1.,:;'|\-/ ]/;

/** Width of proportional bold text. @param {string} text @param {number} size */
export function textWidth(text, size) {
  let w = 0;
  for (const c of text) w += c > '\u2e80' ? 1 : wide.test(c) ? 0.98 : narrow.test(c) ? 0.46 : 0.72;
  return w * size;
}

/** Width of monospaced text. @param {string} text @param {number} size */
export const monoWidth = (text, size) => [...text].length * size * 0.605;

/** Ports on one edge of a bar keep at least so far apart. */
export const portGap = 46;

/** Width of the name of an end beside its port. @param {string} name */
export const labelWidth = (name) => Math.min(110, monoWidth(name, 11) + 6);

/** How far down a node reaches, with the panel of its folded members. @param {import('./model.js').Node} n */
export const heightOf = (n) => (n.panel ? n.panel.y + n.panel.h : n.h);
