/** How a matrix product is written so that no cut among threads changes its bits, at the sizes where that changes; and what it gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { openEngine } from '../harness/tensor/engines.js';
import { linear } from '../harness/tensor/layers.js';
import { Graph, prune, type Value } from '../harness/tensor/onnx/graph.js';
import { stableProducts } from '../harness/tensor/onnx/product-order.js';
import * as tf from '../harness/tensor/operations.js';

interface Given {
  transA?: boolean;
  transB?: boolean;
  batch?: number[];
  /** The second matrix is baked in. */
  constant?: boolean;
  bias?: boolean;
}

/** The operators of a product [rows, inner] x [inner, columns], in the order they are written. */
function operators(rows: number, columns: number, inner: number, given: Given = {}): string {
  const { transA = false, transB = false, batch = [], constant = false, bias = false } = given;
  const graph = new Graph();
  const shape = (high: number, wide: number, isTurned: boolean) =>
    isTurned ? [...batch, wide, high] : [...batch, high, wide];
  const a = graph.input(shape(rows, inner, transA), 'float32');
  const shapeB = shape(inner, columns, transB);
  const size = shapeB.reduce((product, d) => product * d, 1);
  const b = constant
    ? graph.constant(new Float32Array(size), shapeB, 'float32')
    : graph.input(shapeB, 'float32');
  const inputs: Value[] = [a, b, ...(bias ? [graph.input([columns], 'float32')] : [])];
  const attributes = { transA: Number(transA), transB: Number(transB) };
  const out = [...batch, rows, columns];
  const product = bias
    ? graph.node('Gemm', inputs, out, 'float32', attributes)
    : graph.node('FusedMatMul', inputs, out, 'float32', attributes, 'com.microsoft');
  stableProducts(graph, [product]);
  const { nodes } = prune([product]);
  assert.deepEqual(nodes.at(-1)!.outputs[0]!.shape, out);
  return nodes.map(({ op }) => op).join(' ');
}

const plain = 'MatMul';
const turned = 'FusedMatMul Transpose';
const padded = 'Pad MatMul Slice';

test('turned is what is wider than high, and longer inside than one step', () => {
  assert.equal(operators(30, 40, 128), plain);
  assert.equal(operators(30, 40, 129), turned);
  assert.equal(operators(40, 40, 300), plain);
  assert.equal(operators(39, 40, 300), turned);
  assert.equal(operators(40, 39, 300), plain);
  // One row has a kernel of its own. A single column becomes one row, which is not taken transposed.
  assert.equal(operators(1, 40, 300), plain);
  assert.equal(operators(2, 40, 300), turned);
  assert.equal(operators(40, 1, 100), 'Reshape FusedMatMul Transpose');
  assert.equal(operators(40, 1, 100, { transB: true }), turned);
  assert.equal(operators(40, 2, 100), plain);
});

test('wide outputs, of which every thread gets enough columns, are turned where there are few rows', () => {
  assert.equal(operators(161, 2559, 129), turned);
  assert.equal(operators(160, 2560, 129), turned);
  assert.equal(operators(161, 2560, 129), plain);
});

test('a matrix that is baked in is packed once, so its product stays as it is', () => {
  assert.equal(operators(30, 40, 129, { constant: true }), plain);
  assert.equal(operators(30, 40, 129, { constant: true, batch: [2] }), turned);
});

test('a row that stands as a column is laid down for the kernel of one row', () => {
  assert.equal(operators(1, 40, 300, { transA: true }), 'Reshape MatMul');
  assert.equal(operators(2, 40, 20, { transA: true }), 'FusedMatMul');
  assert.equal(operators(1, 40, 20), plain);
});

test('few rows are filled up to two for each of 32 threads, where a thread could get a single one', () => {
  assert.equal(operators(63, 4, 4096), padded);
  assert.equal(operators(64, 4, 4096), plain);
  // 3 x 5461 is one short of what MLAS takes so many threads for.
  assert.equal(operators(63, 3, 5461), plain);
  assert.equal(operators(63, 3, 5462), padded);
  assert.equal(operators(40, 40, 2048), padded);
  assert.equal(operators(39, 40, 2048, { constant: true }), plain, 'cut by columns');
  assert.equal(operators(2, 2, 8192), padded);
  assert.equal(operators(1, 1, 16384), plain);
  assert.equal(operators(10, 63, 2048), 'Pad FusedMatMul Slice Transpose');
  // The rows of a bias are filled up with the others, once they are its columns.
  assert.equal(operators(10, 63, 2048, { bias: true }), 'Pad Reshape Pad Gemm Slice Transpose');
  assert.equal(operators(63, 10, 2048, { bias: true }), 'Pad Gemm Slice');
});

test('turned and filled up, products are what they are', async () => {
  const engine = await openEngine('onnx');
  const random = stream(1, 'products');
  for (const [rows, columns, inner] of [
    [1, 7, 200],
    [7, 1, 200],
    [5, 9, 200],
    [9, 5, 3300],
    [5, 9, 3300],
    [3, 200, 2048],
  ] as const)
    for (const [transA, transB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const)
      for (const batch of [1, 2]) {
        const made = (size: number) => Float32Array.from({ length: size }, () => random.normal());
        const [a, b] = [made(batch * rows * inner), made(batch * inner * columns)];
        const program = await engine.compile(
          ([x, y]) => [tf.matMul(x!, y!, transA, transB)],
          [
            { shape: transA ? [batch, inner, rows] : [batch, rows, inner], dtype: 'float32' },
            { shape: transB ? [batch, columns, inner] : [batch, inner, columns], dtype: 'float32' },
          ],
        );
        const [found] = await program.run([a, b]);
        await program.dispose();
        for (let at = 0; at < batch * rows * columns; at++) {
          const [of, row, column] = [
            Math.floor(at / (rows * columns)),
            Math.floor(at / columns) % rows,
            at % columns,
          ];
          let sum = 0;
          for (let i = 0; i < inner; i++)
            sum +=
              a[of * rows * inner + (transA ? i * rows + row : row * inner + i)]! *
              b[of * inner * columns + (transB ? column * inner + i : i * columns + column)]!;
          const what = `${rows} x ${columns} over ${inner}, ${transA}, ${transB}: ${at}`;
          assert.ok(Math.abs(found![at]! - sum) < 1e-3, `${what}: ${found![at]} for ${sum}`);
        }
      }
  // A bias stands beside the rows once they are columns.
  for (const [rows, columns] of [
    [3, 200],
    [200, 3],
  ] as const) {
    const inner = 6000;
    const x = Float32Array.from({ length: rows * inner }, () => random.normal());
    const program = await engine.compile(
      ([a, weight, bias]) => [linear(a!, weight as tf.Tensor2D, bias as tf.Tensor1D)],
      [[rows, inner], [columns, inner], [columns]].map((shape) => ({ shape, dtype: 'float32' })),
    );
    // Each column takes one element of the row.
    const weight = new Float32Array(columns * inner);
    for (let column = 0; column < columns; column++) weight[column * inner + 7 * column] = 1;
    const [found] = await program.run([x, weight, Float32Array.from({ length: columns }, (_, i) => i)]);
    const expected = Float32Array.from(
      { length: rows * columns },
      (_, at) => x[Math.floor(at / columns) * inner + 7 * (at % columns)]! + (at % columns),
    );
    assert.deepEqual(found, expected);
    await program.dispose();
  }
  await engine.dispose();
});
