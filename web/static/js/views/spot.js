// A click on empty ground offers what could be made there.
import { html, useLayoutEffect, useRef } from '../lib/preact.js';
import { actions, t } from '../context.js';
import { Icon } from './parts.js';

/** @param {{hands: import('./hands.js').Hands, steer: () => void}} props steer: what is made stays where it was asked for */
export function Spot({ hands, steer }) {
  const spot = hands.spot.value;
  const root = useRef(/** @type {any} */ (null));
  useLayoutEffect(() => {
    if (!spot) return undefined;
    const { width, height } = root.current.parentElement.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = root.current;
    root.current.style.left = `${Math.max(8, Math.min(spot.stage.x + 6, width - offsetWidth - 8))}px`;
    root.current.style.top = `${Math.max(8, Math.min(spot.stage.y + 6, height - offsetHeight - 8))}px`;
    root.current.querySelector('button').focus({ preventScroll: true });
    const abort = new AbortController();
    document.addEventListener('pointerdown', (e) => {
      if (!root.current?.contains(e.target)) hands.spot.value = null;
    }, { signal: abort.signal, capture: true });
    return () => abort.abort();
  }, [spot]);
  if (!spot) return null;
  const make = (kind) => () => {
    hands.spot.value = null;
    steer();
    actions.open(kind, { at: spot.at });
  };
  const key = (e) => {
    if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
    e.preventDefault();
    const [one, other] = root.current.querySelectorAll('button');
    (document.activeElement === one ? other : one).focus();
  };
  return html`<div class="spot" ref=${root} role="menu" aria-label=${t('graph.spot')} data-testid="spot" onKeyDown=${key}>
    <button type="button" role="menuitem" data-testid="spot-namespace" onClick=${make('namespace')}><${Icon} name="square" size=${15} />${t('graph.namespaceHere')}</button>
    <button type="button" role="menuitem" data-testid="spot-bridge" onClick=${make('bridge')}><${Icon} name="network" size=${15} />${t('graph.bridgeHere')}</button>
  </div>`;
}
