/** Writes a recorded graph as an ONNX model. The message layout is that of onnx.proto (ONNX, IR version 10). */
import protobuf from 'protobufjs/light.js';
import type { Attribute, Graph, GraphNode, OnnxType, Value } from './graph.js';

const irVersion = 10;
/** The operator set every kernel is written for. */
const opset = 21;
const producer = 'strata';

const field = (id: number, type: string, rule?: 'repeated') => ({ id, type, ...(rule && { rule }) });
const descriptor = {
  nested: {
    Model: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        graph: field(7, 'Graph'),
        opsetImport: field(8, 'OperatorSet', 'repeated'),
        metadataProps: field(14, 'Property', 'repeated'),
      },
    },
    Property: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
    OperatorSet: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    Graph: {
      fields: {
        node: field(1, 'Node', 'repeated'),
        name: field(2, 'string'),
        initializer: field(5, 'Tensor', 'repeated'),
        input: field(11, 'ValueInfo', 'repeated'),
        output: field(12, 'ValueInfo', 'repeated'),
      },
    },
    Node: {
      fields: {
        input: field(1, 'string', 'repeated'),
        output: field(2, 'string', 'repeated'),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: field(5, 'Attribute', 'repeated'),
        domain: field(7, 'string'),
      },
    },
    Attribute: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        s: field(4, 'bytes'),
        ints: field(8, 'int64', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    Tensor: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        dataType: field(2, 'int32'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
      },
    },
    ValueInfo: { fields: { name: field(1, 'string'), type: field(2, 'Type') } },
    Type: { fields: { tensorType: field(1, 'TensorType') } },
    TensorType: { fields: { elemType: field(1, 'int32'), shape: field(2, 'Shape') } },
    Shape: { fields: { dim: field(1, 'Dimension', 'repeated') } },
    Dimension: { fields: { dimValue: field(1, 'int64'), dimParam: field(2, 'string') } },
  },
};

const Model = protobuf.Root.fromJSON(descriptor).lookupType('Model');

/** TensorProto.DataType */
export const elementType: Record<OnnxType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};
const attributeType = { float: 1, int: 2, string: 3, ints: 7 };

function attribute(name: string, value: Attribute) {
  if (typeof value === 'string') return { name, s: Buffer.from(value), type: attributeType.string };
  if (typeof value === 'number') return { name, i: value, type: attributeType.int };
  if ('float' in value) return { name, f: value.float, type: attributeType.float };
  return { name, ints: value, type: attributeType.ints };
}

function valueInfo({ name, dtype, shape, dimensions = shape }: Value) {
  const dim = dimensions.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: elementType[dtype], shape: { dim } } } };
}

/** The version of an operator set, by domain. */
const versions: Readonly<Record<GraphNode['domain'], number>> = { '': opset, 'com.microsoft': 1 };

/**
 * The bytes of an ONNX model that computes `outputs`. Inputs that play no part are left out.
 * @param properties what the file says of itself
 */
export function writeModel(
  graph: Pick<Graph, 'inputs'>,
  nodes: readonly GraphNode[],
  used: ReadonlySet<Value>,
  outputs: readonly Value[],
  properties: Readonly<Record<string, string>> = {},
): Uint8Array {
  const domains = new Set(['', ...nodes.map(({ domain }) => domain)]);
  const constants = [...used].filter((value) => value.constant !== undefined);
  const message = {
    irVersion,
    producerName: producer,
    opsetImport: [...domains].map((domain) => ({ domain, version: versions[domain]! })),
    metadataProps: Object.entries(properties).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'program',
      node: nodes.map((node) => ({
        input: node.inputs.map((value) => value?.name ?? ''),
        output: node.outputs.map((value) => value.name),
        name: node.outputs[0]!.name,
        opType: node.op,
        domain: node.domain,
        attribute: Object.entries(node.attributes).map(([name, value]) => attribute(name, value)),
      })),
      initializer: constants.map(({ name, shape, dtype, constant }) => ({
        name,
        dims: shape,
        dataType: elementType[dtype],
        rawData: new Uint8Array(constant!.buffer, constant!.byteOffset, constant!.byteLength),
      })),
      input: graph.inputs.filter((value) => used.has(value)).map(valueInfo),
      output: outputs.map(valueInfo),
    },
  };
  return Model.encode(message).finish();
}
