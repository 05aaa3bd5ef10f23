// The document of the intended topology: what is sent for it, and where in it
// an error is. Pure.

/** @typedef {import('./api.js').Command} Command */

/** Every format of an export, with how its file is called. */
export const formats = [
  { id: 'yaml', file: 'topology.yaml' },
  { id: 'json', file: 'topology.json' },
  { id: 'sh', file: 'topology.sh' },
  { id: 'dot', file: 'topology.dot' },
  { id: 'mermaid', file: 'topology.mmd' },
  { id: 'containerlab', file: 'topology.clab.yml' },
];

/** JSON begins with a brace; everything else is YAML. */
const mediaType = (text) => (/^\s*\{/.test(text) ? 'application/json' : 'application/yaml');

/**
 * Makes a document the intended topology, if nobody was faster.
 * @param {string} text @param {string} etag of the document it began with @returns {Command}
 */
export const putDocument = (text, etag) => ({
  method: 'PUT', path: '/topology/intended', text, type: mediaType(text), headers: etag ? { 'If-Match': etag } : {},
});

/** The revision an ETag stands for; null when it stands for none. @param {string} etag */
export function revisionOf(etag) {
  const m = /^"(\d+)"$/.exec(etag);
  return m ? Number(m[1]) : null;
}

/** Where line and column (from 1; in characters) are in a text, and where that line ends. */
export function placeOf(text, line, column = 1) {
  let start = 0;
  for (let i = 1; i < line; i++) {
    const next = text.indexOf('\n', start);
    if (next < 0) break;
    start = next + 1;
  }
  const end = text.indexOf('\n', start);
  const stop = end < 0 ? text.length : end;
  // Columns count characters, indexes UTF-16 units.
  const into = [...text.slice(start, stop)].slice(0, Math.max(0, column - 1)).join('').length;
  return { start: Math.min(start + into, stop), end: stop };
}

/** How many lines a text has. @param {string} text */
export function lineCount(text) {
  let n = 1;
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) n++;
  return n;
}

/** Errors in the order of their places; those without one last. @param {{line?: number, column?: number}[]} errors */
export const sortErrors = (errors) =>
  [...errors].sort((a, b) => (a.line ?? 1e9) - (b.line ?? 1e9) || (a.column ?? 0) - (b.column ?? 0));
