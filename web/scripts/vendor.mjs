// Copies the libraries the page uses from node_modules to static/vendor, so
// that the program runs without npm and the page without any outside request.
//
//   node scripts/vendor.mjs          refresh (after npm ci)
//   node scripts/vendor.mjs --check  verify; needs no node_modules
//
// Vendored modules are changed in two ways only: bare imports become relative
// ones (the Content-Security-Policy forbids an inline import map), and links
// to source maps, which are not shipped, are cut. elk-api.js, a CommonJS file,
// and uplot.js, a script, get an ES module around them; d3's files, scripts too,
// put what they have into globalThis.d3.
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
  ...['dispatch', 'quadtree', 'timer', 'force'].map((x) => [`d3-${x}`, `dist/d3-${x}.min.js`, `d3-${x}.js`, plain]),
  ['uplot', 'dist/uPlot.iife.min.js', 'uplot.js', iife],
  ['uplot', 'dist/uPlot.min.css', 'uplot.css', plain],
  ['swagger-ui-dist', 'swagger-ui-bundle.js', 'swagger-ui-bundle.js', plain],
  ['swagger-ui-dist', 'swagger-ui.css', 'swagger-ui.css', plain],
];

/** The lucide icons the page uses. */
const icons = [
  'activity', 'arrow-down', 'arrow-left', 'arrow-right', 'arrow-up', 'bell', 'bell-off', 'book-open', 'box', 'boxes',
  'cable', 'check', 'chevron-down', 'chevron-left', 'chevron-right', 'chevron-up', 'chevrons-down-up',
  'chevrons-up-down', 'circle', 'circle-question-mark', 'circle-stop', 'clipboard-copy', 'clock', 'container', 'copy',
  'cpu', 'crosshair', 'download', 'ellipsis', 'equal-not', 'eraser', 'eye', 'eye-off', 'file-spreadsheet', 'file-text',
  'file-up', 'filter', 'folder-closed', 'folder-open', 'gauge', 'git-commit-horizontal', 'git-fork', 'hand', 'history',
  'image', 'image-down', 'info', 'key-round', 'keyboard', 'languages', 'layers', 'layout-grid', 'link', 'list',
  'locate', 'lock', 'lock-open', 'log-in', 'log-out', 'map', 'maximize', 'minus', 'monitor', 'moon', 'mouse-pointer-2',
  'move', 'network', 'panel-bottom', 'panel-right', 'pause', 'pencil', 'pin', 'pin-off', 'play', 'plug', 'plus',
  'presentation', 'radar', 'redo-2', 'refresh-cw', 'rotate-ccw', 'route', 'rows-3', 'save', 'search', 'server',
  'settings', 'share-2', 'shield', 'shield-check', 'skip-forward', 'spline', 'square', 'star', 'sun', 'table',
  'table-2', 'trash-2', 'triangle-alert', 'undo-2', 'unplug', 'user', 'users', 'waypoints', 'wifi', 'wifi-off',
  'wrench', 'x', 'zap',
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

function iife(text) {
  return `${plain(text)}export default uPlot;\n`;
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
