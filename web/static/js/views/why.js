// Why not?: the checks in order, the first broken one first, and its mend.
import { html, useEffect, useRef, useState } from '../lib/preact.js';
import { actions, probes, t } from '../context.js';
import { countsOf, evidenceText, firstBroken, selectionOf } from '../core/diagnosis.js';
import { findingText, said, summaryText } from '../core/findings.js';
import { Button, Code, Icon } from './parts.js';
import { WhyForm } from './ping-form.js';

export function Why() {
  const inquiry = probes.inquiry.value;
  return html`<div class="why-tab" data-testid="why">
    <${WhyForm} />
    ${inquiry ? html`<${Found} inquiry=${inquiry} />` : html`<p class="quiet pad">${t('why.none')}</p>`}
  </div>`;
}

const route = (r) => `${r.namespace} → ${r.to_namespace ?? r.address}`;

/** @param {{inquiry: import('../core/diagnosis.js').Inquiry}} props */
function Found({ inquiry }) {
  const { diagnosis: d, request, state } = inquiry;
  const busy = state === 'running' || state === 'mending';
  return html`<div class="found" data-testid="diagnosis" data-state=${state} data-reachable=${d ? d.reachable : undefined} aria-busy=${busy}>
    <div class="sum">
      <h3>${route(request)}${d && request.to_namespace ? html` <code class="quiet">${d.address}</code>` : ''}</h3>
      <span role="status">${busy ? html`<span class="quiet">${t(state === 'mending' ? 'why.mending' : 'why.running')}</span>`
        : d && html`<span class=${`pill ${d.reachable ? 'o-committed' : 'o-failed'}`}>${t(d.reachable ? 'why.reachable' : 'why.notReachable')}</span>`}</span>
      <div class="sum-tools"><${Button} icon="refresh-cw" label=${t('why.again')} test="why-again" disabled=${busy} onClick=${() => probes.diagnose(request)} />
        <${Button} icon="x" title=${t('why.forget')} onClick=${probes.forget} test="why-forget" /></div>
    </div>
    <div class="checks-body">
      ${inquiry.mended.map((x, i) => html`<p key=${i} class="mended" data-testid="mended"><${Icon} name="check" size=${14} /> ${t('why.mended', { what: said(x, x.description) })}</p>`)}
      ${inquiry.error && html`<p class="ping-error" role="alert">${inquiry.error}${inquiry.hint && html`<span class="hint">${inquiry.hint}</span>`}</p>`}
      ${d && html`<${Checks} key=${inquiry.id} diagnosis=${d} busy=${busy} />`}
    </div>
  </div>`;
}

/** @param {{diagnosis: import('../types.js').Diagnosis, busy: boolean}} props */
function Checks({ diagnosis: d, busy }) {
  const first = firstBroken(d);
  const count = countsOf(d);
  return html`
    <p class=${`why-summary ${first >= 0 ? 'bad' : ''}`} data-testid="why-summary">${summaryText(d)}</p>
    ${first < 0 && !d.reachable && html`<p class="quiet">${t(count.unknown ? 'why.noCause' : 'why.noCauseAll')}</p>`}
    <p class="quiet small">${t('why.checks')}: ${t('why.counts', count)}</p>
    <ol class="checks">${d.checks.map((c, i) => html`${c.way && c.way !== d.checks[i - 1]?.way && html`<li key=${`way ${i}`} class="way-title">${t(`why.${c.way}`)}</li>`}<${CheckRow} key=${i} check=${c} first=${i === first} busy=${busy} />`)}</ol>`;
}

const icons = { ok: 'check', broken: 'x', warning: 'triangle-alert', unknown: 'circle-question-mark' };

/** @param {{check: import('../types.js').Check, first: boolean, busy: boolean}} props */
function CheckRow({ check: c, first, busy }) {
  const row = useRef(/** @type {any} */ (null));
  const [open, setOpen] = useState(first);
  useEffect(() => { if (first) row.current?.scrollIntoView({ block: 'nearest' }); }, []);
  const evidence = evidenceText(c.evidence);
  return html`<li ref=${row} class=${`check c-${c.status} ${first ? 'first' : ''}`} data-testid="check" data-check=${c.check} data-status=${c.status} data-subject=${c.subject} data-first=${first}>
    <span class="check-sign" title=${t(`why.status.${c.status}`)}><${Icon} name=${icons[c.status]} size=${15} /><span class="sr">${t(`why.status.${c.status}`)}</span></span>
    <div class="check-body">
      ${first && html`<b class="bad first-label">${t('why.first')}</b>`}
      <b class="check-name" title=${word('means', c.check)}>${word('check', c.check) || c.check}</b>
      <span class="text">${findingText(c)}</span>
      ${c.subject && html`<button type="button" class="link" title=${t('why.show', { subject: c.subject })} onClick=${() => actions.select(selectionOf(c.subject ?? ''))}>${c.subject}</button>`}
      ${evidence && html`<button type="button" class="link quiet" aria-expanded=${open} data-testid="check-evidence" onClick=${() => setOpen(!open)}>${t('why.evidence')}</button>`}
      ${evidence && open && html`<pre class="evidence" tabindex="0">${evidence}</pre>`}
      ${c.status !== 'ok' && word('means', c.check) && html`<p class="means">${word('means', c.check)}</p>`}
      ${first && html`<${Mend} check=${c} busy=${busy} />`}
    </div>
  </li>`;
}

/** What is said of a kind of check; nothing for one the page does not know. @param {'check' | 'means'} what @param {string} check */
function word(what, check) {
  const said = t(`why.${what}.${check}`);
  return said === `why.${what}.${check}` ? '' : said;
}

/** What would mend it, and the button that does. @param {{check: import('../types.js').Check, busy: boolean}} props */
function Mend({ check, busy }) {
  const r = check.repair;
  if (!r && check.advice?.length) return html`<div class="mend"><${Code} text=${check.advice.join('\n')} label=${t('why.advice')} test="why-advice" /></div>`;
  if (!r) return html`<p class="quiet small">${t('why.noMend')}</p>`;
  const commands = (r.plan?.changes ?? []).map((c) => c.command).filter(Boolean).join('\n');
  return html`<div class="mend"><p>${said(r, r.description)}</p>
    ${commands && html`<${Code} text=${commands} label=${t('why.commands')} test="mend-commands" />`}
    ${r.request ? html`<${Button} icon="wrench" kind="primary" label=${t('why.mend')} test="mend" disabled=${busy} onClick=${() => probes.mend(check)} />`
      : html`<p class="quiet small">${t('why.noMend')}</p>`}</div>`;
}
