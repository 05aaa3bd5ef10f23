import { html } from '../lib/preact.js';
import { store, t } from '../context.js';
import { consequences } from '../core/consequences.js';
import { CommandForm } from './form.js';

const listedAtMost = 12;

/**
 * Deletes one object, or several as one operation, and says first what goes with
 * them.
 * @param {{subjects: string[], what?: string, rest?: string[], command: import('../core/api.js').Command}} props what: kind of a single one;
 *   rest: what was chosen and stays
 */
export function DeleteForm({ subjects, what = '', rest = [], command }) {
  const [subject] = subjects;
  const many = subjects.length > 1;
  const goes = consequences(store.topology.value, subjects);
  const cut = (list) => list.slice(0, listedAtMost).join(', ') + (list.length > listedAtMost ? ` ${t('operations.more', { count: list.length - listedAtMost })}` : '');
  return html`<${CommandForm} title=${many ? t('delete.several', { count: subjects.length }) : t('delete.title', { subject })} icon="trash-2" command=${command}
      submit=${t('delete')} danger select=${null}>${() => html`
    <p class="sentence" data-testid="consequences">${many ? t('delete.list', { list: cut(subjects) }) : t('delete.sentence', { what: kindName(what), subject })}
      ${' '}${goes.length ? goes.map((g) => t(g.key, g.values)).join(' ') : t('goes.nothing')}</p>
    ${rest.length > 0 && html`<p class="sentence" data-testid="delete-rest">${t('delete.rest', { list: cut(rest) })}</p>`}
  `}<//>`;
}

/** What a link is called; kinds without a word of their own keep the kernel's. */
function kindName(kind) {
  const name = t(`kind.${kind}`);
  return name === `kind.${kind}` ? kind : name;
}
