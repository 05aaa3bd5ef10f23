// Numbers, times and events as text, in the page's language. No DOM.
import { languageTag, t } from '../i18n.js';

/** Making a formatter costs more than using it: one of each kind per language is kept. @type {Map<string, any>} */
const made = new Map();

/** @template T @param {string} kind @param {(tag: string) => T} make @returns {T} */
function formatter(kind, make) {
  const tag = languageTag();
  const key = `${kind} ${tag}`;
  if (!made.has(key)) made.set(key, make(tag));
  return made.get(key);
}

const fixed = (digits) => formatter(`fixed${digits}`, (tag) =>
  new Intl.NumberFormat(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits }));

/** A count, grouped as the language does. @param {number} n */
export const number = (n) => formatter('number', (tag) => new Intl.NumberFormat(tag)).format(n);

/** Seconds as "4s", "2m 05s", "3h 12m". @param {number} seconds */
export function age(seconds) {
  const all = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, '0');
  if (all < 60) return t('age.seconds', { s: all });
  if (all < 3600) return t('age.minutes', { m: Math.floor(all / 60), s: two(all % 60) });
  return t('age.hours', { h: Math.floor(all / 3600), m: two(Math.floor((all % 3600) / 60)) });
}

/** Milliseconds with three digits that matter. @param {number | undefined} value */
export function ms(value) {
  if (value === undefined || value === null) return '';
  return fixed(value < 10 ? 3 : value < 100 ? 2 : 1).format(value) + ' ms';
}

const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];

/** Three digits that matter, with the unit's prefix. */
function scaled(value, unit) {
  let i = 0;
  let v = value;
  for (; v >= 999.5 && i < prefixes.length - 1; i++) v /= 1000;
  const digits = Number.isInteger(v) || i === 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
  return `${fixed(digits).format(v)} ${prefixes[i]}${unit}`;
}

/** "1.25 Mbit/s" @param {number} value bits a second */
export const bits = (value) => scaled(value, 'bit/s');

/** "1.25 MB", in thousands. @param {number} value */
export const bytes = (value) => scaled(value, 'B');

/** Local time of day, with the date if that is another than today's. @param {string} at @param {Date} [now] */
export function moment(at, now = new Date()) {
  const d = new Date(at);
  if (d.toDateString() === now.toDateString()) return clock(d);
  const year = d.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return formatter(`moment ${year}`, (tag) => new Intl.DateTimeFormat(tag,
    { year, month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })).format(d);
}

/** Microseconds. @param {number} value */
export const us = (value) => fixed(1).format(value) + ' µs';

/** Local time of day. @param {string | number | Date} at */
export const clock = (at) => formatter('clock', (tag) =>
  new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })).format(new Date(at));

/** @param {number} share 0 to 1 */
export const percent = (share) => formatter('percent', (tag) =>
  new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 1 })).format(share);

/** Cuts in the middle of nowhere but says so. */
export const cut = (text, length) => (text.length > length ? text.slice(0, length - 1) + '…' : text);

/** One line of the event log. @param {import('../types.js').TopologyEvent} e */
export function describe(e) {
  if (e.namespace) return e.namespace.name;
  if (e.link) return describeLink(e.link, e.type === 'link.removed');
  if (e.address) return `${e.address.namespace}/${e.address.link} ${e.address.cidr}`;
  if (e.route) {
    const r = e.route;
    let text = `${r.namespace} ${r.destination}`;
    if (r.gateway) text = t('event.route.via', { text, gateway: r.gateway });
    return r.link ? t('event.route.dev', { text, link: r.link }) : text;
  }
  if (e.neighbour) {
    const n = e.neighbour;
    return `${n.namespace}/${n.link} ${n.address} ${n.mac ?? ''} ${n.state}`;
  }
  if (e.fdb) {
    const text = t('event.fdb', { ...e.fdb, bridge: `${e.fdb.namespace}/${e.fdb.bridge}` });
    return e.reason ? t('event.fdb.reason', { text, reason: t(`mac.mark.${e.reason}`) }) : text;
  }
  if (e.drift) {
    const list = (e.drift.differences ?? []).map((d) => [d.subject, d.field].filter(Boolean).join(' ')).join(', ');
    return t('event.drift', { namespace: e.drift.namespace, list: list || t('event.asIntended') });
  }
  if (e.operation) {
    const what = `#${e.operation.id} ${e.operation.request}`;
    return e.operation.error ? t('event.failed', { what, error: e.operation.error }) : what;
  }
  return '';
}

/** @param {import('../types.js').Link} l @param {boolean} removed */
function describeLink(l, removed) {
  const ref = `${l.namespace}/${l.name}`;
  if (removed) return ref;
  const up = l.oper_state === 'up' || l.oper_state === 'unknown' ? t('state.up') : t('event.operState', { state: l.oper_state });
  const text = `${ref} ${l.sync === 'missing' ? t('state.missing') : l.admin_up ? up : t('state.down')}`;
  return l.master ? t('event.portOf', { text, bridge: l.master }) : text;
}
