/** Query vectors: encoded once for all that is searched with them, and the same ones wherever a run was killed. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Query } from '../harness/contracts.js';
import { encodeQueries } from '../harness/encode/queries.js';
import { QueryVectors } from '../harness/index/query-vectors.js';
import { VectorEncoder } from '../harness/model/vector-encoder.js';
import { silentProgress } from '../harness/progress.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { run } from '../harness/sweep.js';
import { temporaryFolder } from './made-index.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const faissMissing = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);

/** 10 queries in shards of 4, each vector its query's number and how many were encoded with it. */
function encodingIn(folder: string, batches: number[], vectorOf = (text: string) => Number(text)) {
  return {
    queries: Array.from({ length: 10 }, (_, i) => ({ queryId: `q${i}`, text: String(i) })),
    dimensions: 2,
    async encode(asked: readonly Query[]) {
      const numbers = asked.map(({ text }) => vectorOf(text));
      batches.push(numbers.length);
      return Float32Array.from(numbers.flatMap((id) => [id === 77 ? Number.NaN : id, numbers.length]));
    },
    batchSize: 2,
    shardQueries: 4,
    folder,
    progress: silentProgress(),
  };
}

const everyVector = Float32Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? i / 2 : 2));

async function bytesIn(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  const files = names.map(async (name) => [name, await readFile(path.join(folder, name), 'hex')]);
  return Object.fromEntries(await Promise.all(files));
}

test('vectors are read by range, across shards, in the order of the queries', async (t) => {
  const folder = await temporaryFolder(t);
  const facts = await encodeQueries(encodingIn(folder, []));
  assert.deepEqual(facts, { queries: 10, dimensions: 2, shardQueries: 4 });
  const vectors = new QueryVectors({ folder, facts });
  for (const [first, count] of [
    ...[[0, 10] as const, [3, 6] as const, [4, 4] as const],
    ...[[9, 1] as const, [10, 0] as const],
  ])
    assert.deepEqual(await vectors.read(first, count), everyVector.slice(2 * first, 2 * (first + count)));
  await assert.rejects(vectors.read(8, 3), RangeError);
  await assert.rejects(vectors.read(-1, 2), RangeError);
});

test('encoding that was killed goes on at the shard where it was, to the same bytes', async (t) => {
  const [whole, killed] = [await temporaryFolder(t), await temporaryFolder(t)];
  const batches: number[] = [];
  await encodeQueries(encodingIn(whole, batches));
  assert.deepEqual(batches, [2, 2, 2, 2, 2]);
  const first: number[] = [];
  const dying = encodingIn(killed, first, (text) => {
    if (text === '7') throw new Error('killed');
    return Number(text);
  });
  await assert.rejects(encodeQueries(dying), /killed/);
  assert.deepEqual(await readdir(killed), ['shard-00000.faiss', 'shard-00000.json']);
  const second: number[] = [];
  await encodeQueries(encodingIn(killed, second));
  assert.deepEqual([first.length, second.length], [3, 3], 'one batch is encoded twice');
  assert.deepEqual(await bytesIn(killed), await bytesIn(whole));
});

test('a shard that is not as it was written is made again, and that is said', async (t) => {
  const folder = await temporaryFolder(t);
  await encodeQueries(encodingIn(folder, []));
  const before = await bytesIn(folder);
  const file = path.join(folder, 'shard-00001.faiss');
  const bytes = await readFile(file);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(file, bytes);
  const notes: string[] = [];
  const batches: number[] = [];
  const encoding = encodingIn(folder, batches);
  await encodeQueries({
    ...encoding,
    progress: { ...encoding.progress, note: (line) => void notes.push(line) },
  });
  assert.deepEqual(batches, [2, 2]);
  assert.match(notes.join('\n'), /shard-00001\.faiss holds other bytes.*The shard is made again\.$/);
  assert.deepEqual(await bytesIn(folder), before);
});

test('a vector that is no number is refused and names its query; shards that do not fit are named', async (t) => {
  const folder = await temporaryFolder(t);
  const bad = encodingIn(folder, [], (text) => (text === '6' ? 77 : 0));
  await assert.rejects(encodeQueries(bad), {
    code: 'CHECKPOINT_INVALID',
    message: 'The encoder gave NaN in a vector of query 7.',
  });
  assert.deepEqual(await readdir(folder), ['shard-00000.faiss', 'shard-00000.json']);
  const facts = await encodeQueries(encodingIn(folder, []));
  const read = (other: object) => new QueryVectors({ folder, facts: { ...facts, ...other } }).read(0, 10);
  const refused = { code: 'CACHE_INVALID', message: /shard-0000\d\.faiss/ };
  await assert.rejects(read({ dimensions: 3 }), refused);
  await assert.rejects(read({ shardQueries: 5 }), refused);
  await truncate(path.join(folder, 'shard-00001.faiss'), 60);
  await assert.rejects(read({}), refused);
  await rm(path.join(folder, 'shard-00001.faiss'));
  await assert.rejects(read({}), refused);
});

/** Runs, and counts the queries that were encoded before anything is timed, which encodes them live. */
async function runCounting(request: ReturnType<typeof tinyRequest>) {
  const { encode } = VectorEncoder.prototype;
  let encoded = 0;
  let timed = false;
  VectorEncoder.prototype.encode = function (texts, ...rest) {
    if (this.options.side === 'query' && !timed) encoded += texts.length;
    return encode.call(this, texts, ...rest);
  };
  const progress = silentProgress();
  try {
    const record = await run(request, {
      ...progress,
      stage(name, ...rest) {
        timed ||= name === 'latency' || name.startsWith('warm up');
        return progress.stage(name, ...rest);
      },
    });
    assert.ok(timed);
    return { encoded, record };
  } finally {
    VectorEncoder.prototype.encode = encode;
  }
}

test('a run with an IVF index and a curve encodes each query once', { skip: faissMissing }, async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const set = ['searcher=faiss', 'index.kind=IVF2,Flat', 'index.nprobe=1,2', 'search.batchSize=3'];
  const { encoded, record } = await runCounting(tinyRequest(root, 'dual-encoder', 1, ...set));
  const points = record.index!.curve!.points;
  assert.equal(points.length, 2);
  assert.ok(points.every(({ execution }) => execution!.search.samplesMs.length === 4));
  assert.deepEqual(
    record.stages.map(({ name }) => name).filter((name) => /quer|search|recall/.test(name)),
    ['queries', 'exact search', 'search', 'recall'],
  );
  assert.equal(encoded, 8);
});

test('the vectors are found again by another search, and made anew for other batches or texts', async (t) => {
  const root = await temporaryFolder(t);
  const data = path.join(root, 'data');
  await writeTinyCollection(data);
  const outcome = async (...set: string[]) => {
    const { encoded, record } = await runCounting(tinyRequest(root, 'dual-encoder', 1, ...set));
    return [encoded, record.stages.find(({ name }) => name === 'search')!.execution.cached];
  };
  assert.deepEqual(await outcome(), [8, false]);
  assert.deepEqual(await outcome(), [0, true]);
  assert.deepEqual(await outcome('search.depth=20'), [0, false]);
  assert.deepEqual(await outcome('search.batchSize=3'), [8, false]);
  assert.deepEqual(await outcome('encode.batchTokens=64'), [8, false]);
});
