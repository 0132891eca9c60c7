/** From what recordings have in common to a graph whose sizes are worked out from what it is fed. */
import type { DataType } from '../engine.js';
import { type Extent, formula, isFixed } from './extent.js';
import { Graph, type OnnxType, type Value } from './graph.js';
import type { CommonNode, CommonProgram, Operand } from './likeness.js';
import { elementType } from './model-file.js';
import { SizeValues } from './size-values.js';
import { standardProduct } from './standard-products.js';
import type { TokenProgram } from './token-program.js';

/**
 * Weights stand under their names, ids and mask are int64 as other tools feed them, and operators are ONNX's own.
 * @param shortest texts of fewer tokens are padded to so many, and outputs cut back to the length that was fed
 */
export function dynamicGraph(
  { weights, paddingId, outputs: named }: TokenProgram,
  common: CommonProgram,
  shortest: number,
): { graph: Graph; outputs: Value[] } {
  const graph = new Graph();
  const [ids, mask] = [textInput(graph, 'input_ids'), textInput(graph, 'attention_mask')];
  const sizeOf = (axis: number) => graph.node('Shape', [ids], [1], 'int64', { start: axis, end: axis + 1 });
  const [batch, fed] = [sizeOf(0), sizeOf(1)];
  const tokens = shortest === 1 ? fed : graph.node('Max', [fed, graph.integers([shortest])], [1], 'int64');
  const padded = (text: Value, filler: number) => {
    if (shortest === 1) return text;
    const missing = graph.node('Sub', [tokens, fed], [1], 'int64');
    const amounts = graph.node('Concat', [graph.integers([0, 0, 0]), missing], [4], 'int64', { axis: 0 });
    return graph.node('Pad', [text, amounts, whole(graph, filler)], [], 'int64');
  };
  const inputs = [
    ...weights.map(({ name, shape, values }): Value => ({ name, shape, dtype: 'float32', constant: values })),
    cast(graph, padded(ids, paddingId), 'int32'),
    cast(graph, padded(mask, 0), 'float32'),
  ];
  const copy = new NodeCopy(graph, new SizeValues(graph, batch, tokens));
  for (const [i, value] of common.inputs.entries()) copy.made.set(value, inputs[i]!);
  for (const node of common.nodes) copy.add(node);
  const sizes = new SizeValues(graph, batch, fed);
  const outputs = common.outputs.map(({ value, shape }, o) => {
    const { name, dtype } = named[o]!;
    const whole = cast(graph, copy.made.get(value)!, dtype);
    const isLong = shortest > 1 && shape.some((size) => size.tokens !== 0 || size.product !== 0);
    const output = isLong ? firstElements(graph, whole, sizes.list(shape)) : whole;
    return nameOutput(graph, output, name, shape);
  });
  return { graph, outputs };
}

function textInput(graph: Graph, name: string): Value {
  const value: Value = { name, shape: [], dtype: 'int64', dimensions: ['batch', 'sequence'] };
  graph.inputs.push(value);
  return value;
}

/** @param ends [rank] int64 */
function firstElements(graph: Graph, x: Value, ends: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  const starts = graph.integers(axes.map(() => 0));
  return graph.node('Slice', [x, starts, ends, graph.integers(axes)], x.shape, x.dtype);
}

function nameOutput(graph: Graph, value: Value, name: string, shape: readonly Extent[]): Value {
  const output = graph.node('Identity', [value], value.shape, value.dtype);
  output.name = name;
  output.dimensions = shape.map((size) => (isFixed(size) ? size.constant : formula(size)));
  return output;
}

function cast(graph: Graph, value: Value, dtype: OnnxType): Value {
  if (value.dtype === dtype) return value;
  return graph.node('Cast', [value], value.shape, dtype, { to: elementType[dtype] });
}

/** A number without an axis. */
function whole(graph: Graph, value: number): Value {
  return graph.constant(BigInt64Array.of(BigInt(value)), [], 'int64');
}

/** Copies nodes into a graph, with what stands there for their inputs. */
class NodeCopy {
  /** What stands in the graph for a value of the recording. */
  readonly made = new Map<Value, Value>();

  constructor(
    readonly graph: Graph,
    readonly sizes: SizeValues,
  ) {}

  add({ node, inputs }: CommonNode): void {
    const { graph } = this;
    const operands = inputs.map((operand) => operand && this.#operand(operand));
    const outputs =
      node.op === 'FusedMatMul'
        ? [standardProduct(graph, node, operands as Value[])]
        : graph.nodes(node.op, operands, node.outputs, node.attributes, node.domain);
    for (const [o, output] of node.outputs.entries()) this.made.set(output, outputs[o]!);
  }

  #operand(operand: Operand): Value {
    const { graph, sizes } = this;
    if (operand.kind === 'value') {
      const { constant, shape, dtype } = operand.value;
      return constant === undefined ? this.made.get(operand.value)! : graph.constant(constant, shape, dtype);
    }
    const { shape, dtype } = operand.like;
    if (operand.kind === 'sizes') {
      const found = shape.length === 0 ? sizes.scalar(operand.sizes[0]!) : sizes.list(operand.sizes);
      return cast(graph, found, dtype);
    }
    if (operand.kind === 'filled') {
      const filling = graph.scalar(operand.filling, dtype as DataType);
      return graph.node('Expand', [filling, sizes.list(operand.shape)], shape, dtype);
    }
    const { start, step, count } = operand;
    const limit: Extent = {
      constant: start + step * count.constant,
      batch: step * count.batch,
      tokens: step * count.tokens,
      product: step * count.product,
    };
    const range = [whole(graph, start), sizes.scalar(limit), whole(graph, step)];
    return cast(graph, graph.node('Range', range, shape, 'int64'), dtype);
  }
}
