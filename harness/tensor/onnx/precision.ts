/** In what programs multiply with weights: float32, or as a file of `harness/precisions` has it. */
import path from 'node:path';
import { BenchError, unknownName } from '../../errors.js';
import { builtRoot, type Kind, load, namesBeside } from '../../plugin-files.js';
import { type ArraySpec, type CompileOptions, type DeviceName, sizeOf } from '../engine.js';
import type { ConstantArray, Graph, GraphNode, Value } from './graph.js';
import { knownOperators } from './known-operators.js';
import type { Ort } from './runtime.js';

/** What validation and every loss compute in; no plug-in. */
export const usualPrecision = 'float32';

/** As records and the inputs of stages have it: nothing of the usual one, as what was made before there were others. */
export const otherPrecision = (precision: string): { precision?: string } =>
  precision === usualPrecision ? {} : { precision };

/** A program that has been recorded. */
export interface ProductsOf {
  graph: Graph;
  outputs: readonly Value[];
  /** Inputs that are matrices of weights, with their values, which never change. */
  weights: ReadonlyMap<Value, Float32Array>;
  /** Those of them whose products go beyond what float16 holds. */
  kept: ReadonlySet<Value>;
}

/** A program that trains, recorded. */
export interface TrainedProducts extends Pick<ProductsOf, 'graph' | 'outputs'> {
  /** Inputs that are matrices of weights, fed as float32 numbers at every run. */
  weights: ReadonlySet<Value>;
  /** Outputs that are gradients of such matrices. */
  gradients: readonly Value[];
}

/** Another precision; what comes out of a program is float32 in any. */
export interface PrecisionPlugin {
  summary: string;
  /** Devices of the engine 'onnx' that have it, and the same in words. */
  devices: readonly DeviceName[];
  where: string;
  /** What to give where another engine or device computes. */
  hint: string;
  /** The most that a product of random numbers may differ from that of floats, as a share of its length; 0.03 if absent. */
  largestError?: number;
  /** What a device other than the processor has to have for it. */
  deviceNeeds?: string;
  /**
   * Rewrites in place what the outputs need, on the processor.
   * @returns what is to be fed at every run to inputs that the caller does not feed
   */
  inMemory(ort: Ort, program: ProductsOf): Promise<Map<Value, ConstantArray>>;
  /** The same on a device. @returns inputs that are float16 numbers, which lie there, and of which values */
  onDevice?(program: ProductsOf): Map<Value, Float32Array>;
  /** Rewrites in place what the outputs of a program that trains need. Absent: nothing is trained in it. */
  training?(program: TrainedProducts, device: DeviceName): void;
  /** @param rows the vectors of some texts, each [M, D] @throws BenchError where they show that the precision does not fit the model */
  assertVectors?(rows: readonly Float32Array[], side: 'query' | 'passage' | 'pair'): void;
}

const kind: Kind = {
  folder: path.join('harness', 'precisions'),
  members: { summary: 'string', devices: 'object', where: 'string', hint: 'string', inMemory: 'function' },
};

/** Those that are not the usual one. */
export const precisionNames = (root: string = builtRoot): string[] => namesBeside(kind, usualPrecision, root);

/** @returns undefined for the usual one @throws BenchError UNKNOWN_NAME with a near name */
export async function loadPrecision(name: string, root?: string): Promise<PrecisionPlugin | undefined> {
  if (name === usualPrecision) return undefined;
  const names = precisionNames(root);
  if (!names.includes(name)) throw unknownName('precision', name, [usualPrecision, ...names]);
  const plugin = await load<PrecisionPlugin>(kind, name, root ?? builtRoot);
  const device = plugin.devices.find((each) => each !== 'cpu');
  if (device !== undefined && plugin.onDevice === undefined)
    throw new BenchError(
      'PLUGIN_INVALID',
      `harness/precisions/${name}.ts names ${device} and has no onDevice.`,
    );
  return plugin;
}

/**
 * @param inputs of a program of which none is fixed
 * @returns nothing: all that such a program takes is fed by whoever runs it
 * @throws TypeError where nothing is trained in the precision, which `assertPrecision` refuses before
 */
export function rewriteTraining(
  plugin: PrecisionPlugin | undefined,
  device: DeviceName,
  { graph, outputs }: Pick<ProductsOf, 'graph' | 'outputs'>,
  inputs: readonly ArraySpec[],
  trained: NonNullable<CompileOptions['trained']>,
): Map<Value, never> {
  if (plugin?.training === undefined) throw new TypeError(`no program trains in this precision on ${device}`);
  const matrices = [...trained].filter(([input]) => inputs[input]!.shape.length > 1);
  plugin.training(
    {
      ...{ graph, outputs },
      weights: new Set(matrices.map(([input]) => graph.inputs[input]!)),
      gradients: matrices.flatMap(([, output]) => (output === undefined ? [] : [outputs[output]!])),
    },
    device,
  );
  return new Map<Value, never>();
}

interface Rewritten {
  nodes: readonly GraphNode[];
  used: ReadonlySet<Value>;
  inputs: readonly Value[];
  /** Those of the inputs that are fed by whoever runs the program. */
  given: readonly Value[];
  bound: ReadonlyMap<Value, ConstantArray>;
}

/**
 * What a plug-in makes of a program is not to be called a bug of bench.
 * @throws BenchError PLUGIN_FAILED where an input is not fed, or with another number of values; for an operator of which it is not known
 *   that the same bits come out
 */
export function assertRewritten(name: string, { nodes, used, inputs, given, bound }: Rewritten): void {
  const fault = (what: string) =>
    new BenchError('PLUGIN_FAILED', `The plug-in harness/precisions/${name}.ts failed: ${what}`, {
      hint: 'docs/extend.md says what inMemory gives back, and which operators a program may hold.',
    });
  for (const input of inputs.filter((value) => used.has(value) && !given.includes(value))) {
    const { length = 0 } = bound.get(input) ?? {};
    const needed = sizeOf(input.shape);
    if (length !== needed)
      throw fault(
        `inMemory gives ${length} values for an input of [${input.shape.join(', ')}], which takes ${needed}.`,
      );
  }
  const unknown = nodes.find(({ op }) => !knownOperators.has(op));
  if (unknown !== undefined)
    throw fault(`it writes ${unknown.op}, which harness/tensor/onnx/known-operators.ts does not have.`);
}
