// The player of a walk, above the picture: what happens now in a sentence, and
// the keys to play, pause and step.
import { html, useEffect, useLayoutEffect, useRef } from '../lib/preact.js';
import { player, t, ui } from '../context.js';
import { us } from '../core/format.js';
import { speeds } from '../core/player.js';
import { doubtsOf, lookOf, speak } from '../core/walksay.js';
import { Button } from './parts.js';

export function WalkPlayer() {
  const shown = player.shown.value;
  if (!shown) return null;
  return html`<${Playing} key=${shown.id} lesson=${shown.lesson} />`;
}

/** @param {{lesson: import('../core/walk.js').Lesson}} props */
function Playing({ lesson }) {
  const root = useRef(/** @type {any} */ (null));
  const [index, step, playing] = [player.index.value, player.step.value, player.playing.value];
  const count = lesson.steps.length;
  useEffect(() => {
    const abort = new AbortController();
    addEventListener('keydown', keys, { signal: abort.signal });
    return () => abort.abort();
  }, []);
  useLayoutEffect(() => {
    // The picture needs the room, and the walk has a legend of its own.
    const before = ui.legend.peek();
    ui.legend.value = false;
    return () => { ui.legend.value = before; };
  }, []);
  const doubts = doubtsOf(lesson.walk);
  return html`<section class="walk-player" ref=${root} aria-label=${t('walk.player')} data-testid="walk-player" data-step=${index} data-steps=${count} data-playing=${playing}
      data-kind=${step?.kind} data-frame=${step?.frame.kind}>
    <div class="walk-says" aria-live="polite" data-testid="walk-says">
      ${count === 0 && html`<p>${t('walk.empty')}</p>`}
      ${player.sentences.value.map((x, i) => html`<p key=${i} class=${`say y-${x.tone}`}>${speak(x, t)}</p>`)}
    </div>
    <div class="walk-keys" role="toolbar" aria-label=${t('walk.player')}>
      <${Button} icon="rotate-ccw" title=${t('walk.replay')} test="walk-replay" onClick=${player.replay} disabled=${count === 0} />
      <${Button} icon="chevron-left" title=${t('walk.back')} hint="←" test="walk-back" disabled=${index === 0} onClick=${() => player.move(-1)} />
      <${Button} icon=${playing ? 'pause' : 'play'} kind="primary" title=${t(playing ? 'walk.pause' : 'walk.play')} test="walk-play" disabled=${count === 0}
        onClick=${() => (playing ? player.pause() : player.play())} />
      <${Button} icon="chevron-right" title=${t('walk.forward')} hint="→" test="walk-forward" disabled=${index >= count - 1} onClick=${() => player.move(1)} />
      <${Timeline} lesson=${lesson} index=${index} />
      <label class="speed">${t('walk.speed')}<select name="walk-speed" value=${String(player.speed.value)} onChange=${(e) => { player.speed.value = Number(e.target.value); }}>
        ${speeds.map((s) => html`<option key=${s} value=${String(s)} selected=${s === player.speed.value}>${s}×</option>`)}</select></label>
      <span class="quiet small place">${count > 0 && t('walk.step', { n: index + 1, count })}${step && html` · <span class="number">${t('walk.at', { us: us(step.us) })}</span>`}</span>
      <${Button} icon="x" title=${t('walk.close')} test="walk-close" onClick=${player.close} />
    </div>
    ${doubts.map((d, i) => html`<p key=${i} class="walk-doubt" role="note" data-testid="walk-doubt">${speak(d, t)}</p>`)}
  </section>`;
}

/** Keys of the player, wherever the focus is, unless something else needs them. */
function keys(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || !e.target.closest) return;
  const own = e.target.closest('.walk-player, .walk-tab');
  const busy = e.target.closest('input, textarea, select, dialog, [role="grid"], [role="tablist"]') || (e.target.closest('button, a, [role="button"]') && !own);
  if (busy) return;
  if (e.key === 'ArrowRight') player.move(1);
  else if (e.key === 'ArrowLeft') player.move(-1);
  else if (e.key === ' ' && !e.target.closest('button')) {
    if (player.playing.peek()) player.pause();
    else player.play();
  } else return;
  e.preventDefault();
}

/** A slider with one tick a step; what a step is, its tick tells. */
function Timeline({ lesson, index }) {
  const { steps } = lesson;
  if (steps.length < 2) return null;
  const at = (i) => `${(i / (steps.length - 1)) * 100}%`;
  return html`<div class="timeline">
    <div class="ticks" aria-hidden="true">${steps.map((s) => html`<i key=${s.index} class=${`tick ${lookOf(s.frame.kind)} k-${s.kind} ${s.index <= index ? 'past' : ''} ${s.first ? 'first' : ''}`}
      style=${{ left: at(s.index) }}></i>`)}</div>
    <input type="range" min="0" max=${steps.length - 1} step="1" value=${index} aria-label=${t('walk.timeline')} aria-valuetext=${t('walk.step', { n: index + 1, count: steps.length })}
      data-testid="walk-timeline" onInput=${(e) => player.seek(Number(e.target.value))} />
  </div>`;
}
