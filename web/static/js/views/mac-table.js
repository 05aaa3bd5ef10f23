// The MAC table of a bridge, live: rows come with fdb events, ages are read
// from the kernel every few seconds and count on in between.
import { html, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useSignal, useState } from '../lib/preact.js';
import { actions, api, seen, store, t, ui } from '../context.js';
import { commands } from '../core/api.js';
import { firstAddress, linksByRef, peerOf, portsOf } from '../core/lookup.js';
import { ageOf, followTable, isMulticast, macOf, matches, note, ownerOf, readAges, rowsOf, toCSV } from '../core/mactable.js';
import { floodPorts, wayOf } from '../core/way.js';
import { save } from './download.js';
import { columns, MacRow, MacWhy } from './mac-row.js';
import { Button, Section } from './parts.js';

const readEvery = 5000;
const shownAtFirst = 100;
const namedAtMost = 8; // ports, in a sentence

/** @param {{namespace: import('../types.js').NamespaceState, bridge: import('../types.js').Link}} props */
export function MacTable({ namespace, bridge }) {
  const [filter, setFilter] = useState('');
  const [local, setLocal] = useState(false);
  const [whole, setWhole] = useState(false);
  const topology = seen.topology.value;
  const entries = useMemo(() => namespace.fdb.filter((e) => e.bridge === bridge.name), [namespace.fdb, bridge.name]);
  const links = useMemo(() => linksByRef(topology), [topology]);
  const { ages, clock, marks, round } = useTable(bridge, entries);
  const ownerLink = (e) => links.get(ownerOf(e));
  const address = (e) => { const l = ownerLink(e); return l ? firstAddress(l) : ''; };
  const all = useMemo(() => rowsOf(entries, marks), [entries, marks, round]);
  const rows = all.filter((r) => (local || r.entry.state !== 'local') && matches(r.entry, filter, filter && address(r.entry)));
  const shown = whole ? rows : rows.slice(0, shownAtFirst);
  const { chosen, choose, light } = useLight(all);
  const body = useSlide(shown);
  const hidden = entries.filter((e) => e.state === 'local').length;
  const edit = bridge.managed && bridge.sync !== 'missing';
  const ageing = bridge.bridge?.ageing_seconds;
  const place = { namespace: bridge.namespace, bridge: bridge.name };
  const flush = async () => {
    try {
      const { flushed } = await api.run(commands.flushFDB(place.namespace, place.bridge));
      actions.toast('done', t('mac.flushed', { count: flushed }));
    } catch (error) {
      actions.fail(error);
    }
  };
  const csv = () => save(`${place.namespace}-${place.bridge}-macs.csv`, toCSV(rows.filter((r) => !r.gone).map((r) => r.entry), { ages, ageing, links }), 'text/csv');
  const tools = html`<${Button} icon="file-spreadsheet" title=${t('mac.csv')} test="mac-csv" disabled=${rows.length === 0} onClick=${csv} />
    ${edit && html`<${Button} icon="plus" title=${t('mac.add')} test="mac-add" onClick=${() => actions.open('fdb', place)} />
    <${Button} icon="eraser" title=${t('mac.flush')} test="mac-flush" onClick=${flush} />`}`;
  return html`<${Section} title=${t('mac.table')} count=${entries.length - hidden} tools=${tools} test="mac-table">
    <div class="mac-tools">
      <input type="search" name="mac-filter" placeholder=${t('filter')} aria-label=${t('mac.filter')} value=${filter} onInput=${(e) => setFilter(e.target.value)} />
      <label><input type="checkbox" name="mac-local" checked=${local} onChange=${(e) => setLocal(e.target.checked)} />${t('mac.showLocal', { count: hidden })}</label>
    </div>
    ${rows.length > 0 && html`<table class="mac-table">
      <thead><tr><th scope="col">MAC</th><th scope="col">${t('mac.port')}</th><th scope="col">${t('mac.owner')}</th><th scope="col" class="right">${t('mac.age')}</th><td></td></tr></thead>
      <tbody ref=${body}>${shown.map((r) => html`<${MacRow} key=${r.key} row=${r} owner=${ownerLink(r.entry)} edit=${edit} chosen=${chosen === r.key}
          choose=${choose} light=${light} clock=${clock} ages=${ages} ageing=${ageing} />
        ${chosen === r.key && html`<${MacWhy} key=${`${r.key} why`} row=${r} clock=${clock} ages=${ages} ageing=${ageing} />`}`)}
        ${rows.length > shown.length && html`<tr class="mac-more"><td colspan=${columns}>${t('mac.ofThemShown', { shown: shown.length, count: rows.length })}
          <button type="button" class="link" data-testid="mac-all" onClick=${() => setWhole(true)}>${t('mac.showAll')}</button></td></tr>`}</tbody>
    </table>`}
    ${rows.length === 0 && (filter ? html`<${NoMatch} text=${filter} bridge=${bridge} />` : html`<${Nothing} namespace=${namespace} bridge=${bridge} />`)}
    ${rows.length > 0 && html`<p class="hint pad" data-testid="mac-flood">${ageing === 0 ? t('mac.noAgeing', { bridge: bridge.name }) : flooded('mac.flood', bridge)}</p>`}
  <//>`;
}

/** A sentence with the ports a frame is flooded to. */
function flooded(key, bridge, values = {}) {
  const ports = floodPorts(seen.topology.value, bridge.namespace, bridge.name);
  if (ports.length === 0) return t('mac.noPorts');
  const more = ports.length - namedAtMost;
  const list = ports.slice(0, namedAtMost).join(', ') + (more > 0 ? ` ${t('operations.more', { count: more })}` : '');
  return t(key, { ...values, bridge: bridge.name, list });
}

/** Nothing matches: if it was a MAC that was asked for, that too is an answer. */
function NoMatch({ text, bridge }) {
  const mac = macOf(text);
  if (!mac) return html`<p class="quiet pad">${t('mac.noMatch')}</p>`;
  return html`<p class="pad" data-testid="mac-unknown">${flooded(isMulticast(mac) ? 'mac.multicast' : 'mac.unknownTo', bridge, { mac })}</p>`;
}

/** An empty table says what would fill it. */
function Nothing({ namespace, bridge }) {
  const ports = portsOf(namespace, bridge.name);
  const member = ports.map((p) => peerOf(seen.topology.value, p)).find((p) => p && firstAddress(p));
  return html`<div class="pad mac-empty" data-testid="mac-empty"><p>${ports.length === 0 ? t('mac.emptyPorts')
      : bridge.bridge?.ageing_seconds === 0 ? t('mac.noAgeing', { bridge: bridge.name }) : t('mac.empty')}</p>
    ${member && html`<${Button} icon="radar" kind="small" label=${t('mac.emptyPing', { namespace: member.namespace })} onClick=${() => actions.pingFrom(member.namespace)} />`}</div>`;
}

/**
 * Ages by a clock that ticks once a second, and what has just happened to each
 * entry: each event changes an entry, too, which has the rows made anew.
 */
function useTable(bridge, entries) {
  const sightings = useRef(/** @type {Map<string, number>} */ (new Map()));
  const clock = useSignal(0);
  const [round, setRound] = useState(0);
  const table = useMemo(() => followTable(bridge.namespace, bridge.name, entries), [bridge.key, bridge.name]);
  const ages = useCallback((e) => ageOf(sightings.current, e, Date.now()), []);
  useEffect(() => {
    const abort = new AbortController();
    const read = async () => {
      if (document.visibilityState === 'hidden' || store.stale.value) return;
      try {
        const list = await api.fdb(bridge.namespace, bridge.name, abort.signal);
        sightings.current = readAges(list, Date.now());
        clock.value++;
      } catch {
        // The events go on, and so does the counting; the next reading mends it.
      }
    };
    read();
    const reading = setInterval(read, readEvery);
    const ticking = setInterval(() => {
      clock.value++;
      if (table.sweep(Date.now())) setRound((n) => n + 1);
    }, 1000);
    store.onEvent((e) => {
      if (!table.take(e, Date.now()) || !e.fdb) return;
      // Whoever was learned or has moved was seen just now.
      if (e.type !== 'fdb.changed') note(sightings.current, e.fdb, 0, Date.now());
    }, abort.signal);
    return () => {
      abort.abort();
      clearInterval(reading);
      clearInterval(ticking);
    };
  }, [bridge.key, table]);
  return { ages, clock, marks: table.marks, round };
}

/** Lights the way to a row's owner: of the one under the pointer, else of the one chosen. */
function useLight(all) {
  const [chosen, setChosen] = useState(/** @type {string | null} */ (null));
  const now = useRef(/** @type {any} */ ({}));
  now.current = { all, chosen };
  const light = useCallback((key) => {
    const wanted = key ?? now.current.chosen;
    const row = now.current.all.find((r) => r.key === wanted);
    ui.lit.value = new Set(row && !row.gone ? wayOf(store.topology.peek(), row.entry).refs : []);
  }, []);
  const choose = useCallback((key) => setChosen((old) => (old === key ? null : key)), []);
  const row = all.find((r) => r.key === chosen);
  useEffect(() => {
    if (chosen) light(chosen);
    return () => { if (chosen) ui.lit.value = new Set(); };
  }, [chosen, row?.entry, row?.gone]);
  return { chosen, choose, light };
}

/** Has a row that moved to another place slide there, unless that is unwelcome. */
function useSlide(shown) {
  const body = useRef(/** @type {any} */ (null));
  const tops = useRef(/** @type {Map<string, number>} */ (new Map()));
  const slid = useRef(/** @type {WeakSet<any>} */ (new WeakSet()));
  useLayoutEffect(() => {
    const before = tops.current;
    tops.current = new Map();
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const moved = new Map(shown.filter((r) => r.mark?.kind === 'moved').map((r) => [r.key, r.mark]));
    for (const tr of body.current?.children ?? []) {
      const key = tr.dataset.rowKey;
      if (!key) continue;
      tops.current.set(key, tr.offsetTop);
      const mark = moved.get(key);
      const by = (before.get(key) ?? tr.offsetTop) - tr.offsetTop;
      if (!mark || calm || by === 0 || slid.current.has(mark)) continue;
      slid.current.add(mark);
      tr.animate([{ transform: `translateY(${by}px)` }, { transform: 'none' }], { duration: 700, easing: 'cubic-bezier(.3, .9, .3, 1)' });
    }
  }, [shown.map((r) => r.key).join(), shown.filter((r) => r.mark).length]);
  return body;
}
