// Finds the other end of every end of a veth. Only the ends of namespaces that
// changed are looked up, those that lead there, and those that lead nowhere. Pure.

/** @typedef {import('./cards.js').Parts} Parts */
/** @typedef {import('./cards.js').LooseEnd} LooseEnd */
/** @typedef {import('./model.js').Cable} Cable */
/** @typedef {import('./model.js').End} End */
/** @typedef {{cable: Cable, partner: string, mine: boolean, shown: boolean}} Joint partner is the namespace of the other end, or empty;
 *   mine: the cable is told by this end */
/** @typedef {{joints: Joint[], partners: Set<string>, own: Cable[]}} Joined the cables of a namespace, and those of them it tells */

/**
 * @param {Map<string, Parts>} parts by namespace
 * @param {{parts: Map<string, Parts>, joined: Map<string, Joined>}} before
 * @returns {Map<string, Joined>}
 */
export function join(parts, before) {
  const changed = new Set();
  for (const [name, p] of parts) if (before.parts.get(name) !== p) changed.add(name);
  for (const name of before.parts.keys()) if (!parts.has(name)) changed.add(name);
  if (changed.size === 0) return before.joined;
  const joined = new Map();
  for (const [name, p] of parts) {
    const old = before.joined.get(name);
    if (old && !changed.has(name) && !leadsTo(old, changed)) joined.set(name, old);
    else joined.set(name, joinOne(p, parts, changed, old && !changed.has(name) ? old : undefined));
  }
  return joined;
}

/** Does a cable lead to one of these namespaces, or did one lead nowhere? @param {Joined} j @param {Set<string>} names */
function leadsTo({ partners }, names) {
  if (partners.has('')) return true;
  const [few, many] = names.size < partners.size ? [names, partners] : [partners, names];
  for (const name of few) if (many.has(name)) return true;
  return false;
}

/** @returns {Joined} */
function joinOne(p, parts, changed, old) {
  const joints = p.ends.map((e, i) => {
    const was = old?.joints[i];
    return was?.partner && !changed.has(was.partner) ? was : jointOf(e, parts);
  });
  return { joints, partners: new Set(joints.map((j) => j.partner)), own: joints.filter((j) => j.mine && j.shown).map((j) => j.cable) };
}

/** @param {LooseEnd} e @param {Map<string, Parts>} parts @returns {Joint} */
function jointOf(e, parts) {
  const other = otherOf(e, parts);
  if (!other) {
    const far = e.link.peer?.ifindex ? `if${e.link.peer.ifindex}` : '?';
    return { cable: cableOf(e.end, null, far), partner: '', mine: true, shown: e.shown };
  }
  const first = e.end.ref < other.end.ref;
  const cable = first ? cableOf(e.end, other.end, '') : cableOf(other.end, e.end, '');
  // Either end tells of it; for a moment only one may know.
  return { cable, partner: other.home, mine: first || otherOf(other, parts) !== e, shown: e.shown && other.shown };
}

/**
 * The other end of a veth, when it can be seen. A key leads through ifindexes,
 * which no rename changes; what is missing goes by its name.
 * @param {LooseEnd} e @param {Map<string, Parts>} parts @returns {LooseEnd | undefined}
 */
function otherOf({ link: { peer } }, parts) {
  if (!peer?.known) return undefined;
  const there = parts.get(peer.namespace ?? '');
  const found = there?.byKey.get(peer.key ?? '');
  if (found) return found;
  // Its namespace was just renamed; or the end is missing.
  if (peer.key) for (const p of parts.values()) if (p.byKey.has(peer.key)) return p.byKey.get(peer.key);
  return there?.byName.get(peer.name ?? '');
}

/** @type {WeakMap<End, Cable>} by its first end */
const made = new WeakMap();

/** @param {End} a @param {End | null} b @param {string} far @returns {Cable} */
function cableOf(a, b, far) {
  let cable = made.get(a);
  if (!cable || cable.b !== b || cable.far !== far) {
    cable = { id: `${a.ref}--${b ? b.ref : '?'}`, a, b, far };
    made.set(a, cable);
  }
  return cable;
}
