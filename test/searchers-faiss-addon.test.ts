/** The addon for a GPU: what it finds, over typed arrays, what it throws, and when it is built again. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { VectorIndex } from '../harness/index/vector-index.js';
import type { DeviceFaiss } from '../harness/searchers/faiss/device.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { compiler, findFaiss, isCurrentAddon, openAddons, restoreEnvironment, skip } from './faiss-addons.js';
import { makeIndex, normalRows, type Rows } from './made-index.js';
import { inFixtures, root } from './places.js';

let folder: string;
let plain: DeviceFaiss;
let fake: DeviceFaiss;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-faiss-'));
  if (skip === false) ({ plain, fake } = await openAddons(folder));
});
after(async () => {
  for (const index of opened) await index.close();
  await rm(folder, { recursive: true });
});
afterEach(restoreEnvironment);

const opened: VectorIndex[] = [];

async function indexOf(name: string, rows: Rows): Promise<VectorIndex> {
  const index = await makeIndex(await mkdtemp(path.join(folder, name)), rows);
  opened.push(index);
  return index;
}

describe('the addon', { skip }, () => {
  it('finds what faiss-node finds, bit for bit', async () => {
    const rows = normalRows(700, 24, 'rows');
    const { values } = normalRows(30, 24, 'queries');
    const index = await indexOf('same', rows);
    const { path: file } = index.shards[0]!.reader;
    const addon = new plain.Index(file);
    assert.deepEqual([addon.rows, addon.dimensions], [700, 24]);
    const { scores, rows: found } = addon.search(values, 40);
    const { distances, labels } = (await loadFaiss()).IndexFlatIP.read(file).search(Array.from(values), 40);
    assert.deepEqual(Array.from(scores), distances);
    assert.deepEqual(Array.from(found), labels);
    // Beyond what there is.
    assert.deepEqual(addon.search(values.subarray(0, 24), 702).rows.slice(700), Float64Array.of(-1, -1));
    assert.equal(addon.search(new Float32Array(0), 5).rows.length, 0);
  });

  it('throws what is wrong, and goes on', async () => {
    const index = await indexOf('wrong', normalRows(5, 4, 'few'));
    const garbage = path.join(folder, 'garbage');
    await writeFile(garbage, 'no index');
    assert.throws(() => new plain.Index(path.join(folder, 'absent')), /No such file/);
    assert.throws(() => new plain.Index(garbage), /./);
    assert.throws(() => new (plain.Index as unknown as new () => unknown)(), TypeError);
    const addon = new plain.Index(index.shards[0]!.reader.path);
    assert.throws(() => addon.search(new Float32Array(7), 1), /7 numbers are no queries of 4/);
    assert.throws(() => addon.search([1, 2, 3, 4] as unknown as Float32Array, 1), TypeError);
    for (const k of [0, -1, 1.5, Number.NaN, 2 ** 31])
      assert.throws(() => addon.search(new Float32Array(4), k), /k is a whole number from 1/);
    assert.throws(() => addon.toDevice(0, 1000), /built without CUDA/);
    assert.equal(addon.search(new Float32Array(4), 1).rows.length, 1);
    addon.dispose();
    assert.throws(() => addon.rows, /disposed of/);
    assert.throws(() => addon.search(new Float32Array(4), 1), /disposed of/);
  });

  it('moves an index to a device that there is', async () => {
    const index = await indexOf('moved', normalRows(5, 4, 'few'));
    const addon = new fake.Index(index.shards[0]!.reader.path);
    assert.throws(() => addon.toDevice(0, 1000), /no CUDA driver/);
    process.env.FAKE_GPUS = '1';
    for (const device of [1, -1]) assert.throws(() => addon.toDevice(device, 1000), /no such device/);
    addon.toDevice(0, 1000);
    assert.equal(addon.search(new Float32Array(4), 5).rows.length, 5);
    assert.throws(() => addon.search(new Float32Array(4), 2049), /k <= 2048/);
    addon.dispose();
  });

  it('has one workspace for all indexes on a device, of a size that is told, as long as there is one', async () => {
    process.env.FAKE_GPUS = '1';
    const index = await indexOf('several', normalRows(5, 4, 'few'));
    const moved = () => {
      const addon = new fake.Index(index.shards[0]!.reader.path);
      addon.toDevice(0, 1000);
      return addon;
    };
    const [first, second] = [moved(), moved()];
    first.dispose();
    assert.equal(second.search(new Float32Array(4), 5).rows.length, 5);
    second.dispose();
    const addon = new fake.Index(index.shards[0]!.reader.path);
    for (const size of [-1, Number.NaN]) assert.throws(() => addon.toDevice(0, size), /no size/);
    assert.throws(() => addon.toDevice(0, 2 ** 29), /workspace is too large/);
    assert.throws(() => (addon.toDevice as (device: number) => void)(0), TypeError);
    moved().dispose();
  });
});

describe('building the addon', { skip }, () => {
  it('is done again where our source, FAISS or its CUDA is another', async () => {
    const place = path.join(folder, 'fake');
    const manifest = path.join(place, 'package.json');
    const plainFlags = process.env.CXXFLAGS ?? '';
    const cudaFlags = `-I${inFixtures('faiss-gpu')} -I${inFixtures('faiss-gpu-cuda')}`;
    process.env.CXXFLAGS = cudaFlags;
    assert.equal(isCurrentAddon(place, compiler), true);
    const facts = JSON.parse(await readFile(manifest, 'utf8'));
    const isCurrent = async (changed: object) => {
      await writeFile(manifest, JSON.stringify({ ...facts, ...changed }));
      return isCurrentAddon(place, compiler);
    };
    assert.equal(await isCurrent({ source: 'another' }), false);
    assert.equal(await isCurrent({ source: undefined }), false);
    assert.equal(await isCurrent({ version: '1.0.0' }), false);
    assert.equal(await isCurrent({ withGpu: false }), false);
    process.env.CXXFLAGS = plainFlags;
    assert.equal(
      await isCurrent({ version: '1.99.0' }),
      true,
      'one with CUDA whose FAISS is not named again',
    );
    assert.equal(isCurrentAddon(path.join(folder, 'absent'), compiler), false);
  });

  it('leaves the GPU out where FAISS has headers for one and CUDA has none', () => {
    process.env.CXXFLAGS = `-I${inFixtures('faiss-gpu')} -I${inFixtures('faiss-gpu-cuda')}`;
    assert.equal(findFaiss(compiler)!.withGpu, true);
    process.env.CXXFLAGS = `-I${inFixtures('faiss-gpu')}`;
    const { version, hasGpuHeaders, withGpu } = findFaiss(compiler)!;
    assert.deepEqual([version, hasGpuHeaders, withGpu], [plain.version, true, false]);
    assert.equal(findFaiss('no-such-compiler'), undefined);
  });

  it('is no failure of npm run build:faiss where faiss-node works, and is said', async () => {
    const place = path.join(folder, 'checkout');
    await mkdir(path.join(place, 'node_modules'), { recursive: true });
    for (const name of ['scripts', 'package.json'])
      await cp(path.join(root, name), path.join(place, name), { recursive: true });
    await symlink(path.join(root, 'node_modules/faiss-node'), path.join(place, 'node_modules/faiss-node'));
    const build = () =>
      spawnSync(process.execPath, [path.join(place, 'scripts/build-faiss.mjs')], {
        encoding: 'utf8',
        env: { ...process.env, CXX: 'no-such-compiler' },
      });
    const { status, stderr } = build();
    assert.match(
      stderr,
      /faiss-node works; the addon for a GPU was not built: .*'no-such-compiler' cannot be started/,
    );
    assert.equal(status, 0);
    await rm(path.join(place, 'node_modules/faiss-node'));
    assert.equal(build().status, 3);
  });
});
