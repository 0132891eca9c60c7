/** The gradient of a look-up loses nothing: against sums in float64, where few rows get nearly all shares. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { relativeBuckets } from '../harness/model/relative-position.js';
import { stream } from '../harness/random.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import {
  lookUp,
  lookUpFew,
  lookUpPlan,
  RowSums,
  rowSumsSize,
  summedRows,
} from '../harness/tensor/look-up.js';
import * as tf from '../harness/tensor/operations.js';

/** Repeats of one program; a race in a gradient once showed in one run of three, and with two threads or more. */
const repeats = process.env.STRATA_TEST_THOROUGH === '1' ? 400 : 25;

interface Case {
  rows: number;
  dimensions: number;
  ids: Int32Array;
  untrained?: number;
}

/** Sums of the shares of each row, in float64, and of their absolute values. */
function reference({ rows, dimensions, ids, untrained }: Case, shares: Float32Array) {
  const sums = new Float64Array(rows * dimensions);
  const sizes = new Float64Array(rows * dimensions);
  for (const [i, id] of ids.entries()) {
    if (id === untrained) continue;
    for (let d = 0; d < dimensions; d++) {
      sums[id * dimensions + d]! += shares[i * dimensions + d]!;
      sizes[id * dimensions + d]! += Math.abs(shares[i * dimensions + d]!);
    }
  }
  return { sums, sizes };
}

function assertSums(found: Float32Array, { sums, sizes }: ReturnType<typeof reference>, what: string) {
  for (const [i, sum] of sums.entries()) {
    const off = Math.abs(found[i]! - sum);
    if (off > 4e-6 * sizes[i]!) assert.fail(`${what}: ${found[i]} for ${sum} at ${i}`);
  }
}

/** @returns a run of the gradient of the table, with given shares */
async function gradientOf(engine: Engine, { rows, dimensions, ids, untrained }: Case) {
  const plan = lookUpPlan(ids, rows, untrained);
  const program = await engine.compile(
    ([table, numbers, order, shares]) => {
      const gradient = tf.grad((from: tf.Tensor) =>
        tf.sum(tf.mul(lookUp(from, numbers as tf.Tensor1D, order as tf.Tensor1D), shares!)),
      );
      return [gradient(table!)];
    },
    [
      { shape: [rows, dimensions], dtype: 'float32' },
      { shape: [ids.length], dtype: 'int32' },
      { shape: [plan.length], dtype: 'int32' },
      { shape: [ids.length, dimensions], dtype: 'float32' },
    ],
  );
  const table = new Float32Array(rows * dimensions);
  return {
    run: async (shares: Float32Array) => (await program.run([table, ids, plan, shares]))[0] as Float32Array,
    dispose: () => program.dispose(),
  };
}

const numbers = (length: number, name: string) => {
  const random = stream(1, name);
  return Float32Array.from({ length }, () => random.normal());
};

/** Ids of texts: most of them are one of a few, as [CLS], [SEP] and "the" are. */
function repeatedIds(count: number, rows: number, few: number): Int32Array {
  const random = stream(2, 'ids', count);
  return Int32Array.from({ length: count }, () =>
    random.uniform() < 0.8 ? random.integer(few) : random.integer(rows),
  );
}

describe('the gradient of a look-up', () => {
  it('adds up runs that begin, end and go on at the edges of blocks', async () => {
    const engines = [await openEngine('onnx', { threads: 2 }), await openEngine('tfjs-cpu', { threads: 1 })];
    const runs = (...lengths: number[]) => Int32Array.from(lengths.flatMap((n, id) => new Array(n).fill(id)));
    const ids: Record<string, Int32Array> = {
      one: Int32Array.of(3),
      'a whole block': runs(64),
      'a block and one': runs(65),
      'three blocks of one id': runs(192),
      'edges in the middle of runs': runs(63, 2, 63, 128, 1, 64, 70),
      'runs that end at edges': runs(64, 128, 64, 64),
      'runs of one': Int32Array.from({ length: 130 }, (_, i) => (i * 7) % 131),
      mixed: repeatedIds(1000, 140, 5),
    };
    for (const engine of engines)
      for (const [name, of] of Object.entries(ids))
        for (const untrained of [undefined, 0]) {
          const one: Case = {
            rows: 140,
            dimensions: 3,
            ids: of,
            ...(untrained !== undefined && { untrained }),
          };
          const shares = numbers(of.length * 3, name);
          const gradient = await gradientOf(engine, one);
          const what = `${engine.name}, ${name}, without ${untrained}`;
          assertSums(await gradient.run(shares), reference(one, shares), what);
          await gradient.dispose();
        }
    for (const engine of engines) await engine.dispose();
  });

  for (const threads of [2, 4]) {
    it(`is right and the same ${repeats} times with ${threads} threads, few ids repeated`, async () => {
      const engine = await openEngine('onnx', { threads });
      for (const count of [512, 2048, 8192])
        for (const dimensions of [128, 768]) {
          const one: Case = { rows: 2000, dimensions, ids: repeatedIds(count, 2000, 6), untrained: 0 };
          const shares = numbers(count * dimensions, `${count}`);
          const gradient = await gradientOf(engine, one);
          const first = await gradient.run(shares);
          assertSums(first, reference(one, shares), `${count} x ${dimensions}`);
          for (let i = 1; i < repeats; i++) assert.deepEqual(await gradient.run(shares), first);
          await gradient.dispose();
        }
      await engine.dispose();
    });

    it(`of T5's relative positions is right and the same ${repeats} times with ${threads} threads`, async () => {
      const engine = await openEngine('onnx', { threads });
      const [tokens, buckets, heads] = [256, 32, 12];
      const program = await engine.compile(
        ([table, shares]) => {
          const pairs = relativeBuckets(tokens, buckets, 128);
          const gradient = tf.grad((from: tf.Tensor) => tf.sum(tf.mul(lookUpFew(from, pairs), shares!)));
          return [gradient(table!), pairs];
        },
        [
          { shape: [buckets, heads], dtype: 'float32' },
          { shape: [tokens, tokens, heads], dtype: 'float32' },
        ],
      );
      const shares = numbers(tokens * tokens * heads, 'pairs');
      const table = new Float32Array(buckets * heads);
      const [first, pairs] = (await program.run([table, shares])) as [Float32Array, Int32Array];
      assertSums(first, reference({ rows: buckets, dimensions: heads, ids: pairs }, shares), 'pairs');
      for (let i = 1; i < repeats; i++) assert.deepEqual((await program.run([table, shares]))[0], first);
      await program.dispose();
      await engine.dispose();
    });
  }

  it('is its sums of rows alone, in order, where a table is looked up once and no more', async () => {
    const engine = await openEngine('onnx', { threads: 2 });
    const [rows, dimensions, untrained] = [300, 3, 7];
    const ids = repeatedIds(500, rows, 5);
    const plan = lookUpPlan(ids, rows, untrained);
    const summed = summedRows(plan, ids.length, rows);
    const expected = [...new Set(ids)].filter((id) => id !== untrained).sort((a, b) => a - b);
    assert.deepEqual([...summed.rows], expected);
    assert.equal(summed.places.length, rowSumsSize(ids.length));
    const shares = numbers(ids.length * dimensions, 'shares');
    const shapes = [
      { shape: [rows, dimensions], dtype: 'float32' },
      { shape: [ids.length], dtype: 'int32' },
      { shape: [plan.length], dtype: 'int32' },
      { shape: [summed.places.length], dtype: 'int32' },
      { shape: [ids.length, dimensions], dtype: 'float32' },
    ] as const;
    /** @param uses of the table beside the look-up */
    const sumsOf = async (uses: (table: tf.Tensor, looked: () => tf.Tensor) => tf.Tensor | undefined) => {
      let found = false;
      const program = await engine.compile(
        ([table, of, order, places, given]) => {
          const sums = new RowSums(order as tf.Tensor1D, places as tf.Tensor1D);
          const gradient = tf.grad((from: tf.Tensor) => {
            const looked = () => tf.sum(tf.mul(lookUp(from, of as tf.Tensor1D, sums), given!));
            const [own, other] = [looked(), uses(from, looked)];
            return other === undefined ? own : tf.add(own, other);
          })(table!);
          const own = sums.of(gradient);
          found = own !== undefined;
          assert.equal(sums.of(table!), undefined);
          return [own ?? tf.sum(gradient)];
        },
        shapes.map(({ shape, dtype }) => ({ shape: [...shape], dtype })),
      );
      const table = new Float32Array(rows * dimensions);
      const [values] = await program.run([table, ids, plan, summed.places, shares]);
      await program.dispose();
      return found ? (values as Float32Array) : undefined;
    };
    const sums = (await sumsOf(() => undefined))!;
    const whole = new Float32Array(rows * dimensions);
    for (const [i, row] of summed.rows.entries())
      whole.set(sums.subarray(i * dimensions, (i + 1) * dimensions), row * dimensions);
    assertSums(whole, reference({ rows, dimensions, ids, untrained }, shares), 'rows');
    // Behind them stand zeros.
    assert.ok(sums.subarray(summed.rows.length * dimensions).every((value) => value === 0));
    assert.equal(await sumsOf((table) => tf.sum(tf.square(table))), undefined);
    assert.equal(await sumsOf((_, looked) => looked()), undefined);
    await engine.dispose();
  });

  it('refuses an id outside the table, and a gradient that was not planned', async () => {
    assert.throws(() => lookUpPlan(Int32Array.of(4), 4), /row 4 was looked up in a table of 4/);
    const engine = await openEngine('onnx', { threads: 1 });
    const build = ([table]: tf.Tensor[]) => [
      tf.grad((from: tf.Tensor) => tf.sum(lookUp(from, tf.tensor1d([1], 'int32'), undefined)))(table!),
    ];
    await assert.rejects(
      engine.compile(build, [{ shape: [4, 2], dtype: 'float32' }]),
      /gather has no gradient here/,
    );
    await engine.dispose();
  });
});
