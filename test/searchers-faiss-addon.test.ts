/** The addon for a GPU: what it finds, over typed arrays, and what it throws. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { VectorIndex } from '../harness/index/vector-index.js';
import type { DeviceFaiss } from '../harness/searchers/faiss/device.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { openAddons, restoreEnvironment, skip } from './faiss-addons.js';
import { makeIndex, normalRows, type Rows } from './made-index.js';

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
    assert.throws(() => addon.toDevice(0), /built without CUDA/);
    assert.equal(addon.search(new Float32Array(4), 1).rows.length, 1);
    addon.dispose();
    assert.throws(() => addon.rows, /disposed of/);
    assert.throws(() => addon.search(new Float32Array(4), 1), /disposed of/);
  });

  it('moves an index to a device that there is', async () => {
    const index = await indexOf('moved', normalRows(5, 4, 'few'));
    const addon = new fake.Index(index.shards[0]!.reader.path);
    assert.throws(() => addon.toDevice(0), /no CUDA driver/);
    process.env.FAKE_GPUS = '1';
    for (const device of [1, -1]) assert.throws(() => addon.toDevice(device), /no such device/);
    addon.toDevice(0);
    assert.equal(addon.search(new Float32Array(4), 5).rows.length, 5);
    assert.throws(() => addon.search(new Float32Array(4), 2049), /k <= 2048/);
  });
});
