// Numbers and times as text. Pure.

/** Seconds as "4s", "2m 05s", "3h 12m". @param {number} seconds */
export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, '0')}s`;
  return `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')}m`;
}

/** Milliseconds with three digits that matter. @param {number | undefined} value */
export function ms(value) {
  if (value === undefined || value === null) return '';
  return (value < 10 ? value.toFixed(3) : value < 100 ? value.toFixed(2) : value.toFixed(1)) + ' ms';
}

/** Local time of day. @param {string | number | Date} at */
export function clock(at) {
  const d = new Date(at);
  const two = (n) => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** @param {number} share 0 to 1 */
export const percent = (share) => `${Math.round(share * 1000) / 10} %`;

/** Cuts in the middle of nowhere but says so. */
export const cut = (text, length) => (text.length > length ? text.slice(0, length - 1) + '…' : text);

/** One line of the event log. @param {import('../types.js').TopologyEvent} e */
export function describe(e) {
  if (e.namespace) return e.namespace.name;
  if (e.link) {
    const l = e.link;
    const up = l.oper_state === 'up' || l.oper_state === 'unknown' ? 'up' : `up, oper. state ${l.oper_state}`;
    const state = l.sync === 'missing' ? 'missing' : l.admin_up ? up : 'down';
    return `${l.namespace}/${l.name} ${e.type === 'link.removed' ? '' : state}${l.master && e.type !== 'link.removed' ? `, port of ${l.master}` : ''}`.trim();
  }
  if (e.address) return `${e.address.namespace}/${e.address.link} ${e.address.cidr}`;
  if (e.route) {
    const r = e.route;
    return `${r.namespace} ${r.destination}${r.gateway ? ` via ${r.gateway}` : ''}${r.link ? ` dev ${r.link}` : ''}`;
  }
  if (e.neighbour) {
    const n = e.neighbour;
    return `${n.namespace}/${n.link} ${n.address} ${n.mac ?? ''} ${n.state}`;
  }
  if (e.fdb) return `${e.fdb.namespace}/${e.fdb.bridge} ${e.fdb.mac} on ${e.fdb.port} ${e.fdb.state}`;
  if (e.drift) {
    const list = e.drift.differences ?? [];
    return `${e.drift.namespace}: ${list.length ? list.map((d) => [d.subject, d.field].filter(Boolean).join(' ')).join(', ') : 'as intended'}`;
  }
  if (e.operation) return `#${e.operation.id} ${e.operation.request}${e.operation.error ? `: ${e.operation.error}` : ''}`;
  return '';
}
