import assert from 'node:assert/strict';
import { readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { Identifiers, IdentifierWriter, identifiersBytes } from '../harness/index/identifiers.js';
import { shardHeaderBytes } from '../harness/index/shard.js';
import { IndexShardWriter, planShards, readShardFacts, shardPaths } from '../harness/index/shard-files.js';
import { indexSize, projectedVectorsBytes } from '../harness/index/size.js';
import { finishIndex, identifiersPath, openIndex } from '../harness/index/vector-index.js';
import { makeIndex, temporaryFolder, wholeNumberRows } from './made-index.js';

const counts = [3, 1, 0, 4, 2, 0, 5];
const fifteen = wholeNumberRows(15, 4, 'index');

test('shards are ceil(N / n) passages each and cover all of them once', () => {
  assert.deepEqual(
    planShards(10, 3).map((shard) => [shard.number, shard.firstPassage, shard.passages]),
    [
      [0, 0, 4],
      [1, 4, 4],
      [2, 8, 2],
    ],
  );
  assert.deepEqual(
    planShards(5, 4).map((shard) => shard.passages),
    [2, 2, 1],
  );
  assert.deepEqual(
    planShards(2, 7).map((shard) => shard.passages),
    [1, 1],
  );
});

test('rows lead to passages by division where M is fixed', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), fifteen, 3, 2);
  t.after(() => index.close());
  assert.deepEqual([index.passages, index.vectors, index.shards.length], [5, 15, 2]);
  const passages = Array.from({ length: 15 }, (_, row) => index.passageOf(row));
  assert.deepEqual(passages, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  assert.deepEqual(
    [0, 1, 4].map((passage) => index.firstRowOf(passage)),
    [0, 3, 12],
  );
  assert.equal((await index.identifiers()).at(4), 'p4');
});

for (const shards of [1, 3, 7]) {
  test(`rows lead to passages by the offsets tables of ${shards} shards where M varies`, async (t) => {
    const index = await makeIndex(await temporaryFolder(t), fifteen, counts, shards);
    t.after(() => index.close());
    const expected = counts.flatMap((count, passage) => Array<number>(count).fill(passage));
    assert.deepEqual(
      expected.map((_, row) => index.passageOf(row)),
      expected,
    );
    for (const [row, passage] of expected.entries()) {
      assert.equal(index.firstRowOf(passage), expected.indexOf(passage), `row ${row}`);
    }
    const all = new Float32Array(15 * 4);
    await index.readRows(0, 15, all);
    assert.deepEqual(all, fifteen.values);
    const some = new Float32Array(9 * 4);
    await index.readRows(2, 9, some);
    assert.deepEqual(some, fifteen.values.subarray(2 * 4, 11 * 4));
    // Nothing is read in silence that is not there, or has no room.
    for (const [first, count] of [
      [-1, 1],
      [-1, 0],
      [15, 1],
      [14, 2],
      [3, -1],
      [Number.NaN, 1],
      [0, 10],
    ] as const)
      await assert.rejects(index.readRows(first, count, some), RangeError, `${first} ${count}`);
    await index.readRows(15, 0, some);
  });
}

test('the size foretold is the size on disk, to the byte', async (t) => {
  const idBytes = 14;
  for (const shards of [1, 3]) {
    const folder = await temporaryFolder(t);
    const index = await makeIndex(folder, fifteen, counts, shards);
    await index.close();
    const size = await indexSize(folder);
    // 15 rows of 4 numbers; the first row of each of 7 passages, and the end of each shard.
    assert.equal(size.vectorsBytes, shards * shardHeaderBytes + 4 * 4 * 15);
    assert.equal(size.identifiersBytes, identifiersBytes(7, idBytes));
    assert.equal(size.offsetsBytes, 4 * (7 + shards));
    let onDisk = 0;
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.json')) onDisk += (await stat(path.join(folder, name))).size;
    }
    assert.equal(size.totalBytes, onDisk);
  }
});

test('projected to Wikipedia, the vectors take what the paper says', () => {
  const gibibytes = (m: number) =>
    projectedVectorsBytes({ passages: 1000, vectors: 1000 * m, dimensions: 768 }) / 2 ** 30;
  assert.equal(gibibytes(1).toFixed(2), '60.13');
  assert.equal(gibibytes(8).toFixed(1), '481.0');
});

test('a shard is complete or absent', async (t) => {
  const folder = await temporaryFolder(t);
  const layout = { number: 2, firstPassage: 10, dimensions: 4, vectorsPerPassage: 'varies' as const };
  const writer = await IndexShardWriter.create(folder, layout);
  await writer.append(fifteen.values.subarray(0, 12), [1, 2]);
  assert.equal(await readShardFacts(folder, 2), undefined);
  const facts = await writer.commit();
  assert.deepEqual(facts, { ...layout, passages: 2, vectors: 3 });
  assert.deepEqual(await readShardFacts(folder, 2), facts);
  const given = await IndexShardWriter.create(folder, { ...layout, number: 3 });
  await given.append(fifteen.values.subarray(0, 4), [1]);
  await given.abort();
  assert.ok((await readdir(folder)).every((name) => name.startsWith('shard-00002')));
});

test('vectors that do not fit the counts, or are not finite, are refused', async (t) => {
  const folder = await temporaryFolder(t);
  const layout = { number: 0, firstPassage: 10, dimensions: 4, vectorsPerPassage: 2 };
  const fixed = await IndexShardWriter.create(folder, layout);
  await assert.rejects(fixed.append(new Float32Array(12)), RangeError);
  await assert.rejects(fixed.append(new Float32Array(8), [2]), TypeError);
  await fixed.append(new Float32Array(8));
  const spoilt = new Float32Array(16);
  spoilt[9] = Number.NaN;
  await assert.rejects(fixed.append(spoilt), {
    code: 'CHECKPOINT_INVALID',
    message: /gave NaN in a vector of passage 13 of/,
  });
  const first = await IndexShardWriter.create(folder, layout);
  await assert.rejects(first.append(Float32Array.of(Number.NaN, ...new Float32Array(7))), {
    message: /gave NaN in a vector of passage 11 of/,
  });
  const varying = await IndexShardWriter.create(folder, { ...layout, vectorsPerPassage: 'varies' });
  await assert.rejects(varying.append(new Float32Array(8)), TypeError);
  await assert.rejects(varying.append(new Float32Array(8), [1, 2]), RangeError);
  spoilt[9] = Number.POSITIVE_INFINITY;
  await assert.rejects(varying.append(spoilt, [0, 2, 0, 2]), /gave Infinity in a vector of passage 14 of/);
  assert.deepEqual(await readdir(folder), []);
});

test('a shard holds fewer than 2^32 vectors', async (t) => {
  const layout = { number: 0, firstPassage: 0, dimensions: 1, vectorsPerPassage: 'varies' as const };
  const writer = await IndexShardWriter.create(await temporaryFolder(t), layout);
  const many = (length: number) => {
    const findIndex = () => assert.fail('looked at');
    return writer.append({ length, findIndex } as unknown as Float32Array, [length]);
  };
  await assert.rejects(many(2 ** 32), { name: 'RangeError', message: /fewer than 2\^32 vectors/ });
  await assert.rejects(many(2 ** 32 - 1), /looked at/);
  await writer.append(new Float32Array(1), [1]);
  await assert.rejects(many(2 ** 32 - 1), RangeError);
  await assert.rejects(many(2 ** 32 - 2), /looked at/);
  await writer.abort();
});

test('shards and ids that do not fit together make no index', async (t) => {
  const folder = await temporaryFolder(t);
  const shard = async (number: number, firstPassage: number, dimensions = 4) => {
    const writer = await IndexShardWriter.create(folder, {
      number,
      firstPassage,
      dimensions,
      vectorsPerPassage: 1,
    });
    await writer.append(new Float32Array(2 * dimensions));
    await writer.commit();
  };
  const refused = (message: RegExp) =>
    assert.rejects(finishIndex(folder, 2), { code: 'CACHE_INVALID', message });
  await shard(0, 0);
  await refused(/shard-00001\.json is missing/);
  await shard(1, 3);
  await refused(/from passage 3, not 2/);
  await shard(1, 2, 5);
  await refused(/1 x 5 numbers per passage, the first shard 1 x 4/);
  await shard(1, 2);
  await refused(/identifiers is missing/);
  const identifiers = new IdentifierWriter(identifiersPath(folder));
  for (const id of ['a', 'b', 'c']) identifiers.append(id);
  await identifiers.commit();
  await refused(/names 3 passages where the shards hold 4/);
  await assert.rejects(openIndex(folder), { code: 'PATH_INVALID', message: /holds no finished index/ });
  const again = new IdentifierWriter(identifiersPath(folder));
  for (const id of ['a', 'b', 'c', 'd']) again.append(id);
  await again.commit();
  // Left by an attempt with more shards: not part of the index.
  await shard(2, 4);
  assert.equal((await finishIndex(folder, 2)).passages, 4);
  const index = await openIndex(folder);
  await index.close();
  assert.equal(index.vectors, 4);
  assert.equal((await Identifiers.open(identifiersPath(folder))).at(3), 'd');
});

test('a damaged index is refused when it is opened', async (t) => {
  const folder = await temporaryFolder(t);
  const damage = async (change: () => Promise<void>, message: RegExp) => {
    await (await makeIndex(folder, fifteen, counts, 3)).close();
    await change();
    await assert.rejects(openIndex(folder), { code: 'CACHE_INVALID', message });
  };
  const { vectors, offsets } = shardPaths(folder, 1);
  await damage(() => truncate(vectors, 100), /shard-00001\.faiss holds 100 bytes/);
  await damage(() => rm(vectors), /shard-00001\.faiss is missing/);
  await damage(() => truncate(offsets, 8), /shard-00001\.offsets holds 8 bytes, not 16/);
  await damage(() => writeFile(offsets, Buffer.from(Uint32Array.of(0, 5, 4, 6).buffer)), /ascending rows/);
  await damage(() => writeFile(path.join(folder, 'index.json'), '{"passages":'), /is not JSON/);
  await assert.rejects(openIndex(path.join(folder, 'none')), { code: 'PATH_INVALID' });
  await assert.rejects(openIndex(vectors), { code: 'PATH_INVALID' });
});
