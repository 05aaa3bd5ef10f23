// What can be undone and redone, from the operations alone. Pure.
//
// Undoing is an operation itself, and so is undoing that: with every "undoes"
// an operation has its turn between doing and undoing.

/** @typedef {import('../types.js').Operation} Operation */

/** How often an operation turns round: 0 an edit, 1 its undo, 2 the redo, … @param {Operation[]} list @param {Operation} o */
export function turns(list, o) {
  let n = 0;
  for (let at = /** @type {Operation | undefined} */ (o); at?.undoes; n++) {
    const id = at.undoes;
    at = list.find((x) => x.id === id);
  }
  return n;
}

/** The edit that an undo or redo is about in the end. @param {Operation[]} list @param {Operation} o @returns {Operation} */
export function editOf(list, o) {
  for (let at = o; ;) {
    const next = at.undoes ? list.find((x) => x.id === at.undoes) : undefined;
    if (!next) return at;
    at = next;
  }
}

/** May this operation still be undone? @param {Operation} o */
export const undoable = (o) => o.state === 'committed' && !o.undone_by;

/**
 * What became of an operation in the end: an undo that was undone itself leaves
 * it in force, by the last of them.
 * @param {Operation[]} list @param {Operation} o @returns {{state: string, by: number}}
 */
export function outcome(list, o) {
  if (!o.undone_by) return { state: o.state, by: 0 };
  let [n, at] = [0, o];
  for (let by = /** @type {number | undefined} */ (o.undone_by); by; n++) {
    const id = by;
    at = list.find((x) => x.id === id) ?? { ...at, id, undone_by: 0 };
    by = at.undone_by;
  }
  return { state: n % 2 ? 'undone' : 'redone', by: at.id };
}

/** The operation that undo would undo. @param {Operation[]} list newest first @returns {Operation | null} */
export const undoTarget = (list) => list.find((o) => undoable(o) && turns(list, o) % 2 === 0) ?? null;

/**
 * What is to be undone to come back to how it was right after an operation,
 * newest first: the last turn of each edit that is in force now and was not
 * then, or the other way round.
 * @param {Operation[]} list newest first @param {number} id
 */
export const undoneTo = (list, id) => list.filter((o) => o.id > id && undoable(o) && turnedSince(list, o, id) % 2 === 1);

/** How often an operation and those it undoes have turned since another; doing it first is a turn, too. */
function turnedSince(list, o, id) {
  let n = 1;
  for (let at = /** @type {Operation | undefined} */ (o); at?.undoes && at.undoes > id; n++) {
    const before = at.undoes;
    at = list.find((x) => x.id === before);
  }
  return n;
}

/**
 * The undo that redo would undo: the last one, unless something new was done
 * since.
 * @param {Operation[]} list newest first @returns {Operation | null}
 */
export function redoTarget(list) {
  for (const o of list) {
    if (!undoable(o)) continue;
    const n = turns(list, o);
    if (n === 0) return null;
    if (n % 2 === 1) return o;
  }
  return null;
}

/** An operation in one line: its first command, and how many more; else what was asked. @param {Operation} o */
export function titleOf(o) {
  const first = o.commands?.[0];
  return { text: first ?? o.request, more: Math.max(0, (o.commands?.length ?? 0) - 1) };
}

/**
 * Takes operations in. An event of a large operation comes without its
 * commands: those known are kept; what has ended does not run again.
 * @param {Operation[]} known @param {Operation[]} list @param {number} most
 * @returns {Operation[]} newest first
 */
export function merge(known, list, most) {
  const byId = new Map(known.map((o) => [o.id, o]));
  for (const o of list) {
    const old = byId.get(o.id);
    if (old && old.state !== 'running' && o.state === 'running') continue; // was asked for before it ended
    byId.set(o.id, old && !o.commands?.length && old.commands?.length ? { ...o, commands: old.commands, changes: old.changes } : o);
  }
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, most);
}

/** Large operations that run now and say how far they are. @param {Operation[]} list */
export const underWay = (list) => list.filter((o) => o.state === 'running' && (o.progress?.total ?? 0) > 0);
