// The MAC table of a bridge, live: rows come with fdb events, ages are read
// from the kernel every few seconds and count on in between.
import { html, useEffect, useRef, useState } from '../lib/preact.js';
import { actions, api, store, t, ui } from '../context.js';
import { commands } from '../core/api.js';
import { age } from '../core/format.js';
import { ageOf, matches, readAges, rowKey, sortRows } from '../core/mactable.js';
import { Button, Section, Sync } from './parts.js';

const readEvery = 5000;
const fadeTime = 1200;

/** @param {{namespace: import('../types.js').NamespaceState, bridge: import('../types.js').Link}} props */
export function MacTable({ namespace, bridge }) {
  const [filter, setFilter] = useState('');
  const [local, setLocal] = useState(false);
  const entries = namespace.fdb.filter((e) => e.bridge === bridge.name);
  const ages = useAges(bridge, entries);
  const { fresh, gone } = useChanges(bridge, entries);
  const all = sortRows([...entries, ...gone]);
  const rows = all.filter((e) => (local || e.state !== 'local') && matches(e, filter));
  const hidden = all.filter((e) => e.state === 'local').length;
  const edit = bridge.managed && bridge.sync !== 'missing';
  const place = { namespace: bridge.namespace, bridge: bridge.name };
  const flush = async () => {
    try {
      const { flushed } = await api.run(commands.flushFDB(place.namespace, place.bridge));
      actions.toast('done', t('mac.flushed', { count: flushed }));
    } catch (error) {
      actions.fail(error);
    }
  };
  const tools = edit && html`
    <${Button} icon="plus" title=${t('mac.add')} test="mac-add" onClick=${() => actions.open('fdb', place)} />
    <${Button} icon="eraser" title=${t('mac.flush')} test="mac-flush" onClick=${flush} />`;
  return html`<${Section} title=${t('mac.table')} count=${entries.length - entries.filter((e) => e.state === 'local').length} tools=${tools} test="mac-table">
    <div class="mac-tools">
      <input type="search" name="mac-filter" placeholder=${t('filter')} aria-label=${t('mac.filter')} value=${filter} onInput=${(e) => setFilter(e.target.value)} />
      <label><input type="checkbox" name="mac-local" checked=${local} onChange=${(e) => setLocal(e.target.checked)} />${t('mac.showLocal', { count: hidden })}</label>
    </div>
    ${rows.length === 0 ? html`<p class="quiet pad">${t(filter ? 'mac.noMatch' : 'mac.none')}</p>` : html`
    <table class="mac-table">
      <thead><tr><th>MAC</th><th>${t('mac.port')}</th><th>${t('mac.owner')}</th><th class="right">${t('mac.age')}</th><th></th></tr></thead>
      <tbody>${rows.map((e) => html`<${MacRow} key=${rowKey(e)} entry=${e} age=${ages(e)} edit=${edit} place=${place}
        mark=${gone.includes(e) ? 'gone' : fresh.has(rowKey(e)) ? 'fresh' : ''} />`)}</tbody>
    </table>`}
  <//>`;
}

function MacRow({ entry: e, age: seconds, edit, place, mark }) {
  const light = (on) => {
    const refs = [`${e.namespace}/${e.port}`];
    if (e.owner) refs.push(`${e.owner.namespace}/${e.owner.name}`);
    ui.lit.value = new Set(on ? refs : []);
  };
  const owner = e.owner ? `${e.owner.namespace}/${e.owner.name}` : '';
  const remove = () => actions.run(commands.deleteFDB(place.namespace, place.bridge, e));
  return html`<tr class=${mark} data-mac=${e.mac} data-port=${e.port} data-state=${e.state} onMouseEnter=${() => light(true)} onMouseLeave=${() => light(false)}>
    <td><code>${e.mac}</code>${e.vlan ? html`<span class="quiet"> ${e.vlan}</span>` : ''}</td>
    <td><button type="button" class="link" onClick=${() => actions.select(`link:${e.namespace}/${e.port}`)}
      onFocus=${() => light(true)} onBlur=${() => light(false)}>${e.port}</button></td>
    <td>${owner ? html`<button type="button" class="link" onClick=${() => actions.select(`link:${owner}`)}>${owner}</button>` : html`<span class="quiet">${t('mac.unknown')}</span>`}</td>
    <td class="right number">${ageCell(e, seconds)}</td>
    <td class="right">${edit && e.state === 'static' && mark !== 'gone' && html`<${Button} icon="x" title=${t('mac.delete')} onClick=${remove} />`}</td>
  </tr>`;
}

/** What stands in the column of ages: one that ages its age, another how it stands. */
function ageCell(e, seconds) {
  if (e.state === 'learned') return seconds === null ? '…' : age(seconds);
  if (e.sync === 'missing' || e.sync === 'drifted') return html`<${Sync} sync=${e.sync} />`;
  return html`<span class="pill">${t(`mac.${e.state}`)}</span>`;
}

/** Age of each entry in seconds, one tick a second. */
function useAges(bridge, entries) {
  const [seen, setSeen] = useState(/** @type {Map<string, number>} */ (new Map()));
  const [, tick] = useState(0);
  const keys = entries.filter((e) => e.state === 'learned').map(rowKey).sort().join();
  useEffect(() => {
    const abort = new AbortController();
    const read = async () => {
      if (document.visibilityState === 'hidden' || store.stale.value) return;
      try {
        const list = await api.fdb(bridge.namespace, bridge.name, abort.signal);
        setSeen((old) => readAges(old, list, Date.now()));
      } catch {
        // The events go on, and so does the counting; the next reading mends it.
      }
    };
    read();
    const reading = setInterval(read, readEvery);
    const ticking = setInterval(() => tick((n) => n + 1), 1000);
    return () => {
      abort.abort();
      clearInterval(reading);
      clearInterval(ticking);
    };
    // Learned entries that come or go are read at once.
  }, [bridge.key, keys]);
  return (e) => ageOf(seen, e, Date.now());
}

/** Which rows are new since the table was opened, and which just went. */
function useChanges(bridge, entries) {
  const before = useRef(/** @type {any} */ (null));
  const [fresh, setFresh] = useState(/** @type {Set<string>} */ (new Set()));
  const [gone, setGone] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    const old = before.current;
    before.current = new Map(entries.map((e) => [rowKey(e), e]));
    if (!old) return;
    const added = [...before.current.keys()].filter((k) => !old.has(k));
    const lost = [...old].filter(([k]) => !before.current.has(k)).map(([, e]) => e);
    if (added.length) {
      setFresh((x) => new Set([...x, ...added]));
      setGone((list) => list.filter((e) => !before.current.has(rowKey(e))));
      setTimeout(() => setFresh((x) => new Set([...x].filter((k) => !added.includes(k)))), 2 * fadeTime);
    }
    if (lost.length) {
      setGone((x) => [...x, ...lost]);
      setTimeout(() => setGone((x) => x.filter((e) => !lost.includes(e))), fadeTime);
    }
  }, [namespaceKey(entries), bridge.key]);
  return { fresh, gone: gone.filter((e) => !entries.some((x) => rowKey(x) === rowKey(e))) };
}

const namespaceKey = (entries) => entries.map(rowKey).sort().join();
