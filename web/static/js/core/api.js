// Calls of the REST API. Everything the page does to the lab goes through here,
// as a Command: the same value that is sent, previewed by a dry run, and shown
// as a curl line.

/**
 * path is below /api/v1; body goes as JSON; text, of a media type, goes as it is.
 * @typedef {{method: string, path: string, body?: any, text?: string, type?: string, headers?: Record<string, string>}} Command
 */
/** @typedef {import('../types.js').Problem} Problem */

const base = '/api/v1';
const retryAfter = 300; // ms
const part = encodeURIComponent;

/** A problem answered by the server, or the reason why there was no answer. */
export class ApiError extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail || problem.title || `status ${problem.status}`);
    this.problem = problem;
  }
}

const link = (ns, name) => `/namespaces/${part(ns)}/links/${part(name)}`;
const fdb = (ns, bridge) => `/namespaces/${part(ns)}/bridges/${part(bridge)}/fdb`;

function query(values) {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(values)) if (v !== undefined && v !== '' && v !== 0) q.set(k, String(v));
  return q.size ? '?' + q : '';
}

/** The commands, by what they do. */
export const commands = {
  createNamespace: (body) => ({ method: 'POST', path: '/namespaces', body }),
  deleteNamespace: (ns) => ({ method: 'DELETE', path: `/namespaces/${part(ns)}` }),
  createVeth: (body) => ({ method: 'POST', path: '/veths', body }),
  createBridge: (body) => ({ method: 'POST', path: '/bridges', body }),
  patchLink: (ns, name, body) => ({ method: 'PATCH', path: link(ns, name), body }),
  deleteLink: (ns, name) => ({ method: 'DELETE', path: link(ns, name) }),
  addAddress: (ns, name, cidr) => ({ method: 'POST', path: link(ns, name) + '/addresses', body: { cidr } }),
  deleteAddress: (ns, name, cidr) => ({ method: 'DELETE', path: `${link(ns, name)}/addresses/${part(cidr)}` }),
  addRoute: (ns, body) => ({ method: 'POST', path: `/namespaces/${part(ns)}/routes`, body }),
  // The link an observed route leaves by is the kernel's finding when there is
  // a gateway; the intended route may name none.
  deleteRoute: (ns, { destination, gateway, link: via, metric }) => ({
    method: 'DELETE',
    path: `/namespaces/${part(ns)}/routes` + query({ destination, gateway, link: gateway ? '' : via, metric }),
  }),
  addFDB: (ns, bridge, body) => ({ method: 'POST', path: fdb(ns, bridge), body }),
  /** @param {string} ns @param {string} bridge @param {{mac: string, port: string, vlan?: number}} entry */
  deleteFDB: (ns, bridge, { mac, port, vlan }) => ({ method: 'DELETE', path: fdb(ns, bridge) + query({ mac, port, vlan }) }),
  flushFDB: (ns, bridge) => ({ method: 'POST', path: fdb(ns, bridge) + '/flush' }),
  /** Everything without subjects. @param {string[]} [subjects] */
  reconcile: (subjects) => ({ method: 'POST', path: '/topology/reconcile', body: subjects ? { subjects } : {} }),
  /** Several objects as one operation. @param {string[]} subjects "A", "host/br0" */
  deleteSeveral: (subjects) => ({ method: 'POST', path: '/topology/delete', body: { subjects } }),
  /** Makes a Spec the intended topology, if nobody was faster. @param {import('../types.js').Spec} spec @param {string} etag of the one it was made from */
  putSpec: (spec, etag) => ({ method: 'PUT', path: '/topology/intended', body: spec, headers: { 'If-Match': etag } }),
  adopt: (subjects) => ({ method: 'POST', path: '/topology/adopt', body: { subjects } }),
  release: (subjects) => ({ method: 'POST', path: '/topology/release', body: { subjects } }),
  undo: (id) => ({ method: 'POST', path: `/operations/${id}/undo` }),
  cancel: (id) => ({ method: 'POST', path: `/operations/${id}/cancel` }),
  settings: (body) => ({ method: 'PATCH', path: '/settings', body }),
};

/** A key nobody else has; randomUUID is for secure contexts alone. */
const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16)).join('-');

/** A body longer than this is told as a file. */
const bodyAtMost = 2000;

/** A command as the curl line that does the same. @param {Command} c @param {string} origin */
export function curl(c, origin) {
  const quote = (s) => `'${s.replaceAll("'", `'\\''`)}'`;
  const words = ['curl', '-sS'];
  if (c.method !== 'GET' && !(c.method === 'POST' && c.body)) words.push('-X', c.method);
  words.push(c.path.includes('?') ? quote(origin + base + c.path) : origin + base + c.path);
  for (const [name, value] of Object.entries(c.headers ?? {})) words.push('-H', quote(`${name}: ${value}`));
  if (c.text !== undefined) {
    const file = c.type === 'application/json' ? 'topology.json' : 'topology.yaml';
    return `${words.join(' ')} \\\n  -H ${quote(`Content-Type: ${c.type}`)} --data-binary @${file}`;
  }
  if (!c.body) return words.join(' ');
  if (JSON.stringify(c.body).length > bodyAtMost) return `${words.join(' ')} \\\n  --json @topology.json`;
  return `${words.join(' ')} \\\n  --json ${quote(JSON.stringify(c.body))}`;
}

/** @param {{fetch?: (url: string, init: RequestInit) => Promise<any>}} [o] */
export function createApi({ fetch = globalThis.fetch.bind(globalThis) } = {}) {
  /** @param {Command} c @param {{dryRun?: boolean, signal?: AbortSignal, accept?: string}} [o] */
  async function send(c, { dryRun = false, signal, accept = 'application/json' } = {}) {
    const path = dryRun ? c.path + (c.path.includes('?') ? '&' : '?') + 'dry_run=true' : c.path;
    /** @type {RequestInit} */
    const init = { method: c.method, signal, headers: { Accept: accept, ...c.headers } };
    const body = c.text ?? (c.body === undefined ? undefined : JSON.stringify(c.body));
    if (body !== undefined) {
      init.body = body;
      init.headers = { ...init.headers, 'Content-Type': c.type ?? 'application/json' };
    }
    let response;
    try {
      response = await fetch(base + path, init).catch((e) => again(e, base + path, init));
    } catch (e) {
      if (signal?.aborted) throw e;
      throw new ApiError({ status: 0, code: 'unreachable', detail: 'netdash does not answer' });
    }
    if (!response.ok) throw new ApiError(await problemOf(response));
    return response;
  }

  /**
   * Once more. Browsers give up a connection that is just being made when an
   * address of their machine changes, which is what netdash does to its own.
   */
  async function again(error, url, init) {
    if (init.signal?.aborted) throw error;
    await new Promise((done) => setTimeout(done, retryAfter));
    return fetch(url, init);
  }

  async function json(c, o) {
    const response = await send(c, o);
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  }

  /** Does it, and gives what it was answered and its number in the journal, 0 when nothing had to be done. @param {Command} c */
  async function perform(c) {
    // Done once, even if it is asked for again because no answer came.
    const response = await send({ ...c, headers: { ...c.headers, 'Idempotency-Key': newKey() } });
    const text = await response.text();
    return { answer: text ? JSON.parse(text) : null, operation: Number(response.headers?.get('Netdash-Operation') ?? 0) };
  }

  const get = (path, signal) => json({ method: 'GET', path }, { signal });
  const items = async (path, signal) => (await get(path, signal)).items ?? [];

  /** Does it, and hears of it line by line. @param {Command} c @param {(line: any) => void} onLine @param {AbortSignal} signal */
  async function stream(c, onLine, signal) {
    const response = await send(c, { signal, accept: 'application/x-ndjson' });
    await eachLine(response.body, onLine);
  }

  return {
    perform,
    /** Does it. @param {Command} c @returns {Promise<any>} */
    run: async (c) => (await perform(c)).answer,
    /** What it would do. @param {Command} c @param {AbortSignal} [signal] @returns {Promise<import('../types.js').Plan>} */
    dryRun: (c, signal) => json(c, { dryRun: true, signal }),
    /** @param {string} ns @param {AbortSignal} [signal] @returns {Promise<import('../types.js').Firewall>} */
    firewall: (ns, signal) => get(`/namespaces/${part(ns)}/firewall`, signal),
    /** @param {string} ns @param {string} bridge @param {AbortSignal} [signal] @returns {Promise<import('../types.js').FDBEntry[]>} */
    fdb: (ns, bridge, signal) => items(fdb(ns, bridge), signal),
    /** @param {{limit?: number, before?: number}} [o] @returns {Promise<import('../types.js').Operation[]>} */
    operations: (o = {}) => items('/operations' + query(o)),
    /** @param {number} id @returns {Promise<import('../types.js').Operation>} */
    operation: (id) => get(`/operations/${id}`),
    /** @returns {Promise<import('../types.js').DriftReport>} */
    drift: () => get('/topology/drift'),
    /** @returns {Promise<import('../types.js').Settings>} */
    settings: () => get('/settings'),
    capabilities: () => get('/capabilities'),
    /** Where everything is drawn, for all who look; see places.js. @returns {Promise<import('./places.js').Place[]>} */
    positions: () => items('/positions'),
    /** @param {import('./places.js').Item[]} changed @returns {Promise<import('./places.js').Place[]>} */
    patchPositions: async (changed) => (await json({ method: 'PATCH', path: '/positions', body: { items: changed } }, {})).items ?? [],
    /** @param {import('./places.js').Item[]} all */
    putPositions: (all) => json({ method: 'PUT', path: '/positions', body: { items: all } }, {}),

    /** The intended topology as YAML, and the ETag that goes with it. */
    async document() {
      const response = await send({ method: 'GET', path: '/topology/intended' }, { accept: 'application/yaml' });
      return { text: await response.text(), etag: response.headers.get('ETag') ?? '' };
    },
    /** The intended topology as a value, and its ETag. @param {AbortSignal} [signal] */
    async spec(signal) {
      const response = await send({ method: 'GET', path: '/topology/intended' }, { signal });
      return { spec: /** @type {import('../types.js').Spec} */ (await response.json()), etag: response.headers.get('ETag') ?? '' };
    },
    /** A file of the topology in another program's words. @param {string} format @returns {Promise<string>} */
    async exported(format) {
      return (await send({ method: 'GET', path: '/topology/export' + query({ format }) }, { accept: '*/*' })).text();
    },

    /**
     * Pings; replies come one by one as they arrive, the summary at the end.
     * @param {import('../types.js').PingRequest} request
     * @param {(line: any) => void} onLine
     * @param {AbortSignal} signal
     */
    ping: (request, onLine, signal) => stream({ method: 'POST', path: '/pings', body: request }, onLine, signal),
    stream,
  };
}

/** Reads NDJSON as it comes. @param {any} stream @param {(line: any) => void} onLine */
export async function eachLine(stream, onLine) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) onLine(JSON.parse(line));
    if (done) break;
  }
  if (rest.trim()) onLine(JSON.parse(rest));
}

async function problemOf(response) {
  const text = await response.text();
  try {
    const p = JSON.parse(text);
    return { ...p, status: p.status ?? response.status, code: p.code ?? 'internal', detail: p.detail ?? p.title ?? '' };
  } catch {
    return { status: response.status, code: 'internal', detail: `${response.status} ${response.statusText}` };
  }
}

/** @typedef {ReturnType<typeof createApi>} Api */
