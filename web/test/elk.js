// The layouter for tests: the vendored worker, run as the module it also is.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { useElk } from '../static/js/layout/layered.js';
import { ELK } from '../static/js/lib/elk.js';

export function vendoredElk() {
  const module = { exports: {} };
  const code = readFileSync(new URL('../static/vendor/elk-worker.js', import.meta.url), 'utf8');
  new Function('module', 'exports', 'require', code)(module, module.exports, createRequire(import.meta.url));
  const { Worker } = /** @type {any} */ (module.exports);
  useElk(new ELK({ workerFactory: (url) => new Worker(url) }));
}
