// A route as people write it, in the words of ip-route(8). Pure.

/**
 * "default via 10.0.0.254 dev eth0 metric 10" as the body of POST /routes. The
 * server judges the values; here only the words are. wrong is the first word
 * that is not understood, or that lacks its value.
 * @param {string} text
 * @returns {{body: {destination: string, gateway?: string, link?: string, metric?: number} | null, wrong: string}}
 */
export function parseRoute(text) {
  let [destination, ...words] = text.trim().split(/\s+/);
  if (destination === 'via') [destination, words] = ['default', ['via', ...words]];
  if (!destination) return { body: null, wrong: '' };
  const body = /** @type {any} */ ({ destination });
  for (let i = 0; i < words.length; i += 2) {
    const [word, value] = [words[i], words[i + 1]];
    const field = { via: 'gateway', dev: 'link', metric: 'metric' }[word];
    if (!field || field in body || value === undefined || (field === 'metric' && !/^\d+$/.test(value))) return { body: null, wrong: word };
    body[field] = field === 'metric' ? Number(value) : value;
  }
  return { body, wrong: '' };
}
