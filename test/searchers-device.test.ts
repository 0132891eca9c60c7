/** `exact` on a device: what it sends there, how often, and that nothing of it stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planBlocks } from '../harness/searchers/exact/block-plan.js';
import type { Block, RowSource } from '../harness/searchers/exact/blocks.js';
import { runsOf, timesThere } from '../harness/searchers/exact/device-run.js';
import { deviceBatchSizes } from '../harness/searchers/exact/device-search.js';
import { ExactSearcher } from '../harness/searchers/exact/flat.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { largestArray } from '../harness/tensor/onnx/device-trial.js';
import { describeGpu } from '../harness/tensor/onnx/gpu-search.js';
import { cudaDevices } from './cuda-devices.js';
import { memoryOf } from './device-memory.js';
import { askedOf, leftOf } from './found-rows.js';
import { makeIndex, normalRows, rankRows, temporaryFolder, wholeNumberRows } from './made-index.js';
import { withoutWebGpu } from './webgpu-driver.js';

const MiB = 2 ** 20;

const countsOf = (engine: Engine) => memoryOf(engine).counts;

/** Of 5000 rows of 8 numbers on a device: 79 groups of 64 rows, of which the last is filled up. */
const groupBytes = 64 * 8 * 4;
const scoreBytes = 2 * 64 * 128 * 4;
const plans = [
  { way: 'kept', deviceMemoryBytes: MiB * 100, blocks: 1 },
  { way: 'kept in blocks', deviceMemoryBytes: 79 * groupBytes + 64 * scoreBytes, blocks: 2 },
  { way: 'streamed', deviceMemoryBytes: 30 * (groupBytes + scoreBytes), blocks: 3 },
];

const devices = [
  {
    name: 'WebGPU',
    skip: await withoutWebGpu(),
    open: () => openEngine('onnx', { threads: 1, device: 'webgpu' }),
  },
  ...(await cudaDevices()),
];

for (const { name, skip, open } of devices) {
  test(`${name}: an index that fits is sent once, when it is opened; a larger one once for each search, whatever its queries`, {
    skip,
  }, async (t) => {
    const engine = await open();
    const counts = countsOf(engine);
    // Whole numbers: many rows have the same score, and no score is rounded.
    const rows = wholeNumberRows(5000, 8, 'rows');
    const queries = wholeNumberRows(130, 8, 'queries');
    const index = await makeIndex(await temporaryFolder(t), rows, 1, 3);
    const expected = Array.from({ length: 130 }, (_, q) =>
      rankRows(rows, queries.values.subarray(q * 8, q * 8 + 8)),
    );

    for (const { way, deviceMemoryBytes, blocks } of plans) {
      const resident = way !== 'streamed';
      const before = counts.variableBytes;
      const searcher = await ExactSearcher.open(index, engine, { memoryBytes: MiB, deviceMemoryBytes });
      assert.equal(searcher.resident, resident, way);
      assert.equal(counts.variableBytes - before, resident ? 79 * groupBytes : 0, way);
      assert.equal(counts.buffers, resident ? blocks : 0, way);
      let sent = resident ? 1 : 0;
      for (const depth of way === 'kept' ? [10, 40] : [10]) {
        if (!resident) sent++;
        const otherBytes = counts.otherBytes;
        const hits = await searcher.search(queries.values, 130, depth);
        assert.equal(counts.variableBytes - before, sent * 79 * groupBytes, `${way}, ${depth}`);
        assert.equal(counts.buffers, resident ? blocks : 0, `${way}, ${depth}`);
        const best = expected.flatMap((rows) => rows.slice(0, depth));
        assert.deepEqual(
          [...hits.rows],
          best.map(({ row }) => row),
          `${way}, ${depth}`,
        );
        assert.deepEqual(
          [...hits.scores],
          best.map(({ score }) => score),
          `${way}, ${depth}`,
        );
        if (way !== 'kept') continue;
        const alone = await searcher.search(queries.values.subarray(0, 8), 1, depth);
        assert.deepEqual(alone.rows, hits.rows.subarray(0, depth), `${depth}, alone`);
        // A batch of 128 and one of 2, padded to 16, and one query alone.
        let travelled = 0;
        for (const [padded, first, end] of [
          [128, 0, 128],
          [16, 128, 130],
          [1, 0, 1],
        ] as const) {
          // Of each query: its numbers there and the largest score of each group back, then which groups there and their 64
          // scores back; where most groups would be asked for, all scores.
          const asked = depth === 10 ? 79 + 10 + 10 * 64 : 79 * 64;
          if (depth === 40 || engine.hasInt64 !== true) {
            travelled += padded * 4 * (8 + asked);
            continue;
          }
          // The best rows come back: scores, places, groups; the same as before only where others are equal to the last of them.
          const { rows: found, groups } = askedOf(depth, 5000);
          travelled += padded * (4 * 8 + found * (4 + 8) + groups * 8);
          const left = leftOf(rows, queries.values.subarray(first * 8, end * 8), depth).length;
          if (padded === 128) assert.ok(left > 0 && left < 128, `${left}`);
          const again = left === end - first ? padded : left > 1 ? (left > 16 ? 128 : 16) : left;
          if (left > 0) travelled += 4 * (padded * 8 + again * asked + (left < end - first ? again : 0));
        }
        assert.equal(counts.otherBytes - otherBytes, travelled, `${depth}`);
      }
      await searcher.dispose();
      assert.equal(counts.buffers, 0, way);
    }
    await index.close();
    await engine.dispose();
  });

  test(`${name}: a row of which no score is a number hides no other row, and is no hit`, {
    skip,
  }, async () => {
    const engine = await open();
    const { values } = wholeNumberRows(1500, 8, 'rows');
    const query = Float32Array.of(1, -1, 2, -2, 1, -1, 2, -2);
    const left = rankRows({ dimensions: 8, values }, query).filter(({ row }) => row !== 64 && row !== 1001);
    values[64 * 8] = Number.NaN;
    // Infinity, less Infinity: also where a product and its sum are rounded once.
    values.fill(Number.POSITIVE_INFINITY, 1001 * 8, 1002 * 8);
    const source: RowSource = {
      vectors: 1500,
      dimensions: 8,
      async readRows(first, count, into) {
        into.set(values.subarray(first * 8, (first + count) * 8));
      },
    };
    const searcher = await ExactSearcher.open(source, engine, { memoryBytes: MiB });
    const { rows } = await searcher.search(query, 1, 5);
    assert.deepEqual(
      Array.from(rows),
      left.slice(0, 5).map(({ row }) => row),
    );
    await searcher.dispose();
    await engine.dispose();
  });

  test(`${name}: a search that fails half-way leaves nothing on the device`, { skip }, async (t) => {
    const engine = await open();
    const counts = countsOf(engine);
    const index = await makeIndex(await temporaryFolder(t), normalRows(600, 16, 'rows'), 1, 3);
    const searcher = await ExactSearcher.open(index, engine, {
      memoryBytes: MiB,
      deviceMemoryBytes: 250 * (16 * 4 + 128 * 4),
    });
    const stopped = searcher.search(normalRows(1, 16, 'queries').values, 1, 5, () => {
      throw new Error('enough');
    });
    await assert.rejects(stopped, /enough/);
    assert.equal(counts.buffers, 0);
    await searcher.dispose();
    await index.close();
    await engine.dispose();
  });
}

test('larger arrays are tried where they make fewer blocks, and a query is multiplied with all blocks at once', async (t) => {
  const cpu = await openEngine('onnx', { threads: 1 });
  const compiled: string[] = [];
  let tried = 0;
  // The processor, which says that it is a device: its programs are the same.
  const engine: Engine = {
    ...cpu,
    largestArrayBytes: 4096 * 512,
    async tryLargestArray() {
      tried++;
      return 2 * 4096 * 512;
    },
    compile(build, inputs, options) {
      compiled.push(options!.name!);
      return cpu.compile(build, inputs, options);
    },
  };
  const rows = wholeNumberRows(5 * 4096 + 10, 4, 'rows');
  const index = await makeIndex(await temporaryFolder(t), rows);
  const query = Float32Array.of(1, -2, 2, 1);
  const expected = rankRows(rows, query).slice(0, 30);
  const half = { ...index, vectors: 4096, readRows: index.readRows.bind(index) };
  for (const [source, budget, trials] of [
    [half, {}, 0],
    // Memory for no more anyway.
    [index, { deviceMemoryBytes: 321 * 64 * 16 + 2 * 4096 * 512 }, 0],
    [index, {}, 1],
  ] as const) {
    compiled.length = 0;
    const searcher = await ExactSearcher.open(source, engine, { memoryBytes: 64 * MiB, ...budget });
    const hits = await searcher.search(query, 1, 30);
    await searcher.dispose();
    assert.equal(tried, trials);
    if (source === half) continue;
    assert.deepEqual(
      Array.from(hits.rows),
      expected.map(({ row }) => row),
    );
    const searches = compiled.filter((name) => /search/.test(name));
    assert.deepEqual(searches, ['search of 1 queries in 20490 rows']);
  }
  await index.close();
  await cpu.dispose();
});

test('an array is as large as the device holds it', { skip: devices[0]!.skip }, async () => {
  // SwiftShader ends the process that tries more; a GPU of 80 GB holds all that is tried.
  const held = (await largestArray('webgpu')) / MiB;
  if (describeGpu()?.startsWith('software')) assert.equal(held, 512);
  else assert.ok(held >= 128 && held <= 1024, `${held} MiB`);
});

test('blocks on a device keep to its memory, to its largest array, and to what passes through this process', () => {
  const largestArrayBytes = 128 * MiB;
  for (const deviceMemoryBytes of [1e6, 1e8, 1e9, 2e10, 1e11])
    for (const memoryBytes of [1e6, 1e7, 1e9])
      for (const vectors of [1, 1000, 100_000, 21_015_324])
        for (const dimensions of [1, 8, 128, 300, 768, 1024]) {
          const budget = { memoryBytes, deviceMemoryBytes, largestArrayBytes };
          const { resident, blockRows } = planBlocks(vectors, dimensions, budget);
          const label = JSON.stringify({ ...budget, vectors, dimensions });
          const blockBytes = blockRows * dimensions * 4;
          const lying = (resident ? vectors : blockRows) * dimensions * 4;
          assert.ok(lying + blockBytes <= deviceMemoryBytes, label);
          assert.ok((resident ? 2 : 3) * blockBytes <= memoryBytes, label);
          assert.ok(blockBytes <= largestArrayBytes, label);
          const block: Block = { firstRow: 0, rows: blockRows, feed: new Float32Array(0) };
          const blocks = Array<Block>(resident ? Math.ceil(vectors / blockRows) : 1).fill(block);
          for (const queries of deviceBatchSizes)
            for (const [what, times] of Object.entries(timesThere)) {
              const run = runsOf(blocks, queries, dimensions, times)[0]!;
              const scoreBytes = run.rows * queries * 4;
              assert.ok(scoreBytes <= largestArrayBytes, `${label}, ${queries} queries, ${what}`);
              // By block, joined where there are several, and once more where they are an output.
              const joined = run.blocks.length > 1 ? 1 : 0;
              const count = 1 + joined + (what === 'kept' ? 1 : 0);
              assert.ok(
                lying + count * scoreBytes <= deviceMemoryBytes,
                `${label}, ${queries} queries, ${what}`,
              );
            }
          assert.ok(blockRows >= 64 && blockRows % 64 === 0 && blockRows < vectors + 64, label);
        }
  const plenty = { memoryBytes: 1e9, largestArrayBytes };
  assert.equal(planBlocks(100_000, 768, { ...plenty, deviceMemoryBytes: 5e8 }).resident, true);
  assert.equal(planBlocks(100_000, 768, { ...plenty, deviceMemoryBytes: 3e8 }).resident, false);
  assert.throws(() => planBlocks(1000, 768, { ...plenty, deviceMemoryBytes: 300_000 }), {
    code: 'CONFIG_INVALID',
    hint: /search\.deviceMemoryMiB/,
  });
  assert.throws(() => planBlocks(1000, 768, { ...plenty, memoryBytes: 500_000, deviceMemoryBytes: 1e9 }), {
    code: 'CONFIG_INVALID',
    hint: /search\.memoryMiB/,
  });
});
