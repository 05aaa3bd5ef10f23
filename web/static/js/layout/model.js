// From a topology to what is drawn: nodes (cards and bars) and cables. Pure.
import { isUnnamed } from '../core/lookup.js';
import { shapeBars } from './bars.js';
import { join } from './cables.js';
import { partsOf } from './cards.js';

/** @typedef {import('../types.js').Snapshot} Snapshot */

/**
 * @typedef {object} Row an interface of a card
 * @property {string} ref "A/veth0"
 * @property {string} name "veth0"
 * @property {string} label "veth0@if7"
 * @property {string} address
 * @property {string} state as stateOf
 * @property {string} sync
 *
 * @typedef {object} Node
 * @property {string} id "ns:A" or "br:host/br0"
 * @property {'ns' | 'br'} kind
 * @property {string} key identity that outlives a rename
 * @property {string} select what selecting it selects
 * @property {string} namespace
 * @property {string} title
 * @property {string} place what the namespace is called
 * @property {string} address a bridge's first address
 * @property {string} sync
 * @property {string} state
 * @property {number} differences in how much it is not as intended; a card's links count, a bar's ports do not
 * @property {string} note why the picture may be incomplete
 * @property {'up' | 'down' | ''} lo state of lo; empty when it is not shown here
 * @property {Row[]} rows
 * @property {number} addressColumn x of the rows' addresses
 * @property {number} w
 * @property {number} h without a panel
 * @property {boolean} [foldable] a bar with so many members that they may be folded
 * @property {boolean} [folded]
 * @property {import('./bars.js').Panel | null} [panel] what the folded members of a bar stand in
 * @property {{bar: string, x: number, y: number}} [home] of a folded member: where it stands, from the corner of its bar
 *
 * @typedef {object} End
 * @property {string} node
 * @property {string} ref
 * @property {string} name
 * @property {string} state as stateOf
 * @property {string} sync
 *
 * @typedef {object} Cable
 * @property {string} id "A/veth0--B/veth0"; "A/veth0--?" when the other end cannot be seen
 * @property {End} a
 * @property {End | null} b null: dangling
 * @property {string} far what is known of an end that cannot be seen
 *
 * @typedef {{id: string, from: string, to: string}} Tether from a card to the bar of a bridge in its namespace
 *
 * @typedef {object} Model
 * @property {Node[]} nodes
 * @property {Cable[]} cables
 * @property {Tether[]} tethers
 * @property {boolean} large too many namespaces for every cable to be followed
 * @property {Map<string, import('./cards.js').Parts>} parts by namespace, for the model after this one
 * @property {Map<string, import('./cables.js').Joined>} joined the same
 * @property {Map<string, import('./bars.js').Fold>} folds the same, by bar
 */

/** @type {Model} */
export const emptyModel = { nodes: [], cables: [], tethers: [], large: false, parts: new Map(), joined: new Map(), folds: new Map() };

/** Namespaces that make a lab large, and to how many it has to shrink to be none again. */
const largeFrom = 100;
const largeTo = 80;

/**
 * What is equal in the model before stays the same object, and what an event
 * left alone is not even looked at.
 * @param {Snapshot} t
 * @param {Model} [before]
 * @param {import('./bars.js').Choice} [choice]
 * @returns {Model}
 */
export function buildModel(t, before = emptyModel, choice = () => undefined) {
  const parts = new Map();
  let named = 0;
  for (const n of t.namespaces) {
    parts.set(n.name, partsOf(n, before.parts));
    named += Number(!isUnnamed(n));
  }
  const joined = join(parts, before);
  /** @type {[Node[], Cable[], Tether[]]} */
  const [nodes, cables, tethers] = [[], [], []];
  for (const [name, p] of parts) {
    nodes.push(...p.nodes);
    tethers.push(...p.tethers);
    for (const c of joined.get(name)?.own ?? []) cables.push(c);
  }
  const large = named > (before.large ? largeTo : largeFrom);
  return { ...shapeBars(nodes, parts, joined, { large, choice, before }), cables, tethers, large, parts, joined };
}
