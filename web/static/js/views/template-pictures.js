// A sketch of what each template makes.
import { html } from '../lib/preact.js';

const bar = (x, y, w) => html`<rect class="sketch-bar" x=${x} y=${y} width=${w} height="8" rx="2.5" />`;
const host = (x, y) => html`<rect class="sketch-card" x=${x} y=${y} width="14" height="11" rx="2.5" />`;
const line = (d) => html`<path class="sketch-cable" d=${d} />`;

/** @type {Record<string, () => any>} */
const sketches = {
  pair: () => [line('M28 25H68'), host(14, 19), host(68, 19)],
  star: () => [line('M20 16V34M39 16V34M57 16V34M76 16V34'), bar(12, 9, 72), [13, 32, 50, 69].map((x) => host(x, 32))],
  chain: () => [line('M18 25H80'), [6, 30, 53, 77].map((x) => host(x, 19))],
  router: () => [line('M41 12H24V22M55 12H72V22M14 28V38M32 28V38M64 28V38M82 28V38'), host(41, 6), bar(6, 21, 36), bar(54, 21, 36), [7, 25, 57, 75].map((x) => host(x, 37))],
  ring: () => [line('M26 12H70L48 34Z'), line('M20 14V30M76 14V30M48 36V40'), bar(10, 8, 26), bar(60, 8, 26), bar(36, 28, 24), host(13, 26), host(69, 26), host(41, 38)],
};

/** @param {{id: string}} props */
export const TemplatePicture = ({ id }) => html`<svg viewBox="0 0 96 50" aria-hidden="true">${sketches[id]()}</svg>`;
