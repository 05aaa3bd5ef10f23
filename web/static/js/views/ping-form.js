// The form of a ping: from a namespace to a namespace or an address, and how.
import { html, useEffect, useState } from '../lib/preact.js';
import { actions, probes, store, t, ui } from '../context.js';
import { pingable } from '../core/lookup.js';
import { requestOf, walkAtMost } from '../core/ping.js';
import { Button, Icon } from './parts.js';

/** Source and target, shared with the form of a diagnosis: what was asked last is there again. */
const last = { from: '', to: '' };

/** @param {{picked?: string | null}} [o] */
function useEnds({ picked } = {}) {
  const spaces = store.topology.value.namespaces.filter((n) => n.sync !== 'missing');
  const [values, setValues] = useState({ ...last, from: last.from || (ui.selection.peek()?.replace(/^(ns|link):/, '').split('/')[0] ?? '') });
  useEffect(() => { if (picked) setValues((v) => ({ ...v, from: picked })); }, [picked]);
  const from = spaces.some((n) => n.name === values.from) ? values.from : (spaces.find((n) => n.name !== 'host') ?? spaces[0])?.name ?? '';
  const set = (name) => (e) => {
    last[name] = e.target.value;
    setValues((v) => ({ ...v, from, [name]: e.target.value }));
  };
  return { spaces, from, to: values.to, set, isNamespace: spaces.some((n) => n.name === values.to.trim()) };
}

function Ends({ ends, list }) {
  const { spaces, from, to, set } = ends;
  return html`<label>${t('ping.source')}<select name="from" value=${from} onChange=${set('from')}>
      ${spaces.map((n) => html`<option key=${n.name} value=${n.name} selected=${n.name === from}>${n.name}</option>`)}</select></label>
    <label>${t('ping.target')}<input name="to" list=${list} value=${to} placeholder=${t('ping.targetHint')} onInput=${set('to')} autocomplete="off" spellcheck=${false} /></label>
    <datalist id=${list}>${spaces.filter((n) => n.name !== from).flatMap((n) => [html`<option key=${n.name} value=${n.name} />`,
      ...pingable(n).map((a) => html`<option key=${n.name + a} value=${a}>${n.name}</option>`)])}</datalist>`;
}

/** Asks for a ping. */
export function PingForm() {
  const ends = useEnds({ picked: ui.picking.value });
  const [how, setHow] = useState({ count: ui.tracing.peek() ? '1' : '5', interval: '', size: '', ttl: '', link: '' });
  const [more, setMore] = useState(false);
  const walk = ui.tracing.value;
  const links = (ends.spaces.find((n) => n.name === ends.from)?.links ?? []).filter((l) => l.sync !== 'missing' && !l.master);
  const put = (name) => (e) => setHow((v) => ({ ...v, [name]: e.target.value }));
  const link = links.some((l) => l.name === how.link) ? how.link : '';
  const request = () => requestOf({ ...(more ? { ...how, link } : { count: how.count }), from: ends.from, to: ends.to, walk, count: walk ? Math.min(walkAtMost, Number(how.count) || 1) : how.count || 5 }, ends.isNamespace);
  const send = (e) => {
    e.preventDefault();
    if (ends.to.trim()) actions.ping(request());
  };
  const trace = (e) => {
    ui.tracing.value = e.target.checked;
    if (e.target.checked) setHow((v) => ({ ...v, count: '1' }));
  };
  const ready = Boolean(ends.to.trim());
  return html`<form class="ask" onSubmit=${send} data-testid="ping-form">
    <${Ends} ends=${ends} list="ping-targets" />
    <label class="narrow">${t('ping.count')}<input name="count" type="number" min="1" max=${walk ? walkAtMost : 100} value=${how.count} onInput=${put('count')} /></label>
    <button type="submit" class="button primary" data-testid="ping-start" disabled=${!ready}><${Icon} name="radar" /><span>${t('ping')}</span></button>
    <label class="trace" title=${t('ping.trace.why')}><input type="checkbox" name="walk" checked=${walk} onChange=${trace} data-testid="ping-trace" />${t('ping.trace')}</label>
    <button type="button" class="link more-ping" aria-expanded=${more} data-testid="ping-more" onClick=${() => setMore(!more)}><${Icon} name=${more ? 'chevron-down' : 'chevron-right'} size=${14} />${t('ping.more')}</button>
    ${more && html`<div class="ask-more">
      <label>${t('ping.interval')}<input name="interval" type="number" min="10" max="10000" placeholder="200" value=${how.interval} onInput=${put('interval')} /></label>
      <label>${t('ping.size')}<input name="size" type="number" min="1" max="65000" placeholder="56" value=${how.size} onInput=${put('size')} /></label>
      <label>${t('ping.ttl')}<input name="ttl" type="number" min="1" max="255" placeholder="64" value=${how.ttl} onInput=${put('ttl')} /></label>
      <label>${t('ping.link')}<select name="link" value=${link} onChange=${put('link')}><option value="">${t('ping.anyLink')}</option>
        ${links.map((l) => html`<option key=${l.name} value=${l.name} selected=${l.name === link}>${l.name}</option>`)}</select></label>
    </div>`}
    <${Button} icon="circle-question-mark" kind="why-button" label=${t('why')} test="ping-why" disabled=${!ready} onClick=${() => probes.diagnose(request())} />
  </form>`;
}

/** Asks for a diagnosis. */
export function WhyForm() {
  const ends = useEnds();
  const send = (e) => {
    e.preventDefault();
    if (ends.to.trim()) probes.diagnose(requestOf({ from: ends.from, to: ends.to }, ends.isNamespace));
  };
  return html`<form class="ask" onSubmit=${send} data-testid="why-form"><${Ends} ends=${ends} list="why-targets" />
    <button type="submit" class="button primary" data-testid="why-start" disabled=${!ends.to.trim()}><${Icon} name="search" /><span>${t('why.look')}</span></button></form>`;
}
