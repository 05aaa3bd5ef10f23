// What is said of a step of a walk: keys of the dictionary and their values. A
// value may be a sentence itself, or a list of names. Pure.
import { refOfHop } from './walk.js';

/** @typedef {import('./walk.js').Lesson} Lesson */
/** @typedef {import('./walk.js').Step} Step */
/** @typedef {{key: string, values: Record<string, any>, tone?: string}} Sentence tone: what it is about (verdict, learn, warn) */

const namedAtMost = 6;
export const inOrder = new Intl.Collator('en', { numeric: true }).compare;

/** @param {string} key @param {Record<string, any>} [values] @param {string} [tone] @returns {Sentence} */
const s = (key, values = {}, tone = '') => ({ key, values, tone });

/**
 * A sentence in words. @param {Sentence} x
 * @param {(key: string, values?: any) => string} t @returns {string}
 */
export function speak(x, t) {
  const values = Object.fromEntries(Object.entries(x.values).map(([k, v]) => [k, Array.isArray(v) ? list(v, t) : v?.key ? speak(v, t) : v]));
  return t(x.key, values);
}

/** @param {string[]} unsorted */
function list(unsorted, t) {
  const names = [...unsorted].sort(inOrder);
  const shown = names.slice(0, names.length > namedAtMost + 1 ? namedAtMost : names.length).join(t('walk.comma'));
  const more = names.length > namedAtMost + 1 ? names.length - namedAtMost : 0;
  return more ? t('walk.andMore', { list: shown, count: more }) : shown;
}

/** Short where that is clear: br0, unless the walk comes by two of that name. @param {Lesson} lesson @param {string} ref */
export function bridgeName(lesson, ref) {
  const short = (x) => x.slice(x.indexOf('/') + 1);
  const others = lesson.walk.decisions.some((d) => d.bridge !== ref && short(d.bridge) === short(ref));
  return others ? ref : short(ref);
}

/** A MAC and whose it is, where that was seen. @param {Lesson} lesson @param {string} mac */
export function macName(lesson, mac) {
  const owner = lesson.owners.get(mac);
  return owner ? `${mac} (${owner})` : mac;
}

/** All that is said of a step, most important first. @param {Lesson} lesson @param {Step} step @returns {Sentence[]} */
export function sentencesOf(lesson, step) {
  const out = step.first ? [sending(lesson, step)] : [];
  if (step.kind === 'decide') for (const d of step.decisions) out.push(...decisionSentences(lesson, step, d));
  if (step.kind === 'move') out.push(...arrivals(lesson, step, out.length === 0));
  if (step.kind === 'send' && step.frame.hops.every((h) => h.end)) out.push(...ends(lesson, step, step.begins));
  return out;
}

/** How a frame begins. @param {Lesson} lesson @param {Step} step */
function sending(lesson, step) {
  const f = step.frame;
  const root = step.begins[0];
  const values = { who: root?.namespace ?? '?', link: root?.link ?? '?', ip: f.dst_ip ?? '', from: f.src_ip ?? '', seq: f.seq ?? '', mac: macName(lesson, f.dst_mac), own: f.src_mac, ttl: f.ttl ?? '' };
  if (root?.direction === 'in') return s('walk.send.appears', { ...values, what: s(`walk.kind.${f.kind}`) });
  if (f.continues) return s('walk.send.routed', { ...values, what: s(`walk.kind.${f.kind}`) });
  const group = parseInt(f.dst_mac.slice(0, 2), 16) & 1;
  if (f.kind === 'arp_request' || f.kind === 'neighbour_solicitation') return s(`walk.send.${f.kind}${group ? '' : '.again'}`, values);
  return s(`walk.send.${f.kind}`, values);
}

/** @param {Lesson} lesson @param {Step} step @param {import('./walk.js').WalkDecision} d @returns {Sentence[]} */
function decisionSentences(lesson, step, d) {
  const bridge = bridgeName(lesson, d.bridge);
  const values = { bridge, mac: macName(lesson, step.frame.dst_mac), in: d.in_port, ports: d.out_ports, namespace: d.bridge.split('/')[0] };
  const out = [s(`walk.did.${d.verdict}`, { ...values, why: reasonOf(d, values) }, d.verdict)];
  if (d.to_itself && d.verdict !== 'local') out.push(s('walk.did.itself', values, 'local'));
  for (const [reason, ports] of byReason(d.skipped ?? [])) out.push(s('walk.skipped', { ports, why: s(`walk.skip.${reason}`) }, 'skip'));
  if (d.learned) {
    const { mac, port, how, from_port: was = '' } = d.learned;
    out.push(s(`walk.learned.${how}`, { bridge, mac: macName(lesson, mac), port, was }, how === 'refreshed' ? 'seen' : 'learn'));
  }
  if (d.contradiction) out.push(s('walk.contradiction', { bridge, text: d.contradiction }, 'warn'));
  return out;
}

/** Why a bridge did so. @param {import('./walk.js').WalkDecision} d @param {Record<string, any>} values */
export function reasonOf(d, values) {
  const e = d.entry;
  if (d.reason !== 'known' || !e) return s(`walk.why.${d.reason}`, { ...values, port: e?.port ?? '' });
  if (e.state !== 'learned') return s('walk.why.static', { ...values, port: e.port });
  if (e.age_seconds === undefined || e.age_seconds === null) return s('walk.why.known', { ...values, port: e.port });
  return s(e.age_seconds < 0.05 ? 'walk.why.knownNow' : 'walk.why.knownFor', { ...values, port: e.port, seconds: secondsText(e.age_seconds) });
}

const secondsText = (n) => (n < 10 ? n.toFixed(1) : String(Math.round(n)));

/** @param {{port: string, reason: string}[]} skipped @returns {Map<string, string[]>} */
function byReason(skipped) {
  const map = new Map();
  for (const x of skipped) map.set(x.reason, [...(map.get(x.reason) ?? []), x.port]);
  return map;
}

/** What comes of the frames that move. @param {Lesson} lesson @param {Step} step @param {boolean} alone nothing else is said */
function arrivals(lesson, step, alone) {
  const hops = step.moves.map((m) => m.in ?? m.out);
  const ending = hops.filter((h) => h.end);
  const out = ends(lesson, step, ending);
  const onward = hops.filter((h) => !h.end);
  const bridges = [...new Set(onward.map((h) => lesson.walk.decisions.find((d) => d.hop === h.id)?.bridge).filter(Boolean))];
  if (bridges.length > 0 && alone) out.push(s('walk.to.bridge', { bridges: bridges.map((b) => bridgeName(lesson, /** @type {string} */ (b))) }));
  else if (out.length === 0 && alone) out.push(s('walk.to.on', { places: onward.map((h) => h.namespace) }));
  return out;
}

/** @param {Lesson} lesson @param {Step} step @param {import('./walk.js').WalkHop[]} hops where the frame ends */
function ends(lesson, step, hops) {
  const f = step.frame;
  const names = (list) => [...new Set(list.map((h) => h.namespace))];
  const with_ = (end) => hops.filter((h) => h.end === end);
  const ids = new Set(hops.map((h) => h.id));
  const next = lesson.walk.frames.filter((x) => (x.answers === f.id || x.continues === f.id) && x.hops.some((h) => ids.has(h.from ?? 0)));
  const answering = new Set(next.filter((x) => x.answers).map((x) => x.hops[0].from));
  const taken = with_('taken');
  const [answered, quiet] = [taken.filter((h) => answering.has(h.id)), taken.filter((h) => !answering.has(h.id))];
  const request = /request|solicitation/.test(f.kind);
  const out = [];
  if (answered.length) out.push(s(/arp|neighbour/.test(f.kind) ? 'walk.end.itsAddress' : 'walk.end.answers', { who: names(answered), ip: f.dst_ip ?? '' }));
  if (quiet.length) {
    const reply = f.kind === 'arp_reply' || f.kind === 'neighbour_advertisement';
    const key = request ? (/arp|neighbour/.test(f.kind) ? 'walk.end.quiet' : 'walk.end.noAnswer') : reply ? 'walk.end.knows' : f.kind === 'echo_reply' ? 'walk.end.pong' : 'walk.end.taken';
    out.push(s(key, { who: names(quiet), count: names(quiet).length, ip: f.src_ip ?? '', asked: f.dst_ip ?? '', mac: f.src_mac, seq: f.seq ?? '' }));
  }
  if (with_('passed_on').length) out.push(s('walk.end.passedOn', { who: names(with_('passed_on')) }));
  if (with_('ignored').length) out.push(s('walk.end.ignored', { who: names(with_('ignored')), count: names(with_('ignored')).length, mac: macName(lesson, f.dst_mac) }));
  if (with_('lost').length) out.push(s('walk.end.lost', { where: with_('lost').map(refOfHop) }, 'warn'));
  if (with_('unseen').length) out.push(s('walk.end.unseen', { where: with_('unseen').map(refOfHop) }, 'warn'));
  return out;
}

/** The letters on a frame's envelope. @param {string} kind */
export const lettersOf = (kind) => ({
  arp_request: 'ARP?', arp_reply: 'ARP!', neighbour_solicitation: 'ND?', neighbour_advertisement: 'ND!',
  echo_request: 'ICMP?', echo_reply: 'ICMP!', icmp_error: 'ICMP✕', fragment: 'IP…',
})[kind] ?? '?';

/** Kinds that look alike: question or answer, and of what. @param {string} kind */
export const lookOf = (kind) => (/arp|neighbour/.test(kind) ? 'is-ask' : kind === 'icmp_error' ? 'is-error' : 'is-echo') + (/reply|advertisement/.test(kind) ? ' answer' : '');

/** Why a walk may not tell all, as sentences. @param {import('./walk.js').Walk} walk @returns {Sentence[]} */
export function doubtsOf(walk) {
  const out = [];
  if (walk.incomplete) out.push(s('walk.incomplete', { text: walk.incomplete }, 'warn'));
  if (walk.dropped) out.push(s('walk.dropped', { count: walk.dropped }, 'warn'));
  const contradictions = walk.decisions.filter((d) => d.contradiction).length;
  if (contradictions) out.push(s('walk.contradictions', { count: contradictions }, 'warn'));
  return out;
}
