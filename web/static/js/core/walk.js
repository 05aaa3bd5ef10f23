// From the recorded way of a ping's frames to the steps of a lesson: frames on
// their cables, all branches of a flood at once, and between two cables what the
// bridges there decided. Pure; where things are drawn is walkway.js's business,
// what is said of a step walksay.js's.

/** @typedef {import('../types.js').Walk} Walk */
/** @typedef {import('../types.js').WalkFrame} WalkFrame */
/** @typedef {import('../types.js').WalkHop} WalkHop */
/** @typedef {import('../types.js').WalkDecision} WalkDecision */

/**
 * @typedef {object} Move a frame on its way from one node of the picture to the next
 * @property {WalkHop | null} before the hop by which it had come to the node it leaves; null where it begins
 * @property {WalkHop} out
 * @property {WalkHop | null} in null: it was seen nowhere after out
 *
 * @typedef {object} Step
 * @property {number} index
 * @property {'send' | 'move' | 'decide'} kind send: it is there, and does not move yet
 * @property {WalkFrame} frame
 * @property {boolean} first the frame begins here
 * @property {number} us microseconds since the first hop of the walk
 * @property {number} round cables the frame has behind it
 * @property {Move[]} moves
 * @property {WalkDecision[]} decisions
 * @property {WalkHop[]} begins where the frame is when it begins
 *
 * @typedef {{hop: WalkHop, from: number, until: number, end: string}} Rest a frame that stands at a hop after the step from and before the
 *   step until; end says why it goes no further, empty when it does
 *
 * @typedef {object} Lesson
 * @property {Walk} walk
 * @property {Step[]} steps
 * @property {Rest[]} rests
 * @property {Map<number, WalkFrame>} frames by id
 * @property {Map<number, WalkHop>} hops by id
 * @property {Map<number, WalkFrame>} frameOf by hop id
 * @property {Map<string, string>} owners of MACs: the namespaces that were seen to send from them
 */

export const refOfHop = (h) => `${h.namespace}/${h.link}`;

/** Ends that are no ordinary end: their sign stays to the last step. */
const lasting = new Set(['lost', 'drop', 'unseen']);

/** @param {Walk} walk @returns {Lesson} */
export function lessonOf(walk) {
  const frames = walk.frames.map((frame, order) => stepsOf(frame, order, walk.decisions.filter((d) => d.frame === frame.id)));
  const steps = frames.flatMap((f) => f.steps);
  // By time; what has the same time goes frame by frame.
  steps.sort((a, b) => a.us - b.us || a.order - b.order || a.place - b.place);
  steps.forEach((s, i) => { s.index = i; });
  const all = /** @type {Step[]} */ (steps);
  const hops = new Map(walk.frames.flatMap((f) => f.hops.map((h) => [h.id, h])));
  return {
    walk, steps: all, hops,
    owners: ownersOf(walk),
    frames: new Map(walk.frames.map((f) => [f.id, f])),
    frameOf: new Map(walk.frames.flatMap((f) => f.hops.map((h) => [h.id, f]))),
    rests: frames.flatMap((f) => restsOf(f, all)).map((r) => (r.end === 'taken' && unanswered(walk, r.hop) ? { ...r, end: 'quiet' } : r)),
  };
}

/** @param {Walk} walk */
function ownersOf(walk) {
  const owners = new Map();
  for (const { src_mac: mac, hops: [root] } of walk.frames) {
    if (!root || root.direction !== 'out') continue;
    const known = owners.get(mac)?.split('/') ?? [];
    if (!known.includes(root.namespace)) owners.set(mac, [...known, root.namespace].join('/'));
  }
  return owners;
}

/** Did a request end here, and nothing was seen to come of it? @param {Walk} walk @param {WalkHop} hop */
const unanswered = (walk, hop) => /request|solicitation/.test(hop.kind) && !walk.frames.some((f) => f.hops[0]?.from === hop.id);

/** Steps of one frame, and how its hops hang together. */
function stepsOf(frame, order, decisions) {
  const { kids, parent, rounds } = treeOf(frame);
  const roots = frame.hops.filter((h) => !parent.has(h.id));
  const moves = frame.hops.filter((h) => h.direction === 'out').flatMap((out) => {
    const next = kids.get(out.id) ?? [];
    const ins = next.filter((h) => h.direction === 'in');
    if (next.length > 0 && ins.length === 0) return []; // handed down to a link it lies on
    const move = { before: arrivalOf(out, parent), out, in: ins[0] ?? null };
    return [move, ...ins.slice(1).map((h) => ({ ...move, in: h }))];
  });
  /** @type {(Step & {order: number, place: number})[]} */
  const steps = [];
  const add = (kind, round, us, what) => steps.push({
    index: 0, order, place: steps.length, kind, frame, round, first: steps.length === 0, begins: roots, moves: [], decisions: [],
    us: Math.max(us, steps.at(-1)?.us ?? 0), ...what,
  });
  const last = Math.max(0, ...rounds.values());
  for (let r = 0; r <= last; r++) {
    const decided = decisions.filter((d) => (rounds.get(d.hop) ?? 0) === r);
    const gone = moves.filter((m) => rounds.get(m.out.id) === r);
    if (r === 0 && (decided.length > 0 || gone.length === 0)) add('send', 0, earliest(roots), {});
    if (decided.length > 0) add('decide', r, earliest(decided), { decisions: decided });
    if (gone.length > 0) add('move', r, earliest(gone.map((m) => m.out)), { moves: gone });
  }
  return { frame, steps, moves, decisions, kids, roots };
}

const earliest = (list) => Math.min(...list.map((x) => x.us));

/** Which hop came from which, and how many cables each has behind it. */
function treeOf(frame) {
  const own = new Map(frame.hops.map((h) => [h.id, h]));
  const [kids, parent, rounds] = [new Map(), new Map(), new Map()];
  for (const h of frame.hops) { // each comes after the one it came from
    const from = h.from && own.get(h.from);
    if (!from) {
      rounds.set(h.id, 0);
      continue;
    }
    parent.set(h.id, from);
    kids.set(from.id, [...(kids.get(from.id) ?? []), h]);
    rounds.set(h.id, rounds.get(from.id) + (from.direction === 'out' && h.direction === 'in' ? 1 : 0));
  }
  return { kids, parent, rounds };
}

/** The hop by which a frame came to where it now goes out. */
function arrivalOf(out, parent) {
  let h = parent.get(out.id);
  while (h && h.direction === 'out') h = parent.get(h.id);
  return h ?? null;
}

/** Where a frame stands between its steps, and where it ends. */
function restsOf({ frame, steps, moves, decisions, kids, roots }, all) {
  /** @type {Rest[]} */
  const rests = [];
  const stepOfMove = new Map(steps.flatMap((s) => s.moves.map((m) => [m, s.index])));
  const leaving = (hop) => moves.filter((m) => m.before === hop).map((m) => stepOfMove.get(m) ?? Infinity);
  const next = (after) => all.find((s) => s.index > after && s.frame !== frame)?.index ?? Infinity;
  if (steps[0]?.kind === 'send') {
    const gone = Math.min(Infinity, ...moves.filter((m) => !m.before).map((m) => stepOfMove.get(m) ?? Infinity));
    const end = moves.length === 0 ? endAt(roots[0], decisions, kids) : '';
    const until = gone < Infinity ? gone : lasting.has(end) ? Infinity : next(steps[0].index);
    for (const hop of roots) rests.push({ hop, from: steps[0].index - 1, until, end: '' });
    if (end) rests.push({ hop: roots[0], from: steps.at(-1).index - 1, until: lasting.has(end) ? Infinity : until, end });
  }
  for (const m of moves) {
    const arrived = stepOfMove.get(m) ?? 0;
    const hop = m.in ?? m.out;
    const out = m.in ? leaving(m.in) : [];
    if (out.length > 0) {
      rests.push({ hop, from: arrived, until: Math.max(...out), end: '' });
      continue;
    }
    const end = endAt(hop, decisions, kids);
    const decided = steps.find((s) => s.decisions.some((d) => d.hop === hop.id))?.index;
    if (decided !== undefined) rests.push({ hop, from: arrived, until: decided + 1, end: '' });
    rests.push({ hop, from: decided !== undefined ? decided - 1 : arrived - 1, until: lasting.has(end) ? Infinity : next(arrived), end });
  }
  return rests;
}

/** Why a frame goes no further from a hop. */
function endAt(hop, decisions, kids) {
  const d = decisions.find((x) => x.hop === hop.id);
  if (d) return d.verdict === 'local' || d.to_itself ? 'taken' : d.verdict === 'filter' ? 'filter' : 'drop';
  const inner = (kids.get(hop.id) ?? [])[0];
  return hop.end || (inner ? endAt(inner, decisions, kids) : hop.direction === 'out' ? 'lost' : 'taken');
}

/**
 * What is to be seen in a step.
 * @param {Lesson} lesson @param {number} index
 * @returns {{moves: Move[], rests: Rest[], decisions: WalkDecision[]}} decisions stay while the frame leaves the bridge
 */
export function sceneAt(lesson, index) {
  const step = lesson.steps[index];
  if (!step) return { moves: [], rests: [], decisions: [] };
  const before = lesson.steps.slice(0, index).findLast((s) => s.frame === step.frame);
  const decisions = step.kind === 'move' && before?.kind === 'decide' ? before.decisions : step.decisions;
  return { moves: step.moves, decisions, rests: lesson.rests.filter((r) => r.from < index && index < r.until) };
}

/** What bridges learn in a step: bridge "host/br0", MAC and port. @param {Step | undefined} step */
export const taughtIn = (step) => (step?.decisions ?? []).filter((d) => d.learned)
  .map((d) => ({ bridge: d.bridge, mac: d.learned?.mac ?? '', port: d.learned?.port ?? '', how: d.learned?.how ?? '' }));

/** The entries bridges look up in a step. @param {Step | undefined} step */
export const lookedUpIn = (step) => (step?.decisions ?? []).filter((d) => d.entry)
  .map((d) => ({ bridge: d.bridge, mac: step?.frame.dst_mac ?? '', port: d.entry?.port ?? '' }));

/** Milliseconds a step is shown for at normal speed: what moves and what is to be read both need time. @param {Step} step @param {number} words lines said of it */
export const timeOf = (step, words = 1) => (step.kind === 'move' ? 1500 : step.kind === 'decide' ? 1900 : 1300) + 500 * Math.min(2, words - 1);

/** Of that, the share in which frames move: 0.6 s a hop; the rest is for reading. @param {Step} step @param {number} words */
export const moveShare = (step, words = 1) => Math.min(1, (step.moves.some((m) => m.before) ? 900 : 700) / timeOf(step, words));
