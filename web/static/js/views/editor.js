// A plain text editor: a textarea with numbered lines, those with an error marked.
import { html, useLayoutEffect, useMemo, useRef } from '../lib/preact.js';
import { lineCount, placeOf } from '../core/document.js';

const lineHeight = 20; // px, as in the stylesheet

/**
 * @param {{value: string, set: (text: string) => void, label: string, bad: Set<number>, disabled?: boolean,
 *   jump: {line: number, column?: number} | null, onCheck: () => void}} props bad: lines with an error; jump: a new object goes there
 */
export function Editor({ value, set, label, bad, jump, disabled = false, onCheck }) {
  const area = useRef(/** @type {any} */ (null));
  const gutter = useRef(/** @type {any} */ (null));
  const lines = lineCount(value);
  const numbers = useMemo(() => {
    // One text for all lines without an error: twenty thousand elements are slow.
    const parts = [];
    let text = '';
    for (let i = 1; i <= lines; i++) {
      if (bad.has(i)) {
        parts.push(text, html`<b>${i}</b>`);
        text = '\n';
      } else text += `${i}\n`;
    }
    return [...parts, text];
  }, [lines, bad]);
  useLayoutEffect(() => {
    if (!jump || !area.current) return;
    const { start, end } = placeOf(value, jump.line, jump.column);
    area.current.focus();
    area.current.setSelectionRange(start, Math.max(start, end));
    area.current.scrollTop = (jump.line - 1) * lineHeight - area.current.clientHeight / 3;
    area.current.scrollLeft = 0;
  }, [jump]);
  const follow = () => { gutter.current.scrollTop = area.current.scrollTop; };
  const key = (e) => {
    if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
    e.preventDefault();
    onCheck();
  };
  const drop = async (e) => {
    const file = e.dataTransfer?.files?.[0];
    if (!file) return;
    e.preventDefault(); // else the browser leaves the page for the file
    set(await file.text());
  };
  return html`<div class="editor">
    <pre ref=${gutter} class="gutter" aria-hidden="true">${numbers}</pre>
    <textarea ref=${area} name="document" aria-label=${label} value=${value} readonly=${disabled} wrap="off" spellcheck=${false} autocomplete="off" autocapitalize="off"
      onInput=${(e) => set(e.target.value)} onScroll=${follow} onKeyDown=${key} onDragOver=${(e) => e.preventDefault()} onDrop=${drop}></textarea>
  </div>`;
}
