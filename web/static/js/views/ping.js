// Ping: who asks whom, the replies as they come, and what they sum up to.
import { html, useEffect, useState } from '../lib/preact.js';
import { actions, store, t, ui } from '../context.js';
import { ms, percent } from '../core/format.js';
import { pingable } from '../core/lookup.js';
import { tally } from '../core/ping.js';
import { Button, Icon } from './parts.js';

export function Ping() {
  const [shown, setShown] = useState(/** @type {number | null} */ (null));
  const runs = ui.runs.value;
  const latest = runs[0]?.id ?? null;
  useEffect(() => setShown(latest), [latest]);
  const run = runs.find((r) => r.id === shown) ?? runs[0];
  return html`<div class="ping" data-testid="ping-panel">
    <${Ask} />
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

/** The form: from a namespace to a namespace or an address. */
function Ask() {
  const spaces = store.topology.value.namespaces.filter((n) => n.sync !== 'missing');
  const [values, setValues] = useState({ from: '', to: '', count: '5' });
  const picking = ui.picking.value;
  useEffect(() => {
    if (picking) setValues((v) => ({ ...v, from: picking }));
  }, [picking]);
  const from = spaces.some((n) => n.name === values.from) ? values.from : (spaces.find((n) => n.name !== 'host') ?? spaces[0])?.name ?? '';
  const set = (name) => (e) => setValues((v) => ({ ...v, from, [name]: e.target.value }));
  const targets = spaces.filter((n) => n.name !== from);
  const to = values.to.trim();
  const send = (e) => {
    e.preventDefault();
    if (!to) return;
    const target = spaces.some((n) => n.name === to) ? { to_namespace: to } : { address: to };
    actions.ping({ namespace: from, ...target, count: Number(values.count) || 5 });
  };
  return html`<form class="ask" onSubmit=${send} data-testid="ping-form">
    <label>${t('ping.source')}<select name="from" value=${from} onChange=${set('from')}>
      ${spaces.map((n) => html`<option key=${n.name} value=${n.name} selected=${n.name === from}>${n.name}</option>`)}</select></label>
    <label>${t('ping.target')}<input name="to" list="ping-targets" value=${values.to} placeholder=${t('ping.targetHint')} onInput=${set('to')} autocomplete="off" spellcheck=${false} /></label>
    <datalist id="ping-targets">${targets.flatMap((n) => [html`<option key=${n.name} value=${n.name} />`,
      ...pingable(n).map((a) => html`<option key=${n.name + a} value=${a}>${n.name}</option>`)])}</datalist>
    <label class="narrow">${t('ping.count')}<input name="count" type="number" min="1" max="100" value=${values.count} onInput=${set('count')} /></label>
    <button type="submit" class="button primary" data-testid="ping-start" disabled=${!to}><${Icon} name="radar" /><span>${t('ping')}</span></button>
  </form>`;
}

/** @param {{run: import('../core/ping.js').Run}} props */
function Replies({ run }) {
  const { sent, received, loss, rtt } = tally(run);
  const most = Math.max(...run.replies.map((r) => r.rtt_ms ?? 0), 0.001);
  return html`<div class="replies" data-testid="ping-run" data-state=${run.state}>
    <div class="sum" data-testid="ping-summary" data-sent=${sent} data-received=${received}>
      <h3>${route(run)}${run.summary?.address && run.request.to_namespace ? html` <code class="quiet">${run.summary.address}</code>` : ''}</h3>
      <dl><div><dt>${t('ping.received')}</dt><dd>${received}/${sent}</dd></div>
        <div><dt>${t('ping.loss')}</dt><dd class=${loss > 0 ? 'bad' : ''}>${percent(loss)}</dd></div>
        ${rtt && html`<div><dt>min</dt><dd>${ms(rtt.min)}</dd></div><div><dt>avg</dt><dd>${ms(rtt.avg)}</dd></div><div><dt>max</dt><dd>${ms(rtt.max)}</dd></div>`}</dl>
      ${run.state === 'running'
        ? html`<${Button} icon="circle-stop" kind="danger" label=${t('ping.stop')} test="ping-stop" onClick=${() => actions.stopPing(run.id)} />`
        : html`<${Button} icon="play" label=${t('ping.again')} test="ping-again" onClick=${() => actions.ping(run.request)} />`}
    </div>
    <div class="answers">
      ${run.error && html`<p class="ping-error" role="alert" data-testid="ping-error">${run.error}${run.hint && html`<span class="hint">${run.hint}</span>`}</p>`}
      <ol class="lines">${run.replies.map((r, i) => html`<li key=${i} class=${r.error ? 'bad' : ''} data-testid="ping-reply" data-seq=${r.seq}>
        <span class="number">${r.seq}</span>
        ${r.error || r.notice ? html`<span class="text">${r.error ?? r.notice}</span><code class="quiet">${r.from ?? ''}</code>`
          : html`<code>${r.from}</code><span class="quiet">ttl ${r.ttl}${r.duplicate ? ` · ${t('ping.duplicate')}` : ''}${r.reordered ? ` · ${t('ping.reordered')}` : ''}</span><${Bar} share=${(r.rtt_ms ?? 0) / most} /><b class="number">${ms(r.rtt_ms)}</b>`}
      </li>`)}</ol>
    </div>
  </div>`;
}

/** A small plot of the time, next to the number. */
const Bar = ({ share }) => html`<svg class="rtt" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="6" rx="3" class="rtt-back" />
  <rect width=${Math.max(2, share * 100)} height="6" rx="3" class="rtt-bar" /></svg>`;
