/** `exact` on a device that finds the best rows itself: the hits are the same, and little travels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RowSource } from '../harness/searchers/exact/blocks.js';
import { ExactSearcher } from '../harness/searchers/exact/flat.js';
import type { Engine } from '../harness/tensor/engine.js';
import { recorderBackend } from '../harness/tensor/onnx/recorder.js';
import { cast, graph, kernel, node } from '../harness/tensor/onnx/writing.js';

import * as tf from '../harness/tensor/operations.js';
import { cudaDevices } from './cuda-devices.js';
import { memoryOf } from './device-memory.js';
import { askedOf, leftOf } from './found-rows.js';
import { normalRows, type Rows, rankRows, wholeNumberRows } from './made-index.js';

const MiB = 2 ** 20;
const dimensions = 8;
const groupBytes = 64 * dimensions * 4;
const scoreBytes = 2 * 64 * 128 * 4;
/** Of 5000 rows or some less: one block, 64 groups and 15, and three blocks that are read anew. */
const ways = {
  kept: 100 * MiB,
  'kept in blocks': 79 * groupBytes + 64 * scoreBytes,
  streamed: 30 * (groupBytes + scoreBytes),
};

const sourceOf = ({ values }: Rows): RowSource => ({
  vectors: values.length / dimensions,
  dimensions,
  async readRows(first, count, into) {
    into.set(values.subarray(first * dimensions, (first + count) * dimensions));
  },
});

/** The same engine, which says of every run of a search what was run. */
function watched(engine: Engine): { engine: Engine; runs: string[] } {
  const runs: string[] = [];
  return {
    runs,
    engine: {
      ...engine,
      async compile(build, inputs, options) {
        const program = await engine.compile(build, inputs, options);
        const run: typeof program.run = (feeds, into) => {
          if (!options!.name!.startsWith('turn')) runs.push(options!.name!);
          return program.run(feeds, into);
        };
        return { run, dispose: () => program.dispose() };
      },
    },
  };
}

/** Rows of whole numbers, some of them many times, all over. */
function repeated(rows: Rows, distinct: number): Rows {
  const values = new Float32Array(rows.values.length);
  for (let at = 0; at < values.length; at += dimensions) {
    const from = ((at / dimensions) % distinct) * dimensions;
    values.set(rows.values.subarray(from, from + dimensions), at);
  }
  return { dimensions, values };
}

const whole = wholeNumberRows(5000, dimensions, 'rows');
const queries = wholeNumberRows(128, dimensions, 'queries').values;
const endingWith = (row: Float32Array): Rows => {
  const values = whole.values.slice();
  values.set(row, values.length - dimensions);
  return { dimensions, values };
};
const times = (values: Float32Array, factor: number) => values.map((value) => factor * value);

/** Which of equal numbers TopK takes is a device's own: the processor takes the first, and so written the last. */
function takeLastOfEqual(): () => void {
  const usual = tf.getKernel('TopK', recorderBackend);
  tf.unregisterKernel('TopK', recorderBackend);
  kernel('TopK', ({ x }, { k }) => {
    const axis = x!.shape.length - 1;
    const last = x!.shape[axis]! - 1;
    const order = Int32Array.from({ length: last + 1 }, (_, i) => last - i);
    const turned = node('Gather', [x, graph().constant(order, [last + 1], 'int32')], x!.shape, x!.dtype, {
      axis,
    });
    const shape = [...x!.shape.slice(0, -1), Number(k)];
    const outputs = [
      { shape, dtype: x!.dtype },
      { shape, dtype: 'int64' as const },
    ];
    const [values, places] = graph().nodes('TopK', [turned, graph().integers([Number(k)])], outputs);
    const end = graph().constant(BigInt64Array.of(BigInt(last)), [], 'int64');
    return [values!, cast(node('Sub', [end, places], shape, 'int64'), 'int32')];
  });
  return () => {
    tf.unregisterKernel('TopK', recorderBackend);
    tf.registerKernel(usual);
  };
}

for (const { name, skip, open, ofEqual } of (await cudaDevices()).flatMap((device) => [
  { ...device, ofEqual: 'the first' },
  { ...device, ofEqual: 'the last' },
])) {
  test(`${name}, TopK takes ${ofEqual} of equal ones: the hits are those of brute force and of the choice in this process`, {
    skip,
  }, async (t) => {
    if (ofEqual === 'the last') t.after(takeLastOfEqual());
    const engine = await open();
    assert.equal(engine.hasInt64, true);
    for (const [label, rows, isExact] of [
      ['whole numbers', whole, true],
      ['whole groups', { dimensions, values: whole.values.slice(0, 4992 * dimensions) }, true],
      ['few distinct', repeated(whole, 7), true],
      ['pairs', repeated(whole, 2500), true],
      ['all the same', repeated(whole, 1), true],
      ['the last is the best', endingWith(times(queries.subarray(0, dimensions), 5)), true],
      ['the last is the worst', endingWith(times(queries.subarray(0, dimensions), -5)), true],
      ['normal', normalRows(5000, dimensions, 'rows'), false],
      ['beyond float32', { dimensions, values: times(whole.values, 2e37) }, false],
    ] as const) {
      const ranked = isExact
        ? Array.from({ length: 128 }, (_, q) =>
            rankRows(rows, queries.subarray(q * dimensions, (q + 1) * dimensions)),
          )
        : [];
      for (const [way, deviceMemoryBytes] of Object.entries(ways)) {
        const budget = { memoryBytes: MiB, deviceMemoryBytes };
        const searcher = await ExactSearcher.open(sourceOf(rows), engine, budget);
        const other = await ExactSearcher.open(sourceOf(rows), { ...engine, hasInt64: false }, budget);
        for (const count of [1, 3, 128])
          for (const depth of [1, 10, 30, 4990]) {
            if (depth > 30 && count > 1) continue;
            const what = `${label}, ${way}, ${count} queries, ${depth}`;
            const hits = await searcher.search(queries, count, depth);
            assert.deepEqual(hits, await other.search(queries, count, depth), what);
            const best = ranked.slice(0, count).flatMap((list) => list.slice(0, depth));
            if (!isExact) continue;
            assert.deepEqual(
              Array.from(hits.rows),
              best.map(({ row }) => row),
              what,
            );
            assert.deepEqual(
              Array.from(hits.scores),
              best.map(({ score }) => score),
              what,
            );
          }
        await searcher.dispose();
        await other.dispose();
      }
    }
    await engine.dispose();
  });
}

for (const { name, skip, open } of await cudaDevices()) {
  test(`${name}: of 128 queries the best rows travel, and nothing else but of those that are asked for twice`, {
    skip,
  }, async () => {
    const engine = await open();
    const { counts } = memoryOf(engine);
    // Of the third query the hundred best are the same row: more than are asked for.
    const values = normalRows(5000, dimensions, 'rows').values;
    const asked = normalRows(128, dimensions, 'queries').values;
    const budget = { memoryBytes: MiB, deviceMemoryBytes: ways.kept };
    const once = await ExactSearcher.open(sourceOf({ dimensions, values: values.slice() }), engine, budget);
    for (let i = 0; i < 100; i++)
      values.set(times(asked.subarray(2 * dimensions, 3 * dimensions), 10), 50 * i * dimensions);
    const [twice, some] = [{ dimensions, values }, watched(engine)];
    const searcher = await ExactSearcher.open(sourceOf(twice), some.engine, budget);
    const measured = async (by: ExactSearcher) => {
      const before = counts.otherBytes;
      const hits = await by.search(asked, 128, 10);
      return { hits, bytes: counts.otherBytes - before };
    };
    const found = askedOf(10, 5000);
    // Scores, and places and groups in 64 bits each.
    const foundBytes = 128 * (4 * dimensions + found.rows * (4 + 8) + found.groups * 8);
    assert.equal((await measured(once)).bytes, foundBytes);
    const left = leftOf(twice, asked, 10);
    assert.ok(left.includes(2) && left.length > 1 && left.length < 128, `${left}`);
    const padded = left.length > 16 ? 128 : 16;
    const { hits, bytes } = await measured(searcher);
    // The batch again, which of it are asked, the largest scores of their groups, and ten groups of each.
    assert.equal(bytes - foundBytes, 4 * (128 * dimensions + padded * (1 + 79 + 10 + 10 * 64)));
    assert.deepEqual(some.runs, [
      'search of 128 queries in 5000 rows',
      'search of 128 queries in 5000 rows',
      `scores of 10 groups of rows for ${padded} queries`,
    ]);
    assert.deepEqual(
      [...hits.rows.subarray(20, 30)],
      Array.from({ length: 10 }, (_, i) => 50 * i),
    );
    await once.dispose();
    await searcher.dispose();
    await engine.dispose();
  });

  test(`${name}: what is asked for again of some queries is cut finer than what was searched at once, for scores are kept there`, {
    skip,
  }, async () => {
    const opened = await open();
    // Blocks of 640 rows, of which eight are searched at once, and five where scores are kept.
    const { engine, runs } = watched({ ...opened, largestArrayBytes: 640 * 128 * 4 });
    const rows = { dimensions, values: whole.values.slice(0, 4992 * dimensions) };
    const searcher = await ExactSearcher.open(sourceOf(rows), engine, { memoryBytes: 100 * MiB });
    for (const [depth, again] of [
      [20, ['search of 16 queries in 3200 rows', 'scores of', 'search of 16 queries in 1792 rows']],
      [30, ['search of 16 queries in 3200 rows', 'search of 16 queries in 1792 rows']],
    ] as const) {
      const left = leftOf(rows, queries.subarray(0, 16 * dimensions), depth);
      assert.ok(left.length > 0 && left.at(-1)! >= left.length, `${left}`);
      runs.length = 0;
      const hits = await searcher.search(queries, 16, depth);
      const said = runs.map((run) => run.replace(/(?<=^scores of).*/, ''));
      assert.deepEqual(said, ['search of 16 queries in 4992 rows', ...again]);
      for (let q = 0; q < 16; q++) {
        const best = rankRows(rows, queries.subarray(q * dimensions, (q + 1) * dimensions));
        for (let i = 0; i < depth; i++) assert.equal(hits.rows[q * depth + i], best[i]!.row);
      }
    }
    await searcher.dispose();
    await opened.dispose();
  });

  test(`${name}: rows that score the same are not asked for again where earlier blocks have enough that score more`, {
    skip,
  }, async () => {
    const { engine, runs } = watched(await open());
    const query = whole.values.subarray(0, dimensions);
    for (const [factor, again] of [
      [1, 0],
      [2000, 2],
    ] as const) {
      // Of the first block no two rows are the same, and of the two behind it all are.
      const values = new Float32Array(5760 * dimensions);
      for (let row = 0; row < 5760; row++)
        values.set(times(query, row < 1920 ? 1000 - row / 4 : factor), row * dimensions);
      const searcher = await ExactSearcher.open(sourceOf({ dimensions, values }), engine, {
        memoryBytes: MiB,
        deviceMemoryBytes: ways.streamed,
      });
      runs.length = 0;
      const { rows } = await searcher.search(query, 1, 5);
      const first = factor === 1 ? 0 : 1920;
      assert.deepEqual(
        [...rows],
        [0, 1, 2, 3, 4].map((row) => first + row),
      );
      assert.equal(runs.filter((name) => name === 'search of 1 queries in 1920 rows').length, 3 + again);
      await searcher.dispose();
    }
    await engine.dispose();
  });
}
