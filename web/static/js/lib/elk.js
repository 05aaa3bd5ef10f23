import ELK from '../../vendor/elk-api.js';

/** Where the layouter itself lies, from here and from dist/js; it only ever runs in a worker. */
export const workerUrl = new URL('../../vendor/elk-worker.js', import.meta.url);
export { ELK };
