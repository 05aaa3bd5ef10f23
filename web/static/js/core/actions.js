// What the page can do, for any view to call.
import { ApiError, commands } from './api.js';
import { editOf, redoTarget, titleOf, undoTarget, undoneTo } from './history.js';
import { newRun, takeLine } from './ping.js';
import { resolve } from './lookup.js';

const toastTime = 7000;

/**
 * @param {{store: import('./store.js').Store, api: import('./api.js').Api, ui: import('./ui.js').Ui, t: (key: string, values?: any) => string}} o
 */
export function createActions({ store, api, ui, t }) {
  let nextId = 1;
  /** @type {Map<number, AbortController>} */
  const pings = new Map();

  /** @param {'error' | 'done'} kind @param {string} text @param {string} [hint] @param {import('./ui.js').ToastAction} [action] */
  function toast(kind, text, hint = '', action = undefined) {
    const id = nextId++;
    ui.toasts.value = [...ui.toasts.value.slice(-3), { id, kind, text, hint, action }];
    setTimeout(() => dismiss(id), toastTime);
  }

  function dismiss(id) {
    ui.toasts.value = ui.toasts.value.filter((x) => x.id !== id);
  }

  function fail(error) {
    const p = error instanceof ApiError ? error.problem : null;
    const fields = p?.errors?.map((e) => `${e.pointer} ${e.detail}`).join('; ');
    toast('error', [p?.detail ?? String(error), fields].filter(Boolean).join(': '), p?.hint ?? '');
  }

  /** Runs a command; an error is shown as a toast. @returns {Promise<boolean>} done? */
  async function run(command) {
    try {
      await api.run(command);
      return true;
    } catch (error) {
      fail(error);
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

    /** @param {'fit' | 'in' | 'out'} what */
    view(what) { ui.view.value = { what, count: ui.view.value.count + 1 }; },

    togglePanel() { ui.panel.value = !ui.panel.value; },

    /** @param {string} kind @param {object} [values] what the form begins with */
    open(kind, values = {}) { ui.dialog.value = { kind, ...values }; },
    close() { ui.dialog.value = null; },

    /** Asks before deleting what is selected. */
    deleteSelected() {
      const found = resolve(store.topology.value, ui.selection.value);
      if (!found) return;
      if (found.kind === 'namespace') {
        if (found.namespace.name !== 'host') actions.deleteNamespace(found.namespace.name);
      } else actions.deleteLink(found.link);
    },

    deleteNamespace(name) {
      actions.open('delete', { subject: name, what: 'namespace', command: commands.deleteNamespace(name) });
    },
    deleteLink(link) {
      actions.open('delete', {
        subject: `${link.namespace}/${link.name}`,
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
    cancelOperation: (id) => run(commands.cancel(id)),
    loadSettings: () => api.settings().then((s) => { ui.settings.value = s; }),

    /** Builds a lab step by step. @param {import('./api.js').Command[]} list */
    async build(list) {
      for (const command of list) if (!(await run(command))) return;
      setTimeout(() => actions.view('fit'), 350); // when everything stands
      toast('done', t('lab.built'));
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

function describeProblem(p) {
  if (!p) return null;
  const fields = (p.errors ?? []).map((e) => e.detail).join('; ');
  return fields ? `${p.detail}: ${fields}` : p.detail;
}

/** @typedef {ReturnType<typeof createActions>} Actions */
