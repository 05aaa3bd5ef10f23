// Copies the libraries the page uses from node_modules to static/vendor, so
// that the program runs without npm and the page without any outside request.
//
//   node scripts/vendor.mjs          refresh (after npm ci)
//   node scripts/vendor.mjs --check  verify; needs no node_modules
//
// Vendored modules are changed in two ways only: bare imports become relative
// ones (the Content-Security-Policy forbids an inline import map), and links
// to source maps, which are not shipped, are cut. elk-api.js, a CommonJS file,
// gets an ES module around it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const vendor = join(root, 'static/vendor');
const manifestFile = join(vendor, 'manifest.json');

/** Bare import → file under static/vendor. */
const imports = {
  preact: './preact.js',
  'preact/hooks': './preact-hooks.js',
  '@preact/signals-core': './signals-core.js',
};

/** What is taken: package, its file, the name here, how it is changed. */
const files = [
  ['preact', 'dist/preact.mjs', 'preact.js', esm],
  ['preact', 'hooks/dist/hooks.mjs', 'preact-hooks.js', esm],
  ['htm', 'dist/htm.mjs', 'htm.js', esm],
  ['@preact/signals-core', 'dist/signals-core.mjs', 'signals-core.js', esm],
  ['@preact/signals', 'dist/signals.mjs', 'signals.js', esm],
  ['elkjs', 'lib/elk-api.js', 'elk-api.js', commonjs],
  ['elkjs', 'lib/elk-worker.min.js', 'elk-worker.js', plain],
  ['swagger-ui-dist', 'swagger-ui-bundle.js', 'swagger-ui-bundle.js', plain],
  ['swagger-ui-dist', 'swagger-ui.css', 'swagger-ui.css', plain],
];

/** The lucide icons the page uses. */
const icons = [
  'activity', 'arrow-right', 'book-open', 'cable', 'check', 'chevron-down', 'chevron-up', 'circle-question-mark',
  'circle-stop', 'copy', 'download', 'ellipsis', 'equal-not', 'eraser', 'file-text', 'file-up', 'filter', 'history',
  'layout-grid', 'list', 'log-in', 'log-out', 'maximize', 'minus', 'moon', 'network', 'pause', 'pencil', 'play', 'plug',
  'plus', 'radar', 'redo-2', 'refresh-cw', 'route', 'settings', 'square', 'sun', 'table-2', 'trash-2', 'undo-2', 'wifi',
  'wifi-off', 'wrench', 'x',
];

function plain(text) {
  return text.replace(/^\s*(\/\/|\/\*)# sourceMappingURL=.*$/gm, '').trimEnd() + '\n';
}

function esm(text, name) {
  return plain(text).replace(/(\bfrom|\bimport)\s*(["'])([^"'./][^"']*)\2/g, (_, word, quote, spec) => {
    if (!imports[spec]) throw new Error(`${name}: no vendored file for import "${spec}"`);
    return `${word} ${quote}${imports[spec]}${quote}`;
  });
}

function commonjs(text) {
  return `const module = { exports: {} };\nconst exports = module.exports;\n${plain(text)}export default module.exports;\n`;
}

/** Turns an icon's svg into [[tag, attributes], …], the children of its <svg>. */
function parseIcon(svg) {
  const inner = svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1, svg.indexOf('</svg>'));
  return [...inner.matchAll(/<(\w+)([^>]*?)\/?>/g)].map(([, tag, rest]) => [
    tag, Object.fromEntries([...rest.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, k, v]) => [k, v])),
  ]);
}

const sha384 = (data) => 'sha384-' + createHash('sha384').update(data).digest('base64');
const packageJSON = (name) => JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));

function refresh() {
  rmSync(vendor, { recursive: true, force: true });
  mkdirSync(join(vendor, 'licences'), { recursive: true });
  const manifest = [];
  const add = (name, file, from, text) => {
    writeFileSync(join(vendor, file), text);
    const { version, license } = packageJSON(name);
    manifest.push({ name, version, licence: license, file, from, sha384: sha384(text) });
  };
  for (const [name, from, file, change] of files) {
    add(name, file, from, change(readFileSync(join(root, 'node_modules', name, from), 'utf8'), name));
  }
  const lines = icons.map((icon) => {
    const svg = readFileSync(join(root, 'node_modules/lucide-static/icons', icon + '.svg'), 'utf8');
    return `  ${JSON.stringify(icon)}: ${JSON.stringify(parseIcon(svg))},`;
  });
  add('lucide-static', 'lucide.js', 'icons/*.svg', `export const icons = {\n${lines.join('\n')}\n};\n`);
  for (const name of new Set(manifest.map((m) => m.name))) {
    const dir = join(root, 'node_modules', name);
    const licence = readdirSync(dir).find((f) => /^licen[cs]e/i.test(f));
    if (licence) add(name, `licences/${name.replace('/', '-').replace('@', '')}.txt`, licence, readFileSync(join(dir, licence), 'utf8'));
  }
  writeFileSync(manifestFile, JSON.stringify(manifest, null, 2) + '\n');
  console.log(`vendored ${manifest.length} files`);
}

function check() {
  const problems = [];
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).dependencies;
  for (const entry of manifest) {
    const path = join(vendor, entry.file);
    if (!existsSync(path)) problems.push(`${entry.file}: missing`);
    else if (sha384(readFileSync(path)) !== entry.sha384) problems.push(`${entry.file}: does not match its SHA-384`);
    if (wanted[entry.name] !== entry.version) problems.push(`${entry.name}: ${entry.version} vendored, package.json wants ${wanted[entry.name]}`);
  }
  const known = new Set([...manifest.map((m) => m.file), 'manifest.json']);
  for (const f of readdirSync(vendor, { recursive: true, withFileTypes: true })) {
    const path = relative(vendor, join(f.parentPath ?? f.path, f.name));
    if (f.isFile() && !known.has(path)) problems.push(`${path}: not in manifest.json`);
  }
  for (const name of Object.keys(wanted)) {
    if (!manifest.some((m) => m.name === name)) problems.push(`${name}: in package.json, not vendored`);
  }
  if (problems.length) {
    console.error(problems.join('\n') + '\nRun: npm ci && npm run vendor');
    process.exit(1);
  }
  console.log(`vendored libraries: ${manifest.length} files match the manifest`);
}

if (process.argv.includes('--check')) check();
else refresh();
