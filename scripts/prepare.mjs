// npm runs this after `npm ci` and `npm install`, before it packs, and where `npx strata-bench` is called in a checkout: it builds
// what has changed, and puts the command where `npx bench` finds it first.
// package.json itself declares no command `bench`: for one that it declares, npx makes a link in a cache of its own, which several
// npx at once destroy for each other. scripts/packing.mjs declares it in the package.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const modules = path.join(root, 'node_modules');

/** Puts a file in place by a rename: somebody may be calling the command. */
function put(name, make) {
  const file = path.join(modules, '.bin', name);
  const made = `${file}.${process.pid}`;
  make(made);
  renameSync(made, file);
}

function linkCommand(name) {
  if (process.platform === 'win32') {
    const script = '@node "%~dp0\\..\\..\\scripts\\bench.mjs" %*\r\n';
    put(`${name}.cmd`, (file) => writeFileSync(file, script));
  } else put(name, (file) => symlinkSync(path.join('..', '..', 'scripts', 'bench.mjs'), file));
}

if (!existsSync(path.join(modules, 'typescript'))) {
  // A failure here would leave half a link in npx's cache: the command itself says what to do.
  process.stderr.write(
    'prepare: TypeScript is not installed here (npm ci installs it), so nothing is built.\n',
  );
  process.exit(0);
}
const build = path.join(root, 'scripts', 'build.mjs');
const { status } = spawnSync(process.execPath, [build, '--if-changed'], { stdio: 'inherit', cwd: root });
if (status !== 0) process.exit(status ?? 1);
mkdirSync(path.join(modules, '.bin'), { recursive: true });
for (const name of ['bench', 'strata-bench']) linkCommand(name);
