// A ping under way, and what its lines make of it. Pure.

/**
 * @typedef {object} Run
 * @property {number} id
 * @property {import('../types.js').PingRequest} request
 * @property {'running' | 'done' | 'stopped' | 'failed'} state
 * @property {import('../types.js').PingReply[]} replies
 * @property {import('../types.js').PingResult | null} summary
 * @property {string} error why nothing could be sent
 * @property {string} hint
 */

/** @param {number} id @param {import('../types.js').PingRequest} request @returns {Run} */
export const newRun = (id, request) => ({ id, request, state: 'running', replies: [], summary: null, error: '', hint: '' });

/** @param {Run} run @param {any} line one line of the stream @returns {Run} */
export function takeLine(run, line) {
  if (line.type === 'reply') return { ...run, replies: [...run.replies, line] };
  if (line.type === 'summary') {
    return { ...run, state: line.error ? 'failed' : 'done', summary: line, error: line.error ?? '' };
  }
  return run;
}

/** Sent, received, loss, min, avg, max of what has come so far. @param {Run} run */
export function tally(run) {
  if (run.summary) {
    const s = run.summary;
    return { sent: s.sent, received: s.received, loss: s.loss, rtt: s.rtt_ms ?? null };
  }
  // A duplicate or a notice is not what became of a request.
  const answers = run.replies.filter((r) => !r.duplicate && !r.notice);
  const times = answers.filter((r) => !r.error).map((r) => r.rtt_ms ?? 0);
  const sent = answers.length;
  return {
    sent,
    received: times.length,
    loss: sent ? 1 - times.length / sent : 0,
    rtt: times.length
      ? { min: Math.min(...times), avg: times.reduce((a, b) => a + b, 0) / times.length, max: Math.max(...times) }
      : null,
  };
}
