/**
 * Layers that ONNX Runtime has as one kernel, found in a recorded program: GELU, over the widest arrays of an encoder, passes
 * memory once in place of five times. (On the CPU its kernel for a normalized sum is slower than its two for sum and normalization.)
 */
import { type GraphNode, prune, type Value } from './graph.js';
import { become } from './product-order.js';

/** Rewrites in place what `outputs` need. A layer whose parts others read, as gradients do, stays as it was recorded. */
export function fuseLayers(outputs: readonly Value[]): void {
  const { nodes } = prune(outputs);
  const uses = new Map<Value, number>();
  for (const value of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    if (value !== undefined) uses.set(value, (uses.get(value) ?? 0) + 1);
  const isInner = (value: Value) => uses.get(value) === 1;
  for (const node of nodes) {
    const x = argumentOfGelu(node, isInner);
    if (x !== undefined)
      become(node, { op: 'Gelu', domain: 'com.microsoft', inputs: [x], outputs: [], attributes: {} });
  }
}

/** The x of x by half of 1 + erf(x / sqrt 2), as layers.ts records it. */
function argumentOfGelu({ op, inputs }: GraphNode, isInner: (value: Value) => boolean): Value | undefined {
  if (op !== 'Mul') return undefined;
  const [x, share] = inputs as [Value, Value];
  const erf = beside(beside(share, 'Mul', 0.5, isInner), 'Add', 1, isInner);
  if (erf?.node?.op !== 'Erf' || !isInner(erf)) return undefined;
  return beside(erf.node.inputs[0], 'Mul', Math.SQRT1_2, isInner) === x ? x : undefined;
}

/** What the operator takes beside the number; undefined where it is something else, or others read what it gives. */
function beside(
  value: Value | undefined,
  op: string,
  number: number,
  isInner: (value: Value) => boolean,
): Value | undefined {
  if (value?.node?.op !== op || !isInner(value)) return undefined;
  const [left, right] = value.node.inputs as [Value, Value];
  // A number of more axes than what it stands beside would give these to the result.
  const isNumber = right.shape.length === 0 && right.constant?.[0] === Math.fround(number);
  return isNumber ? left : undefined;
}
