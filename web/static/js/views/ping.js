// Ping: who asks whom, the replies as they come, and what they sum up to.
import { html, useEffect, useState } from '../lib/preact.js';
import { actions, probes, t, ui } from '../context.js';
import { ms, percent } from '../core/format.js';
import { fell, plotOf, tally } from '../core/ping.js';
import { Button } from './parts.js';
import { PingForm } from './ping-form.js';

export function Ping() {
  const [shown, setShown] = useState(/** @type {number | null} */ (null));
  const runs = ui.runs.value;
  const latest = runs[0]?.id ?? null;
  useEffect(() => setShown(latest), [latest]);
  const run = runs.find((r) => r.id === shown) ?? runs[0];
  return html`<div class="ping" data-testid="ping-panel">
    <${PingForm} />
    <div class="ping-runs" aria-label=${t('ping.runs')}>${runs.map((r) => html`<button key=${r.id} type="button" class=${`run r-${r.state}`}
      aria-current=${r === run} onClick=${() => setShown(r.id)}><span class="text">${route(r)}</span><${Outcome} run=${r} /></button>`)}</div>
    ${run ? html`<${Replies} run=${run} />` : html`<p class="quiet pad">${t('ping.none')}</p>`}
  </div>`;
}

const route = (run) => `${run.request.namespace} → ${run.request.to_namespace ?? run.request.address}`;

function Outcome({ run }) {
  const { sent, received } = tally(run);
  if (run.state === 'running') return html`<span class="quiet number">${received}/${sent}</span>`;
  const bad = run.state === 'failed' || received === 0;
  return html`<span class=${`pill ${bad ? 'o-failed' : received < sent ? 'o-running' : 'o-committed'}`}>${bad ? t('ping.noReply') : `${received}/${sent}`}</span>`;
}

/** @param {{run: import('../core/ping.js').Run}} props */
function Replies({ run }) {
  const { sent, received, loss, rtt, duplicates } = tally(run);
  const most = Math.max(...run.replies.map((r) => r.rtt_ms ?? 0), 0.001);
  const s = run.summary;
  return html`<div class="replies" data-testid="ping-run" data-state=${run.state}>
    <div class="sum" data-testid="ping-summary" data-sent=${sent} data-received=${received}>
      <h3>${route(run)}${s?.address && run.request.to_namespace ? html` <code class="quiet" title=${s.chosen}>${s.address}${s.to_link ? ` (${s.to_link})` : ''}</code>` : ''}</h3>
      <dl><div><dt>${t('ping.received')}</dt><dd>${received}/${sent}</dd></div>
        <div><dt>${t('ping.loss')}</dt><dd class=${loss > 0 ? 'bad' : ''}>${percent(loss)}</dd></div>
        ${duplicates > 0 && html`<div><dt>${t('ping.duplicates')}</dt><dd class="bad">${duplicates}</dd></div>`}
        ${rtt && html`<div><dt>min</dt><dd>${ms(rtt.min)}</dd></div><div><dt>avg</dt><dd>${ms(rtt.avg)}</dd></div><div><dt>max</dt><dd>${ms(rtt.max)}</dd></div>
          <div><dt>mdev</dt><dd>${ms(rtt.mdev)}</dd></div>`}</dl>
      <div class="sum-tools">
        ${run.walk && html`<${Button} icon="route" label=${t('ping.walk')} test="ping-walk" onClick=${() => probes.showWalk(run)} />`}
        ${fell(run) && html`<${Button} icon="circle-question-mark" kind="primary" label=${t('why')} test="why-not" onClick=${() => probes.diagnose(run.request)} />`}
        ${run.state === 'running'
          ? html`<${Button} icon="circle-stop" kind="danger" label=${t('ping.stop')} test="ping-stop" onClick=${() => actions.stopPing(run.id)} />`
          : html`<${Button} icon="play" label=${t('ping.again')} test="ping-again" onClick=${() => actions.ping(run.request)} />`}
      </div>
    </div>
    <div class="answers">
      ${run.error && html`<p class="ping-error" role="alert" data-testid="ping-error">${run.error}${run.hint && html`<span class="hint">${run.hint}</span>`}</p>`}
      ${run.replies.length > 1 && received > 0 && html`<${Plot} run=${run} />`}
      <ol class="lines" aria-live="polite">${run.replies.map((r, i) => html`<${Reply} key=${i} reply=${r} most=${most} />`)}</ol>
    </div>
  </div>`;
}

/** @param {{reply: import('../types.js').PingReply, most: number}} props */
function Reply({ reply: r, most }) {
  const failure = r.error ?? r.notice;
  const known = r.reason && t(`reason.${r.reason}`) !== `reason.${r.reason}`;
  return html`<li class=${r.error ? 'bad' : r.duplicate || r.notice ? 'odd' : ''} data-testid="ping-reply" data-seq=${r.seq} data-reason=${r.reason}>
    <span class="number">${r.seq}</span>
    ${failure ? html`${known && html`<b class="text">${t(`reason.${r.reason}`)}</b>`}<span class=${known ? 'quiet' : 'text'}>${failure}</span>${r.from && html`<span class="quiet">${t('ping.says', { who: r.from })}</span>`}`
      : html`<code>${r.from}</code><span class="quiet">ttl ${r.ttl}</span>${(r.duplicate || r.reordered) && html`<span class="pill">${t(r.duplicate ? 'ping.duplicate' : 'ping.reordered')}</span>`}
        <${Bar} share=${(r.rtt_ms ?? 0) / most} /><b class="number">${ms(r.rtt_ms)}</b>`}
  </li>`;
}

/** A small plot of the time, next to the number. */
const Bar = ({ share }) => html`<svg class="rtt" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="6" rx="3" class="rtt-back" />
  <rect width=${Math.max(2, share * 100)} height="6" rx="3" class="rtt-bar" /></svg>`;

/** All round trips side by side: a bar each, a cross where there was no reply. @param {{run: import('../core/ping.js').Run}} props */
function Plot({ run }) {
  const bars = plotOf(run);
  const { rtt, received } = tally(run);
  const wide = Math.max(10, Math.min(100, run.request.count ?? bars.length));
  return html`<svg class="plot" viewBox=${`0 0 ${wide * 8} 34`} preserveAspectRatio="xMinYMid meet" role="img" data-testid="ping-plot"
      aria-label=${t('ping.plot', { count: received, min: ms(rtt?.min), max: ms(rtt?.max) })}>
    <path class="plot-base" d=${`M0 33.5H${wide * 8}`} />
    ${bars.map((b) => (b.share === null ? html`<path key=${b.seq} class="plot-lost" d=${`M${b.seq * 8 - 7} 26l5 5m0 -5l-5 5`} />`
      : html`<rect key=${b.seq} class="rtt-bar" x=${b.seq * 8 - 8 + 1} width="5" y=${33 - Math.max(2, b.share * 31)} height=${Math.max(2, b.share * 31)} rx="1"><title>${b.seq}: ${ms(b.ms)}</title></rect>`))}
  </svg>`;
}
