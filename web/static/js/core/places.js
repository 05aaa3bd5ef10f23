// Where the boxes of the graph stand, for everybody who looks: what the server
// keeps, read and told. Knows no DOM and none of the page; the API is handed in.
//
// What a hand did is told at once, as pinned, and is true for all. What a layout
// found is only an offer: of several viewers the first one wins, and each waits a
// different moment, so that mostly one of them tells and the others hear it.

/** @typedef {{object: string, x: number, y: number, pinned?: boolean}} Place */
/** @typedef {{object: string, x?: number, y?: number, pinned?: boolean, forget?: boolean}} Item */

const tellAfter = 120; // ms; keys that move a card come in rows
const offerAfter = [250, 900]; // ms, at least and at most
/** Items of one request. */
const batch = 2000;

/**
 * @param {object} o
 * @param {() => Promise<Place[]>} o.read
 * @param {(items: Item[]) => Promise<Place[]>} o.patch answers what is stored then
 * @param {(items: Item[]) => Promise<any>} o.put replaces all
 * @param {() => number} [o.random] 0 to 1
 * @param {{set: (f: () => void, ms: number) => any, clear: (id: any) => void}} [o.clock]
 */
export function createPlaces({ read, patch, put, random = Math.random, clock = systemClock }) {
  /** @type {(places: Place[]) => void} */
  let onChange = () => {};
  /** @type {Map<string, Place>} */
  const known = new Map();
  /** What is to be told, by object. @type {Map<string, Place>} */
  const tell = new Map();
  /** @type {Map<string, Place>} */
  const offers = new Map();
  /** Events that came while the places were being read. @type {any[] | null} */
  let meanwhile = null;
  /** Can places be told? Not by who may only look, nor without a server; tried again after they are read anew. */
  let allowed = false;
  let timer = null;
  let offerTimer = null;
  /** Requests one after the other: forgetting comes before setting. */
  let turn = Promise.resolve();

  /** What was told and is not answered yet. @type {Map<string, Place>} */
  let flying = new Map();

  /** @param {Item[]} items @param {boolean} [replaced] all others are gone */
  function take(items, replaced = false) {
    const before = replaced ? new Map(known) : known;
    if (replaced) {
      known.clear();
      offers.clear();
      for (const own of [flying, tell]) for (const [id, p] of own) known.set(id, p);
    }
    const changed = [];
    for (const i of items) {
      if (tell.has(i.object) || flying.has(i.object)) continue; // a hand here is about to say otherwise
      if (i.forget) {
        known.delete(i.object);
        continue;
      }
      const place = /** @type {Place} */ (i);
      const old = before.get(i.object);
      known.set(i.object, place);
      offers.delete(i.object); // somebody was faster
      if (!old || old.x !== place.x || old.y !== place.y) changed.push(place);
    }
    if (changed.length) onChange(changed);
  }

  /** One request after the other; one that fails leaves the picture as it is here. */
  function send(f, failed = () => {}) {
    turn = turn.then(f).catch((e) => {
      // 4xx: this viewer may not, or the server will not: not to be tried again.
      const status = e?.problem?.status ?? 0;
      if (status >= 400 && status < 500) allowed = false;
      failed();
    });
  }

  function flush() {
    timer = null;
    if (!allowed || tell.size === 0) return;
    const items = [...tell.values()];
    flying = new Map([...flying, ...tell]);
    tell.clear();
    const landed = () => { for (const i of items) if (flying.get(i.object) === i) flying.delete(i.object); };
    send(async () => {
      for (const part of parts(items)) await patch(part);
      landed();
    }, () => {
      landed();
      for (const i of items) if (!tell.has(i.object)) tell.set(i.object, i); // with the next reading
    });
  }

  function offer() {
    offerTimer = null;
    if (!allowed || offers.size === 0) return;
    const items = [...offers.values()];
    offers.clear();
    const moved = items.filter((i) => known.has(i.object)).map((i) => ({ object: i.object, forget: true }));
    for (const i of items) known.set(i.object, i);
    send(async () => {
      for (const part of parts(moved)) await patch(part);
      for (const part of parts(items)) take(await patch(part));
    });
  }

  return {
    /** Hears of what somebody else has placed. @param {(places: Place[]) => void} f */
    listen(f) { onChange = f; },
    /** @param {string} object */
    get: (object) => known.get(object),
    /** Was an object put there by hand? @param {string} object */
    pinned: (object) => known.get(object)?.pinned === true,

    /** Reads everything; true when there was an answer. @returns {Promise<boolean>} */
    async load() {
      meanwhile ??= [];
      try {
        const items = await read();
        allowed = true;
        take(items, true);
        for (const e of meanwhile) take(e.items, e.replaced);
        return true;
      } catch {
        // Without an answer everything still works, for this viewer alone.
        return false;
      } finally {
        meanwhile = null;
        if (tell.size) timer ??= clock.set(flush, tellAfter);
      }
    },

    /** An event positions.changed. @param {{items: Item[], replaced?: boolean}} event */
    hear(event) {
      if (meanwhile) meanwhile.push(event);
      else take(event.items, event.replaced);
    },

    /** What a hand did. @param {Place[]} places */
    set(places) {
      for (const p of places) {
        const place = { ...p, pinned: true };
        known.set(p.object, place);
        offers.delete(p.object);
        tell.set(p.object, place);
      }
      timer ??= clock.set(flush, tellAfter);
    },

    /** What a layout found; an object that has a place gets another. @param {Place[]} places */
    offer(places) {
      for (const p of places) offers.set(p.object, { ...p, pinned: false });
      if (places.length) offerTimer ??= clock.set(offer, offerAfter[0] + random() * (offerAfter[1] - offerAfter[0]));
    },

    /** A wholly new picture. @param {Place[]} places */
    replace(places) {
      known.clear();
      tell.clear();
      offers.clear();
      clock.clear(timer);
      timer = null;
      const items = places.map((p) => ({ ...p, pinned: false }));
      for (const p of items) known.set(p.object, p);
      if (allowed) send(() => put(items));
    },
  };
}

/** @param {Item[]} items */
function parts(items) {
  const out = [];
  for (let i = 0; i < items.length; i += batch) out.push(items.slice(i, i + batch));
  return out;
}

const systemClock = { set: (f, ms) => setTimeout(f, ms), clear: (id) => clearTimeout(id) };

/** @typedef {ReturnType<typeof createPlaces>} PlacesStore */
