// The ping matrix: which namespaces take part, the grid, and what a cell means.
import { html, useState } from '../lib/preact.js';
import { actions, probes, store, t } from '../context.js';
import { ms, number } from '../core/format.js';
import { cellKey, commandIn, failuresOf, scale, takers } from '../core/matrix.js';
import { MatrixGrid } from './matrix-grid.js';
import { Button, Code } from './parts.js';

export function Matrix() {
  const matrix = probes.matrix.value;
  const all = takers(store.topology.value);
  const [left, setLeft] = useState(/** @type {Set<string>} */ (new Set())); // those left out
  const chosen = all.filter((n) => !left.has(n));
  return html`<div class="matrix-tab" data-testid="matrix">
    <div class="matrix-tools">
      ${matrix?.state === 'running'
        ? html`<${Button} icon="circle-stop" kind="danger" label=${t('ping.stop')} test="matrix-stop" onClick=${probes.stopMatrix} />`
        : html`<${Button} icon="play" kind="primary" label=${t(matrix ? 'matrix.again' : 'matrix.run')} test="matrix-run" disabled=${chosen.length < 2} onClick=${() => probes.fillMatrix(chosen)} />`}
      <${Chooser} all=${all} left=${left} setLeft=${setLeft} />
      ${matrix && html`<${Summary} matrix=${matrix} />`}
      ${matrix && html`<${Scale} />`}
    </div>
    ${all.length < 2 && html`<p class="quiet pad">${t('matrix.few')}</p>`}
    ${matrix ? html`<${Filled} matrix=${matrix} />` : html`<p class="quiet pad">${t('matrix.none')}</p>`}
  </div>`;
}

/** Which namespaces take part. */
function Chooser({ all, left, setLeft }) {
  const turn = (n) => setLeft((old) => {
    const next = new Set(old);
    if (!next.delete(n)) next.add(n);
    return next;
  });
  return html`<details class="chooser"><summary class="button" data-testid="matrix-choose">${t('matrix.choose')} <span class="quiet">${t('matrix.chosen', { count: all.length - all.filter((n) => left.has(n)).length, all: all.length })}</span></summary>
    <div class="chooser-list"><div class="line"><button type="button" class="link" onClick=${() => setLeft(new Set())}>${t('matrix.all')}</button>
      <button type="button" class="link" onClick=${() => setLeft(new Set(all))}>${t('matrix.noneChosen')}</button></div>
      ${all.map((n) => html`<label key=${n}><input type="checkbox" name="matrix-namespace" value=${n} checked=${!left.has(n)} onChange=${() => turn(n)} />${n}</label>`)}</div></details>`;
}

/** @param {{matrix: import('../core/matrix.js').Matrix}} props */
function Summary({ matrix: m }) {
  const pairs = m.summary?.pairs ?? m.names.length * (m.names.length - 1);
  const running = m.state === 'running';
  return html`<p class="matrix-summary" role="status" data-testid="matrix-summary" data-state=${m.state} data-pairs=${pairs} data-reached=${m.reached}>
    ${running ? t('matrix.progress', { done: number(m.count), all: number(pairs) }) : html`<b>${t('matrix.summary', { reached: number(m.reached), pairs: number(pairs) })}</b>`}
    ${m.summary && html` <span class="quiet">${t('matrix.took', { ms: ms(m.summary.duration_ms) })}</span>`}</p>`;
}

const failures = ['silent', 'refused', 'never'];
const glyphs = { silent: '✕', refused: '!', never: '–' };

/** What the colours and signs mean. */
function Scale() {
  return html`<ul class="matrix-legend" aria-label=${t('walk.legend')}>
    ${scale.map((limit, i) => html`<li key=${i}><i class=${`swatch m-grade-${i}`}></i>${t('matrix.legend.upTo', { ms: short(limit) })}</li>`)}
    <li><i class=${`swatch m-grade-${scale.length}`}></i>${t('matrix.legend.over', { ms: short(scale.at(-1)) })}</li>
    ${failures.map((f) => html`<li key=${f}><i class=${`swatch m-${f}`}>${glyphs[f]}</i>${t(`matrix.failure.${f}`)}</li>`)}</ul>`;
}

const short = (limit) => (limit < 1 ? `${Math.round(limit * 1000)} µs` : `${limit} ms`);

/** @param {{matrix: import('../core/matrix.js').Matrix}} props */
function Filled({ matrix: m }) {
  const [at, setAt] = useState({ row: 0, column: Math.min(1, m.names.length - 1) });
  const move = (to) => setAt((old) => (old.row === to.row && old.column === to.column ? old : to));
  const [from, to] = [m.names[at.row], m.names[at.column]];
  const cell = m.cells.get(cellKey(from, to));
  const say = sentence(m, from, to);
  const open = () => {
    if (from === to || !from || !to) return;
    if (cell && !cell.ok) probes.diagnose({ namespace: from, to_namespace: to });
    else actions.ping({ namespace: from, to_namespace: to, count: 5 });
  };
  return html`<div class="matrix-body">
    <${MatrixGrid} matrix=${m} at=${at} move=${move} open=${open} say=${say} />
    <div class="matrix-side">
      ${m.error && html`<p class="ping-error" role="alert">${m.error}${m.hint && html`<span class="hint">${m.hint}</span>`}</p>`}
      <div class="matrix-cell" data-testid="matrix-cell" data-from=${from} data-to=${to} data-ok=${cell?.ok} data-reason=${cell?.reason}>
        <p aria-live="polite">${say}</p>
        ${cell?.address && html`<p class="quiet"><code>${cell.address}</code>${cell.to_link ? ` (${cell.to_link})` : ''}</p>`}
        ${cell && !cell.ok && cell.detail && html`<p class="quiet">${cell.detail}</p>`}
        ${from !== to && cell && html`<div class="sum-tools">
          ${!cell.ok && html`<${Button} icon="circle-question-mark" kind="small" label=${t('why')} test="matrix-why" onClick=${() => probes.diagnose({ namespace: from, to_namespace: to })} />`}
          <${Button} icon="radar" kind="small" label=${t('matrix.pingIt')} test="matrix-ping" onClick=${() => actions.ping({ namespace: from, to_namespace: to, count: 5 })} />
          <${Button} icon="route" kind="small" label=${t('matrix.walkIt')} test="matrix-walk" onClick=${() => actions.ping({ namespace: from, to_namespace: to, count: 1, walk: true })} /></div>`}
      </div>
      <ul class="matrix-failures">${failuresOf(m).map((f) => html`<li key=${f.reason}><button type="button" class="link" data-testid="matrix-failure" data-reason=${f.reason}
        onClick=${() => setAt({ row: m.names.indexOf(f.first.from), column: m.names.indexOf(f.first.to) })}>${number(f.count)} × ${reason(f.reason)}</button></li>`)}</ul>
      ${m.warnings.map((w) => html`<div key=${w} class="warning" data-testid="matrix-warning"><p>${w}</p>${commandIn(w) && html`<${Code} text=${commandIn(w)} label=${t('matrix.copy')} />`}</div>`)}
    </div>
  </div>`;
}

const reason = (code) => {
  const said = t(`reason.${code}`);
  return said === `reason.${code}` ? code : said;
};

/** What a cell says. */
function sentence(m, from, to) {
  if (from === undefined || to === undefined) return t('matrix.hover');
  if (from === to) return t('matrix.cell.self', { from });
  const cell = m.cells.get(cellKey(from, to));
  if (!cell) return t('matrix.cell.waiting', { from, to });
  return cell.ok ? t('matrix.cell.ok', { from, to, ms: ms(cell.rtt_ms) }) : t('matrix.cell.failed', { from, to, why: reason(cell.reason ?? 'timeout') });
}
