/** Rows, queries and passages from the first to the last are read, and none before, behind or between. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { QueryVectors } from '../harness/index/query-vectors.js';
import { ShardReader, ShardWriter } from '../harness/index/shard.js';
import { IndexShardWriter, shardPaths } from '../harness/index/shard-files.js';
import { finishIndex, openIndex } from '../harness/index/vector-index.js';
import { makeIndex, normalRows, temporaryFolder } from './made-index.js';
import { assertClosed } from './open-files.js';

/** Beside 5 rows: none of these is a range of them. */
const outside = [
  [-1, 1],
  [-1, 2],
  [0, -1],
  [3, -1],
  [0, 6],
  [5, 1],
  [4, 2],
  [6, 0],
  [6, -1],
] as const;
const inside = [
  [0, 0],
  [0, 1],
  [0, 5],
  [2, 2],
  [4, 1],
  [5, 0],
] as const;

test('rows of a shard', async (t) => {
  const file = path.join(await temporaryFolder(t), 'shard');
  for (const dimensions of [0, -1, 1.5, Number.NaN])
    await assert.rejects(ShardWriter.create(file, dimensions), RangeError, String(dimensions));
  const rows = normalRows(5, 3, 'ranges');
  const writer = await ShardWriter.create(file, 3);
  await writer.append(rows.values);
  assert.equal(writer.rows, 5);
  await writer.commit();
  const reader = await ShardReader.open(file);
  for (const [first, count] of outside)
    await assert.rejects(reader.read(first, count, new Float32Array(30)), RangeError, `${first}, ${count}`);
  for (const [first, count] of inside) {
    const into = new Float32Array(3 * count);
    await reader.read(first, count, into);
    assert.deepEqual(into, rows.values.slice(3 * first, 3 * (first + count)));
    if (count > 0)
      await assert.rejects(reader.read(first, count, into.subarray(1)), RangeError, 'one value too few');
  }
  await reader.close();
  await assertClosed(path.dirname(file));
});

test('vectors of queries, across shards of two', async (t) => {
  const folder = await temporaryFolder(t);
  const { values } = normalRows(5, 3, 'ranges');
  for (let number = 0; number < 3; number++) {
    const writer = await ShardWriter.create(shardPaths(folder, number).vectors, 3);
    await writer.append(values.slice(6 * number, 6 * number + 6));
    await writer.commit();
  }
  const vectors = new QueryVectors({ folder, facts: { queries: 5, dimensions: 3, shardQueries: 2 } });
  for (const [first, count] of outside)
    await assert.rejects(vectors.read(first, count), RangeError, `${first}, ${count}`);
  for (const [first, count] of inside)
    assert.deepEqual(await vectors.read(first, count), values.slice(3 * first, 3 * (first + count)));
  for (const facts of [
    { queries: 6, dimensions: 3, shardQueries: 2 },
    { queries: 5, dimensions: 2, shardQueries: 2 },
    { queries: 5, dimensions: 3, shardQueries: 3 },
  ])
    await assert.rejects(new QueryVectors({ folder, facts }).read(0, 5), { code: 'CACHE_INVALID' });
  await assertClosed(folder);
});

test('rows of an index, across its shards', async (t) => {
  const folder = await temporaryFolder(t);
  const rows = normalRows(5, 3, 'ranges');
  const index = await makeIndex(folder, rows, 1, 2);
  for (const [first, count] of inside) {
    const into = new Float32Array(3 * count);
    await index.readRows(first, count, into);
    assert.deepEqual(into, rows.values.slice(3 * first, 3 * (first + count)));
  }
  await index.close();
  await assertClosed(folder);
  const again = await openIndex(folder);
  await again.close();
  await assertClosed(folder);
  await assert.rejects(finishIndex(folder, 0), RangeError);
});

test('vectors of whole passages, with their numbers where these vary and nowhere else', async (t) => {
  const folder = await temporaryFolder(t);
  const layout = (vectorsPerPassage: number | 'varies') => ({
    ...{ number: 0, firstPassage: 0, dimensions: 2, vectorsPerPassage },
  });
  for (const m of [0, -1, 1.5])
    await assert.rejects(IndexShardWriter.create(folder, layout(m)), RangeError, String(m));
  const fixed = await IndexShardWriter.create(folder, layout(2));
  await assert.rejects(fixed.append(new Float32Array(4), [2]), TypeError);
  for (const values of [2, 6, 3, 5]) await assert.rejects(fixed.append(new Float32Array(values)), RangeError);
  await fixed.append(new Float32Array(8));
  assert.equal(fixed.passages, 2);
  await fixed.abort();
  const varying = await IndexShardWriter.create(folder, layout('varies'));
  await assert.rejects(varying.append(new Float32Array(4)), TypeError);
  await assert.rejects(varying.append(new Float32Array(6), [1, 1]), RangeError);
  await assert.rejects(varying.append(new Float32Array(2), [1, 1]), RangeError);
  await varying.append(new Float32Array(6), [1, 2]);
  assert.equal(varying.passages, 2);
  // The first that is no number is named by its passage, of those written before and now.
  const values = new Float32Array(8);
  values[6] = Number.NaN;
  await assert.rejects(varying.append(values, [1, 2, 1]), {
    code: 'CHECKPOINT_INVALID',
    message: /gave NaN in a vector of passage 5 of the collection/,
  });
  await assertClosed(folder);
});
