/** What shards may take of the memory where FAISS searches them: on the processor, and on a GPU beside what it works in there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shardBytes } from '../harness/index/shard.js';
import type { DeviceFaiss } from '../harness/searchers/faiss/device.js';
import { FaissSearcher, loadFaiss } from '../harness/searchers/faiss/flat.js';
import { listOf, makeIndex, normalRows, temporaryFolder } from './made-index.js';
import { turnsOf } from './turns.js';

const skip = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);

test('shards are held together where all fit, to the byte, and else each is as large as the memory at most', {
  skip,
}, async (t) => {
  const three = { dimensions: 2, values: Float32Array.of(1, 0, 3, 0, 2, 0) };
  const index = await makeIndex(await temporaryFolder(t), three, 1, 3);
  t.after(() => index.close());
  const one = shardBytes(1, 2);
  await assert.rejects(FaissSearcher.open(index, one - 1), {
    code: 'CONFIG_INVALID',
    message: new RegExp(` takes ${one} of the ${one - 1} bytes`),
  });
  for (const [memory, resident] of [
    [one, false],
    [3 * one - 1, false],
    [3 * one, true],
  ] as const) {
    const searcher = await FaissSearcher.open(index, memory);
    assert.equal(searcher.resident, resident, `${memory}`);
    const told: number[] = [];
    for (const depth of [1, 2, 9]) {
      const hasTurned = turnsOf();
      const hits = await searcher.search(Float32Array.of(1, 0), 1, depth, (done) => told.push(done));
      assert.deepEqual(listOf(hits.rows, hits.depth, hits.counts, 0), [1, 2, 0].slice(0, depth));
      // A shard that was searched is collected before the next is read.
      assert.equal(hasTurned(), !resident);
    }
    assert.deepEqual(told, resident ? [] : [1, 2, 3, 1, 2, 3, 1, 2, 3]);
    for (const again of [false, true]) {
      const hasTurned = turnsOf();
      await searcher.dispose();
      assert.equal(hasTurned(), resident && !again);
    }
  }
});

test('a GPU works in a quarter of the memory, 256 MiB at most, and the vectors have the rest', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), normalRows(30, 16, 'quarter'));
  t.after(() => index.close());
  const given: number[][] = [];
  const device = {
    Index: class {
      readonly rows = 30;
      readonly dimensions = 16;
      toDevice = (...order: number[]) => given.push(order);
      search = () => assert.fail();
      dispose = () => undefined;
    },
  } as unknown as DeviceFaiss;
  const size = shardBytes(30, 16);
  const least = Math.ceil((4 * size - 3) / 3);
  assert.ok(least - Math.floor(least / 4) >= size && least - 1 - Math.floor((least - 1) / 4) < size);
  await assert.rejects(FaissSearcher.open(index, least - 1, device), { code: 'CONFIG_INVALID' });
  for (const memory of [least, 2 ** 30 - 1, 2 ** 30, 2 ** 31]) {
    const searcher = await FaissSearcher.open(index, memory, device);
    assert.ok(searcher.resident);
    await searcher.dispose();
  }
  assert.deepEqual(given, [
    [0, Math.floor(least / 4)],
    [0, 2 ** 28 - 1],
    [0, 2 ** 28],
    [0, 2 ** 28],
  ]);
});
