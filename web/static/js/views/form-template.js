// A whole lab from a template: what is to be made is wished for here, merged into
// what is intended, and put as one operation.
import { html, useEffect, useMemo, useState } from '../lib/preact.js';
import { actions, api, scene, store, t } from '../context.js';
import { commands } from '../core/api.js';
import { documentOf, withParts } from '../core/spec.js';
import { partsOf, quietFrom, suggestSubnet, templateOf, templates, usualWishes } from '../core/templates.js';
import { CommandForm, Field } from './form.js';
import { Code } from './parts.js';
import { TemplatePicture } from './template-pictures.js';

const file = 'topology.json';
const none = { namespaces: [] };

/** @param {{template?: string}} props which it begins with */
export function TemplateForm({ template = 'star' }) {
  const [id, setId] = useState(template);
  const [typed, setTyped] = useState(/** @type {any} */ ({}));
  const [now, setNow] = useState(/** @type {{spec: import('../types.js').Spec, etag: string} | null} */ (null));
  const topology = store.topology.value;
  const chosen = templateOf(id);
  // The parts go into what is intended at this moment.
  useEffect(() => {
    const abort = new AbortController();
    api.spec(abort.signal).then(setNow, (error) => { if (!abort.signal.aborted) actions.fail(error); });
    return () => abort.abort();
  }, [topology.revision, store.stale.value]);

  const usual = usualWishes(chosen);
  const wishes = { ...usual, ...typed, count: typed.count === undefined ? usual.count : Number(typed.count) };
  if (typed.quiet === undefined) wishes.quiet = wishes.count >= quietFrom;
  const spec = now?.spec ?? none;
  const made = useMemo(() => partsOf(chosen, wishes, topology, spec), [chosen, JSON.stringify(wishes), topology.revision, spec]);
  const free = useMemo(() => suggestSubnet(topology, spec, chosen, wishes.count || 1), [chosen, wishes.count, topology.revision, spec]);
  const command = commands.putSpec(withParts(spec, made?.parts ?? none), now?.etag ?? '');
  const set = (name) => (value) => setTyped((old) => ({ ...old, [name]: value }));
  const choose = (next) => {
    setId(next);
    setTyped(({ count, prefix, ...rest }) => rest); // these mean something else in each
  };
  const empty = scene.model.value.nodes.length === 0;
  const done = () => { if (empty) setTimeout(() => scene.tidy(), 400); else setTimeout(() => actions.view('fit'), 400); };
  return html`<${CommandForm} title=${t('template.title')} icon="boxes" wide command=${command} submit=${t('create')} ready=${now !== null && made !== null}
      focus=${`[value="${template}"]`} after=${done} pointers=${[]}>${() => html`
    <${Choice} id=${id} choose=${choose} />
    <p class="sentence" id="template-why">${t(`template.${id}.why`)}</p>
    <div class="columns three">
      ${chosen.count && html`<${Field} name="count" type="number" label=${t(`template.${id}.count`)} min=${chosen.count.min} max=${chosen.count.max}
        value=${String(typed.count ?? usual.count)} set=${set('count')} errors=${made || free === '' ? [] : countProblem(chosen, wishes.count)}
        hint=${t('template.bounds', chosen.count)} />`}
      <${Field} name="prefix" label=${t('template.prefix')} value=${wishes.prefix} set=${set('prefix')} hint=${made ? namesOf(made.names) : ''} />
      <${Field} name="subnet" label=${t('template.subnet')} value=${wishes.subnet} set=${set('subnet')} placeholder=${free}
        hint=${t('template.subnet.why')} errors=${!made && countProblem(chosen, wishes.count).length === 0 ? [t('template.subnet.bad')] : []} />
    </div>
    <${Field} name="quiet" type="checkbox" label=${t('template.quiet')} hint=${t('template.quiet.why')} value=${wishes.quiet} set=${set('quiet')} />
    ${made && html`<${Summary} made=${made} />`}
  `}<//>`;
}

/** The templates side by side, one of them chosen. */
function Choice({ id, choose }) {
  return html`<fieldset class="templates"><legend class="unseen">${t('template.title')}</legend>
    ${templates.map((x) => html`<label key=${x.id} class=${x.id === id ? 'chosen' : ''} data-testid=${`template-${x.id}`}>
      <input type="radio" name="template" value=${x.id} checked=${x.id === id} onChange=${() => choose(x.id)} aria-describedby=${x.id === id ? 'template-why' : undefined} />
      <${TemplatePicture} id=${x.id} /><span>${t(`template.${x.id}`)}</span></label>`)}
  </fieldset>`;
}

/** @param {import('../core/templates.js').Template} template @param {number} count */
function countProblem({ count: bounds }, count) {
  const good = !bounds || (Number.isInteger(count) && count >= bounds.min && count <= bounds.max);
  return good ? [] : [t('template.count.bad', bounds)];
}

const namesOf = (names) => (names.length > 4 ? `${names.slice(0, 3).join(', ')}, … ${names.at(-1)}` : names.join(', '));

/** What is made, and what to do by hand where something has to be forwarded. */
function Summary({ made: { parts, routers } }) {
  const counts = [
    t('template.namespaces', { count: parts.namespaces?.length ?? 0 }), t('template.bridges', { count: parts.bridges?.length ?? 0 }),
    t('template.veths', { count: parts.veths?.length ?? 0 }), t('template.routes', { count: parts.routes?.length ?? 0 }),
  ].filter((_, i) => [parts.namespaces, parts.bridges, parts.veths, parts.routes][i]?.length);
  const lines = documentOf(parts);
  const short = lines.split('\n');
  return html`<p class="sentence" data-testid="template-summary">${t('template.makes', { list: counts.join(t('template.and')) })}</p>
    ${routers.length > 0 && html`<${Code} label=${t('template.forward')} test="template-routers"
      text=${routers.map((r) => `ip netns exec ${r} sysctl -w net.ipv4.ip_forward=1`).join('\n')} />`}
    <details class="parts"><summary>${t('template.parts')}</summary>
      <${Code} label=${file} test="template-parts" text=${lines} shown=${short.length > 60 ? [...short.slice(0, 60), '…'].join('\n') : lines} /></details>`;
}
