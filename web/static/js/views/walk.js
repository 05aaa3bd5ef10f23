// The drawer's side of a walk: all steps as sentences, and the frame of the step.
import { html, useEffect, useRef } from '../lib/preact.js';
import { player, t, ui } from '../context.js';
import { us } from '../core/format.js';
import { refOfHop } from '../core/walk.js';
import { lookOf, sentencesOf, speak } from '../core/walksay.js';
import { Envelope } from './frame-layer.js';
import { Button, Facts } from './parts.js';

export function Walk() {
  const shown = player.shown.value;
  if (!shown) return html`<${Nothing} />`;
  return html`<div class="walk-tab" data-testid="walk"><${Steps} lesson=${shown.lesson} />
    <div class="walk-side" tabindex="0" role="group" aria-label=${t('walk.details')}><${FrameFacts} lesson=${shown.lesson} /><${Signs} /></div></div>`;
}

function Nothing() {
  return html`<div class="pad walk-nothing"><p class="quiet">${t('walk.none')}</p>
    <${Button} icon="radar" label=${t('walk.start')} test="walk-start" onClick=${() => {
      ui.tracing.value = true;
      ui.drawer.value = { open: true, tab: 'ping' };
    }} /></div>`;
}

/** @param {{lesson: import('../core/walk.js').Lesson}} props */
function Steps({ lesson }) {
  const root = useRef(/** @type {any} */ (null));
  const index = player.index.value;
  useEffect(() => { root.current?.querySelector('[aria-current="step"]')?.scrollIntoView({ block: 'nearest' }); }, [index]);
  return html`<ol class="steps lines" ref=${root} aria-label=${t('walk.timeline')}>
    ${lesson.steps.map((s) => html`<li key=${s.index}><button type="button" class=${`step ${s.first ? 'first' : ''} k-${s.kind}`} aria-current=${s.index === index ? 'step' : undefined}
        data-testid="walk-step" data-index=${s.index} data-kind=${s.kind} data-frame=${s.frame.kind} onClick=${() => player.seek(s.index)}>
      <span class="number quiet">${us(s.us)}</span>
      ${s.first ? html`<${Small} kind=${s.frame.kind} />` : html`<span class="small-envelope"></span>`}
      <span class="text">${sentencesOf(lesson, s).map((x, i) => html`<span key=${i} class=${`say y-${x.tone}`}>${speak(x, t)} </span>`)}</span>
    </button></li>`)}</ol>`;
}

const Small = ({ kind }) => html`<svg class=${`small-envelope envelope ${lookOf(kind)}`} viewBox="-33 -12 66 24" width="55" height="20" aria-hidden="true"><${Envelope} kind=${kind} /></svg>`;

/** @param {{lesson: import('../core/walk.js').Lesson}} props */
function FrameFacts({ lesson }) {
  const step = player.step.value;
  if (!step) return null;
  const f = step.frame;
  const to = f.dst_mac === 'ff:ff:ff:ff:ff:ff' ? ` (${t('walk.everyone')})` : parseInt(f.dst_mac.slice(0, 2), 16) & 1 ? ` (${t('walk.group')})` : '';
  const now = new Set(step.moves.flatMap((m) => [m.out.id, m.in?.id]).concat(step.decisions.map((d) => d.hop)));
  return html`<section class="frame-facts" aria-label=${t('walk.details')} data-testid="walk-frame"><h3><${Small} kind=${f.kind} /> ${t(`walk.kind.${f.kind}`)}</h3>
    <${Facts} rows=${[
      [t('walk.field.from'), html`<code>${f.src_mac}</code>`],
      [t('walk.field.to'), html`<code>${f.dst_mac}</code>${to}`],
      [t('walk.field.ips'), f.src_ip && html`<code>${f.src_ip} → ${f.dst_ip}</code>`],
      [t('walk.field.seq'), f.seq],
      ['VLAN', f.vlan],
      ['TTL', f.ttl],
      [t('walk.field.length'), f.length && t('walk.bytes', { count: f.length })],
    ]} />
    <h4>${t('walk.hops')}</h4>
    <ol class="hops">${f.hops.map((h) => html`<li key=${h.id} class=${now.has(h.id) ? 'now' : ''}><span class="number">${us(h.us)}</span>
      <span class="quiet">${t(h.direction === 'in' ? 'walk.in' : 'walk.out')}</span><code>${refOfHop(h)}</code></li>`)}</ol>
  </section>`;
}

const kinds = [['arp_request', 'ask'], ['echo_request', 'echo'], ['icmp_error', 'error']];
const ends = [['taken', '✓'], ['ignored', '–'], ['lost', '✕']];

function Signs() {
  return html`<section class="walk-legend" aria-label=${t('walk.legend')}><h4>${t('walk.legend')}</h4><ul>
    ${kinds.map(([kind, what]) => html`<li key=${kind}><${Small} kind=${kind} />${t(`walk.legend.${what}`)}</li>`)}
    ${ends.map(([end, sign]) => html`<li key=${end}><svg viewBox="-13 -13 26 26" width="20" height="20" aria-hidden="true"><g class=${`end-sign e-${end}`}><circle r="12" /><text y="5" text-anchor="middle">${sign}</text></g></svg>
      ${t(`walk.legend.${end}`)}</li>`)}</ul></section>`;
}
