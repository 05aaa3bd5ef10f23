// The ping matrix: who reaches whom, filled in as the answers come. Pure.

/** @typedef {import('../types.js').MatrixCell} MatrixCell */
/** @typedef {import('../types.js').MatrixSummary} MatrixSummary */

/**
 * @typedef {object} Matrix
 * @property {string[]} names in the order of rows and columns
 * @property {Map<string, MatrixCell>} cells by from and to, see cellKey; the same map all along
 * @property {number} count of cells so far
 * @property {number} reached
 * @property {number} slowest ms, of those that answered
 * @property {'running' | 'done' | 'stopped' | 'failed'} state
 * @property {MatrixSummary | null} summary
 * @property {string[]} warnings
 * @property {string} error
 * @property {string} hint
 */

export const cellKey = (from, to) => `${from}\n${to}`;

const byName = new Intl.Collator('en', { numeric: true }).compare;

/** @param {string[]} names @returns {Matrix} */
export const newMatrix = (names) => ({
  names: [...names].sort(byName), cells: new Map(), count: 0, reached: 0, slowest: 0, state: 'running', summary: null, warnings: [], error: '', hint: '',
});

/** Takes lines of the stream in, many at once. @param {Matrix} m @param {any[]} lines @returns {Matrix} */
export function takeLines(m, lines) {
  const next = { ...m };
  const known = new Set(m.names);
  for (const line of lines) {
    if (line.type === 'cell') {
      if (!m.cells.has(cellKey(line.from, line.to))) {
        next.count++;
        if (line.ok) next.reached++;
      }
      m.cells.set(cellKey(line.from, line.to), line);
      for (const n of [line.from, line.to]) known.add(n);
      if (line.ok) next.slowest = Math.max(next.slowest, line.rtt_ms ?? 0);
    } else if (line.type === 'warning') next.warnings = [...next.warnings, line.warning ?? line.detail ?? ''].filter(Boolean);
    else if (line.type === 'summary') {
      next.summary = line;
      next.state = line.error ? 'failed' : 'done';
      next.error = line.error ?? '';
      next.warnings = [...new Set([...next.warnings, ...(line.warnings ?? [])])];
    }
  }
  if (known.size !== m.names.length) next.names = [...known].sort(byName);
  return next;
}

/**
 * Namespaces that can take part: those with an end of a cable, or an address;
 * those that have lost theirs are worth asking, too.
 * @param {import('../types.js').Snapshot} t
 */
export function takers(t) {
  const there = t.namespaces.filter((n) => n.sync !== 'missing' && n.name !== n.id);
  return there.filter((n) => n.links.some((l) => hasAddress(l) && (n.name !== 'host' || l.managed)) || (n.name !== 'host' && n.links.some((l) => l.kind === 'veth' && !l.master)))
    .map((n) => n.name).sort(byName);
}
const hasAddress = (l) => l.addresses.some((a) => a.scope === 'global');

/** Steps of the scale, in ms: a time up to the first, the second …; beyond is the last. */
export const scale = [0.05, 0.1, 0.3, 1];

/** Which step of the scale a time is on, 0 fastest. @param {number} ms */
export function gradeOf(ms) {
  const i = scale.findIndex((limit) => ms <= limit);
  return i < 0 ? scale.length : i;
}

/** What a failure looks like: nothing was sent, somebody said no, or nobody answered. @param {string} [reason] @returns {'never' | 'refused' | 'silent'} */
export function failureOf(reason) {
  if (/^(no_address|no_common_family|own_address|no_route|link_down|lo_down|send_error|namespace_gone)$/.test(reason ?? '')) return 'never';
  if (/^(unreachable|prohibited|ttl_exceeded|too_big|icmp_error)$/.test(reason ?? '')) return 'refused';
  return 'silent';
}

/** Failures by reason, most frequent first. @param {Matrix} m @returns {{reason: string, count: number, first: MatrixCell}[]} */
export function failuresOf(m) {
  const map = new Map();
  for (const cell of m.cells.values()) {
    if (cell.ok) continue;
    const reason = cell.reason ?? 'timeout';
    const known = map.get(reason) ?? { reason, count: 0, first: cell };
    known.count++;
    map.set(reason, known);
  }
  return [...map.values()].sort((a, b) => b.count - a.count);
}

/** A command a warning names, to be copied: sysctl …. @param {string} warning */
export const commandIn = (warning) => warning.match(/sysctl [^;,"”)]*?=\s*\d+/)?.[0] ?? '';
