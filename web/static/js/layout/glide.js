// Moves what is drawn to where it belongs within a quarter of a second.

/** @typedef {import('./geometry.js').Point} Point */

const glideTime = 260;
/** More than so many at once are there at once: a frame would not be enough for them. */
const atMost = 150;

/**
 * @param {import('../lib/signals.js').Signal<Map<string, Point>>} positions where everything is drawn
 * @param {((f: (t: number) => void) => any) | undefined} frame
 * @param {() => boolean} calm nothing shall move
 */
export function createGlide(positions, frame, calm) {
  let run = 0;

  /** @param {Map<string, Point>} goal */
  function to(goal) {
    const mine = ++run;
    const from = positions.peek();
    const moves = [...goal].filter(([id, p]) => from.get(id)?.x !== p.x || from.get(id)?.y !== p.y);
    if (moves.length === 0 && from.size === goal.size) return;
    // What is new appears in place.
    const glides = moves.filter(([id]) => from.has(id));
    if (!frame || calm() || glides.length === 0 || glides.length > atMost) {
      positions.value = goal;
      return;
    }
    let begin = 0;
    const step = (now) => {
      if (mine !== run) return;
      begin ||= now;
      const x = Math.min(1, (now - begin) / glideTime);
      positions.value = x < 1 ? between(goal, from, glides, 1 - (1 - x) ** 3) : goal;
      if (x < 1) frame(step);
    };
    positions.value = between(goal, from, glides, 0);
    frame(step);
  }

  /** @returns {Map<string, Point>} a part of the way */
  function between(goal, from, glides, part) {
    const at = new Map(goal);
    for (const [id, p] of glides) {
      const q = from.get(id);
      at.set(id, { x: q.x + (p.x - q.x) * part, y: q.y + (p.y - q.y) * part });
    }
    return at;
  }

  return {
    to,
    /** Everything is there at once. @param {Map<string, Point>} goal */
    jump(goal) {
      run++;
      positions.value = goal;
    },
  };
}
