// Builds the program: TypeScript becomes JavaScript, WebAssembly text (.wat) becomes .wasm beside it.
//
// A build is made aside, in a folder of its own whose name says what is in it (dist-HASH), and `dist` is a link to the
// newest. So one that fails leaves everything as it was, and a program that runs keeps the modules that it was started
// with: node imports them from where they really lie. Builds that no program uses any more go with a later build.
//
// --if-changed  does nothing where `dist` is what the sources would give: npm runs `prepare` often
// --whole       makes `dist` a folder instead of a link, for npm, which packs no links
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { graphFile, moduleGraph } from './module-graph.mjs';
import { buildName, builtFile, changedSources, describeSources, gitFacts } from './sources.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
/** Programs that were started without a lease (tests) may use a build for so long after it was replaced. */
const graceMs = 60 * 60 * 1000;

// npm installs a dependency from git by packing it, with nothing but `prepare` before.
const whole = process.argv.includes('--whole') || process.env._PACOTE_NO_PREPARE_ !== undefined;
const isCurrent = existsSync(dist) && changedSources(root, dist, { tests: true }).length === 0;
if (!(isCurrent && (process.argv.includes('--if-changed') || whole))) await build();
if (whole) makeWhole();

async function build() {
  // Looked at first: what is edited while the compiler runs counts as changed afterwards.
  const sources = describeSources(root);
  const git = await gitFacts(root);
  removeLeftOvers();
  const aside = path.join(root, `dist-building-${process.pid}`);
  try {
    compile(aside);
    const graph = moduleGraph(aside);
    writeFileSync(path.join(aside, graphFile), `${JSON.stringify(graph)}\n`);
    const name = `dist-${hashOf(aside).slice(0, 12)}`;
    const facts = `${JSON.stringify({ sources, git })}\n`;
    const folder = path.join(root, name);
    // Made before, and perhaps in use: only what it was made from is new.
    if (existsSync(path.join(folder, builtFile))) replaceFile(path.join(folder, builtFile), facts);
    else {
      writeFileSync(path.join(aside, builtFile), facts);
      rmSync(folder, { recursive: true, force: true });
      renameSync(aside, folder);
    }
    rmSync(path.join(folder, 'replaced'), { force: true });
    link(name);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  await removeOldBuilds();
}

function compile(folder) {
  run('typescript', 'tsc', '-p', root, '--outDir', folder);
  for (const entry of readdirSync(path.join(root, 'harness'), { recursive: true })) {
    if (!entry.endsWith('.wat')) continue;
    // The command, not the library: wabt 1.0.39's parseWat reads past the end of what it is given.
    const built = path.join(folder, 'harness', entry.replace(/wat$/, 'wasm'));
    run('wabt', 'wat2wasm', path.join(root, 'harness', entry), '-o', built);
  }
  chmodSync(path.join(folder, 'harness', 'cli.js'), 0o755);
}

/** Runs a command of a package, or gives up. */
function run(packageName, command, ...args) {
  const folder = path.dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  const script = path.join(folder, 'bin', command);
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit', cwd: root });
  if (status === 0) return;
  removeLeftOvers(process.pid);
  console.error(existsSync(dist) ? 'The build failed: dist/ is left as it was.' : 'The build failed.');
  process.exit(status ?? 1);
}

/** Over the names and bytes of everything in a folder. */
function hashOf(folder) {
  const hash = createHash('sha256');
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const files = entries.map((entry) => path.join(entry.parentPath, entry.name)).sort();
  for (const file of files) hash.update(path.relative(folder, file)).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

/** From now on `dist` is this build. */
function link(name) {
  const before = lstatSync(dist, { throwIfNoEntry: false });
  const old = before?.isSymbolicLink() && existsSync(dist) ? realpathSync(dist) : undefined;
  const temporary = path.join(root, `dist-link-${process.pid}`);
  rmSync(temporary, { force: true });
  symlinkSync(process.platform === 'win32' ? path.join(root, name) : name, temporary, 'junction');
  // A folder cannot be replaced by a link in one step, nor can anything on Windows.
  if (before?.isDirectory()) renameSync(dist, path.join(root, `dist-building-${process.pid}-before`));
  else if (before !== undefined && process.platform === 'win32') rmSync(dist);
  renameSync(temporary, dist);
  if (old !== undefined && path.basename(old) !== name) writeFileSync(path.join(old, 'replaced'), '');
  rmSync(path.join(root, `dist-building-${process.pid}-before`), { recursive: true, force: true });
}

function makeWhole() {
  if (!lstatSync(dist).isSymbolicLink()) return;
  const aside = path.join(root, `dist-building-${process.pid}`);
  const passing = new Set(['in-use', 'replaced']);
  cpSync(realpathSync(dist), aside, {
    recursive: true,
    filter: (source) => !passing.has(path.basename(source)),
  });
  rmSync(dist);
  renameSync(aside, dist);
}

function replaceFile(file, text) {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

/** What builds that were killed left behind. */
function removeLeftOvers(pid) {
  for (const name of readdirSync(root)) {
    const [, found] = /^dist-(?:building|link)-(\d+)/.exec(name) ?? [];
    if (found === undefined || (Number(found) !== pid && isRunning(Number(found)))) continue;
    rmSync(path.join(root, name), { recursive: true, force: true });
  }
}

async function removeOldBuilds() {
  const current = path.basename(realpathSync(dist));
  const { isBuildUsed } = await import(
    pathToFileURL(path.join(root, current, 'harness', 'store', 'build-lease.js')).href
  );
  for (const name of readdirSync(root)) {
    if (!buildName.test(name) || name === current) continue;
    const folder = path.join(root, name);
    const replaced = statSync(path.join(folder, 'replaced'), { throwIfNoEntry: false });
    if (replaced === undefined) writeFileSync(path.join(folder, 'replaced'), '');
    else if (Date.now() - replaced.mtimeMs > graceMs && !(await isBuildUsed(folder)))
      rmSync(folder, { recursive: true, force: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
