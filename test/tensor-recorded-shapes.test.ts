/**
 * Every value of a recorded program has the shape and the type that it says: what is made of it later goes by them, and ONNX
 * Runtime works out its own.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useHalves } from '../harness/precisions/f16/products.js';
import { useIntegers } from '../harness/precisions/int8/products.js';
import { type ArraySpec, type NumericArray, sizeOf } from '../harness/tensor/engine.js';
import * as layers from '../harness/tensor/layers.js';
import {
  beforeLastCast,
  useDeviceOperators,
  webgpuRewritings,
} from '../harness/tensor/onnx/device-operators.js';
import { type ConstantArray, type Graph, prune, type Value } from '../harness/tensor/onnx/graph.js';
import { halfWeights } from '../harness/tensor/onnx/half-weights.js';
import { withoutIdleReshapes } from '../harness/tensor/onnx/idle-reshapes.js';
import '../harness/tensor/onnx/kernels.js';
import { writeModel } from '../harness/tensor/onnx/model-file.js';
import { stableProducts } from '../harness/tensor/onnx/product-order.js';
import { record } from '../harness/tensor/onnx/recorder.js';
import { loadOrt } from '../harness/tensor/onnx/runtime.js';
import * as tf from '../harness/tensor/operations.js';
import { kernelCases } from './kernel-cases.js';
import { assertClose } from './kernel-programs.js';

const ort = await loadOrt();

/** Runs a program with every value of it as an output. @returns what it gives */
async function assertShapes(
  graph: Graph,
  outputs: readonly Value[],
  feeds: ReadonlyMap<Value, ConstantArray>,
  what: string,
): Promise<NumericArray[]> {
  const { nodes, used } = prune(outputs);
  const values = nodes.flatMap((node) => node.outputs);
  const session = await ort.InferenceSession.create(writeModel(graph, nodes, used, values), {
    ...{ executionProviders: ['cpu'], intraOpNumThreads: 1, logSeverityLevel: 4 },
  });
  const fed = Object.fromEntries(
    [...feeds]
      .filter(([value]) => used.has(value))
      .map(([{ name, dtype, shape }, own]) => [
        name,
        new ort.Tensor(dtype as 'float32', own as Float32Array, shape),
      ]),
  );
  const found = await session.run(fed);
  for (const { name, shape, dtype } of values) {
    assert.deepEqual(found[name]!.dims, [...shape], `${name} of ${what}`);
    assert.equal(found[name]!.type, dtype, `${name} of ${what}`);
  }
  await session.release();
  return outputs.map(({ name }) => found[name]!.data as NumericArray);
}

const fedWith = (graph: Graph, feeds: readonly NumericArray[]) =>
  new Map<Value, ConstantArray>(graph.inputs.map((value, i) => [value, feeds[i]!]));

describe('programs of every kernel', () => {
  for (const { title, specs, feeds, builds } of kernelCases) {
    it(title, async () => {
      for (const own of builds)
        for (const isFlat of [false, true]) {
          const { graph, outputs } = record(own, specs, new Map(), isFlat);
          const kept = withoutIdleReshapes(outputs);
          stableProducts(graph, kept);
          const expected = await assertShapes(graph, kept, fedWith(graph, feeds), title);
          if (!isFlat) continue;
          // What is written for a device is computed here, to be compared: it has no operator of ONNX Runtime's own.
          const forDevice = record(own, specs, new Map(), isFlat);
          const written = withoutIdleReshapes(forDevice.outputs).map(beforeLastCast);
          useDeviceOperators(forDevice.graph, written, webgpuRewritings);
          assert.ok(prune(written).nodes.every(({ domain }) => domain === ''));
          const actual = await assertShapes(forDevice.graph, written, fedWith(forDevice.graph, feeds), title);
          for (const [i, values] of expected.entries())
            assertClose(
              written[i]!.dtype === 'int64' ? Int32Array.from(actual[i]!, Number) : actual[i]!,
              values,
              `${title} ${i} as written for a device`,
            );
        }
    });
  }
});

const products: [rows: number, columns: number, inner: number][] = [
  ...([
    [30, 40, 129],
    [40, 1, 100],
    [1, 40, 300],
    [63, 4, 4096],
    [2, 3, 4],
    [1, 1, 1],
    [300, 2, 5],
  ] as const),
].map(([...sizes]) => sizes as [number, number, number]);

it('products in every form that no cut among threads changes', async () => {
  for (const [rows, columns, inner] of products) {
    for (const transA of [false, true])
      for (const transB of [false, true])
        for (const batch of [[], [2]]) {
          const of = (high: number, wide: number, isTurned: boolean): ArraySpec => ({
            ...{ shape: [...batch, ...(isTurned ? [wide, high] : [high, wide])], dtype: 'float32' },
          });
          const specs = [of(rows, inner, transA), of(inner, columns, transB)];
          const { graph, outputs } = record(
            ([a, b]) => [tf.matMul(a!, b!, transA, transB)],
            specs,
            new Map(),
          );
          stableProducts(graph, outputs);
          const feeds = specs.map(({ shape }) => new Float32Array(sizeOf(shape)));
          await assertShapes(
            graph,
            outputs,
            fedWith(graph, feeds),
            `${[rows, columns, inner, transA, transB]}`,
          );
        }
    const specs = [[rows, inner], [columns, inner], [columns]].map(
      (shape): ArraySpec => ({ shape, dtype: 'float32' }),
    );
    const linear = ([x, weight, bias]: tf.Tensor[]) => [
      layers.linear(x!, weight as tf.Tensor2D, bias as tf.Tensor1D),
    ];
    const feeds = specs.map(({ shape }) => new Float32Array(sizeOf(shape)).fill(0.5));
    const recorded = record(linear, specs, new Map());
    stableProducts(recorded.graph, recorded.outputs);
    await assertShapes(recorded.graph, recorded.outputs, fedWith(recorded.graph, feeds), 'with a bias');
    const { graph, outputs } = record(linear, specs, new Map());
    const [x, weight, bias] = graph.inputs as [Value, Value, Value];
    const bound = useIntegers(graph, outputs, {
      ...{ weights: new Map([[weight, feeds[1]!]]), limit: 63 },
    });
    stableProducts(graph, outputs);
    const given = new Map<Value, ConstantArray>([[x, feeds[0]!], [bias, feeds[2]!], ...bound]);
    await assertShapes(graph, outputs, given, `integers of ${[rows, columns, inner]}`);
  }
});

it('products of float16 numbers, and what only moves these: the same results where nothing is rounded', async () => {
  const specs: ArraySpec[] = [
    ...[[4, 3], [6, 3], [6], [9, 3]].map((shape): ArraySpec => ({ shape, dtype: 'float32' })),
    { shape: [5], dtype: 'int32' },
  ];
  const build = ([x, weight, bias, table, ids]: tf.Tensor[]) => {
    const rows = tf.gather(table!, ids!);
    return [
      layers.linear(x!, weight as tf.Tensor2D, bias as tf.Tensor1D),
      tf.matMul(x!, tf.slice(weight!, [1, 0], [4, 3]), false, true),
      tf.matMul(rows, weight!, false, true),
      tf.matMul(weight!, x!, false, true),
      tf.add(rows, 1),
      tf.transpose(weight!),
      tf.reshape(weight!, [2, 9]),
      tf.mul(weight!, weight!),
    ];
  };
  const feeds = specs.map(({ shape, dtype }, i): NumericArray => {
    const values = Array.from({ length: sizeOf(shape) }, (_, at) => ((at * 7 + i) % 11) - (i === 4 ? 0 : 5));
    return dtype === 'int32' ? Int32Array.from(values, (value) => value % 9) : Float32Array.from(values);
  });
  const plain = record(build, specs, new Map());
  const expected = await assertShapes(plain.graph, plain.outputs, fedWith(plain.graph, feeds), 'float32');
  const { graph, outputs } = record(build, specs, new Map());
  const weights = new Map([1, 3].map((i) => [graph.inputs[i]!, feeds[i] as Float32Array]));
  const given = fedWith(graph, feeds);
  const halves = useHalves(graph, outputs, weights, 'float32');
  assert.deepEqual([...halves.values()], [...weights.values()]);
  for (const [input, values] of halves) given.set(input, await halfWeights(ort, values));
  const { used } = prune(outputs);
  assert.ok([...weights.keys()].every((weight) => !used.has(weight)));
  const actual = await assertShapes(graph, outputs, given, 'float16');
  assert.deepEqual(actual, expected);
});
