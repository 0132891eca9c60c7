/** Tests what stands between a fresh checkout and the command: the scripts npm runs, the lock file, the package. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { passingFolder, root } from './places.js';

const read = (file: string) => readFileSync(file, 'utf8');
const json = (name: string) => JSON.parse(read(path.join(root, name)));

/** A checkout with nothing installed or built: package.json and the scripts. */
function bareCheckout(): string {
  const folder = passingFolder('checkout');
  cpSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  cpSync(path.join(root, 'scripts'), path.join(folder, 'scripts'), { recursive: true });
  return folder;
}

/** The same after an install, with a compiler that has nothing to do and a program that says its arguments. */
function installedCheckout(): string {
  const folder = bareCheckout();
  cpSync(path.join(root, 'package-lock.json'), path.join(folder, 'package-lock.json'));
  mkdirSync(path.join(folder, 'node_modules', 'typescript'), { recursive: true });
  mkdirSync(path.join(folder, 'dist', 'harness'), { recursive: true });
  writeFileSync(path.join(folder, 'scripts', 'build.mjs'), '');
  writeFileSync(path.join(folder, 'dist/harness/cli.js'), 'console.log(process.argv.slice(2).join());');
  return folder;
}

function node(folder: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
}

test('before npm ci, the command says what is missing and preparing does no harm', () => {
  const folder = bareCheckout();
  const prepared = node(folder, 'scripts/prepare.mjs');
  assert.equal(prepared.status, 0, prepared.stderr);
  assert.match(prepared.stderr, /npm ci/);
  assert.deepEqual(readdirSync(folder).sort(), ['package.json', 'scripts']);
  const called = node(folder, 'scripts/bench.mjs', '--version');
  assert.equal(called.status, 3);
  assert.match(called.stderr, /nothing is built[\s\S]*npm ci/);
});

test('preparing puts the command under both names where npx looks first, again and again', () => {
  const folder = installedCheckout();
  for (let time = 0; time < 2; time++) {
    const { status, stderr } = node(folder, 'scripts/prepare.mjs');
    assert.equal(status, 0, stderr);
  }
  const bin = path.join(folder, 'node_modules', '.bin');
  assert.deepEqual(readdirSync(bin).sort(), ['bench', 'strata-bench']);
  for (const name of readdirSync(bin)) {
    const { stdout, status } = spawnSync(path.join(bin, name), ['list', 'reports'], { encoding: 'utf8' });
    assert.deepEqual({ stdout, status }, { stdout: 'list,reports\n', status: 0 });
  }
});

test('a build that fails fails the install', () => {
  const folder = installedCheckout();
  writeFileSync(path.join(folder, 'scripts', 'build.mjs'), 'process.exit(2);');
  assert.equal(node(folder, 'scripts/prepare.mjs').status, 2);
});

test('a checkout declares no command bench, which npx would link through its own cache', () => {
  assert.deepEqual(Object.keys(json('package.json').bin), ['strata-bench']);
});

test('the package offers bench too, and packing leaves package.json as it was, killed or not', () => {
  const folder = installedCheckout();
  const file = path.join(folder, 'package.json');
  const original = read(file);
  const step = (name: string) => assert.equal(node(folder, 'scripts/packing.mjs', name).status, 0);
  step('before');
  // Killed here, and begun anew.
  step('before');
  const packed = JSON.parse(read(file));
  assert.deepEqual(packed.bin, { 'strata-bench': 'scripts/bench.mjs', bench: 'scripts/bench.mjs' });
  assert.equal(packed.scripts.prepare, undefined);
  assert.ok(JSON.parse(original).scripts.prepare !== undefined);
  // npm 10 and 11 go by it where the package comes from a registry: no script of onnxruntime-node is run.
  const shrinkwrap = path.join(folder, 'npm-shrinkwrap.json');
  const { packages } = JSON.parse(read(shrinkwrap)) as { packages: Record<string, Record<string, unknown>> };
  assert.ok(packed.files.includes('npm-shrinkwrap.json'));
  assert.deepEqual(packages['']!.bin, packed.bin);
  assert.equal(packages['']!.devDependencies, undefined);
  assert.ok(Object.values(packages).every(({ dev }) => dev === undefined));
  for (const name of Object.keys(packed.dependencies)) assert.ok(packages[`node_modules/${name}`], name);
  assert.equal(packages['node_modules/onnxruntime-node']!.hasInstallScript, undefined);
  for (const name of ['faiss-node', 'usearch'])
    assert.equal(packages[`node_modules/${name}`]!.hasInstallScript, true, name);
  step('after');
  assert.ok(!existsSync(shrinkwrap), 'npm ci in a checkout would take it');
  assert.equal(read(file), original);
  assert.ok(!existsSync(path.join(folder, 'node_modules', '.package.json.kept')));
  assert.equal(node(folder, 'scripts/packing.mjs', 'between').status, 1);
});

test('npm runs no install script of onnxruntime-node and koffi, and compiles no usearch, whichever npm it is', () => {
  // Its script fetches files for CUDA from another host and fails the install where it cannot. npm 11 and later go by
  // `allowScripts`, npm 10 by `hasInstallScript` of the lock file: where npm put it back, delete that line again.
  const { allowScripts } = json('package.json');
  const marked = Object.entries(json('package-lock.json').packages as Record<string, object>)
    .filter(([, entry]) => 'hasInstallScript' in entry)
    .map(([name]) => name.replace('node_modules/', ''));
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
  assert.equal(allowScripts['onnxruntime-node'], false);
  assert.equal(allowScripts.koffi, false);
  // Its own script compiles only where no binary fits. An npm that is not told of it, npm 10 here and 11 in other folders, sees
  // binding.gyp and compiles for two minutes.
  assert.equal(allowScripts.usearch, false);
  assert.ok(marked.includes('usearch'));
  assert.deepEqual(
    marked.filter((name) => !allowed.includes(name)),
    ['msgpackr-extract', 'usearch'],
  );
  assert.ok(marked.includes('faiss-node'), 'its script fetches the prebuilt addon');
});

test('what the pages tell people to write into a checkout is ignored by git, and so by lint', (context) => {
  if (!existsSync(path.join(root, '.git'))) return context.skip('this is no checkout of git');
  const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)];
  const named = pages
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => [...read(path.join(root, name)).matchAll(/--(?:out|junit|run) ([a-z][\w.-]*)/g)])
    .map(([, file]) => file!);
  assert.ok(named.includes('bench.html') && named.includes('bench.xml'));
  const ignored = spawnSync('git', ['check-ignore', ...named], { cwd: root, encoding: 'utf8' });
  assert.deepEqual(
    named.filter((file) => !ignored.stdout.split('\n').includes(file)),
    [],
  );
});

test('npm knows every setting of .npmrc', (context) => {
  const { error, stderr } = spawnSync('npm', ['config', 'list'], { cwd: root, encoding: 'utf8' });
  if (error !== undefined) return context.skip(`npm cannot be started: ${error.message}`);
  assert.doesNotMatch(stderr, /unknown project config/i);
});
