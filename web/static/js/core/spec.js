// The intended topology as a value. Pure.

/** @typedef {import('../types.js').Spec} Spec */

const lists = /** @type {const} */ (['namespaces', 'bridges', 'veths', 'routes']);

/** A Spec with the parts of another added. @param {Spec} spec @param {Spec} parts @returns {Spec} */
export function withParts(spec, parts) {
  const sum = { ...spec };
  for (const list of lists) if (parts[list]?.length) sum[list] = /** @type {any} */ ([...(spec[list] ?? []), ...parts[list]]);
  return sum;
}

/** Parts as a document, an object a line. @param {Spec} parts */
export function documentOf(parts) {
  const some = lists.filter((list) => parts[list]?.length);
  return `{\n${some.map((list) => `  "${list}": [\n${parts[list]?.map((x) => `    ${JSON.stringify(x)}`).join(',\n')}\n  ]`).join(',\n')}\n}`;
}
