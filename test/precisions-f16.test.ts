/** Products with weights in float16: near to float32, the same bits everywhere, refused by name where numbers or devices do not allow it. */
import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import type { Encoder } from '../harness/model/encoder.js';
import { encoders } from '../harness/model/known-encoders.js';
import { useHalves } from '../harness/precisions/f16/products.js';
import { stream } from '../harness/random.js';
import { type ArraySpec, type Engine, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as layers from '../harness/tensor/layers.js';
import { prune, type Value } from '../harness/tensor/onnx/graph.js';
import '../harness/tensor/onnx/kernels.js';
import { withoutIdleReshapes } from '../harness/tensor/onnx/idle-reshapes.js';
import { record } from '../harness/tensor/onnx/recorder.js';
import * as tf from '../harness/tensor/operations.js';
import { assertPrecision } from '../harness/tensor/precision.js';
import { withoutWebGpu } from './webgpu-driver.js';

const random = stream(1, 'halves');
const made = (...shape: number[]) => Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
const floats = (...shapes: (readonly number[])[]) =>
  shapes.map((shape): ArraySpec => ({ shape, dtype: 'float32' }));
const linear = ([x, weight, bias]: tf.Tensor[]) => [
  layers.linear(x!, weight as tf.Tensor2D, bias as tf.Tensor1D),
];
const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
/** The length of the difference over the length. */
const distance = (found: Float32Array, exact: Float32Array) =>
  Math.sqrt(squares(found.map((value, i) => value - exact[i]!)) / squares(exact));

/** Of a whole number below 2 ** 11 times a power of two, or the nearest one, that float16 holds. */
function half(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
  const steps = value / unit;
  const down = Math.floor(steps);
  const isUp = steps - down > 0.5 || (steps - down === 0.5 && down % 2 !== 0);
  return (isUp ? down + 1 : down) * unit;
}

describe('a product with weights in f16', () => {
  const engines: Engine[] = [];
  before(async () => {
    for (const threads of [1, 2, 3]) engines.push(await openEngine('onnx', { threads }));
  });
  after(async () => {
    for (const engine of engines) await engine.dispose();
  });

  it('is that of the rounded numbers, and has the same bits on 1, 2 and 3 threads', async () => {
    for (const [rows, inner, outputs] of [
      [1, 3, 2],
      [1, 384, 384],
      [5, 130, 33],
      [70, 384, 48],
      [200, 100, 385],
    ] as const) {
      const [x, weight, bias] = [made(rows, inner), made(outputs, inner), made(outputs)];
      const [a, b, c] = [x, weight, bias].map((values) => Float64Array.from(values, half)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      let first: Float32Array | undefined;
      for (const engine of engines) {
        const program = await engine.compile(linear, floats([rows, inner], [outputs, inner], [outputs]), {
          fixed: new Map([...[weight, bias].entries()].map(([i, values]) => [i + 1, values])),
          precision: 'f16',
        });
        const [found] = (await program.run([x])) as [Float32Array];
        await program.dispose();
        if (first !== undefined) {
          assert.deepEqual(found, first, `other bits with ${engine.threads} threads`);
          continue;
        }
        first = found;
        for (const [at, value] of found.entries()) {
          const [r, o] = [Math.floor(at / outputs), at % outputs];
          let sum = c[o]!;
          for (let i = 0; i < inner; i++) sum += a[r * inner + i]! * b[o * inner + i]!;
          // The sum is rounded too, in some order and then once to float16.
          assert.ok(
            Math.abs(value - sum) <= 2 ** -10 * Math.max(1, Math.abs(sum)),
            `${rows}, ${inner}: ${at}`,
          );
          assert.equal(half(value), value, 'what comes out of a product is a float16 number');
        }
      }
    }
  });

  it('is refused where a program has none, and with a weight that float16 does not hold', async () => {
    const [engine] = engines;
    await assert.rejects(
      engine!.compile(([x]) => [tf.square(x!)], floats([3]), { precision: 'f16' }),
      /without a product with weights/,
    );
    const weight = Float32Array.of(1, 65_519, -65_520, 0);
    const options = { fixed: new Map([[1, weight]]), precision: 'f16' } as const;
    const product = ([x, w]: tf.Tensor[]) => [layers.linear(x!, w as tf.Tensor2D)];
    await assert.rejects(engine!.compile(product, floats([1, 2], [2, 2]), options), {
      code: 'CONFIG_INVALID',
      message: /a weight of the model is -65520, and float16 ends at 65,504/,
    });
    const fitting = { ...options, fixed: new Map([[1, weight.map((value) => Math.max(value, -65_504))]]) };
    await (await engine!.compile(product, floats([1, 2], [2, 2]), fitting)).dispose();
  });
});

const text = (dtype: 'int32' | 'float32'): ArraySpec => ({ shape: [2, 6], dtype });
const specsOf = ({ parameters }: Encoder) => [
  ...floats(...parameters.map(({ shape }) => shape)),
  ...[text('int32'), text('float32')],
];
const lastLayer = (encoder: Encoder) => (inputs: tf.Tensor[]) => {
  const [ids, mask] = inputs.slice(-2) as [tf.Tensor2D, tf.Tensor2D];
  const { hidden } = encoder.states(inputs.slice(0, -2), { ids, mask });
  return hidden.slice(1);
};
const texts = [Int32Array.from({ length: 12 }, (_, i) => 3 + i), new Float32Array(12).fill(1)];
const overflowing = ({ parameters }: Encoder) =>
  new Set(parameters.flatMap(({ overflowsHalf }, i) => (overflowsHalf === true ? [i] : [])));

function weightsOf({ parameters }: Encoder): Float32Array[] {
  const draws = stream(2, 'weights');
  return parameters.map(({ name, shape }) => {
    const scale = /norm/i.test(name) && name.endsWith('weight') ? 1 : 0;
    return Float32Array.from({ length: sizeOf(shape) }, () => scale + 0.2 * draws.normal());
  });
}

const withinHalf = (values: Float32Array) =>
  values.map((value) => Math.max(-65_504, Math.min(65_504, value)));

async function hiddenStates(
  engine: Engine,
  encoder: Encoder,
  weights: readonly Float32Array[],
  f16: boolean,
  kept = overflowing(encoder),
) {
  const program = await engine.compile(lastLayer(encoder), specsOf(encoder), {
    fixed: new Map(weights.entries()),
    precision: f16 ? 'f16' : 'float32',
    overflowing: kept,
  });
  const states = (await program.run(texts)) as Float32Array[];
  await program.dispose();
  return states;
}

for (const { name, examples, make } of encoders)
  for (const [form, example] of Object.entries(examples)) {
    test(`${name}, ${form}: hidden states are within 2e-3 of float32, and not equal`, async () => {
      const engine = await openEngine('onnx', { threads: 1 });
      const encoder = make(example);
      const weights = weightsOf(encoder);
      const [exact, rough] = [
        await hiddenStates(engine, encoder, weights, false),
        await hiddenStates(engine, encoder, weights, true),
      ];
      for (const [l, states] of exact.entries()) {
        const error = distance(rough[l]!, states);
        assert.ok(error > 1e-6 && error < 2e-3, `layer ${l + 1}: ${error}`);
      }
      await engine.dispose();
    });

    test(`${name}, ${form}: weights are read as float16 numbers alone, but for those that would overflow`, () => {
      const encoder = make(example);
      const weights = weightsOf(encoder);
      const { graph, outputs: recorded } = record(lastLayer(encoder), specsOf(encoder), new Map());
      const outputs = withoutIdleReshapes(recorded);
      const kept = overflowing(encoder);
      const matrices = new Map<Value, Float32Array>();
      for (const [i, { shape }] of encoder.parameters.entries())
        if (shape.length > 1 && !kept.has(i)) matrices.set(graph.inputs[i]!, weights[i]!);
      const halves = useHalves(graph, outputs, matrices, 'float16');
      const { used } = prune(outputs);
      assert.ok([...matrices.keys()].every((input) => !used.has(input)));
      for (const [input, values] of halves) {
        assert.ok(used.has(input) && [...matrices.values()].includes(values), input.name);
        assert.equal(input.dtype, 'float16');
      }
      for (const i of kept) assert.ok(used.has(graph.inputs[i]!), encoder.parameters[i]!.name);
      assert.equal(kept.size > 0, name === 't5');
    });
  }

test('a feed-forward layer of T5 that goes beyond float16 gives what it gives in float32', async () => {
  const engine = await openEngine('onnx', { threads: 1 });
  const { make, examples } = encoders.find(({ name }) => name === 't5')!;
  for (const example of Object.values(examples)) {
    const encoder = make(example);
    const weights = weightsOf(encoder).map((values, i) =>
      encoder.parameters[i]!.name.endsWith('.wo.weight') ? values.map((value) => 1e6 * value) : values,
    );
    const [exact, rough] = [
      await hiddenStates(engine, encoder, weights, false),
      await hiddenStates(engine, encoder, weights, true),
    ];
    assert.ok(exact[0]!.some((value) => Math.abs(value) > 65_504));
    for (const [l, states] of exact.entries()) {
      const error = distance(rough[l]!, states);
      // Of states that are nearly all of what such layers add.
      assert.ok(error < 5e-3, `layer ${l + 1}: ${error}`);
    }
    const all = await hiddenStates(engine, encoder, weights.map(withinHalf), true, new Set());
    assert.ok(!all.at(-1)!.every(Number.isFinite), 'it would not without');
  }
  await engine.dispose();
});

const absent = await withoutWebGpu();
test('on webgpu every node has a kernel in f16; a device without float16 is refused by name', {
  skip: absent,
}, async () => {
  const refused = await assertPrecision({ name: 'onnx', device: 'webgpu' }, 'f16').then(
    () => undefined,
    (error: Error) => error,
  );
  if (refused !== undefined) {
    assert.match(refused.message, /encode.precision=f16 does not work on webgpu here.*f16/);
    assert.equal((refused as { code?: string }).code, 'UNAVAILABLE');
  }
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  const cpu = await openEngine('onnx', { threads: 1 });
  for (const { name, examples, make } of encoders) {
    const encoder = make(Object.values(examples)[0]!);
    const weights = weightsOf(encoder);
    // The session opens, which it does not where a node has no kernel; then the device says what it lacks.
    const states = hiddenStates(engine, encoder, weights, true);
    if (refused !== undefined) await assert.rejects(states, /requires f16/, name);
    else {
      const expected = await hiddenStates(cpu, encoder, weights, true);
      for (const [l, found] of (await states).entries())
        assert.ok(distance(found, expected[l]!) < 2e-3, name);
    }
  }
  await engine.dispose();
});
