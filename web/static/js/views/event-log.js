// What the kernel reports, newest first; a line leads to its object.
import { html, useMemo, useState } from '../lib/preact.js';
import { actions, seen, store, t, ui } from '../context.js';
import { clock, describe } from '../core/format.js';
import { resolve, subjectOf } from '../core/lookup.js';
import { Button } from './parts.js';

const shownAtMost = 300;
const nouns = ['link', 'address', 'route', 'neighbour', 'fdb', 'namespace', 'drift', 'operation'];

/** What a line says, said once. @type {WeakMap<any, string>} */
let said = new WeakMap();
function textOf(e) {
  const text = said.get(e) ?? describe(e);
  said.set(e, text);
  return text;
}

export function EventLog() {
  useMemo(() => { said = new WeakMap(); }, []); // it may be another language now
  const [filter, setFilter] = useState('');
  const [noun, setNoun] = useState('');
  const [held, setHeld] = useState(/** @type {any[] | null} */ (null));
  const all = seen.log.value;
  const words = filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (e) => {
    if (noun && !e.type.startsWith(`${noun}.`)) return false;
    if (words.length === 0) return true;
    const text = `${e.type} ${textOf(e)} ${e.origin}`.toLowerCase();
    return words.every((w) => text.includes(w));
  };
  const found = (held ?? all).filter(fits);
  const missed = held ? newSince(all, held) : 0;
  return html`<div class="log">
    <div class="log-tools">
      <input type="search" name="event-filter" placeholder=${t('filter')} aria-label=${t('events.filter')} value=${filter} onInput=${(e) => setFilter(e.target.value)} />
      <select name="event-noun" aria-label=${t('events.noun')} value=${noun} onChange=${(e) => setNoun(e.target.value)}>
        <option value="">${t('events.all')}</option>${nouns.map((n) => html`<option key=${n} value=${n}>${t(`events.${n}`)}</option>`)}</select>
      <${Button} icon=${held ? 'play' : 'pause'} label=${held ? `${t('events.resume')}${missed > 0 ? ` (+${missed})` : ''}` : t('events.pause')} test="events-pause"
        onClick=${() => setHeld(held ? null : all)} />
      <${Button} icon="eraser" title=${t('events.clear')} onClick=${() => { store.clearLog(); setHeld(null); }} />
      ${found.length > shownAtMost && html`<span class="quiet">${t('events.shown', { shown: shownAtMost, count: found.length })}</span>`}
    </div>
    <ol class="lines" data-testid="event-log">
      ${found.length === 0 && html`<li class="quiet pad">${t(filter || noun ? 'events.noMatch' : 'events.none')}</li>`}
      ${found.slice(0, shownAtMost).map((e) => html`<${Line} key=${e.seq} event=${e} current=${subjectOf(e) === ui.selection.value} />`)}
    </ol>
  </div>`;
}

/** How many are newer than those held; the log is bounded, so it may be all. */
function newSince(all, held) {
  if (held.length === 0) return all.length;
  const at = all.indexOf(held[0]);
  return at < 0 ? all.length : at;
}

/** Leads to what an event is about, as far as that is still there. */
function follow(e) {
  if (e.operation) {
    ui.drawer.value = { open: true, tab: 'operations', operation: e.operation.id };
    return;
  }
  const subject = subjectOf(e);
  const ns = subject && `ns:${subject.replace(/^(ns|link):/, '').split('/')[0]}`;
  const there = [subject, ns].find((id) => id && resolve(store.topology.value, id));
  if (there) actions.select(there);
  else actions.toast('done', t('events.gone', { what: textOf(e) }));
}

/** @param {{event: import('../types.js').TopologyEvent, current: boolean}} props */
function Line({ event: e, current }) {
  return useMemo(() => html`<li><button type="button" class=${`event ${e.type.split('.')[1]}`} data-event=${e.type} aria-current=${current} title=${textOf(e)}
    disabled=${!subjectOf(e) && !e.operation} onClick=${() => follow(e)}>
    <time>${clock(e.at)}</time><code class="type">${e.type}</code><span class="text">${textOf(e)}</span><span class="origin">${e.origin}</span></button></li>`, [e, current]);
}
