// The drawing itself. Hears neither of pan and zoom nor of changes of an object:
// each object follows its own cell of drawn.js.
import { html } from '../lib/preact.js';
import { CableFace, PortsFace } from './cable.js';
import { FoldPanel } from './fold.js';
import { NodeFace } from './node.js';

/** @param {{drawn: import('./drawn.js').Drawn, camera: import('./camera.js').Camera}} props */
export function Picture({ drawn, camera }) {
  const { nodes, cables, tethers } = drawn.order.value;
  const { cell } = drawn;
  const calm = drawn.calm;
  return html`
    ${tethers.map((id) => html`<${Tether} key=${id} cell=${cell(id)} />`)}
    ${nodes.filter((id) => id.startsWith('br:')).map((id) => html`<${PanelOf} key=${id} cell=${cell(id)} />`)}
    ${cables.map((id) => html`<${CableOf} key=${id} cell=${cell(id)} calm=${calm} />`)}
    ${nodes.map((id) => html`<${NodeOf} key=${id} cell=${cell(id)} calm=${calm} />`)}
    <${Ports} drawn=${drawn} camera=${camera} />
  `;
}

// Called, not rendered: a component less for each of a thousand.
/** @param {any} props */
const NodeOf = ({ cell, calm }) => NodeFace({ ...cell.value, calm });
/** @param {any} props */
const CableOf = ({ cell, calm }) => CableFace({ ...cell.value, calm });
/** @param {any} props */
const PortsOf = ({ cell }) => PortsFace(cell.value);
/** @param {any} props */
const PanelOf = ({ cell }) => FoldPanel(cell.value);

/** Port squares lie above the cards; from far away there are none. @param {any} props */
function Ports({ drawn, camera }) {
  if (camera.level.value !== 'detail') return null;
  return drawn.order.value.cables.map((id) => html`<${PortsOf} key=${id} cell=${drawn.cell(id)} />`);
}

/** Ties a bridge to the card of the namespace it lives in. @param {any} props */
function Tether({ cell }) {
  return html`<path class="tether" d=${cell.value.d} />`;
}
