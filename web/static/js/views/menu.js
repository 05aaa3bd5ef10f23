// A button that opens a short list of things to do.
import { html, useEffect, useRef, useState } from '../lib/preact.js';
import { Button } from './parts.js';

/**
 * Closes by Escape, by a click elsewhere and when something was chosen; arrows
 * walk through the items (elements whose role begins with menuitem).
 * @param {any} props those of Button; children(close) are the items
 */
export function Menu({ children, ...button }) {
  const [open, setOpen] = useState(false);
  const root = useRef(/** @type {any} */ (null));
  const items = () => [...root.current.querySelectorAll('[role^="menuitem"]')];
  const close = () => {
    setOpen(false);
    root.current.querySelector('button').focus();
  };
  useEffect(() => {
    if (!open) return undefined;
    (items().find((x) => x.ariaChecked === 'true') ?? items()[0])?.focus();
    const abort = new AbortController();
    document.addEventListener('pointerdown', (e) => {
      if (!root.current.contains(e.target)) setOpen(false);
    }, { signal: abort.signal });
    return () => abort.abort();
  }, [open]);
  const key = (e) => {
    if (!open) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (e.key === 'Escape') close();
    else if (e.key === 'Tab') setOpen(false);
    else if (step) {
      const list = items();
      list[(list.indexOf(document.activeElement) + step + list.length) % list.length]?.focus();
    }
    if (step || e.key === 'Escape') {
      e.preventDefault(); // Escape would close the dialog around it, too
      e.stopPropagation();
    }
  };
  return html`<div class="menu" ref=${root} onKeyDown=${key}>
    <${Button} ...${button} aria-haspopup="menu" aria-expanded=${open} onClick=${() => setOpen(!open)} />
    ${open && html`<div class="menu-list" role="menu">${children(close)}</div>`}
  </div>`;
}
