import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { VectorIndex } from '../harness/index/vector-index.js';
import { silentProgress } from '../harness/progress.js';
import type { BuiltFile } from '../harness/search/searcher.js';
import { UsearchSearcher } from '../harness/searchers/usearch/built.js';
import { graphOf } from '../harness/searchers/usearch/graph.js';
import { loadUsearch } from '../harness/searchers/usearch/library.js';
import usearch from '../harness/searchers/usearch.js';
import type { Engine } from '../harness/tensor/engine.js';
import { listOf, makeIndex, normalRows, type Rows, temporaryFolder } from './made-index.js';
import { BuiltKind } from './searcher-cases.js';
import { turnsOf } from './turns.js';

const skip = await loadUsearch().then(
  () => false as const,
  (error: Error) => error.message,
);
const on = (threads: number) => ({ engine: { threads } as Engine, memoryBytes: 1 << 28 });
const kindOf = (kind: string) => new BuiltKind('usearch', usearch.builder!, kind, on(2).engine);

async function rowsFound(index: VectorIndex, built: BuiltFile, queries: Rows, k: number, threads = 1) {
  const searcher = await UsearchSearcher.open(index, built, on(threads));
  const count = queries.values.length / queries.dimensions;
  const hits = await searcher.search(queries.values, count, k);
  await searcher.dispose();
  return Array.from({ length: count }, (_, q) => listOf(hits.rows, hits.depth, hits.counts, q));
}

test('kinds are HNSW with a number of links and a scalar', () => {
  assert.deepEqual(graphOf('HNSW32'), { links: 32, scalar: 'f32' });
  assert.deepEqual(graphOf('HNSW16,i8'), { links: 16, scalar: 'i8' });
  assert.deepEqual(
    ['HNSW2', 'HNSW512,f16'].map((kind) => graphOf(kind).links),
    [2, 512],
  );
  // As FAISS has it: what is built of the name does not hang on which of the two is here.
  assert.deepEqual(
    ['HNSW', 'HNSW,f16', 'HNSW,i8'].map((kind) => graphOf(kind)),
    ['HNSW32', 'HNSW32,f16', 'HNSW32,i8'].map((kind) => graphOf(kind)),
  );
  for (const kind of [
    'HNSW,',
    'HNSW,Flat',
    'HNSW1',
    'HNSW513',
    'HNSW32,f64',
    'HNSW32_SQ8',
    'IVF64,Flat',
    'hnsw32',
    'Flat',
  ])
    assert.throws(() => graphOf(kind), {
      code: 'CONFIG_INVALID',
      message: new RegExp(`'${kind}'.*HNSW32,f16`),
    });
});

test('a package that is missing says what to do', async () => {
  await assert.rejects(loadUsearch('usearch-that-is-not-installed'), {
    code: 'UNAVAILABLE',
    exitCode: 3,
    message: /not installed/,
    hint: /npm install .*--searcher faiss/s,
  });
});

test('8 bits keep inner products: a long vector stands before a short one of a larger cosine', {
  skip,
}, async (t) => {
  const rows: Rows = { dimensions: 4, values: new Float32Array(40 * 4) };
  for (let row = 0; row < 40; row++) rows.values.set([1, 0.1 * (row % 4), 0, 0], row * 4);
  rows.values.set([8, 8, 0, 0], 17 * 4);
  const kind = kindOf('HNSW8,i8');
  const index = await kind.index(t, rows, 1);
  const searcher = await UsearchSearcher.open(index, await kind.build(index), on(1));
  const hits = await searcher.search(Float32Array.of(2, 0, 0, 0), 1, 3);
  assert.equal(hits.rows[0], 17);
  assert.ok(Math.abs(hits.scores[0]! - 16) < 0.5, `${hits.scores[0]}`);
  assert.ok(Math.abs(hits.scores[1]! - 2) < 0.5, `${hits.scores[1]}`);
  await searcher.dispose();
});

test('8 bits are told the length of the longest row, however short that is', { skip }, async (t) => {
  const kind = kindOf('HNSW8,i8');
  const values = Float32Array.of(0.03, 0.04, 0.01, 0, 0, -0.02);
  const built = await kind.build(await kind.index(t, { dimensions: 2, values }, 1));
  assert.ok(Math.abs(built.own!.longest! - 0.05) < 1e-8, `${built.own!.longest}`);
});

test('an index is held where its file, and 128 bytes for each row up to a power of two, fit to the byte', {
  skip,
}, async (t) => {
  const kind = kindOf('HNSW4');
  const index = await kind.index(t, normalRows(33, 8, 'budget'), 1);
  const built = await kind.build(index);
  const wanted = built.sizeBytes + 64 * 128;
  const open = (memoryBytes: number) =>
    UsearchSearcher.open(index, built, { engine: { threads: 1 } as Engine, memoryBytes });
  const searcher = await open(wanted);
  const hasTurned = turnsOf();
  await searcher.dispose();
  assert.ok(hasTurned(), 'what it held is collected');
  await assert.rejects(searcher.search(new Float32Array(8), 1, 1), TypeError);
  await assert.rejects(open(wanted - 1), {
    code: 'CONFIG_INVALID',
    message: new RegExp(`'HNSW4' takes ${wanted} of the ${wanted - 1} bytes`),
  });
});

test('more candidates find more, and threads change nothing', { skip }, async (t) => {
  const rows = normalRows(1500, 16, 'graph');
  const queries = normalRows(60, 16, 'asked');
  const kind = kindOf('HNSW2');
  const index = await kind.index(t, rows, 1);
  const { parameter, ...built } = await kind.build(index);
  assert.deepEqual(parameter, { name: 'efSearch', value: 64 });
  const at = (value: number, threads = 1) =>
    rowsFound(index, { ...built, parameter: { name: 'efSearch', value } }, queries, 1, threads);
  const [few, many] = [await at(1), await at(1500)];
  const scoreOf = (row: number, q: number) => {
    let sum = 0;
    for (let d = 0; d < 16; d++) sum += rows.values[row * 16 + d]! * queries.values[q * 16 + d]!;
    return sum;
  };
  const better = many.filter(([row], q) => scoreOf(row!, q) > scoreOf(few[q]![0]!, q) + 1e-3);
  const worse = many.filter(([row], q) => scoreOf(row!, q) < scoreOf(few[q]![0]!, q) - 1e-3);
  assert.ok(better.length > 10 && worse.length === 0, `${better.length}, ${worse.length}`);
  assert.deepEqual(await rowsFound(index, built, queries, 1), await at(64));
  assert.deepEqual(await at(64, 2), await at(64, 1));
});

test('what 16 bits cannot hold is refused, with the row', { skip }, async (t) => {
  const rows = normalRows(30, 16, 'large');
  rows.values[16 * 12 + 3] = -70_000;
  const index = await makeIndex(await temporaryFolder(t), rows);
  t.after(() => index.close());
  await assert.rejects(kindOf('HNSW8,f16').build(index), {
    code: 'CONFIG_INVALID',
    message: /row 12 holds -70000, and f16 ends at 65504/,
  });
});

test('a file that cannot be written is an error that says so', { skip }, async (t) => {
  const index = await makeIndex(await temporaryFolder(t), normalRows(20, 16, 'few'));
  t.after(() => index.close());
  const { folder, vectors } = index;
  const order = { folder, kind: 'HNSW4', trainingVectors: 1, seed: 1, vectors, progress: silentProgress() };
  await assert.rejects(usearch.builder!.build({ ...order, target: path.join(folder, 'absent', 'x') }), {
    code: 'NOT_WRITABLE',
    message: /could not write .*absent.*No such file/,
  });
});

test('a file changed anywhere behind its vectors is refused, or does no harm', { skip }, async (t) => {
  const kind = kindOf('HNSW4');
  const index = await kind.index(t, normalRows(80, 16, 'damaged'), 1);
  const built = await kind.build(index);
  const whole = readFileSync(built.file);
  const queries = normalRows(5, 16, 'asked');
  const vectorsEnd = 8 + 80 * 16 * 4;
  let refused = 0;
  let harmless = 0;
  // The sizes, then every 7th byte of the header, the layers and the links.
  const places = [0, 1, 4, 5];
  for (let at = vectorsEnd; at < whole.length; at += 7) places.push(at);
  for (const at of places) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0xff;
    writeFileSync(built.file, changed);
    try {
      await rowsFound(index, built, queries, 10);
      harmless++;
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'CACHE_INVALID', `byte ${at}: ${error}`);
      refused++;
    }
  }
  // What is harmless is the room that no link takes.
  assert.ok(refused > harmless / 2 && refused > 100, `${refused} refused, ${harmless} harmless`);
  writeFileSync(built.file, Buffer.concat([whole, Buffer.alloc(8)]));
  await assert.rejects(rowsFound(index, built, queries, 10), { code: 'CACHE_INVALID' });
  writeFileSync(built.file, whole);
  await rowsFound(index, built, queries, 10);
});

test('a graph of another kind or of other vectors is not mistaken for one', { skip }, async (t) => {
  const [kind, other] = [kindOf('HNSW4'), kindOf('HNSW4')];
  const index = await kind.index(t, normalRows(80, 16, 'one'), 1);
  const built = await kind.build(index);
  for (const wrong of ['HNSW5', 'HNSW4,f16'])
    await assert.rejects(UsearchSearcher.open(index, { ...built, kind: wrong }, on(1)), {
      code: 'CACHE_INVALID',
    });
  for (const rows of [normalRows(81, 16, 'one'), normalRows(80, 15, 'one')]) {
    const another = await other.index(t, rows, 1);
    await assert.rejects(UsearchSearcher.open(another, built, on(1)), { code: 'CACHE_INVALID' });
  }
});
