// Puts the page's modules into one file, static/dist/js/main.js, which is what
// index.html loads: one request and not a hundred and sixty, one after the other.
// It is kept in the repository, so that the program is built without npm.
//
//   node scripts/bundle.mjs          write it (after npm ci)
//   node scripts/bundle.mjs --check  fail if it is not what the modules give
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
// As deep below static/ as the modules, which tell from that where vendor/ is.
const file = join(root, 'static/dist/js/main.js');

const { outputFiles: [bundle] } = await build({
  entryPoints: [join(root, 'static/js/main.js')],
  bundle: true, format: 'esm', minify: true, legalComments: 'none', write: false,
  // d3's files are scripts that fill globalThis.d3 where there is no CommonJS.
  define: { exports: 'undefined', module: 'undefined', require: 'undefined', define: 'undefined' },
  banner: { js: '// Made by web/scripts/bundle.mjs of static/js, where it can be read, and static/vendor, whose licences lie there.' },
});

if (process.argv.includes('--check')) {
  let there = '';
  try { there = readFileSync(file, 'utf8'); } catch { /* not made yet */ }
  if (there !== bundle.text) {
    console.error('static/dist is not what static/js gives: run make bundle');
    process.exit(1);
  }
  console.log(`bundle: ${Math.round(bundle.text.length / 1024)} KiB, as the modules give it`);
} else {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bundle.text);
}
