// Builds into dist/: TypeScript becomes JavaScript, WebAssembly text (.wat) becomes .wasm beside it. dist/ is emptied first: plug-ins are found by file name, so a deleted one would live on.
// With --if-changed, a build that is newer than every source is left alone: npm runs `prepare` not only after an
// install but also when `npx bench` is called here for the first time, and dist/ must not vanish under a run then.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
/** Written when a build is complete. */
const stamp = path.join(dist, '.built');

/** When a source was last changed, added or removed: the last two change the time of its folder. */
function lastChangeMs() {
  const { include } = JSON.parse(readFileSync(path.join(root, 'tsconfig.json'), 'utf8'));
  const folders = include.map((name) => path.join(root, name)).filter((folder) => existsSync(folder));
  const sources = folders.flatMap((folder) => [
    folder,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory() || /\.(ts|wat)$/.test(entry.name))
      .map((entry) => path.join(entry.parentPath, entry.name)),
  ]);
  const settings = ['package.json', 'tsconfig.json', 'scripts/build.mjs'].map((name) =>
    path.join(root, name),
  );
  return Math.max(...[...sources, ...settings].map((file) => statSync(file).mtimeMs));
}

function isCurrent() {
  const built = statSync(stamp, { throwIfNoEntry: false });
  return built !== undefined && built.mtimeMs > lastChangeMs();
}

if (process.argv.includes('--if-changed') && isCurrent()) process.exit(0);

rmSync(dist, { recursive: true, force: true });
/** Runs a command of a package, or ends as it ended. */
function run(packageName, command, ...args) {
  const folder = path.dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  const script = path.join(folder, 'bin', command);
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit', cwd: root });
  if (status !== 0) process.exit(status ?? 1);
}

run('typescript', 'tsc', '-p', root);
for (const entry of readdirSync(path.join(root, 'harness'), { recursive: true })) {
  if (!entry.endsWith('.wat')) continue;
  // The command, not the library: wabt 1.0.39's parseWat reads past the end of what it is given.
  const built = path.join(dist, 'harness', entry.replace(/wat$/, 'wasm'));
  run('wabt', 'wat2wasm', path.join(root, 'harness', entry), '-o', built);
}
chmodSync(path.join(dist, 'harness', 'cli.js'), 0o755);
writeFileSync(stamp, '');
