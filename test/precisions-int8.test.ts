/** Products with weights as products of integers: exactly what they say, the same bits everywhere, near to float32. */
import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import { encoders } from '../harness/model/known-encoders.js';
import { useIntegers } from '../harness/precisions/int8/products.js';
import { integerMatrix } from '../harness/precisions/int8/weights.js';
import { stream } from '../harness/random.js';
import { type Engine, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as layers from '../harness/tensor/layers.js';
import { type Graph, prune, type Value } from '../harness/tensor/onnx/graph.js';
import { integerLimit, limitFor } from '../harness/tensor/onnx/integer-limit.js';
import '../harness/tensor/onnx/kernels.js';
import { withoutIdleReshapes } from '../harness/tensor/onnx/idle-reshapes.js';
import { writeModel } from '../harness/tensor/onnx/model-file.js';
import { record } from '../harness/tensor/onnx/recorder.js';
import { loadOrt } from '../harness/tensor/onnx/runtime.js';
import * as tf from '../harness/tensor/operations.js';

const random = stream(1, 'integers');
const made = (...shape: number[]) => Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
const floats = (...shapes: (readonly number[])[]) =>
  shapes.map((shape) => ({ shape, dtype: 'float32' as const }));

/** What stands behind the first input, and never changes. */
const fixedAfter = (...all: Float32Array[]) => new Map(all.map((values, i) => [i + 1, values]));

const linear = ([x, weight, bias]: tf.Tensor[]) => [
  layers.linear(x!, weight as tf.Tensor2D, bias as tf.Tensor1D),
];

/** x W^T + b as the integers of it have it, worked out number by number. */
function byHand(x: Float32Array, weight: Float32Array, bias: Float32Array, limit: number): Float64Array {
  const [outputs, inner] = [bias.length, weight.length / bias.length];
  const rows = x.length / inner;
  const [low, high] = [Math.min(0, ...x), Math.max(0, ...x)];
  const scale = Math.fround((high - low) / 255);
  const zero = Math.round(-low / scale);
  const found = new Float64Array(rows * outputs);
  for (let o = 0; o < outputs; o++) {
    const row = weight.subarray(o * inner, (o + 1) * inner);
    const unit = Math.fround(Math.max(...row.map(Math.abs)) / limit);
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let i = 0; i < inner; i++) {
        const left = Math.max(0, Math.min(255, Math.round(x[r * inner + i]! / scale) + zero));
        sum += (left - zero) * Math.round(row[i]! / unit);
      }
      found[r * outputs + o] = sum * scale * unit + bias[o]!;
    }
  }
  return found;
}

describe('a product with weights in int8', () => {
  const engines: Engine[] = [];
  before(async () => {
    for (const threads of [1, 2, 3]) engines.push(await openEngine('onnx', { threads }));
  });
  after(async () => {
    for (const engine of engines) await engine.dispose();
  });

  it('of what is no number is none: an integer would hide it', async () => {
    const [weight, bias] = [made(5, 40), made(5)];
    const options = { fixed: fixedAfter(weight, bias), precision: 'int8' } as const;
    const program = await engines[0]!.compile(linear, floats([3, 40], [5, 40], [5]), options);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const [found] = await program.run([made(3, 40).with(43, value)]);
      assert.ok(found!.every(Number.isNaN), `${value}: ${found}`);
    }
    await program.dispose();
  });

  it('is the product of the integers, and has the same bits on 1, 2 and 3 threads and in every run', async () => {
    const limit = await integerLimit(await loadOrt());
    for (const [rows, inner, outputs] of [
      [1, 3, 2],
      [1, 384, 384],
      [5, 130, 33],
      [70, 384, 48],
      [200, 100, 385],
    ] as const) {
      const [x, weight, bias] = [made(rows, inner), made(outputs, inner), made(outputs)];
      const expected = byHand(x, weight, bias, limit);
      let first: Buffer | undefined;
      for (const engine of engines) {
        const options = { fixed: fixedAfter(weight, bias), precision: 'int8' } as const;
        const inputs = floats([rows, inner], [outputs, inner], [outputs]);
        const program = await engine.compile(linear, inputs, options);
        for (let run = 0; run < 2; run++) {
          const [found] = (await program.run([x])) as [Float32Array];
          for (const [i, value] of found.entries())
            assert.ok(Math.abs(value - expected[i]!) < 1e-4, `${rows} x ${inner} x ${outputs}, ${i}`);
          const bits = Buffer.from(found.buffer, found.byteOffset, found.byteLength);
          first ??= bits;
          assert.ok(bits.equals(first), `other bits with ${engine.threads} threads, run ${run}`);
        }
        await program.dispose();
      }
    }
  });

  it('is refused where a program has none', async () => {
    const [engine] = engines;
    await assert.rejects(
      engine!.compile(([x]) => [tf.square(x!)], floats([3]), { precision: 'int8' }),
      /without a product with weights/,
    );
  });
});

test('weights are whole numbers up to the limit of each column, whichever way they are stored', () => {
  const sizes = { offset: 0, inner: 3, columns: 2 };
  const upright = Float32Array.of(0.9, 0, -2, 0, 0.3, 0);
  const turned = Float32Array.of(0.9, -2, 0.3, 0, 0, 0);
  for (const [limit, one, little] of [
    [127, 57, 19],
    [63, 28, 9],
  ] as const) {
    const found = integerMatrix({ weight: upright, ...sizes, transposed: false }, limit);
    assert.deepEqual(integerMatrix({ weight: turned, ...sizes, transposed: true }, limit), found);
    assert.deepEqual([...found.values], [one, 0, -limit, 0, little, 0]);
    assert.deepEqual([...found.scales], [Math.fround(2 / limit), 1]);
    const rows = { weight: upright, offset: 2, inner: 2, columns: 2, transposed: false };
    assert.deepEqual([...integerMatrix(rows, limit).values], [-limit, 0, little, 0]);
  }
});

test('where sums of two products are cut off at 16 bits, weights are small enough that they are not', () => {
  const most = 2 ** 15 - 1;
  assert.equal(limitFor(64 * 255 * 127), 127);
  assert.ok(2 * 255 * 127 > most);
  const limit = limitFor(32 * most);
  assert.ok(2 * 255 * limit <= most, String(limit));
});

/** The graph of an encoder with integers, its weights' values beside it. */
function integerGraph(
  example: Parameters<(typeof encoders)[number]['make']>[0],
  place: number,
  most?: number,
) {
  const encoder = encoders[place]!.make(example);
  const draws = stream(2, 'weights');
  const weights = encoder.parameters.map(({ shape }) =>
    Float32Array.from({ length: sizeOf(shape) }, () => 0.2 * draws.normal()),
  );
  const text = (dtype: 'int32' | 'float32') => ({ shape: [2, 6], dtype });
  const specs = [...floats(...encoder.parameters.map(({ shape }) => shape)), text('int32'), text('float32')];
  const { graph, outputs: recorded } = record(
    (inputs) => {
      const [ids, mask] = inputs.slice(-2) as [tf.Tensor2D, tf.Tensor2D];
      const { layers: last } = encoder.shape;
      return [encoder.states(inputs.slice(0, -2), { ids, mask }).summary(last)];
    },
    specs,
    new Map(),
  );
  const outputs = withoutIdleReshapes(recorded);
  const matrices = new Map(
    encoder.parameters.flatMap(({ shape }, i) =>
      shape.length > 1 ? [[graph.inputs[i]!, weights[i]!] as const] : [],
    ),
  );
  const given = new Set<Value>(graph.inputs.slice(-2));
  const rest = graph.inputs.flatMap((value, i) =>
    given.has(value) || matrices.has(value) ? [] : [[value, weights[i]!] as const],
  );
  const bound = useIntegers(graph, outputs, {
    weights: matrices,
    limit: 63,
    ...(most !== undefined && { mostBaked: most }),
  });
  return { graph, outputs, given: [...given], fed: new Map([...bound, ...rest]) };
}

/** Whether a value depends on any of these. */
function dependsOn(value: Value, given: readonly Value[], known = new Map<Value, boolean>()): boolean {
  if (given.includes(value)) return true;
  if (!known.has(value))
    known.set(
      value,
      value.node?.inputs.some((input) => input !== undefined && dependsOn(input, given, known)) ?? false,
    );
  return known.get(value)!;
}

async function runGraph({ graph, outputs, given, fed }: ReturnType<typeof integerGraph>) {
  const ort = await loadOrt();
  const { nodes, used } = prune(outputs);
  const session = await ort.InferenceSession.create(writeModel(graph as Graph, nodes, used, outputs), {
    logSeverityLevel: 3,
  });
  const values: [Value, Float32Array | Int32Array][] = [
    [given[0]!, Int32Array.from({ length: 12 }, (_, i) => 3 + i)],
    [given[1]!, new Float32Array(12).fill(1)],
  ];
  const feeds = [...fed, ...values].flatMap(([value, array]) =>
    used.has(value)
      ? [[value.name, new ort.Tensor(value.dtype as 'float32', array as Float32Array, value.shape)] as const]
      : [],
  );
  const { data } = (await session.run(Object.fromEntries(feeds)))[outputs[0]!.name]!;
  await session.release();
  return data as Float32Array;
}

for (const [place, { name, examples }] of encoders.entries())
  for (const [form, example] of Object.entries(examples))
    test(`${name}, ${form}: every product with weights is one of integers`, () => {
      const { outputs, given, fed } = integerGraph(example, place);
      const { nodes } = prune(outputs);
      assert.ok(nodes.some(({ op }) => op === 'MatMulIntegerToFloat'));
      // A sum may be written as a product with ones, and a look-up is none.
      for (const { op, inputs } of nodes.filter((node) => /^(Fused)?MatMul$|^Gemm$/.test(node.op)))
        for (const factor of inputs.slice(0, 2))
          assert.ok(!dependsOn(factor!, [...fed.keys()]) || dependsOn(factor!, given), `${op} of a weight`);
    });

test('integers that are too many to be part of the program are fed to it, and give the same bits', async () => {
  const [example] = Object.values(encoders[0]!.examples);
  const [baked, fed] = [integerGraph(example!, 0), integerGraph(example!, 0, 0)];
  const integersOf = ({ fed: bound }: typeof baked) =>
    [...bound.keys()].filter(({ dtype }) => dtype === 'int8');
  assert.equal(integersOf(baked).length, 0);
  assert.ok(integersOf(fed).length > 0);
  const [expected, found] = [await runGraph(baked), await runGraph(fed)];
  assert.ok(expected.every(Number.isFinite) && expected.some((value) => value !== 0));
  assert.deepEqual(found, expected);
});
