/** The recorded program: values and the nodes that make them, in ONNX's terms. */
import type { DataType, NumericArray } from '../engine.js';

/** Those behind `int64` are of products with weights in another precision: `harness/precisions`. */
export type OnnxType = DataType | 'int64' | 'int8' | 'uint8' | 'float16';

/** A Uint16Array holds the bits of float16 numbers. */
export type ConstantArray = NumericArray | BigInt64Array | Int8Array | Uint16Array;

export interface Value {
  name: string;
  shape: readonly number[];
  dtype: OnnxType;
  /** In place of the shape, where a dimension of an input or output is not fixed and has a name. */
  dimensions?: readonly (number | string)[];
  /** What the value is: the output of a node, a constant, or an input that is fed. */
  node?: GraphNode;
  constant?: ConstantArray;
}

export type Attribute = number | string | readonly number[] | { float: number };

export interface GraphNode {
  op: string;
  /** '' for ONNX's own operators, 'com.microsoft' for ONNX Runtime's. */
  domain: string;
  inputs: readonly (Value | undefined)[];
  outputs: readonly Value[];
  attributes: Readonly<Record<string, Attribute>>;
}

/** Grows while a program is being recorded. */
export class Graph {
  readonly inputs: Value[] = [];
  #count = 0;
  readonly #scalars = new Map<string, Value>();

  input(shape: readonly number[], dtype: OnnxType): Value {
    const value: Value = { name: `input${this.inputs.length}`, shape, dtype };
    this.inputs.push(value);
    return value;
  }

  constant(values: ConstantArray, shape: readonly number[], dtype: OnnxType): Value {
    if (values.length !== 1) return { name: `constant${this.#count++}`, shape, dtype, constant: values };
    // Programs are full of equal scalars: one of each is enough.
    const key = `${dtype}/${shape}/${Object.is(values[0], -0) ? '-0' : values[0]}`;
    let value = this.#scalars.get(key);
    if (value === undefined) {
      value = { name: `constant${this.#count++}`, shape, dtype, constant: values };
      this.#scalars.set(key, value);
    }
    return value;
  }

  /** A one-dimensional int64 constant: ONNX's form of axes, shapes and positions. */
  integers(numbers: readonly number[]): Value {
    return this.constant(BigInt64Array.from(numbers, BigInt), [numbers.length], 'int64');
  }

  scalar(value: number, dtype: DataType): Value {
    const values =
      dtype === 'float32'
        ? Float32Array.of(value)
        : dtype === 'int32'
          ? Int32Array.of(value)
          : Uint8Array.of(value);
    return this.constant(values, [], dtype);
  }

  /** Appends a node with several outputs. */
  nodes(
    op: string,
    inputs: readonly (Value | undefined)[],
    outputs: readonly { shape: readonly number[]; dtype: OnnxType }[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): readonly Value[] {
    const values: Value[] = outputs.map(({ shape, dtype }) => ({
      name: `${op}${this.#count++}`,
      shape,
      dtype,
    }));
    const node: GraphNode = { op, domain, inputs, outputs: values, attributes };
    for (const value of values) value.node = node;
    return values;
  }

  /** Appends a node with one output. */
  node(
    op: string,
    inputs: readonly (Value | undefined)[],
    shape: readonly number[],
    dtype: OnnxType,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value {
    return this.nodes(op, inputs, [{ shape, dtype }], attributes, domain)[0]!;
  }
}

/** What the outputs need, and nothing else: nodes in an order in which they can run. */
export function prune(outputs: readonly Value[]): { nodes: GraphNode[]; used: Set<Value> } {
  const nodes: GraphNode[] = [];
  const done = new Set<GraphNode>();
  const used = new Set<Value>(outputs);
  const stack = outputs
    .flatMap((value) => (value.node === undefined ? [] : [{ node: value.node, next: 0 }]))
    .reverse();
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    if (done.has(top.node)) stack.pop();
    else if (top.next < top.node.inputs.length) {
      const value = top.node.inputs[top.next++];
      if (value === undefined) continue;
      used.add(value);
      if (value.node !== undefined && !done.has(value.node)) stack.push({ node: value.node, next: 0 });
    } else {
      done.add(top.node);
      nodes.push(top.node);
      stack.pop();
    }
  }
  return { nodes, used };
}
