/** FAISS on a GPU: the addon over typed arrays, its errors, and a search by it; the GPU's calls where a fake stands for CUDA. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it, test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import type { VectorIndex } from '../harness/index/vector-index.js';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import { searcherRemarks } from '../harness/pipeline/searching.js';
import { passageSearcher } from '../harness/search/search.js';
import {
  assertDeviceSearch,
  type DeviceFaiss,
  describeDeviceFaiss,
  loadDeviceFaiss,
} from '../harness/searchers/faiss/device.js';
import { FaissSearcher, loadFaiss } from '../harness/searchers/faiss/flat.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, makeIndex, normalRows, type Rows, rankRows, wholeNumberRows } from './made-index.js';
import { inFixtures, root } from './places.js';

const { buildDeviceAddon, findsGpu } = (await import(
  new URL('scripts/faiss-device.mjs', `file://${root}/`).href
)) as {
  buildDeviceAddon(options: { compiler: string; folder: string; includes: string[] }): string | undefined;
  findsGpu(compiler: string): boolean;
};
const compiler = process.env.CXX ?? 'g++';
const includes = [
  path.resolve(process.execPath, '../../include/node'),
  path.join(root, 'node_modules/node-addon-api'),
];
/** Files that the addon needs to be compiled, beside the compiler. */
const needed = [
  path.join(includes[0]!, 'node_api.h'),
  path.join(includes[1]!, 'napi.h'),
  '/usr/include/faiss/index_io.h',
];
const skip =
  (spawnSync(compiler, ['--version']).status === 0 ? undefined : `the compiler '${compiler}' is missing`) ??
  needed.filter((file) => !existsSync(file)).map((file) => `${file} is missing`)[0] ??
  (await loadFaiss().then(
    () => false as const,
    (error: Error) => error.message,
  ));

let folder: string;
/** From the system's FAISS, and from the same with a fake of CUDA. */
let plain: DeviceFaiss;
let fake: DeviceFaiss;
const environment = { ...process.env };
const restore = () => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
};
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-faiss-'));
  if (skip !== false) return;
  const load = createRequire(import.meta.url);
  const built = (name: string) => {
    const target = path.join(folder, name);
    // Compiled quickly, not to be quick.
    process.env.CXXFLAGS = `${process.env.CXXFLAGS ?? ''} -O0`;
    assert.equal(buildDeviceAddon({ compiler, folder: target, includes }), undefined);
    return load(target) as DeviceFaiss;
  };
  // What npm run build:faiss has left is compiled already.
  const there = await loadDeviceFaiss().catch(() => undefined);
  plain = there === undefined || there.withGpu ? built('plain') : there;
  restore();
  process.env.CXXFLAGS = `-I${inFixtures('faiss-gpu')}`;
  assert.equal(findsGpu(compiler), true);
  fake = built('fake');
  restore();
});
after(async () => {
  for (const index of opened) await index.close();
  await rm(folder, { recursive: true });
});
afterEach(restore);

const opened: VectorIndex[] = [];

async function indexOf(name: string, rows: Rows, shards = 1): Promise<VectorIndex> {
  const place = await mkdtemp(path.join(folder, name));
  const index = await makeIndex(place, rows, 1, shards);
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

describe('a search on a device', { skip }, () => {
  it('gives the hits of brute force, resident and shard by shard', async () => {
    process.env.FAKE_GPUS = '1';
    const rows = normalRows(900, 16, 'device');
    const { values } = normalRows(9, 16, 'asked');
    const index = await indexOf('hits', rows, 3);
    for (const memory of [1 << 28, 25_000]) {
      const searcher = await FaissSearcher.open(index, memory, fake);
      assert.equal(searcher.resident, memory > 25_000);
      const hits = await searcher.search(values, 9, 20);
      for (let q = 0; q < 9; q++)
        assert.deepEqual(
          listOf(hits.rows, hits.depth, hits.counts, q),
          rankRows(rows, values.subarray(q * 16, (q + 1) * 16))
            .slice(0, 20)
            .map(({ row }) => row),
        );
      await searcher.dispose();
    }
  });

  it('orders ties by row, even where more of them tie than FAISS finds there', async () => {
    process.env.FAKE_GPUS = '1';
    const few = wholeNumberRows(400, 3, 'ties');
    const same = { dimensions: 2, values: new Float32Array(2 * 3000).fill(1) };
    for (const [name, rows] of Object.entries({ few, same })) {
      const index = await indexOf(name, rows);
      const { values } = wholeNumberRows(12, rows.dimensions, 'tied');
      const searcher = await FaissSearcher.open(index, 1 << 28, fake);
      const hits = await searcher.search(values, 12, 10);
      for (let q = 0; q < 12; q++)
        assert.deepEqual(
          listOf(hits.rows, hits.depth, hits.counts, q),
          rankRows(rows, values.subarray(q * rows.dimensions, (q + 1) * rows.dimensions))
            .slice(0, 10)
            .map(({ row }) => row),
          `${name}, query ${q}`,
        );
      await searcher.dispose();
    }
  });

  it('searches on the processor for more rows than FAISS finds there, and says so', async () => {
    process.env.FAKE_GPUS = '1';
    const rows = normalRows(5000, 2, 'deep');
    const index = await indexOf('deep', rows, 2);
    const query = Float32Array.of(1, 1);
    const expected = rankRows(rows, query).map(({ row }) => row);
    for (const memory of [1 << 28, 25_000]) {
      const searcher = await FaissSearcher.open(index, memory, fake);
      assert.equal(searcher.resident, memory > 25_000);
      const found = async (depth: number) => {
        const hits = await searcher.search(query, 1, depth);
        return listOf(hits.rows, hits.depth, hits.counts, 0);
      };
      assert.deepEqual(await found(2048), expected.slice(0, 2048));
      assert.equal(searcher.remark, undefined);
      assert.deepEqual(await found(2049), expected.slice(0, 2049));
      assert.deepEqual(await found(4000), expected.slice(0, 4000));
      assert.match(searcher.remark!, /2048 rows of a query on a GPU at most: .*2049 were.* on the processor/);
      await searcher.dispose();
    }
  });

  it('finds passages of many vectors, for which more rows are asked for than it finds there', async () => {
    process.env.FAKE_GPUS = '1';
    // Vectors of a passage are alike, so that all come before those of the next.
    const values = Float32Array.from({ length: 2 * 4000 }, (_, i) => (i % 2 === 0 ? i / 2 : 0));
    const rows = { dimensions: 2, values };
    const index = await makeIndex(await mkdtemp(path.join(folder, 'several')), rows, 40, 1);
    opened.push(index);
    const query = Float32Array.of(1, 1);
    const versions = { name: 'faiss', versions: {} };
    const lists = [];
    for (const device of [undefined, fake]) {
      const searcher = passageSearcher(
        await FaissSearcher.open(index, 1 << 28, device),
        index,
        versions,
        1 << 28,
      );
      const { ordinals, counts } = await searcher.search(query, 1, 100);
      lists.push(ordinals);
      assert.equal(counts[0], 100);
      assert.equal(searcherRemarks({ searcher }).length, device === undefined ? 0 : 1);
      await searcher.dispose();
    }
    assert.deepEqual(lists[0], lists[1]);
  });

  it('says when the device is full', async () => {
    process.env.FAKE_GPUS = '1';
    const index = await indexOf('full', normalRows(5, 2, 'full'));
    process.env.FAKE_GPU_IS_FULL = '1';
    await assert.rejects(FaissSearcher.open(index, 1 << 28, fake), {
      code: 'OUT_OF_MEMORY',
      message: /out of memory/,
    });
  });

  it('is refused, or described, for each thing that may be missing', async () => {
    const refusals = async (load: () => Promise<DeviceFaiss>) =>
      assertDeviceSearch('cuda', load).then(
        () => undefined,
        ({ code, message }: BenchError) => `${code}: ${message}`,
      );
    assert.match((await refusals(async () => plain))!, /^UNAVAILABLE: .*built without CUDA/);
    assert.match((await refusals(async () => fake))!, /^UNAVAILABLE: .*no CUDA driver/);
    process.env.FAKE_GPUS = '0';
    assert.match((await refusals(async () => fake))!, /^UNAVAILABLE: .*sees no GPU/);
    process.env.FAKE_GPUS = '2';
    assert.equal(await refusals(async () => fake), undefined);
    assert.match(await describeDeviceFaiss(async () => plain), /no, FAISS \d.* was built without CUDA/);
    assert.match(await describeDeviceFaiss(async () => fake), /FAISS \d.* with CUDA, which sees 2/);
  });
});

const missing = () => loadDeviceFaiss('strata-faiss-that-is-not-there');

test('without the addon a search on cuda is refused with what builds it, and no other device asks for it', async () => {
  const refused = {
    code: 'UNAVAILABLE',
    message: /does not search on a GPU here: the addon for it is not built/,
    hint: /npm run build:faiss .*--searcher exact.*--device cpu/,
  };
  await assert.rejects(assertDeviceSearch('cuda', missing), refused);
  for (const device of ['cpu', 'webgpu'] as const) await assertDeviceSearch(device, missing);
  assert.match(await describeDeviceFaiss(missing), /on a GPU: no, the addon for it is not built/);
});

test('a run on cuda whose FAISS does not search there is refused, and auto goes on to exact', {
  skip,
}, async () => {
  const index = await indexOf('cuda', normalRows(5, 4, 'few'));
  const engine: Engine = { ...(await openEngine('onnx', { threads: 1 })), device: 'cuda' };
  const options = { engine, memoryBytes: 1 << 28 };
  const here = await assertDeviceSearch('cuda').then(
    () => true,
    () => false,
  );
  if (here) return;
  await assert.rejects(openSearcher('faiss', index, options), { code: 'UNAVAILABLE', message: /on a GPU/ });
  const searcher = await openSearcher('auto', index, options);
  assert.equal(searcher.name, 'exact');
  assert.match(searcher.fallback!, /FAISS does not search on a GPU here/);
  await searcher.dispose();
});
