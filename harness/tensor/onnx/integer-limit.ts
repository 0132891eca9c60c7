/** Which integers a processor multiplies and adds up without loss. */
import { Graph, prune } from './graph.js';
import { writeModel } from './model-file.js';
import type { Ort } from './runtime.js';

const [full, reduced] = [127, 63];
let limit: Promise<number> | undefined;

/**
 * The largest integer that a weight may become. Processors that have AVX2 or AVX-512 and no instructions for sums of 8-bit
 * products (VNNI) add two of them in 16 bits, which 255 * 127 * 2 does not fit into: ONNX Runtime's kernel cuts it off
 * there without a word, and 255 * 63 * 2 fits. So a product whose result is known is tried once.
 */
export function integerLimit(ort: Ort): Promise<number> {
  limit ??= sumOfLargest(ort).then(limitFor);
  return limit;
}

/** @param sum of 64 times 255 * 127, as a processor adds it up */
export const limitFor = (sum: number): number => (sum === rows * 255 * full ? full : reduced);

const rows = 64;

/** 64 times 255 * 127, as this processor adds it up. */
async function sumOfLargest(ort: Ort): Promise<number> {
  const graph = new Graph();
  const left = graph.input([rows, rows], 'uint8');
  const right = graph.constant(new Int8Array(rows * rows).fill(full), [rows, rows], 'int8');
  const product = graph.node('MatMulInteger', [left, right], [rows, rows], 'int32');
  const { nodes, used } = prune([product]);
  const session = await ort.InferenceSession.create(writeModel(graph, nodes, used, [product]), {
    logSeverityLevel: 3,
  });
  try {
    const fed = new ort.Tensor('uint8', new Uint8Array(rows * rows).fill(255), [rows, rows]);
    const { data } = (await session.run({ [left.name]: fed }))[product.name]!;
    return (data as Int32Array).reduce((least, value) => Math.min(least, value));
  } finally {
    await session.release();
  }
}
