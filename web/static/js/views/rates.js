// Counters of a link, and its rates over the last minute.
import { html, useEffect, useRef, useState } from '../lib/preact.js';
import { rates, t, ui } from '../context.js';
import { bits, bytes, number } from '../core/format.js';
import { kept, nothing } from '../core/rates.js';
import { uPlot } from '../lib/uplot.js';

/** @typedef {import('../core/rates.js').History} History */

/** The history of a link's rates, while this is shown. @param {import('../types.js').Link} link @returns {History} */
function useRates(link) {
  const [history, setHistory] = useState(/** @type {any} */ (null));
  useEffect(() => {
    const followed = rates.follow(link);
    setHistory(followed.history);
    return followed.release;
  }, [link.key, link.namespace]);
  return history?.value ?? nothing;
}

/** What is told of each direction: its name, field, whether more than none is bad, how it is written. @type {[string, string, boolean, (n: number) => string][]} */
const rows = [
  ['rates.bits', 'bits_per_second', false, bits], ['rates.perSecond', 'packets_per_second', false, (n) => number(Math.round(n))],
  ['rates.packets', 'packets', false, number], ['rates.bytes', 'bytes', false, bytes], ['rates.errors', 'errors', true, number], ['rates.dropped', 'dropped', true, number],
];

/** @param {{link: import('../types.js').Link}} props */
export function Counters({ link }) {
  const history = useRates(link);
  const cell = (way, [, field, bad, show]) => {
    const n = /** @type {any} */ (history.last)?.[`${way}_${field}`];
    return html`<td class=${bad && n > 0 ? 'bad' : ''} title=${n === undefined ? undefined : number(n)} data-counter=${`${way}_${field}`} data-value=${n}>${n === undefined ? '…' : show(n)}</td>`;
  };
  return html`<div class="counters" data-testid="counters" data-samples=${history.at.length}>
    <${Plot} history=${history} />
    <table><thead><tr><th scope="col"><span class="sr">${t('rates')}</span></th><th scope="col"><i class="key-rx" aria-hidden="true"></i>rx</th>
        <th scope="col"><i class="key-tx" aria-hidden="true"></i>tx</th></tr></thead>
      <tbody>${rows.map((r) => html`<tr key=${r[1]}><th scope="row">${t(r[0])}</th>${cell('rx', r)}${cell('tx', r)}</tr>`)}</tbody></table>
  </div>`;
}

const height = 84;

/** Bits a second of both directions. @param {{history: History}} props */
function Plot({ history }) {
  const box = useRef(/** @type {any} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  useEffect(() => {
    const element = box.current;
    const made = makePlot(element);
    plot.current = made;
    const size = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    size.observe(element);
    return () => {
      size.disconnect();
      made.destroy();
    };
  }, [ui.theme.value]);
  useEffect(() => { plot.current.setData([history.at, history.rx, history.tx]); }, [history, ui.theme.value]);
  const top = Math.max(0, ...history.rx.map(Number), ...history.tx.map(Number));
  return html`<div class="rates" ref=${box} role="img" aria-label=${t('rates.plot', { top: bits(top) })}></div>`;
}

/** 1, 2 or 5 and zeros, from 1000 on: a quiet link is a line at the bottom. @param {number | null} max */
function roundUp(max) {
  const v = Math.max(1000, max ?? 0);
  const ten = 10 ** Math.floor(Math.log10(v));
  return ten * ([1, 2, 5].find((x) => x * ten >= v) ?? 10);
}

function makePlot(box) {
  const colour = (name) => getComputedStyle(box).getPropertyValue(name);
  const font = `10px ${colour('--mono')}`;
  const series = (label, stroke, dash) => ({ label, stroke, width: 1.5, dash, points: { show: false } });
  const axis = { stroke: colour('--soft'), font, grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  return new uPlot({
    width: box.clientWidth, height,
    cursor: { show: false }, legend: { show: false }, padding: [7, 0, 7, 0],
    scales: {
      // The last minute up to now; nothing at all is a line at the bottom.
      x: { time: true, range: (_u, _min, max) => { const end = max ?? Date.now() / 1000; return [end - kept + 1, end]; } },
      y: { range: (_u, _min, max) => [0, roundUp(max)] },
    },
    axes: [
      { show: false },
      { ...axis, side: 1, size: 72, gap: 5, splits: (_u, _i, _min, max) => [0, max / 2, max], values: (_u, list) => list.map((v, i) => (i === 1 ? '' : bits(v))) },
    ],
    series: [{}, series('rx', colour('--accent'), undefined), series('tx', colour('--up'), [5, 3])],
  }, [[], [], []], box);
}

const [wide, high] = [64, 18];

/** The rates of a link in a row: both directions together. @param {{link: import('../types.js').Link}} props */
export function Spark({ link }) {
  const h = useRates(link);
  const sum = h.rx.map((v, i) => (v === null ? null : v + Number(h.tx[i])));
  const now = sum.at(-1);
  const top = Math.max(1000, ...sum.map(Number));
  const end = h.at.at(-1) ?? 0;
  let path = '';
  sum.forEach((v, i) => {
    if (v === null) return;
    const x = wide - (end - h.at[i]) * (wide / (kept - 1));
    path += `${path === '' || sum[i - 1] === null ? 'M' : 'L'}${x.toFixed(1)} ${(high - 1 - (v / top) * (high - 3)).toFixed(1)}`;
  });
  const title = now === undefined || now === null ? t('rates.waiting') : bits(now);
  return html`<span class="spark" data-spark=${link.name} data-rate=${now ?? ''} title=${title}><svg width=${wide} height=${high} aria-hidden="true"><path class="ground" d=${`M0 ${high - 1}H${wide}`} /><path d=${path} /></svg>
    <span class="number">${now === undefined || now === null ? '' : bits(now)}</span></span>`;
}
