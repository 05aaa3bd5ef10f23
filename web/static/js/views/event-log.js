// What the kernel reports, newest first; a line leads to its object.
import { html, useState } from '../lib/preact.js';
import { actions, store, t, ui } from '../context.js';
import { clock, describe } from '../core/format.js';
import { subjectOf } from '../core/lookup.js';
import { Button } from './parts.js';

const shownAtMost = 300;

export function EventLog() {
  const [filter, setFilter] = useState('');
  const [held, setHeld] = useState(/** @type {any[] | null} */ (null));
  const words = filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const log = (held ?? store.log.value).map((e) => ({ e, text: describe(e) }))
    .filter(({ e, text }) => words.every((w) => `${e.type} ${text} ${e.origin}`.toLowerCase().includes(w)))
    .slice(0, shownAtMost);
  const missed = held ? store.log.value.length - held.length : 0;
  return html`<div class="log">
    <div class="log-tools">
      <input type="search" name="event-filter" placeholder=${t('filter')} aria-label=${t('events.filter')} value=${filter} onInput=${(e) => setFilter(e.target.value)} />
      <${Button} icon=${held ? 'play' : 'pause'} label=${held ? `${t('events.resume')}${missed > 0 ? ` (+${missed})` : ''}` : t('events.pause')} test="events-pause"
        onClick=${() => setHeld(held ? null : store.log.value)} />
      <${Button} icon="eraser" title=${t('events.clear')} onClick=${store.clearLog} />
    </div>
    <ol class="lines" data-testid="event-log">
      ${log.length === 0 && html`<li class="quiet pad">${t(filter ? 'events.noMatch' : 'events.none')}</li>`}
      ${log.map(({ e, text }) => {
        const subject = subjectOf(e);
        return html`<li key=${e.seq}><button type="button" class=${`event ${e.type.split('.')[1]}`} data-event=${e.type} disabled=${!subject}
          aria-current=${subject && subject === ui.selection.value} onClick=${() => subject && actions.select(subject)}>
          <time>${clock(e.at)}</time><code class="type">${e.type}</code><span class="text">${text}</span><span class="origin">${e.origin}</span></button></li>`;
      })}
    </ol>
  </div>`;
}
