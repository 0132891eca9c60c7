import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { shardHeaderBytes } from '../harness/index/shard.js';
import { shardPaths } from '../harness/index/shard-files.js';
import type { VectorIndex } from '../harness/index/vector-index.js';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import { loadSearcher } from '../harness/plugins/searchers.js';
import { stream } from '../harness/random.js';
import type { Searcher } from '../harness/search/search.js';
import { recallAt } from '../harness/stages/recall.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, normalRows, type Rows, rankRows } from './made-index.js';
import { ample, BuiltKind } from './searcher-cases.js';
import { queryAt, unitRows } from './searcher-rows.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());
const { builder } = await loadSearcher('exact');
const kindOf = (kind: string, by: Engine = engine) => new BuiltKind('exact', builder!, kind, by);

for (const kind of ['bounds', 'int8', 'binary'])
  test(`${kind}: the same hits and scores at any number of threads, one query or several at once`, async (t) => {
    const rows = normalRows(30_000, 72, 'threads');
    const queries = normalRows(20, 72, 'asked');
    const index = await kindOf(kind).index(t, rows, 1);
    const built = await kindOf(kind).build(index);
    let expected: unknown;
    for (const threads of [1, 2, 3]) {
      const own = await openEngine('onnx', { threads });
      const searcher = await kindOf(kind, own).open(index, built);
      const hits = await searcher.search(queries.values, 20, 30);
      expected ??= hits;
      assert.deepEqual(hits, expected);
      const alone = await searcher.search(queryAt(queries, 19), 1, 30);
      assert.deepEqual(alone.ordinals, hits.ordinals.subarray(19 * 30));
      assert.deepEqual(alone.scores, hits.scores.subarray(19 * 30));
      await searcher.dispose();
      await own.dispose();
    }
  });

/** Share of the exact first ten that a kind finds, told one value. */
async function recallOf(
  index: VectorIndex,
  kind: string,
  name: string,
  value: number,
  queries: Rows,
  exact: Searcher,
) {
  const suite = kindOf(kind);
  const { parameter: _, ...built } = await suite.build(index);
  const searcher = await suite.open(index, { ...built, parameter: { name, value } });
  const count = queries.values.length / queries.dimensions;
  const hits = await searcher.search(queries.values, count, 10);
  const wanted = await exact.search(queries.values, count, 10);
  await searcher.dispose();
  return { recall: recallAt(10, hits, wanted), hits, wanted };
}

test('int8 and binary: more rows compared again find more; with none the scores are those of the codes', async (t) => {
  const rows = unitRows(4000, 64, 'rows');
  const queries = unitRows(40, 64, 'queries');
  const index = await kindOf('int8').index(t, rows, 1);
  const exact = await openSearcher('exact', index, { engine, memoryBytes: ample });
  t.after(() => exact.dispose());
  for (const [kind, least] of [
    ['int8', [0.9, 1]],
    ['binary', [0.15, 0.9]],
  ] as const) {
    const bare = await recallOf(index, kind, 'rescore', 0, queries, exact);
    const again = await recallOf(index, kind, 'rescore', 400, queries, exact);
    assert.ok(bare.recall >= least[0] && bare.recall < 1, `${kind} ${bare.recall}`);
    assert.ok(again.recall >= least[1] && again.recall > bare.recall, `${kind} ${again.recall}`);
    const off = bare.hits.scores.map((score, i) => Math.abs(score - bare.wanted.scores[i]!));
    assert.ok(Math.max(...off) > 1e-4 && Math.max(...off) < 0.5, `${kind} ${Math.max(...off)}`);
    assert.ok(Math.abs(again.hits.scores[0]! - again.wanted.scores[0]!) < 1e-6);
  }
  // Sizes: codes alone, or with the vectors that they are compared with.
  const { sizeBytes } = await kindOf('binary').build(index);
  assert.equal(sizeBytes, 64 + 4000 * (16 + 4));
  assert.equal(builder!.searchedBytes!('binary', index, sizeBytes, 0), sizeBytes);
  assert.equal(builder!.searchedBytes!('binary', index, sizeBytes, 100), sizeBytes + 4000 * 64 * 4);
  assert.equal(builder!.searchedBytes!('cut', index, 64, 16), 4000 * 16 * 4);
});

test('binary: rows of other lengths are ranked by inner product', async (t) => {
  // Two directions: the longer rows point a little away from the query, and their inner products are larger all the same.
  const dimensions = 128;
  const random = stream(5, 'lengths');
  const query = Float32Array.from({ length: dimensions }, () => random.normal());
  const values = new Float32Array(40 * dimensions);
  for (let row = 0; row < 40; row++)
    for (let d = 0; d < dimensions; d++)
      values[row * dimensions + d] =
        row < 20 ? query[d]! + 0.1 * random.normal() : 10 * (query[d]! + 1.5 * random.normal());
  const suite = kindOf('binary');
  const index = await suite.index(t, { dimensions, values }, 1);
  const { parameter: _, ...built } = await suite.build(index);
  const searcher = await suite.open(index, { ...built, parameter: { name: 'rescore', value: 0 } });
  t.after(() => searcher.dispose());
  const hits = await searcher.search(query, 1, 20);
  assert.ok(hits.ordinals.every((row) => row >= 20));
});

test('cut: cosines of what is left where rows have length 1, and inner products of what is left elsewhere', async (t) => {
  for (const [rows, unit] of [
    [unitRows(500, 24, 'rows'), true],
    [normalRows(500, 24, 'rows'), false],
  ] as const) {
    const suite = kindOf('cut');
    const index = await suite.index(t, rows, 1);
    const { parameter, ...built } = await suite.build(index);
    assert.deepEqual(parameter, { name: 'dimensions', value: 24, largest: 24 });
    const queries = unit ? unitRows(5, 24, 'queries') : normalRows(5, 24, 'queries');
    for (const kept of [24, 8, 5]) {
      const searcher = await suite.open(index, { ...built, parameter: { name: 'dimensions', value: kept } });
      const hits = await searcher.search(queries.values, 5, 20);
      const cutOf = (vector: Float32Array) => {
        const left = vector.slice(0, kept);
        const length = unit ? Math.hypot(...left) : 1;
        return left.map((value) => value / length);
      };
      const cut: Rows = {
        dimensions: kept,
        values: Float32Array.from(
          Array.from({ length: 500 }, (_, row) => [...cutOf(queryAt(rows, row))]).flat(),
        ),
      };
      for (let q = 0; q < 5; q++) {
        const expected = rankRows(cut, cutOf(queryAt(queries, q))).slice(0, 20);
        const scores = listOf(hits.scores, hits.depth, hits.counts, q);
        for (const [i, { score }] of expected.entries())
          assert.ok(Math.abs(scores[i]! - score) < 1e-4, `${kept}, ${q}: ${scores[i]}, not ${score}`);
      }
      await searcher.dispose();
    }
  }
});

test('what a kind cannot be told is refused, with what it can', async (t) => {
  const told = (kind: string, name: string, values: number[]) => {
    const found = {
      cut: { name: 'dimensions', value: 64, largest: 64 },
      int8: { name: 'rescore', value: 400 },
    }[kind];
    builder!.assertSettable(found, name, values, kind);
  };
  told('cut', 'dimensions', [64, 32]);
  told('int8', 'rescore', [0, 1000]);
  const refused = { code: 'CONFIG_INVALID' };
  assert.throws(() => told('cut', 'dimensions', [65, 32]), {
    ...refused,
    message: /is 65, and the vectors have 64/,
  });
  assert.throws(() => told('cut', 'rescore', [100]), { ...refused, hint: /index\.dimensions/ });
  assert.throws(() => told('bounds', 'rescore', [100]), { ...refused, hint: /told nothing/ });
  const suite = kindOf('int8');
  const index = await suite.index(t, normalRows(30, 16, 'rows'), 1);
  const shard = shardPaths(index.folder, 0).vectors;
  const bytes = readFileSync(shard);
  bytes.writeFloatLE(Number.POSITIVE_INFINITY, shardHeaderBytes + 4 * (5 * 16 + 3));
  writeFileSync(shard, bytes);
  await assert.rejects(suite.build(index), {
    ...refused,
    message: /Row 5 of the index holds Infinity/,
  });
});

test('a file of another kind, of other vectors or with a wrong byte in its header or scales is refused', async (t) => {
  const rows = normalRows(80, 16, 'rows');
  const [suite, other] = [kindOf('int8'), kindOf('binary')];
  const index = await suite.index(t, rows, 1);
  const built = await suite.build(index);
  assert.equal(built.sizeBytes, statSync(built.file).size);
  const damaged = { code: 'CACHE_INVALID' };
  await assert.rejects(other.open(index, { ...built, kind: 'binary' }), damaged);
  const more = await suite.index(t, normalRows(81, 16, 'rows'), 1);
  await assert.rejects(suite.open(more, built), damaged);
  const whole = readFileSync(built.file);
  const scales = 64 + 80 * 16;
  for (const at of [0, 11, 12, 16, 20, 26, 32, 38]) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0xff;
    writeFileSync(built.file, changed);
    await assert.rejects(suite.open(index, built), damaged, `byte ${at}`);
  }
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const changed = Buffer.from(whole);
    changed.writeFloatLE(value, scales + 4 * 7);
    writeFileSync(built.file, changed);
    await assert.rejects(suite.open(index, built), { ...damaged, message: /holds no scales/ });
  }
});
