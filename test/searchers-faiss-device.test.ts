/** FAISS on a GPU: a search by the addon, where a fake stands for CUDA's calls; who is refused it, and who searches then. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import type { VectorIndex } from '../harness/index/vector-index.js';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import { searcherRemarks } from '../harness/pipeline/searching.js';
import { loadSearcher } from '../harness/plugins/searchers.js';
import { passageSearcher } from '../harness/search/search.js';
import type { SearcherPlugin } from '../harness/search/searcher.js';
import {
  assertDeviceSearch,
  type DeviceFaiss,
  describeDeviceFaiss,
  loadDeviceFaiss,
} from '../harness/searchers/faiss/device.js';
import { FaissSearcher } from '../harness/searchers/faiss/flat.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { counted, openAddons, restoreEnvironment, skip } from './faiss-addons.js';
import { listOf, makeIndex, normalRows, type Rows, rankRows, wholeNumberRows } from './made-index.js';

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

async function indexOf(name: string, rows: Rows, shards = 1): Promise<VectorIndex> {
  const place = await mkdtemp(path.join(folder, name));
  const index = await makeIndex(place, rows, 1, shards);
  opened.push(index);
  return index;
}

describe('a search on a device', { skip }, () => {
  it('gives the hits of brute force, resident and shard by shard', async () => {
    process.env.FAKE_GPUS = '1';
    const rows = normalRows(900, 16, 'device');
    const { values } = normalRows(9, 16, 'asked');
    const index = await indexOf('hits', rows, 3);
    for (const memory of [1 << 28, 30_000]) {
      const searcher = await FaissSearcher.open(index, memory, fake);
      assert.equal(searcher.resident, memory > 30_000);
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
    for (const memory of [1 << 28, 30_000]) {
      const searcher = await FaissSearcher.open(index, memory, fake);
      assert.equal(searcher.resident, memory > 30_000);
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

  it('reads a shard once for all queries of a tie that is longer than what it finds there', async () => {
    process.env.FAKE_GPUS = '1';
    const index = await indexOf('long', { dimensions: 2, values: new Float32Array(2 * 5000).fill(1) }, 2);
    const { device, counts } = counted(fake);
    const { values } = wholeNumberRows(12, 2, 'tied');
    for (const [memory, searches] of [
      [1 << 28, 2],
      [30_000, 1],
    ] as const) {
      Object.assign(counts, { read: 0, living: 0 });
      const searcher = await FaissSearcher.open(index, memory, device);
      assert.equal(searcher.resident, memory > 30_000);
      for (let i = 0; i < searches; i++) await searcher.search(values, 12, 10);
      await searcher.dispose();
      assert.deepEqual(counts, { read: 4, living: 0 });
    }
  });

  it('leaves nothing on the device where opening or searching fails', async () => {
    process.env.FAKE_GPUS = '1';
    const index = await indexOf('fails', normalRows(900, 16, 'fails'), 3);
    const { device, counts } = counted(fake);
    process.env.FAKE_GPU_HOLDS = '2';
    await assert.rejects(FaissSearcher.open(index, 1 << 28, device), { code: 'OUT_OF_MEMORY' });
    assert.deepEqual(counts, { read: 3, living: 0 });
    const searcher = await FaissSearcher.open(index, 30_000, device);
    assert.equal(searcher.resident, false);
    process.env.FAKE_GPU_BREAKS = '1';
    await assert.rejects(searcher.search(new Float32Array(16), 1, 10), /illegal memory access/);
    assert.equal(counts.living, 0);
    await searcher.dispose();
  });

  it('takes what FAISS works in off what the vectors may take', async () => {
    process.env.FAKE_GPUS = '1';
    const index = await indexOf('budget', normalRows(300, 16, 'budget'));
    await (await FaissSearcher.open(index, 20_000)).dispose();
    await assert.rejects(FaissSearcher.open(index, 20_000, fake), {
      code: 'CONFIG_INVALID',
      message: /takes 19\d+ of the 15000 bytes/,
    });
  });

  it('says when the device is full', async () => {
    process.env.FAKE_GPUS = '1';
    const index = await indexOf('full', normalRows(5, 2, 'full'));
    process.env.FAKE_GPU_HOLDS = '0';
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

test('auto goes on to exact where the GPU has no room for the shards', async (t) => {
  const index = await indexOf('room', normalRows(5, 4, 'few'));
  const full = new BenchError('OUT_OF_MEMORY', 'FAISS cannot put a shard on the GPU: out of memory.');
  t.mock.method((await loadSearcher('faiss')) as Required<SearcherPlugin>, 'open', async () => {
    throw full;
  });
  const options = { engine: await openEngine('onnx', { threads: 1 }), memoryBytes: 1 << 28 };
  await assert.rejects(openSearcher('faiss', index, options), full);
  const searcher = await openSearcher('auto', index, options);
  assert.equal(searcher.name, 'exact');
  assert.deepEqual(searcherRemarks({ searcher }), [`searched with exact: ${full.message}`]);
  await searcher.dispose();
});
