// Plays a walk: which step is shown, and for how long yet. The clock is handed
// in by whoever draws (tick), so that nothing runs while nobody looks.
import { batch, computed, signal } from '../lib/signals.js';
import { lessonOf, lookedUpIn, moveShare, taughtIn, timeOf } from './walk.js';
import { sentencesOf } from './walksay.js';

export const speeds = [0.5, 1, 2, 4];

export function createPlayer() {
  /** @type {import('../lib/signals.js').Signal<{id: number, lesson: import('./walk.js').Lesson} | null>} */
  const shown = signal(/** @type {any} */ (null));
  const index = signal(0);
  const playing = signal(false);
  const speed = signal(1);
  /** Milliseconds of the step that have passed, at normal speed. */
  let passed = 0;

  const step = computed(() => shown.value?.lesson.steps[index.value]);
  const sentences = computed(() => (shown.value && step.value ? sentencesOf(shown.value.lesson, step.value) : []));
  const taught = computed(() => taughtIn(step.value));
  const lookedUp = computed(() => lookedUpIn(step.value));
  const last = () => (shown.peek()?.lesson.steps.length ?? 1) - 1;

  /** @param {number} to */
  function go(to, from = 0) {
    passed = from;
    index.value = Math.max(0, Math.min(last(), to));
  }

  return {
    shown, index, playing, speed, step, sentences,
    /** What the step does with an entry of a MAC table: walk-learns, walk-looks or nothing. @param {import('../types.js').FDBEntry} e */
    markOf(e) {
      const here = (x) => x.mac === e.mac && x.bridge === `${e.namespace}/${e.bridge}`;
      return taught.value.some(here) ? 'walk-learns' : lookedUp.value.some(here) ? 'walk-looks' : '';
    },

    /** Shows a walk from its beginning. @param {number} id of its ping @param {import('../types.js').Walk} walk */
    load(id, walk, play = true) {
      batch(() => {
        shown.value = { id, lesson: lessonOf(walk) };
        go(0);
        playing.value = play && walk.frames.length > 0;
      });
    },
    close() {
      batch(() => {
        shown.value = null;
        playing.value = false;
        go(0);
      });
    },
    play() {
      if (!shown.peek()) return;
      if (index.peek() >= last() && passed >= 1) go(0);
      playing.value = true;
    },
    pause() { playing.value = false; },
    /** Step by hand: what is under way ends at once. @param {number} by */
    move(by) {
      batch(() => {
        playing.value = false;
        go(index.peek() + by);
      });
    },
    /** @param {number} to */
    seek(to) {
      batch(() => {
        playing.value = false;
        go(to);
      });
    },
    replay() {
      batch(() => {
        go(0);
        playing.value = shown.peek() !== null;
      });
    },

    /**
     * Time has passed; gives how far the frames of the step have come, 0 to 1. A
     * step that was gone to by hand moves, too, and stays.
     * @param {number} ms
     */
    tick(ms) {
      const now = step.peek();
      if (!now) return 1;
      const lines = sentences.peek().length;
      const [whole, share] = [timeOf(now, lines), moveShare(now, lines)];
      passed += ms * speed.peek();
      if (passed >= whole && playing.peek()) {
        if (index.peek() < last()) go(index.peek() + 1, 0);
        else playing.value = false;
        return index.peek() === now.index ? 1 : 0;
      }
      return Math.min(1, passed / (whole * share));
    },
    /** Is there anything to draw anew? */
    busy() {
      const now = step.peek();
      if (!now) return false;
      const lines = sentences.peek().length;
      return playing.peek() || passed < timeOf(now, lines) * moveShare(now, lines);
    },
  };
}

/** @typedef {ReturnType<typeof createPlayer>} Player */
