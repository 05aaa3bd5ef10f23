// Search: while it is open the picture shows the hit under consideration; Enter
// stays there, Escape goes back to where one was.
import { computed } from '../lib/signals.js';
import { html, useEffect, useMemo, useRef, useState } from '../lib/preact.js';
import { actions, store, t, ui } from '../context.js';
import { indexOf, search } from '../core/search.js';
import { Icon } from './parts.js';

const icons = { namespace: 'square', bridge: 'network', link: 'cable' };

export function Search() {
  if (!ui.searching.value || !store.loaded.value) return null;
  return html`<${Panel} />`;
}

function Panel() {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const root = useRef(/** @type {any} */ (null));
  const index = useMemo(() => computed(() => indexOf(store.topology.value)), []);
  const { hits, more } = useMemo(() => search(index.value, text), [index.value, text]);
  const place = Math.min(at, Math.max(0, hits.length - 1));
  const hit = hits[place];
  const begin = useMemo(() => ({ selection: ui.selection.peek(), chosen: ui.chosen.peek(), focus: /** @type {any} */ (document.activeElement) }), []);

  useEffect(() => {
    actions.view('keep');
    root.current.querySelector('input').focus();
    const abort = new AbortController();
    document.addEventListener('pointerdown', (e) => { if (!root.current.contains(e.target)) end(); }, { signal: abort.signal, capture: true });
    return () => abort.abort();
  }, []);
  useEffect(() => {
    ui.lit.value = new Set(hit ? [hit.id.replace(/^(ns|link):/, '')] : []);
    if (hit) actions.view('show', hit.id);
    root.current.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [hit?.id]);

  function end() {
    ui.searching.value = false;
    ui.lit.value = new Set();
    if (begin.focus?.isConnected) begin.focus.focus({ preventScroll: true });
  }
  function stay(id) {
    actions.view('show', id);
    end();
    actions.select(id);
  }
  function back() {
    end();
    actions.choose([...begin.chosen]);
    actions.view('back');
  }
  const key = (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step && hits.length) setAt((place + step + hits.length) % hits.length);
    else if (e.key === 'Enter' && hit) stay(hit.id);
    else if (e.key === 'Escape') back();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return html`<div class="search" ref=${root} role="search" data-testid="search" onKeyDown=${key}>
    <div class="search-line"><${Icon} name="search" size=${17} />
      <input name="search" type="text" role="combobox" aria-expanded=${hits.length > 0} aria-controls="search-hits" aria-label=${t('search.what')} aria-autocomplete="list"
        aria-activedescendant=${hit ? `hit-${place}` : undefined} placeholder=${t('search.what')} value=${text} autocomplete="off" spellcheck=${false}
        onInput=${(e) => { setText(e.target.value); setAt(0); }} />
      <kbd>Esc</kbd></div>
    ${text.trim() === '' ? html`<p class="hint">${t('search.keys')}</p>` : hits.length === 0 && html`<p class="hint" role="status" data-testid="search-none">${t('search.none')}</p>`}
    <ul id="search-hits" role="listbox" aria-label=${t('search')} hidden=${hits.length === 0}>${hits.map((h, i) => html`<li key=${h.id} id=${`hit-${i}`} role="option" aria-selected=${i === place}
        data-hit=${h.id} onClick=${() => stay(h.id)}>
      <${Icon} name=${icons[h.kind]} size=${15} /><b class="name">${h.title}</b>${h.place && html`<span class="quiet">${h.place}</span>`}
      <span class="space"></span>${h.found ? html`<code>${h.found}</code>` : html`<span class="quiet">${t(h.kind)}</span>`}</li>`)}</ul>
    ${more > 0 && html`<p class="hint" role="status">${t('search.more', { count: more })}</p>`}
  </div>`;
}
