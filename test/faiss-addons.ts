/** The addon for a GPU (scripts/faiss-device.cc) over the FAISS that is here: as it is, and with a fake of CUDA's calls. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type DeviceFaiss, type DeviceIndex, loadDeviceFaiss } from '../harness/searchers/faiss/device.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { inFixtures, root } from './places.js';

export const { buildDeviceAddon, findFaiss, isCurrentAddon } = (await import(
  new URL('scripts/faiss-device.mjs', `file://${root}/`).href
)) as {
  buildDeviceAddon(options: { compiler: string; folder: string; includes: string[] }): string | undefined;
  findFaiss(compiler: string): { version: string; hasGpuHeaders: boolean; withGpu: boolean } | undefined;
  isCurrentAddon(folder: string, compiler: string): boolean;
};
export const compiler = process.env.CXX ?? 'g++';
const includes = [
  path.join(root, 'node_modules/node-api-headers/include'),
  path.join(root, 'node_modules/node-addon-api'),
];
/** Files that the addon needs to be compiled, beside the compiler. */
const needed = [
  path.join(includes[0]!, 'node_api.h'),
  path.join(includes[1]!, 'napi.h'),
  '/usr/include/faiss/index_io.h',
];
/** Why the addon cannot be tested here; false where it can. */
export const skip =
  (spawnSync(compiler, ['--version']).status === 0 ? undefined : `the compiler '${compiler}' is missing`) ??
  needed.filter((file) => !existsSync(file)).map((file) => `${file} is missing`)[0] ??
  (await loadFaiss().then(
    () => false as const,
    (error: Error) => error.message,
  ));

const environment = { ...process.env };
export function restoreEnvironment(): void {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
}

/** @param folder for what is compiled */
export async function openAddons(folder: string): Promise<{ plain: DeviceFaiss; fake: DeviceFaiss }> {
  const load = createRequire(import.meta.url);
  const built = (name: string) => {
    const target = path.join(folder, name);
    // Compiled quickly, not to be quick.
    process.env.CXXFLAGS = `${process.env.CXXFLAGS ?? ''} -O0`;
    assert.equal(buildDeviceAddon({ compiler, folder: target, includes }), undefined);
    return load(target) as DeviceFaiss;
  };
  // What npm run build:faiss has left is compiled already, where it is the same.
  const left = path.join(root, 'node_modules/strata-faiss');
  const there = isCurrentAddon(left, compiler) ? await loadDeviceFaiss() : undefined;
  const plain = there === undefined || there.withGpu ? built('plain') : there;
  restoreEnvironment();
  process.env.CXXFLAGS = `-I${inFixtures('faiss-gpu')} -I${inFixtures('faiss-gpu-cuda')}`;
  const fake = built('fake');
  restoreEnvironment();
  return { plain, fake };
}

/** Counts what is read by an addon, and not yet disposed of. */
export function counted(addon: DeviceFaiss): {
  device: DeviceFaiss;
  counts: { read: number; living: number };
} {
  const counts = { read: 0, living: 0 };
  const open = (file: string): DeviceIndex => {
    const index = new addon.Index(file);
    counts.read++;
    counts.living++;
    return new Proxy(index, {
      get(_, name: keyof DeviceIndex) {
        const value = index[name];
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (name === 'dispose') counts.living--;
          return (value as (...all: unknown[]) => unknown).apply(index, args);
        };
      },
    });
  };
  const Index = new Proxy(addon.Index, { construct: (_, [file]: [string]) => open(file) });
  return { device: { ...addon, Index }, counts };
}
