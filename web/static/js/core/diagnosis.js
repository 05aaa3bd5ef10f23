// A diagnosis under way and what it came to. Pure.

/** @typedef {import('../types.js').Diagnosis} Diagnosis */
/** @typedef {import('../types.js').Check} Check */

/**
 * @typedef {object} Inquiry
 * @property {number} id
 * @property {import('../types.js').DiagnosisRequest} request
 * @property {'running' | 'done' | 'failed' | 'mending'} state
 * @property {Diagnosis | null} diagnosis
 * @property {string} error
 * @property {string} hint
 * @property {import('../types.js').Mend[]} mended what was done about it so far
 */

/** @param {number} id @param {import('../types.js').DiagnosisRequest} request @returns {Inquiry} */
export const newInquiry = (id, request, mended = []) => ({ id, request, state: 'running', diagnosis: null, error: '', hint: '', mended });

/** @param {import('../types.js').PingRequest} r @returns {import('../types.js').DiagnosisRequest} */
export function askedBy(r) {
  /** @type {import('../types.js').DiagnosisRequest} */
  const out = { namespace: r.namespace };
  if (r.to_namespace) out.to_namespace = r.to_namespace;
  else out.address = r.address;
  if (r.size) out.size = r.size;
  return out;
}

/** Index of the first check that is broken, -1 without. @param {Diagnosis} d */
export const firstBroken = (d) => d.first_broken ?? d.checks.findIndex((c) => c.status === 'broken');

/** Those to be marked in the picture: the first broken one, and warnings. @param {Diagnosis | null | undefined} d @returns {{ref: string, status: string}[]} */
export function marksOf(d) {
  if (!d) return [];
  const broken = firstBroken(d);
  const found = d.checks.filter((c, i) => i === broken || c.status === 'warning');
  return found.filter((c) => c.subject).map((c) => ({ ref: refOf(c.subject ?? ''), status: c.status }));
}

/** "A/eth0 10.0.0.1/24" is about A/eth0. @param {string} subject */
export const refOf = (subject) => subject.split(' ')[0];

/** What a subject selects: "ns:A", "link:A/eth0". @param {string} subject */
export const selectionOf = (subject) => (refOf(subject).includes('/') ? `link:${refOf(subject)}` : `ns:${refOf(subject)}`);

/** Evidence as lines of text. @param {any} evidence @returns {string} */
export function evidenceText(evidence) {
  if (evidence === undefined || evidence === null || evidence === '') return '';
  if (typeof evidence === 'string') return evidence;
  if (Array.isArray(evidence) && evidence.every((e) => typeof e === 'string')) return evidence.join('\n');
  return JSON.stringify(evidence, null, 2);
}

/** How many checks came out how. @param {Diagnosis} d */
export function countsOf(d) {
  const count = { ok: 0, broken: 0, warning: 0, unknown: 0 };
  for (const c of d.checks) count[c.status]++;
  return count;
}
