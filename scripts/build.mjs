// Builds into dist/. It is emptied first: plug-ins are found by file name, so a deleted one would live on.
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
      .filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts'))
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
const typescript = path.dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const compiler = path.join(typescript, 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', root], { stdio: 'inherit', cwd: root });
if (status !== 0) process.exit(status ?? 1);
chmodSync(path.join(dist, 'harness', 'cli.js'), 0o755);
writeFileSync(stamp, '');
