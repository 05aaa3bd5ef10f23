// Which bridges this viewer wants folded; kept in the browser. A bridge nobody
// said anything about folds by the number of its members (bars.js).
import { signal } from '../lib/signals.js';

const storageKey = 'netdash.folds';

/** @param {{getItem: Function, setItem: Function}} storage */
export function createFolding(storage) {
  const choices = signal(restore());

  /** @returns {Map<string, boolean>} */
  function restore() {
    try {
      return new Map(Object.entries(JSON.parse(storage.getItem(storageKey) ?? '{}')));
    } catch {
      return new Map(); // a broken entry is as good as none
    }
  }

  return {
    choices,
    /** @param {string} bar */
    choice: (bar) => choices.peek().get(bar),
    /** @param {string[]} bars @param {boolean} folded */
    choose(bars, folded) {
      choices.value = new Map([...choices.peek(), ...bars.map((id) => /** @type {[string, boolean]} */ ([id, folded]))]);
      storage.setItem(storageKey, JSON.stringify(Object.fromEntries(choices.peek())));
    },
  };
}
