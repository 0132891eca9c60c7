/**
 * Which way round a matrix product is written, so that its bits do not depend on the number of threads.
 *
 * ONNX Runtime's CPU products (MLAS, `sgemm.cpp`) are cut among threads along the longer side of the output. A row's
 * result does not depend on how rows are cut. A column's does: each thread sums in steps of 128 inner elements, and in
 * longer steps where it got 64 columns or fewer. So a product of more than 128 inner elements whose output is wider than
 * high is written as the transpose of the turned product, which is cut by rows: always, or where no thread of 32 could
 * get so few columns, only where that is faster too. `test/tensor-threads.test.ts` compares the bits.
 */
import * as tf from '@tensorflow/tfjs-core';
import { mostThreads } from '../engine.js';
import { type Graph, type GraphNode, prune, type Value } from './graph.js';

/** Inner elements that every thread sums up in one step. */
const step = 128;
/** Columns are handed out in sixteens: so many leave each of 32 threads more than 64. */
const wide = (64 + 16) * mostThreads;
/** Fewer rows than these may leave a thread with one alone, for which there is another kernel. */
const twoEach = 2 * mostThreads;
/** Multiply-adds per row below which MLAS takes too few threads for that: it takes one more for every 64 Ki of them. */
const lightRow = 1 << 14;

interface Product {
  a: Value;
  b: Value;
  transA: boolean;
  transB: boolean;
  /** [N], of a Gemm. */
  bias?: Value;
}

/** Rewrites the products that `outputs` need, in place. Not done while recording: it depends on sizes. */
export function stableProducts(graph: Graph, outputs: readonly Value[]): void {
  for (const node of prune(outputs).nodes) {
    const product = productOf(node);
    if (product === undefined) continue;
    if (isTurned(product)) become(node, turnedBack(graph, tall(graph, turned(graph, product))));
    else become(node, tall(graph, product).node!);
  }
}

function productOf({ op, inputs, attributes }: GraphNode): Product | undefined {
  if (op !== 'MatMul' && op !== 'FusedMatMul' && op !== 'Gemm') return undefined;
  const [a, b, bias] = inputs as [Value, Value, Value?];
  const [transA, transB] = [attributes.transA === 1, attributes.transB === 1];
  return { a, b, transA, transB, ...(bias && { bias }) };
}

function sizesOf({ a, b, transA, transB }: Product): { rows: number; columns: number; inner: number } {
  const last = ({ shape }: Value, from: number) => shape[shape.length - from]!;
  return { rows: last(a, transA ? 1 : 2), columns: last(b, transB ? 2 : 1), inner: last(a, transA ? 2 : 1) };
}

function isTurned(product: Product): boolean {
  const { rows, columns, inner } = sizesOf(product);
  // One row has a kernel of its own, whose columns are cut in sixteens; one column's takes rows by fours, wherever it is cut.
  if (rows === 1) return false;
  if (columns === 1) return true;
  if (inner <= step || rows >= columns) return false;
  // A constant matrix is packed once, and gone through in steps that no cut changes.
  if (product.b.constant !== undefined && product.b.shape.length === 2) return false;
  // Few rows: turned, the large matrix need not be packed.
  return columns < wide || rows * 16 <= columns;
}

function turned(graph: Graph, { a, b, transA, transB, bias }: Product): Product {
  const upright =
    bias && graph.node('Reshape', [bias, graph.integers([-1, 1])], [bias.shape[0]!, 1], 'float32');
  return { a: b, b: a, transA: !transB, transB: !transA, ...(upright && { bias: upright }) };
}

/** The rows that a product is padded to, so that no thread gets a single one. */
function leastRows(product: Product): number {
  const { rows, columns, inner } = sizesOf(product);
  const isCut = columns <= rows && rows > 1 && columns * inner >= lightRow;
  return isCut && rows < twoEach ? twoEach : rows;
}

/** The kernel of one row does not take it transposed. */
function withPlainRow(graph: Graph, product: Product): Product {
  const { a, transA } = product;
  if (!transA || sizesOf(product).rows > 1) return product;
  const shape = [...a.shape.slice(0, -2), 1, a.shape.at(-2)!];
  return {
    ...product,
    a: graph.node('Reshape', [a, graph.integers(shape)], shape, 'float32'),
    transA: false,
  };
}

/** The product, padded where it must be. */
function tall(graph: Graph, given: Product): Value {
  const product = withPlainRow(graph, given);
  const { rows } = sizesOf(product);
  const least = leastRows(product);
  if (least === rows) return written(graph, product);
  const { a, transA, bias } = product;
  const padded = (x: Value, axis: number): Value => {
    if (x.shape[axis] !== rows) return x;
    const ends = new Array<number>(2 * x.shape.length).fill(0);
    ends[x.shape.length + axis] = least - rows;
    const shape = x.shape.map((length, i) => (i === axis ? least : length));
    return graph.node('Pad', [x, graph.integers(ends)], shape, 'float32');
  };
  const larger = written(graph, {
    ...product,
    a: padded(a, a.shape.length - (transA ? 1 : 2)),
    // A Gemm's bias is [N], or [M, 1] once it is turned.
    ...(bias && { bias: bias.shape.length === 2 ? padded(bias, 0) : bias }),
  });
  const axis = larger.shape.length - 2;
  const shape = larger.shape.map((length, i) => (i === axis ? rows : length));
  const [start, end, axes] = [0, rows, axis].map((number) => graph.integers([number]));
  return graph.node('Slice', [larger, start, end, axes], shape, 'float32');
}

function written(graph: Graph, product: Product): Value {
  const { a, b, bias, transA, transB } = product;
  const { rows, columns } = sizesOf(product);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, rows, columns];
  const transposes = { transA: Number(transA), transB: Number(transB) };
  if (bias !== undefined) return graph.node('Gemm', [a, b, bias], shape, 'float32', transposes);
  if (!transA && !transB) return graph.node('MatMul', [a, b], shape, 'float32');
  return graph.node('FusedMatMul', [a, b], shape, 'float32', transposes, 'com.microsoft');
}

/** @param x [..., N, M] @returns [..., M, N] */
function turnedBack(graph: Graph, x: Value): GraphNode {
  const rank = x.shape.length;
  const perm = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  const shape = perm.map((axis) => x.shape[axis]!);
  return graph.node('Transpose', [x], shape, 'float32', { perm }).node!;
}

/** The node that others read from does what `other` does. */
export function become(node: GraphNode, { op, domain, inputs, attributes }: GraphNode): void {
  Object.assign(node, { op, domain, inputs, attributes });
}
