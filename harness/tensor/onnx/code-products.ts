/** The program that multiplies codes of rows and of queries: written in ONNX at once, as tfjs has no bytes. */
import type { CodeProducts } from '../engine.js';
import { Graph, type Value } from './graph.js';

/** ONNX Runtime multiplies uint8 with int8 quickly, int8 with int8 slowly: so 0 of the rows is this. */
const zero = 128;

type Sizes = Parameters<CodeProducts['compile']>[0];

export function codeProductGraph({ rows, width, queries }: Sizes): { graph: Graph; outputs: Value[] } {
  const graph = new Graph();
  const factors = [graph.input([rows, width], 'uint8'), graph.input([width, queries], 'int8')];
  const offset = graph.constant(Uint8Array.of(zero), [], 'uint8');
  return { graph, outputs: [graph.node('MatMulInteger', [...factors, offset], [rows, queries], 'int32')] };
}
