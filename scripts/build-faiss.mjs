// Compiles against the system's FAISS the addon of faiss-node from its npm package, for machines where its prebuilt binary
// cannot be downloaded, and the addon of ours that searches on a GPU (faiss-device.mjs). What it leaves is two folders,
// node_modules/faiss-node and node_modules/strata-faiss, each put in place by a rename.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  buildDeviceAddon,
  builtDeviceAddon,
  environmentFlags,
  findFaiss,
  isCurrentAddon,
  packageName,
} from './faiss-device.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const parent = path.dirname(root);
/** Where npm puts what this package needs: inside a checkout, and beside the package where it is installed. */
const modules = path.basename(parent) === 'node_modules' ? parent : path.join(root, 'node_modules');
const target = path.join(modules, 'faiss-node');
const version = readPackage(root).optionalDependencies['faiss-node'];
const headersVersion = '1.9.0';
const compiler = process.env.CXX ?? 'g++';
const aptCommand = 'apt-get install g++ libfaiss-dev libopenblas-dev';

/** FAISS before 1.7.4 has idx_t only inside its class Index; faiss-node's source wants it in the namespace. */
const compatibilityHeader = `#include <faiss/Index.h>
#if FAISS_VERSION_MAJOR == 1 && (FAISS_VERSION_MINOR < 7 || (FAISS_VERSION_MINOR == 7 && FAISS_VERSION_PATCH < 4))
namespace faiss { using idx_t = Index::idx_t; }
#endif
`;

function readPackage(folder) {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
}

/** Whether faiss-node is in place: without the addon all is there but searches on a GPU, and that is no failure. */
let isThere = false;

function fail(message) {
  const what = isThere ? `faiss-node works; the addon for a GPU was not built: ${message}` : message;
  console.error(`build:faiss: ${what}`);
  process.exit(isThere ? 0 : 3);
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
}

/** What a process of its own says when it loads the addon and searches with it; undefined where it works. */
function faultOf(folder) {
  const probe = `const { IndexFlatIP } = require(${JSON.stringify(folder)});
    const index = new IndexFlatIP(2);
    index.add([1, 0, 0, 1]);
    if (index.search([0, 2], 1).labels[0] !== 1) throw new Error('a search gave the wrong row');`;
  const { status, stderr, signal } = run(process.execPath, ['-e', probe]);
  if (status === 0) return undefined;
  const lines = stderr.split('\n').filter((line) => /error/i.test(line));
  return lines[0]?.trim() ?? `it ended with ${signal ?? `status ${status}`}`;
}

function checkCompiler() {
  const found = run(compiler, ['--version']);
  if (found.error !== undefined) {
    fail(
      `the C++ compiler '${compiler}' cannot be started (${found.error.code}). On Debian and Ubuntu: ${aptCommand}`,
    );
  }
  const headers = run(compiler, ['-E', '-x', 'c++', ...environmentFlags('CXXFLAGS'), '-'], {
    input: '#include <faiss/IndexFlat.h>\n',
  });
  if (headers.status !== 0) {
    fail(
      `'${compiler}' does not find FAISS's headers (faiss/IndexFlat.h). On Debian and Ubuntu: ${aptCommand}\n` +
        'Where FAISS lies elsewhere, name its folders with CXXFLAGS=-I... and LDFLAGS=-L...',
    );
  }
}

/** faiss-node, what it loads at run time, and the Node-API headers, as npm gives them; no install script is run. */
function fetchSources(work) {
  writeFileSync(path.join(work, 'package.json'), '{"private": true}\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, stderr, error } = run(
    npm,
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      `faiss-node@${version}`,
      `node-api-headers@${headersVersion}`,
    ],
    { cwd: work, shell: process.platform === 'win32' },
  );
  if (status !== 0) {
    fail(`npm could not fetch the source of faiss-node ${version}:\n${error?.message ?? stderr.trim()}`);
  }
  return path.join(work, 'node_modules');
}

function compile(sources, work, addon) {
  const header = path.join(work, 'compatibility.h');
  writeFileSync(header, compatibilityHeader);
  mkdirSync(path.dirname(addon), { recursive: true });
  const args = [
    ...[
      '-std=c++17',
      '-O2',
      '-fPIC',
      '-shared',
      '-fopenmp',
      '-DNAPI_VERSION=8',
      '-DNODE_GYP_MODULE_NAME=faiss_node',
    ],
    `-I${path.join(sources, 'node-api-headers', 'include')}`,
    `-I${path.join(sources, 'node-addon-api')}`,
    ...environmentFlags('CXXFLAGS'),
    ...['-include', header, path.join(sources, 'faiss-node', 'src', 'faiss.cc'), '-o', addon],
    ...environmentFlags('LDFLAGS'),
    ...['-lfaiss', '-lopenblas'],
  ];
  const { status, stderr } = run(compiler, args);
  if (status !== 0) {
    fail(
      `${compiler} ${args.join(' ')}\n${stderr.trim()}\nIf headers or libraries are missing, on Debian and Ubuntu: ${aptCommand}`,
    );
  }
}

/** A package folder that holds its own run-time dependencies, so that one rename puts all of it in place. */
function assemble(sources, folder) {
  const keep = ['package.json', 'LICENSE', 'README.md', 'lib'];
  for (const name of keep)
    cpSync(path.join(sources, 'faiss-node', name), path.join(folder, name), { recursive: true });
  for (const name of ['bindings', 'file-uri-to-path']) {
    cpSync(path.join(sources, name), path.join(folder, 'node_modules', name), { recursive: true });
  }
}

/** How many seconds a piece of work took, in words. */
function timed(work) {
  const began = Date.now();
  work();
  return `${((Date.now() - began) / 1000).toFixed(1)} s`;
}

/** @param {string} staging beside its target: a rename cannot leave the file system */
function putInPlace(staging, folder) {
  rmSync(folder, { recursive: true, force: true });
  renameSync(staging, folder);
}

if (!existsSync(modules)) fail(`there is no ${path.relative(process.cwd(), modules)}: run npm ci first.`);
const deviceTarget = path.join(modules, packageName);
isThere = existsSync(target) && faultOf(target) === undefined;
const isCurrent = isCurrentAddon(deviceTarget, compiler);
if (isThere)
  console.log(`build:faiss: faiss-node ${readPackage(target).version} is there and works; nothing to do.`);
if (isThere && isCurrent) process.exit(0);
checkCompiler();
const work = mkdtempSync(path.join(tmpdir(), 'strata-faiss-'));
const staging = path.join(modules, `.faiss-node-${process.pid}`);
const deviceStaging = path.join(modules, `.${packageName}-${process.pid}`);
process.on('exit', () => {
  for (const folder of [work, staging, deviceStaging]) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

const sources = fetchSources(work);
if (!isThere) {
  const seconds = timed(() => {
    assemble(sources, staging);
    compile(sources, work, path.join(staging, 'build', 'Release', 'faiss-node.node'));
  });
  const fault = faultOf(staging);
  if (fault !== undefined) fail(`the addon was compiled but does not work: ${fault}`);
  putInPlace(staging, target);
  isThere = true;
  console.log(
    `build:faiss: compiled faiss-node ${version} with ${compiler} in ${seconds}; it is in node_modules/faiss-node.`,
  );
}
if (!isCurrent) {
  const includes = [path.join(sources, 'node-api-headers', 'include'), path.join(sources, 'node-addon-api')];
  let fault;
  const seconds = timed(() => {
    fault = buildDeviceAddon({ compiler, folder: deviceStaging, includes });
  });
  if (fault !== undefined) fail(fault);
  putInPlace(deviceStaging, deviceTarget);
  const { version: faiss, withGpu } = builtDeviceAddon(deviceTarget);
  const without = findFaiss(compiler)?.hasGpuHeaders
    ? 'which has CUDA, whose headers (cuda_runtime.h, cublas_v2.h) are not found: it searches on no GPU'
    : 'which has no CUDA: it searches on no GPU';
  console.log(
    `build:faiss: compiled the addon for a GPU in ${seconds} from FAISS ${faiss}, ${withGpu ? 'which has CUDA' : without}; it is in node_modules/${packageName}.`,
  );
}
