// A ping under way, and what its lines make of it. Pure.

/**
 * @typedef {object} Run
 * @property {number} id
 * @property {import('../types.js').PingRequest} request
 * @property {'running' | 'done' | 'stopped' | 'failed'} state
 * @property {import('../types.js').PingReply[]} replies
 * @property {import('../types.js').PingResult | null} summary
 * @property {import('../types.js').Walk | null} walk the way of its frames, as far as it is known
 * @property {string} error why nothing could be sent
 * @property {string} hint
 */

/** @param {number} id @param {import('../types.js').PingRequest} request @returns {Run} */
export const newRun = (id, request) => ({ id, request, state: 'running', replies: [], summary: null, walk: null, error: '', hint: '' });

/** @param {Run} run @param {any} line one line of the stream @returns {Run} */
export function takeLine(run, line) {
  if (line.type === 'reply') return { ...run, replies: [...run.replies, line] };
  if (line.type === 'frame' || line.type === 'decision') {
    const { frames, decisions, ...rest } = run.walk ?? { frames: [], decisions: [], dropped: 0 };
    return { ...run, walk: line.type === 'frame' ? { ...rest, decisions, frames: [...frames, line] } : { ...rest, frames, decisions: [...decisions, line] } };
  }
  if (line.type === 'walk') return { ...run, walk: { frames: [], decisions: [], ...run.walk, ...line } };
  if (line.type === 'summary') {
    const walk = line.walk ? { frames: [], decisions: [], ...run.walk, ...line.walk } : run.walk;
    return { ...run, state: line.error ? 'failed' : 'done', summary: line, walk, error: line.error ?? '' };
  }
  return run;
}

/** Sent, received, loss, min, avg, max of what has come so far. @param {Run} run */
export function tally(run) {
  if (run.summary) {
    const s = run.summary;
    return { sent: s.sent, received: s.received, loss: s.loss, rtt: s.rtt_ms ?? null, duplicates: s.duplicates ?? 0 };
  }
  const answers = run.replies.filter((r) => !r.duplicate && !r.notice);
  const times = answers.filter((r) => !r.error).map((r) => r.rtt_ms ?? 0);
  return {
    sent: answers.length,
    received: times.length,
    loss: answers.length ? 1 - times.length / answers.length : 0,
    rtt: rttOf(times),
    duplicates: run.replies.filter((r) => r.duplicate).length,
  };
}

/** As ping(8) has it: mdev is the standard deviation. @param {number[]} times */
function rttOf(times) {
  if (times.length === 0) return null;
  const avg = times.reduce((a, b) => a + b, 0) / times.length;
  const mdev = Math.sqrt(Math.max(0, times.reduce((a, b) => a + b * b, 0) / times.length - avg * avg));
  return { min: Math.min(...times), avg, max: Math.max(...times), mdev };
}

/**
 * The bars of the plot, one for each request that was answered or failed: its
 * height as a share of the slowest, null where there was no reply.
 * @param {Run} run @returns {{seq: number, share: number | null, ms?: number}[]}
 */
export function plotOf(run) {
  const answers = run.replies.filter((r) => !r.duplicate && !r.notice);
  const most = Math.max(...answers.map((r) => r.rtt_ms ?? 0), 0.001);
  return answers.map((r) => ({ seq: r.seq, share: r.error ? null : (r.rtt_ms ?? 0) / most, ms: r.rtt_ms }));
}

/** Was there a request without an answer, or could none be sent? @param {Run} run */
export function fell(run) {
  const { sent, received } = tally(run);
  return run.state === 'failed' || (run.state !== 'running' && received < sent) || run.replies.some((r) => r.error);
}

/**
 * The request a form stands for. Fields left empty are the server's to choose.
 * @param {Record<string, any>} v @param {boolean} isNamespace is the target one?
 * @returns {import('../types.js').PingRequest}
 */
export function requestOf(v, isNamespace) {
  const number = (x) => (String(x ?? '').trim() === '' ? undefined : Number(x));
  const to = v.to.trim();
  /** @type {import('../types.js').PingRequest} */
  const request = { namespace: v.from, ...(isNamespace ? { to_namespace: to } : { address: to }) };
  const more = { count: number(v.count), interval_ms: number(v.interval), size: number(v.size), ttl: number(v.ttl), link: v.link || undefined, walk: v.walk || undefined };
  for (const [k, x] of Object.entries(more)) if (x !== undefined) request[k] = x;
  return request;
}

/** Frames recorded of one walk stay few: so many pings at most. */
export const walkAtMost = 10;
