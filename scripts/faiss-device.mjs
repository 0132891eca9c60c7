// Compiles the addon of ours that searches on a GPU by FAISS (faiss-device.cc) against the system's FAISS, with CUDA or without.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package in which the addon is put. */
export const packageName = 'strata-faiss';
const source = fileURLToPath(new URL('./faiss-device.cc', import.meta.url));

/** @returns the words of a variable such as CXXFLAGS */
export function environmentFlags(name) {
  return (process.env[name] ?? '').split(/\s+/).filter((flag) => flag !== '');
}

/**
 * Writes a package folder with the addon.
 * @param {{ compiler: string, folder: string, includes: readonly string[] }} options includes of Node-API and node-addon-api
 * @returns {string | undefined} what the compiler said where it failed
 */
export function buildDeviceAddon({ compiler, folder, includes }) {
  const found = findFaiss(compiler);
  if (found === undefined) return `'${compiler}' does not find FAISS's headers (faiss/Index.h)`;
  mkdirSync(folder, { recursive: true });
  const args = [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-fopenmp', '-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS'],
    `-DWITH_GPU=${found.withGpu ? 1 : 0}`,
    // Those that are named come first: a FAISS with CUDA may lie beside the system's.
    ...environmentFlags('CXXFLAGS'),
    ...includes.map((include) => `-I${include}`),
    ...[source, '-o', path.join(folder, `${packageName}.node`)],
    ...environmentFlags('LDFLAGS'),
    ...['-lfaiss', '-lopenblas'],
  ];
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) return `${compiler} ${args.join(' ')}\n${error?.message ?? stderr.trim()}`;
  const { fault, facts } = tryAddon(folder);
  if (fault !== undefined) return fault;
  // For records, which do not load what did not search.
  const manifest = { name: packageName, version: facts.version, private: true, main: `${packageName}.node` };
  const about = { ...manifest, withGpu: facts.withGpu, source: sourceHash() };
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
  return undefined;
}

/** Loads the addon in a process of its own. @returns its FAISS, or what is wrong with it */
function tryAddon(folder) {
  const probe = `const { Index, version, withGpu } = require(${JSON.stringify(path.join(folder, `${packageName}.node`))});
    try { new Index('/no/such/file'); } catch (error) { process.stdout.write(JSON.stringify({ version, withGpu })); }`;
  const { status, stdout, stderr, signal } = spawnSync(process.execPath, ['-e', probe], { encoding: 'utf8' });
  if (status === 0 && stdout !== '') return { facts: JSON.parse(stdout) };
  const said = stderr.split('\n').find((line) => /error/i.test(line));
  return { fault: said?.trim() ?? `it ended with ${signal ?? `status ${status}`}` };
}

/**
 * What the addon in a folder was built from: FAISS, and our source by its hash; undefined where there is none that loads.
 * @returns {{ version: string, withGpu: boolean, source?: string } | undefined}
 */
export function builtDeviceAddon(folder) {
  try {
    const { version, withGpu, source } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    return tryAddon(folder).fault === undefined ? { version, withGpu, source } : undefined;
  } catch {
    return undefined;
  }
}

const sourceHash = () => createHash('sha256').update(readFileSync(source)).digest('hex');

/** Whether the addon in a folder is what buildDeviceAddon would make now: from our source as it is, and the FAISS that is found. */
export function isCurrentAddon(folder, compiler) {
  const addon = builtDeviceAddon(folder);
  if (addon === undefined || addon.source !== sourceHash()) return false;
  const found = findFaiss(compiler);
  // One with CUDA stays where the folders of its FAISS are not named again.
  if (found === undefined || (addon.withGpu && !found.withGpu)) return true;
  return found.version === addon.version && found.withGpu === addon.withGpu;
}

/**
 * The FAISS whose headers the compiler finds. Those for a GPU include CUDA's, and are of no use without them.
 * @returns {{ version: string, hasGpuHeaders: boolean, withGpu: boolean } | undefined}
 */
export function findFaiss(compiler) {
  const input = `#include <faiss/Index.h>
#if __has_include(<faiss/gpu/GpuIndexFlat.h>)
strata_headers
#if __has_include(<cuda_runtime.h>) && __has_include(<cublas_v2.h>)
strata_cuda
#endif
#endif
strata_version FAISS_VERSION_MAJOR FAISS_VERSION_MINOR FAISS_VERSION_PATCH
`;
  const args = ['-std=c++17', '-E', '-P', '-x', 'c++', ...environmentFlags('CXXFLAGS'), '-'];
  const { status, stdout } = spawnSync(compiler, args, { encoding: 'utf8', maxBuffer: 1 << 26, input });
  const numbers = status === 0 ? /strata_version (\d+) (\d+) (\d+)/.exec(stdout) : null;
  if (numbers === null) return undefined;
  return {
    version: numbers.slice(1).join('.'),
    hasGpuHeaders: stdout.includes('strata_headers'),
    withGpu: stdout.includes('strata_cuda'),
  };
}
