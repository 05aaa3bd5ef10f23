// A veth: a cable in two halves, each in the colour of its own end.
import { html, useMemo } from '../lib/preact.js';
import { t } from '../context.js';
import { PortMark } from './marks.js';

/**
 * @param {{cable: import('../layout/model.js').Cable, route: import('../layout/geometry.js').Route, level: import('./camera.js').Level,
 *   selected: boolean, lit: boolean, mark: string, flash: number, calm: (ids: string[]) => void}} props mark: calm or faint, where something of it is ignored
 */
export function CableFace({ cable, route, level, selected, lit, mark, flash, calm }) {
  const { a, b } = cable;
  const stateB = b ? b.state : 'unseen';
  const text = `${t('cable')} ${a.ref} ${t(`state.${a.state}`)}, ${b ? b.ref : `${t('state.unseen')} (${cable.far})`} ${b ? t(`state.${stateB}`) : ''}`;
  const ended = () => calm(b ? [`link:${a.ref}`, `link:${b.ref}`] : [`link:${a.ref}`]);
  const near = level === 'detail';
  const one = !near && a.state === b?.state && a.sync === b.sync;
  return html`<g class=${`cable ${selected ? 'selected' : ''} ${lit ? 'lit' : ''} ${mark}`} data-cable=${cable.id} data-state-a=${a.state}
      data-level=${level} data-state-b=${stateB} data-sync-a=${a.sync} data-sync-b=${b?.sync ?? ''} data-link=${a.ref} tabindex="-1" role="button" aria-label=${text}>
    ${near && html`<title>${text}</title><path class="cable-hit" d=${route.a + route.b} />
      <circle class="cable-mid" cx=${route.mid.x} cy=${route.mid.y} r="8" />`}
    ${lit && html`<path class="glow" d=${route.a + route.b} />`}
    ${isDrawn(cable, route, level) && (one
      ? html`<path class=${`half h-${a.state} sync-${a.sync}`} d=${route.a + route.b} />`
      : html`<path class=${`half h-${a.state} sync-${a.sync}`} d=${route.a} data-link=${a.ref} />
        ${b && html`<path class=${`half h-${b.state} sync-${b.sync}`} d=${route.b} data-link=${b.ref} />`}`)}
    ${!b && route.stub && near && html`<g class="stub" transform=${`translate(${route.stub.x} ${route.stub.y})`}>
      <circle r="8" /><text y="4" text-anchor="middle">?</text>
      <text class="end-label" x="13" y="4">${cable.far}</text>
    </g>`}
    ${flash > 0 && html`<path key=${flash} class="cable-flash" d=${route.a + route.b} onAnimationEnd=${ended} />`}
  </g>`;
}

/** From far away the trunk of a panel stands for the cables in it that are as they should be. */
const isDrawn = ({ a, b }, route, level) => level !== 'far'
  && !(level === 'block' && route.folded && a.state === 'up' && b?.state === 'up' && a.sync === 'in_sync' && b.sync === 'in_sync');

const places = {
  top: { dx: 10, dy: -9, anchor: 'start' },
  bottom: { dx: 10, dy: 16, anchor: 'start' },
  left: { dx: -10, dy: -8, anchor: 'end' },
  right: { dx: 10, dy: -8, anchor: 'start' },
};

/**
 * Squares and labels of both ends; drawn above the cards.
 * @param {{cable: any, route: import('../layout/geometry.js').Route, level: import('./camera.js').Level, lit: boolean}} props
 */
export function PortsFace({ cable, route, level, lit }) {
  return useMemo(() => level === 'detail' && [[cable.a, route.portA], [cable.b, route.portB]].map(([end, p]) => {
    if (!end || !p) return null;
    let at = places[p.side];
    // A cable that leads to the right would run through a name on its right.
    if (p.flip) at = { ...at, dx: -at.dx, anchor: 'end' };
    return html`<g key=${end.ref} class=${`end sync-${end.sync} ${lit ? 'lit' : ''}`} data-port=${end.ref} data-link=${end.ref} data-state=${end.state} data-sync=${end.sync}>
      ${!p.bare && html`<text class="end-label" x=${p.x + at.dx} y=${p.y + at.dy} text-anchor=${at.anchor}>${end.name}</text>`}
      ${lit && html`<rect class="port-glow" x=${p.x - 9} y=${p.y - 9} width="18" height="18" rx="5" />`}
      <${PortMark} x=${p.x} y=${p.y} state=${end.state} label=${end.ref} />
    </g>`;
  }), [cable, route, level, lit]);
}
