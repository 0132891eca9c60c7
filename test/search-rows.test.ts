import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { VectorIndex } from '../harness/index/vector-index.js';
import type { RowHits, RowSearcher } from '../harness/search/searcher.js';
import { planBlocks } from '../harness/searchers/exact/block-plan.js';
import type { RowSource } from '../harness/searchers/exact/blocks.js';
import { ExactSearcher } from '../harness/searchers/exact/flat.js';
import { FaissSearcher, loadFaiss } from '../harness/searchers/faiss/flat.js';
import type { Engine, EngineName } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import {
  listOf,
  makeIndex,
  normalRows,
  type Rows,
  rankRows,
  temporaryFolder,
  wholeNumberRows,
} from './made-index.js';

const faissMissing = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);
const engines = new Map<EngineName, Promise<Engine>>();
function engineOf(name: EngineName): Promise<Engine> {
  const opened = engines.get(name) ?? openEngine(name, { threads: 2 });
  engines.set(name, opened);
  return opened;
}
after(async () => {
  for (const engine of engines.values()) await (await engine).dispose();
});

const ample = 1 << 28;
/** Rows of 16 dimensions at a time under this budget: blocks are streamed. */
const budgetFor = (rows: number) => rows * (2 * 16 * 4 + 128 * 4);

interface Candidate {
  name: string;
  skip: string | false;
  open(index: VectorIndex, memoryBytes: number): Promise<RowSearcher>;
}
const exactOn = (engine: EngineName): Candidate => ({
  name: `exact on ${engine}`,
  skip: false,
  open: async (index, memoryBytes) => ExactSearcher.open(index, await engineOf(engine), { memoryBytes }),
});
const faiss: Candidate = {
  name: 'faiss',
  skip: faissMissing,
  open: (index, memoryBytes) => FaissSearcher.open(index, memoryBytes),
};
const candidates = [exactOn('onnx'), exactOn('tfjs-cpu'), faiss];

/** Whole numbers: scores and order must be exactly those of brute force. */
function assertExactly(hits: RowHits, rows: Rows, queries: Rows, depth: number): void {
  const count = queries.values.length / queries.dimensions;
  for (let q = 0; q < count; q++) {
    const query = queries.values.subarray(q * queries.dimensions, (q + 1) * queries.dimensions);
    const expected = rankRows(rows, query).slice(0, depth);
    const label = `query ${q} of ${count}, depth ${depth}`;
    assert.deepEqual(
      listOf(hits.rows, hits.depth, hits.counts, q),
      expected.map((hit) => hit.row),
      label,
    );
    assert.deepEqual(
      listOf(hits.scores, hits.depth, hits.counts, q),
      expected.map((hit) => hit.score),
      label,
    );
  }
}

const rows = wholeNumberRows(700, 16, 'rows');
const queries = wholeNumberRows(150, 16, 'queries');
const first = (count: number): Rows => ({ dimensions: 16, values: queries.values.subarray(0, count * 16) });

for (const { name, skip, open } of candidates) {
  test(`${name}: score descending, then row ascending, whatever the shards`, { skip }, async (t) => {
    for (const shards of [1, 3, 7]) {
      const index = await makeIndex(await temporaryFolder(t), rows, 1, shards);
      const searcher = await open(index, ample);
      assert.equal(searcher.resident, true);
      for (const [count, depth] of [
        [1, 10],
        [2, 100],
        [17, 1],
        [150, 25],
        [3, 700],
        [2, 5000],
      ] as const) {
        assertExactly(await searcher.search(first(count).values, count, depth), rows, first(count), depth);
      }
      await searcher.dispose();
      await index.close();
    }
  });

  test(`${name}: agrees with float64 to 1e-5 on numbers that are not whole`, { skip }, async (t) => {
    const real = normalRows(2000, 48, 'rows');
    const asked = normalRows(20, 48, 'queries');
    const index = await makeIndex(await temporaryFolder(t), real, 1, 3);
    const searcher = await open(index, ample);
    const hits = await searcher.search(asked.values, 20, 50);
    for (let q = 0; q < 20; q++) {
      const ranked = rankRows(real, asked.values.subarray(q * 48, (q + 1) * 48));
      const scoreOf = new Map(ranked.map(({ row, score }) => [row, score]));
      const found = listOf(hits.rows, 50, hits.counts, q);
      assert.equal(new Set(found).size, 50);
      for (const [i, row] of found.entries()) {
        const score = hits.scores[q * 50 + i]!;
        const near = (other: number) => Math.abs(score - other) <= 1e-5 * Math.abs(other);
        assert.ok(near(scoreOf.get(row)!), `row ${row} scores ${score}, not ${scoreOf.get(row)}`);
        // Rows may change places only where their scores are this close.
        assert.ok(near(ranked[i]!.score), `rank ${i + 1} scores ${score}, not ${ranked[i]!.score}`);
      }
    }
    await searcher.dispose();
    await index.close();
  });
}

for (const engine of ['onnx', 'tfjs-cpu'] as const) {
  const { name, open } = exactOn(engine);
  test(`${name}: the same hits under any memory budget`, async (t) => {
    const index = await makeIndex(await temporaryFolder(t), rows, 1, 3);
    for (const blockRows of [1, 3, 64, 350, 699]) {
      // More queries than a batch holds, and depths over and under the rows of a block.
      const searcher = await open(index, budgetFor(blockRows));
      assert.equal(searcher.resident, false);
      const count = blockRows < 10 ? 2 : 130;
      assertExactly(await searcher.search(first(count).values, count, 20), rows, first(count), 20);
      assertExactly(await searcher.search(first(1).values, 1, 100), rows, first(1), 100);
      await searcher.dispose();
    }
    await index.close();
  });
}

test('faiss: shards that do not fit together are loaded one after another', {
  skip: faissMissing,
}, async (t) => {
  const index = await makeIndex(await temporaryFolder(t), rows, 1, 7);
  const searcher = await FaissSearcher.open(index, 100 * 16 * 4 + 45);
  assert.equal(searcher.resident, false);
  assertExactly(await searcher.search(first(30).values, 30, 120), rows, first(30), 120);
  await searcher.dispose();
  await assert.rejects(FaissSearcher.open(index, 100 * 16 * 4 + 44), {
    code: 'CONFIG_INVALID',
    message: /the largest one takes 6445 of the 6444 bytes/,
  });
  await index.close();
});

for (const { name, skip, open } of candidates) {
  test(`${name}: of more equal scores than asked for, the first rows come`, { skip }, async (t) => {
    const same: Rows = { dimensions: 16, values: new Float32Array(500 * 16).fill(1) };
    // One better and one worse row between them.
    same.values.fill(2, 321 * 16, 322 * 16);
    same.values.fill(0, 5 * 16, 6 * 16);
    const index = await makeIndex(await temporaryFolder(t), same, 1, 2);
    const searcher = await open(index, ample);
    const query: Rows = { dimensions: 16, values: new Float32Array(2 * 16).fill(1) };
    for (const depth of [1, 2, 10, 300, 499]) {
      assertExactly(await searcher.search(query.values, 2, depth), same, query, depth);
    }
    await searcher.dispose();
    await index.close();
  });
}

test('blocks keep to the budget', () => {
  for (const memoryBytes of [1e5, 1e6, 1e7, 1e8, 1e9, 2e10]) {
    for (const vectors of [1, 1000, 100_000, 21_015_324]) {
      const { resident, blockRows } = planBlocks(vectors, 768, { memoryBytes });
      const rowsHeld = resident ? vectors + blockRows : 2 * blockRows;
      assert.ok(rowsHeld * 768 * 4 + blockRows * 128 * 4 <= memoryBytes, `${memoryBytes}, ${vectors}`);
      assert.ok(blockRows >= 1 && blockRows <= Math.max(1, vectors));
    }
  }
  assert.equal(planBlocks(100_000, 768, { memoryBytes: 1e9 }).resident, true);
  assert.equal(planBlocks(100_000, 768, { memoryBytes: 3e8 }).resident, false);
  assert.throws(() => planBlocks(1000, 768, { memoryBytes: 6000 }), {
    code: 'CONFIG_INVALID',
    message: /budget of 6000 bytes/,
  });
});

test('searches asked for at once do not disturb each other', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), rows, 1, 3);
  const searcher = await ExactSearcher.open(index, await engineOf('onnx'), { memoryBytes: budgetFor(100) });
  const all = await Promise.all([1, 20, 3].map((count) => searcher.search(first(count).values, count, 30)));
  for (const [i, count] of [1, 20, 3].entries()) assertExactly(all[i]!, rows, first(count), 30);
  await searcher.dispose();
  await index.close();
});

test('rows that cannot be read while those before are searched are an error of the search', async () => {
  const unreadable: RowSource = {
    vectors: 300,
    dimensions: 16,
    async readRows(firstRow, _, into) {
      if (firstRow > 0) throw new Error(`row ${firstRow} is gone`);
      into.fill(1);
    },
  };
  const searcher = await ExactSearcher.open(unreadable, await engineOf('onnx'), {
    memoryBytes: budgetFor(100),
  });
  await assert.rejects(searcher.search(first(20).values, 20, 30), /row 100 is gone/);
  await searcher.dispose();
});
