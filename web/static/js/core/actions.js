// What the page can do, for any view to call.
import { ApiError, commands } from './api.js';
import { editOf, redoTarget, titleOf, undoTarget, undoneTo } from './history.js';
import { newRun, takeLine } from './ping.js';
import { isLoopback, refOf, resolve } from './lookup.js';
import { withParts } from './spec.js';

const toastTime = 7000;

/**
 * @param {{store: import('./store.js').Store, api: import('./api.js').Api, ui: import('./ui.js').Ui, t: (key: string, values?: any) => string}} o
 */
export function createActions({ store, api, ui, t }) {
  let nextId = 1;
  /** @type {Map<number, AbortController>} */
  const pings = new Map();

  /**
   * Of what was done the last is told, of errors several.
   * @param {'error' | 'done'} kind @param {string} text @param {string} [hint] @param {import('./ui.js').ToastAction} [action] @param {string[]} [commands]
   */
  function toast(kind, text, hint = '', action = undefined, commands = undefined) {
    const id = nextId++;
    const others = ui.toasts.value.filter((x) => x.kind === 'error' || kind === 'error').slice(-3);
    ui.toasts.value = [...others, { id, kind, text, hint, action, commands }];
    setTimeout(() => dismiss(id), toastTime);
  }

  function dismiss(id) {
    ui.toasts.value = ui.toasts.value.filter((x) => x.id !== id);
  }

  /** An error in words: the server's, or that there is none. */
  function explain(error) {
    const p = error instanceof ApiError ? error.problem : null;
    if (p?.code === 'unreachable') return { text: t('connection.unreachable'), hint: t('connection.unreachable.hint') };
    const fields = p?.errors?.map((e) => `${e.pointer} ${e.detail}`).join('; ');
    return { text: [p?.detail ?? String(error), fields].filter(Boolean).join(': '), hint: p?.hint ?? '' };
  }

  function fail(error) {
    const { text, hint } = explain(error);
    toast('error', text, hint);
  }

  /** Says what an operation came to, by its number, and offers the way back. @param {number} id 0: there was none @param {string} [text] */
  async function tell(id, text = t('done')) {
    if (!id) return;
    try {
      // The event may not be here yet, and that of a large one lacks the commands.
      const known = store.operations.value.find((o) => o.id === id && o.state !== 'running' && o.commands?.length);
      const o = known ?? await api.operation(id);
      store.addOperations([o]);
      toast('done', text, '', { label: t('undo'), run: () => { actions.undoOperation(o); } }, o.commands ?? []);
    } catch (error) {
      fail(error);
    }
  }

  /**
   * Runs a command and tells what it came to. An error is shown at the object it
   * is about, where one is named, else as a toast.
   * @param {import('./api.js').Command} command @param {{at?: string}} [o] at: a node of the graph or a selection
   * @returns {Promise<boolean>} done?
   */
  async function run(command, { at } = {}) {
    try {
      const { operation } = await api.perform(command);
      await tell(operation);
      return true;
    } catch (error) {
      if (at) ui.bubble.value = { at, ...explain(error) };
      else fail(error);
      return false;
    }
  }

  /** @type {Promise<void>} ends when what was to be undone or redone is */
  let turned = Promise.resolve();

  /** One after the other: what the next one is about depends on the last. */
  function inTurn(f) {
    turned = turned.then(f);
    return turned;
  }

  /** Undoes an operation, which may be an undo itself; says so and offers the way back. */
  async function turn(operation, words, back) {
    try {
      const result = await api.run(commands.undo(operation.id));
      store.addOperations([{ ...operation, state: 'undone', undone_by: result.id }, result]);
      const { text, more } = titleOf(editOf(store.operations.value, operation));
      toast('done', t(words, { what: more ? `${text} ${t('operations.more', { count: more })}` : text }), '', back);
    } catch (error) {
      fail(error);
    }
  }

  function replaceRun(id, change) {
    ui.runs.value = ui.runs.value.map((r) => (r.id === id ? change(r) : r));
  }

  const actions = {
    run,
    fail,
    explain,
    tell,
    toast,
    dismiss,

    /** @param {string | null} id */
    select(id) {
      ui.lit.value = new Set();
      if (ui.selection.value !== id) ui.selection.value = id;
      ui.chosen.value = new Set(id ? [id] : []);
    },
    /** Several at once; panels show the last one. @param {string[]} ids */
    choose(ids) {
      actions.select(ids.at(-1) ?? null);
      ui.chosen.value = new Set(ids);
    },

    /** @param {'fit' | 'in' | 'out' | 'keep' | 'back' | 'show' | 'reveal'} what @param {string} [id] a selection, of show and reveal */
    view(what, id = '') { ui.view.value = { what, id, count: ui.view.value.count + 1 }; },
    search() { ui.searching.value = true; },

    togglePanel() { ui.panel.value = !ui.panel.value; },

    /** @param {string} kind @param {object} [values] what the form begins with */
    open(kind, values = {}) { ui.dialog.value = { kind, ...values }; },
    close() { ui.dialog.value = null; },

    /** Asks before deleting what is chosen. */
    deleteChosen() {
      const found = [...new Set([...ui.chosen.value, ui.selection.value])].map((id) => resolve(store.topology.value, id)).filter((x) => x !== null);
      const own = found.filter((x) => (x.kind === 'namespace' ? x.namespace.managed && x.namespace.name !== 'host' : x.link.managed && !isLoopback(x.link)));
      const rest = found.filter((x) => !own.includes(x)).map(nameOfFound);
      if (own.length === 0) {
        if (rest.length) toast('error', t('delete.notOurs', { list: rest.join(', ') }), t('delete.notOurs.hint'));
      } else if (own.length > 1) {
        const subjects = own.map(nameOfFound);
        actions.open('delete', { subjects, rest, command: commands.deleteSeveral(subjects) });
      } else if (own[0].kind === 'namespace') actions.deleteNamespace(own[0].namespace.name);
      else actions.deleteLink(own[0].link);
    },

    deleteNamespace(name) {
      actions.open('delete', { subjects: [name], what: 'namespace', command: commands.deleteNamespace(name) });
    },
    deleteLink(link) {
      actions.open('delete', {
        subjects: [refOf(link)],
        what: link.kind,
        command: commands.deleteLink(link.namespace, link.name),
      });
    },

    /** Shows what would be done to repair, and asks. @param {string[]} [subjects] everything without @param {string} [object] what they are called together */
    repair(subjects, object = subjects?.join(', ')) { actions.open('repair', { subjects, object }); },

    /** Undoes the last thing done; asks nothing, for redo is as near. */
    undo: () => inTurn(async () => {
      const o = undoTarget(store.operations.value);
      if (!o) toast('done', t('undo.nothing'));
      else await turn(o, 'undo.done', { label: t('redo'), run: () => { actions.redo(); } });
    }),
    redo: () => inTurn(async () => {
      const o = redoTarget(store.operations.value);
      if (!o) toast('done', t('redo.nothing'));
      else await turn(o, 'redo.done', { label: t('undo'), run: () => { actions.undo(); } });
    }),

    /** Undoes one operation. @param {import('../types.js').Operation} o */
    undoOperation: (o) => inTurn(() => turn(o, 'undo.done', { label: t('redo'), run: () => { actions.redo(); } })),

    /**
     * Undoes all that was done after an operation, newest first, until something
     * refuses. @param {number} id
     */
    undoTo: (id) => inTurn(async () => {
      const list = undoneTo(store.operations.value, id);
      let count = 0;
      try {
        for (const o of list) {
          const result = await api.run(commands.undo(o.id));
          store.addOperations([{ ...o, state: 'undone', undone_by: result.id }, result]);
          count += 1;
        }
      } catch (error) {
        fail(error);
      }
      if (count === list.length) toast('done', t('undo.toDone', { count, id }));
      else if (count > 0) toast('error', t('undo.toPartly', { count, all: list.length }));
    }),

    /** Reads what an event of a large operation left out. @param {number} id */
    loadOperation(id) { return api.operation(id).then((o) => store.addOperations([o]), fail); },
    /** @param {number} id */
    cancelOperation: (id) => api.run(commands.cancel(id)).then(() => true, (error) => { fail(error); return false; }),
    loadSettings: () => api.settings().then((s) => { ui.settings.value = s; }),

    /** Adds a lab to what is intended, as one operation. @param {import('../types.js').Spec} parts @returns {Promise<boolean>} done? */
    async build(parts) {
      try {
        const { spec, etag } = await api.spec();
        const { operation } = await api.perform(commands.putSpec(withParts(spec, parts), etag));
        setTimeout(() => actions.view('fit'), 350); // when everything stands
        await tell(operation, t('lab.built'));
        return true;
      } catch (error) {
        fail(error);
        return false;
      }
    },

    /** Opens the ping panel with a source; the target is chosen there or by a click. */
    pingFrom(namespace) {
      ui.picking.value = namespace;
      ui.drawer.value = { open: true, tab: 'ping' };
    },

    /** @param {import('../types.js').PingRequest} request */
    async ping(request) {
      ui.picking.value = null;
      ui.drawer.value = { open: true, tab: 'ping' };
      const id = nextId++;
      const abort = new AbortController();
      pings.set(id, abort);
      ui.runs.value = [newRun(id, request), ...ui.runs.value].slice(0, 20);
      try {
        await api.ping(request, (line) => replaceRun(id, (r) => takeLine(r, line)), abort.signal);
        replaceRun(id, (r) => (r.state === 'running' ? { ...r, state: 'stopped' } : r));
      } catch (error) {
        const p = error instanceof ApiError ? error.problem : null;
        replaceRun(id, (r) => abort.signal.aborted
          ? { ...r, state: 'stopped' }
          : { ...r, state: 'failed', error: describeProblem(p) ?? String(error), hint: p?.hint ?? '' });
      } finally {
        pings.delete(id);
      }
    },
    stopPing(id) { pings.get(id)?.abort(); },
  };
  return actions;
}

const nameOfFound = (x) => (x.kind === 'namespace' ? x.namespace.name : refOf(x.link));

function describeProblem(p) {
  if (!p) return null;
  const fields = (p.errors ?? []).map((e) => e.detail).join('; ');
  return fields ? `${p.detail}: ${fields}` : p.detail;
}

/** @typedef {ReturnType<typeof createActions>} Actions */
