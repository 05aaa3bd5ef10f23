// Forces of the organic layout: d3's scripts fill globalThis.d3, in the order
// in which they need each other.
import '../../vendor/d3-dispatch.js';
import '../../vendor/d3-quadtree.js';
import '../../vendor/d3-timer.js';
import '../../vendor/d3-force.js';

/** @type {any} */
const { d3 } = /** @type {any} */ (globalThis);
export const { forceCenter, forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } = d3;
