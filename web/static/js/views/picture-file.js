// What is seen, as a file of its own: SVG with its styles written out, so that any
// program draws it the same, or PNG. Always the whole graph, with all details.
import { html, render } from '../lib/preact.js';
import { scene } from '../context.js';
import { bounds } from '../layout/geometry.js';
import { CableFace, PortsFace } from './cable.js';
import { tethersOf } from './drawn.js';
import { FoldPanel } from './fold.js';
import { NodeFace } from './node.js';

const margin = 40;
/** A canvas larger than this on one side is refused by browsers. */
const pngAtMost = 16000;
const pngScale = 2;

/** The properties that make the drawing, with what SVG takes them to be without. */
const properties = {
  fill: 'rgb(0, 0, 0)', 'fill-opacity': '1', stroke: 'none', 'stroke-opacity': '1', 'stroke-width': '1px',
  'stroke-dasharray': 'none', 'stroke-linecap': 'butt', 'stroke-linejoin': 'miter', opacity: '1', 'paint-order': 'normal',
};
const textProperties = ['font-family', 'font-size', 'font-weight', 'font-style', 'text-decoration-line'];
/** What only a page can use. */
const dropped = /^(class|tabindex|role|aria-.*|data-(?!node|cable|port|row).*)$/;
const quiet = { selected: false, picking: false, target: false, lit: false, flash: 0, level: 'detail', calm() {} };

/** @returns {{svg: string, width: number, height: number} | null} null: there is nothing to draw */
export function drawFile() {
  const [model, positions, routes] = [scene.model.peek(), scene.positions.peek(), scene.routes.peek()];
  const box = bounds(model, positions, routes);
  if (!box) return null;
  const [width, height] = [Math.ceil(box.w + 2 * margin), Math.ceil(box.h + 2 * margin)];
  const nodes = model.nodes.filter((n) => positions.has(n.id)).map((node) => ({ ...quiet, node, ...positions.get(node.id) }));
  const cables = model.cables.filter((c) => routes.has(c.id)).map((cable) => ({ ...quiet, cable, route: routes.get(cable.id) }));
  const ground = { x: box.x - margin, y: box.y - margin, w: width, h: height };
  // In the page for a moment, unseen: styles are only known of what is there.
  const room = document.createElement('div');
  room.className = 'darkroom';
  document.body.append(room);
  try {
    render(html`<svg xmlns="http://www.w3.org/2000/svg" width=${width} height=${height} viewBox=${`${ground.x} ${ground.y} ${width} ${height}`}>
      <rect class="file-ground" x=${ground.x} y=${ground.y} width=${width} height=${height} />
      ${tethersOf(model, positions).map((x) => html`<path class="tether" d=${x.d} />`)}
      ${nodes.map((n) => html`<${FoldPanel} ...${n} />`)}
      ${cables.map((c) => html`<${CableFace} ...${c} />`)}
      ${nodes.map((n) => html`<${NodeFace} ...${n} />`)}
      ${cables.map((c) => html`<${PortsFace} ...${c} />`)}
    </svg>`, room);
    const svg = /** @type {Element} */ (room.firstElementChild);
    for (const e of svg.querySelectorAll('[data-button], .cable-hit, .cable-mid, .row-hit')) e.remove();
    for (const e of svg.querySelectorAll('*')) writeOut(e);
    return { svg: new XMLSerializer().serializeToString(svg), width, height };
  } finally {
    render(null, room);
    room.remove();
  }
}

/** Replaces the classes of an element by what they do. @param {Element} e */
function writeOut(e) {
  const css = getComputedStyle(e);
  const drawn = e.localName !== 'g' && e.localName !== 'title';
  if (drawn) {
    for (const [name, normal] of Object.entries(properties)) {
      const value = css.getPropertyValue(name);
      if (value !== normal && !(name.startsWith('stroke-') && css.stroke === 'none')) e.setAttribute(name, plain(value));
    }
  }
  if (e.localName === 'text') {
    for (const name of textProperties) e.setAttribute(name.replace('-line', ''), css.getPropertyValue(name));
  }
  for (const { name } of [...e.attributes]) if (dropped.test(name)) e.removeAttribute(name);
}

/** color(srgb …), as color-mix gives it, in words every program knows. @param {string} value */
function plain(value) {
  const mixed = /^color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)(?: \/ ([\d.]+))?\)$/.exec(value);
  if (!mixed) return value;
  const [r, g, b] = mixed.slice(1, 4).map((x) => Math.round(Number(x) * 255));
  return mixed[4] ? `rgba(${r}, ${g}, ${b}, ${mixed[4]})` : `rgb(${r}, ${g}, ${b})`;
}

export const svgBlob = (file) => new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${file.svg}`], { type: 'image/svg+xml' });

/** @param {{svg: string, width: number, height: number}} file @returns {Promise<Blob>} */
export async function pngBlob(file) {
  const scale = Math.min(pngScale, pngAtMost / Math.max(file.width, file.height));
  const url = URL.createObjectURL(svgBlob(file));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(file.width * scale);
    canvas.height = Math.round(file.height * scale);
    /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, failed) => {
      canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('the browser makes no PNG of this size'))), 'image/png');
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}
