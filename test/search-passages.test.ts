import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import { describeSearchers } from '../harness/pipeline/searchers.js';
import { stream } from '../harness/random.js';
import type { PassageHits } from '../harness/search/passage-hits.js';
import { hitsOfRange, searchPassages } from '../harness/search/passages.js';
import type { Searcher } from '../harness/search/search.js';
import type { RowSearcher } from '../harness/search/searcher.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, makeIndex, type Rows, rankRows, temporaryFolder, wholeNumberRows } from './made-index.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());
const faissMissing = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);
const ample = 1 << 28;

/** sim(q, d) for all passages by brute force: the best row of each, in the order of hits. */
function rankPassages(rows: Rows, passageOf: readonly number[], query: Float32Array) {
  const best = new Map<number, { ordinal: number; score: number; winner: number }>();
  for (const { row, score } of rankRows(rows, query)) {
    const ordinal = passageOf[row]!;
    if (!best.has(ordinal)) best.set(ordinal, { ordinal, score, winner: row - passageOf.indexOf(ordinal) });
  }
  return [...best.values()].sort((a, b) => b.score - a.score || a.ordinal - b.ordinal);
}

function hitsOf(hits: PassageHits, q: number) {
  const list = (values: ArrayLike<number>) => listOf(values, hits.depth, hits.counts, q);
  const [scores, winners] = [list(hits.scores), list(hits.winners)];
  return list(hits.ordinals).map((ordinal, i) => ({ ordinal, score: scores[i]!, winner: winners[i]! }));
}

const random = stream(7, 'counts');
const countsOf: Record<string, readonly number[]> = {
  'M = 1': Array<number>(90).fill(1),
  'M = 8': Array<number>(90).fill(8),
  'M varies': Array.from({ length: 90 }, () => random.integer(12)),
};

for (const searcherName of ['exact', 'faiss'] as const) {
  for (const [name, counts] of Object.entries(countsOf)) {
    const skip = searcherName === 'faiss' ? faissMissing : false;
    test(`${searcherName}, ${name}: every passage by its best vector, whatever the shards`, {
      skip,
    }, async (t) => {
      const passageOf = counts.flatMap((count, passage) => Array<number>(count).fill(passage));
      const rows = wholeNumberRows(passageOf.length, 8, name);
      const queries = wholeNumberRows(20, 8, 'queries');
      const fixed = counts.every((count) => count === counts[0]) ? counts[0] : undefined;
      for (const shards of [1, 3, 7]) {
        const index = await makeIndex(await temporaryFolder(t), rows, fixed ?? counts, shards);
        const searcher = await openSearcher(searcherName, index, { engine, memoryBytes: ample });
        for (const depth of [1, 10, 40, 90, 1000]) {
          const hits = await searcher.search(queries.values, 20, depth);
          for (let q = 0; q < 20; q++) {
            const expected = rankPassages(rows, passageOf, queries.values.subarray(q * 8, (q + 1) * 8));
            assert.deepEqual(hitsOf(hits, q), expected.slice(0, depth), `${shards} shards, depth ${depth}`);
          }
        }
        await searcher.dispose();
        await index.close();
      }
    });
  }
}

test('the depth is doubled only for queries that lack passages', async (t) => {
  // Passage 0 owns the 60 best rows of query 0; query 1 finds all others equal and far better than passage 0.
  const counts = [60, ...Array<number>(40).fill(1)];
  const rows: Rows = { dimensions: 2, values: new Float32Array(200) };
  for (let row = 0; row < 100; row++)
    rows.values.set(row < 60 ? [100 - row, -1000] : [0, row === 61 ? 1 : 0], row * 2);
  const index = await makeIndex(await temporaryFolder(t), rows, counts, 2);
  const { ExactSearcher } = await import('../harness/searchers/exact/flat.js');
  const exact = await ExactSearcher.open(index, engine, { memoryBytes: ample });
  const asked: [number, number][] = [];
  const spy: RowSearcher = {
    ...exact,
    resident: true,
    search(queries, count, depth) {
      asked.push([count, depth]);
      return exact.search(queries, count, depth);
    },
    dispose: () => exact.dispose(),
  };
  const hits = await searchPassages(spy, index, Float32Array.of(1, 0, 0, 1), 2, 10, 1 << 20);
  assert.deepEqual(asked, [
    [2, 40],
    [1, 80],
  ]);
  assert.deepEqual(
    hitsOf(hits, 0).map((hit) => hit.ordinal),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(hitsOf(hits, 0)[0], { ordinal: 0, score: 100, winner: 0 });
  assert.deepEqual(
    hitsOf(hits, 1).map((hit) => hit.ordinal),
    [2, 1, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  // A budget that holds the rows of one query at a time gives the same.
  asked.length = 0;
  const oneByOne = await searchPassages(spy, index, Float32Array.of(1, 0, 0, 1), 2, 10, 12 * 40);
  assert.deepEqual(asked, [
    [1, 40],
    [1, 40],
    [1, 80],
  ]);
  assert.deepEqual(oneByOne, hits);
  await exact.dispose();
  await index.close();
});

test('the memory budget changes nothing but where vectors are read from', async (t) => {
  const rows = wholeNumberRows(900, 8, 'budget');
  const queries = wholeNumberRows(200, 8, 'queries');
  const index = await makeIndex(await temporaryFolder(t), rows, 3, 4);
  let first: PassageHits | undefined;
  for (const memoryBytes of [20_000, 40_000, 200_000, ample]) {
    const searcher = await openSearcher('exact', index, { engine, memoryBytes });
    assert.equal(searcher.resident, memoryBytes === ample);
    const hits = await searcher.search(queries.values, 200, 10);
    first ??= hits;
    assert.deepEqual(hits, first);
    await searcher.dispose();
  }
  await index.close();
});

test('what runs is said, and auto falls back with the reason', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), wholeNumberRows(50, 64, 'small'));
  t.after(() => index.close());
  const open = async (name: string, memoryBytes: number): Promise<Searcher> => {
    const searcher = await openSearcher(name, index, { engine, memoryBytes });
    t.after(() => searcher.dispose());
    return searcher;
  };
  const exact = await open('exact', ample);
  assert.equal(exact.name, 'exact');
  assert.equal(exact.fallback, undefined);
  assert.deepEqual(exact.versions, engine.versions);
  const tight = await open('auto', 10_000);
  assert.equal(tight.name, 'exact');
  // The memory is looked at before the addon is loaded.
  assert.match(tight.fallback ?? '', /FAISS holds a shard in memory/);
  await assert.rejects(open('fais', ample), { code: 'UNKNOWN_NAME', message: /Did you mean 'faiss'/ });
  const auto = await open('auto', ample);
  assert.equal(auto.name, faissMissing === false ? 'faiss' : 'exact');
  if (faissMissing !== false) assert.match(auto.fallback ?? '', /faiss-node/);
  else {
    assert.match(auto.versions['faiss-node'] ?? '', /^\d+\.\d+\.\d+$/);
    assert.equal(auto.fallback, undefined);
  }
  const described = await describeSearchers();
  assert.deepEqual(
    described
      .filter(({ name }) => ['faiss', 'exact'].includes(name))
      .map(({ name, available }) => [name, available]),
    [
      ['faiss', faissMissing === false],
      ['exact', true],
    ],
  );
});

test('a missing addon says what to run', async () => {
  await assert.rejects(loadFaiss('faiss-node-that-is-not-installed'), {
    code: 'UNAVAILABLE',
    exitCode: 3,
    hint: /npm run build:faiss .*apt-get install g\+\+ libfaiss-dev libopenblas-dev/,
  });
});

test('queries that are not finite, or not of the index, are refused', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), wholeNumberRows(10, 4, 'small'));
  const searcher = await openSearcher('exact', index, { engine, memoryBytes: ample });
  await assert.rejects(searcher.search(Float32Array.of(0, 0, 0, 0, 1, Number.NaN, 0, 0), 2, 3), {
    code: 'CHECKPOINT_INVALID',
    message: /gave NaN in the vector of query 2 of 2/,
  });
  await assert.rejects(searcher.search(new Float32Array(6), 2, 3), RangeError);
  await assert.rejects(searcher.search(new Float32Array(8), 2, 0), RangeError);
  const none = await searcher.search(new Float32Array(0), 0, 3);
  assert.equal(none.counts.length, 0);
  await searcher.dispose();
  await index.close();
});

test('the hits of some queries are theirs, of each as many as there may be', () => {
  const [queries, depth] = [4, 3];
  const numbers = Array.from({ length: queries * depth }, (_, i) => i);
  const hits: PassageHits = {
    depth,
    ordinals: Int32Array.from(numbers),
    scores: Float32Array.from(numbers, (i) => -i),
    winners: Int32Array.from(numbers, (i) => 100 + i),
    counts: Int32Array.of(3, 0, 2, 1),
  };
  const some = hitsOfRange(hits, 1, 2);
  assert.deepEqual(
    [some.depth, ...[some.ordinals, some.scores, some.winners, some.counts].map((each) => Array.from(each))],
    [3, [3, 4, 5, 6, 7, 8], [-3, -4, -5, -6, -7, -8], [103, 104, 105, 106, 107, 108], [0, 2]],
  );
});

test('a searcher that gives fewer rows than it should is not asked for ever', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), wholeNumberRows(9, 8, 'few'));
  t.after(() => index.close());
  const asked: number[] = [];
  const short: RowSearcher = {
    resident: true,
    async search(_, count, depth) {
      asked.push(depth);
      if (asked.length > 20) throw new Error('asked for ever');
      const given = Math.min(depth, index.vectors) - 1;
      return {
        depth: given,
        rows: Float64Array.from({ length: given }, (_, row) => row),
        scores: new Float32Array(given),
        counts: new Int32Array(count).fill(given),
      };
    },
    dispose: async () => undefined,
  };
  const hits = await searchPassages(short, index, new Float32Array(8), 1, 9, ample);
  assert.deepEqual([...hits.counts], [8]);
});
