/** The engine `onnx`: programs are recorded once, written as one ONNX model each and run by ONNX Runtime on all cores, or on a device. */
import type { InferenceSession } from 'onnxruntime-node';
import { BenchError } from '../../errors.js';
import type { CompileOptions, DeviceName, Engine } from '../engine.js';
import { mostThreads } from '../engine.js';
import { BusyClock } from './busy-clock.js';
import { codeProductGraph } from './code-products.js';
import { beforeLastCast, nodesWithoutKernel, useDeviceOperators } from './device-operators.js';
import { DeviceProgram } from './device-program.js';
import { DeviceResidents } from './device-residents.js';
import { type DeviceRuntime, deviceRuntime } from './device-runtime.js';
import { DeviceMemory, deviceVariables } from './device-variables.js';
import { fuseLayers } from './fused-layers.js';
import { describeGpu } from './gpu-search.js';
import { type ConstantArray, type Graph, prune, type Value } from './graph.js';
import { HostProgram } from './host-program.js';
import { HostVariable, hostVariables } from './host-variables.js';
import { withoutIdleReshapes } from './idle-reshapes.js';
import { integerLimit } from './integer-limit.js';
import { refuseUnknown } from './known-operators.js';
import { plansMemory } from './memory-plan.js';
import { writeModel } from './model-file.js';
import {
  assertRewritten,
  loadPrecision,
  type ProductsOf,
  rewriteTraining,
  usualPrecision,
} from './precision.js';
import { stableProducts } from './product-order.js';
import { record } from './recorder.js';
import { loadOrt, type Ort, ortVersion } from './runtime.js';
import './kernels.js';

/** Where programs run and what they are fed lies. */
type Place = Pick<
  Engine,
  | 'largestArrayBytes'
  | 'tryLargestArray'
  | 'compile'
  | 'codeProducts'
  | 'variables'
  | 'resident'
  | 'release'
  | 'dispose'
>;

/**
 * @param threads for one operation; operations run one after another
 * @param device one that works: see `deviceTrial`
 * @param runtimeOf how a device is called; another one for tests
 * @throws BenchError CONFIG_INVALID for too many threads, UNAVAILABLE
 */
export async function openOnnx(
  threads: number,
  device: DeviceName = 'cpu',
  runtimeOf = deviceRuntime,
): Promise<Engine> {
  if (threads > mostThreads) {
    throw new BenchError(
      'CONFIG_INVALID',
      `threads: ${threads} is more than the ${mostThreads} for which the engine 'onnx' gives the same results.`,
      { hint: `Use --threads ${mostThreads} or fewer.` },
    );
  }
  const clock = new BusyClock();
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // What is refused is an error of ours.
    logSeverityLevel: device === 'cpu' ? 3 : 4,
    // Between two runs the cores belong to others. Threads that go on spinning hold up a search that follows an encoding:
    // on two cores one query in twenty waited a tick of the scheduler, 4 ms beside a median of 0.3.
    extra: { session: { force_spinning_stop: '1' } },
  };
  const place =
    device === 'cpu'
      ? inMemory(await loadOrt(), options, clock)
      : onDevice(await runtimeOf(device), options, clock, device);
  return {
    name: 'onnx',
    device,
    threads,
    get busyMs() {
      return clock.busyMs;
    },
    versions: { 'onnxruntime-node': ortVersion(), ...gpuFacts(device) },
    ...place,
  };
}

/** The GPU stands with the libraries: it decides figures as much as they do. */
function gpuFacts(device: DeviceName): { gpu?: string } {
  const gpu = device === 'cpu' ? undefined : describeGpu(device);
  return gpu === undefined ? {} : { gpu };
}

/** On the CPU. */
const inMemory = (ort: Ort, options: InferenceSession.SessionOptions, clock: BusyClock): Place => ({
  async compile(
    build,
    inputs,
    {
      fixed = new Map(),
      name = 'program',
      precision = usualPrecision,
      overflowing = new Set<number>(),
      trained,
    } = {},
  ) {
    const plugin = await loadPrecision(precision);
    // Matrices of weights are rewritten once the program is known; what is one-dimensional is added, and stays as it is.
    const isMatrix = (i: number) =>
      precision !== usualPrecision && fixed.has(i) && inputs[i]!.shape.length > 1;
    const baked = new Map([...fixed].filter(([i]) => !isMatrix(i)));
    const { graph, outputs: recorded } = record(build, inputs, baked);
    const outputs = withoutIdleReshapes(recorded);
    fuseLayers(outputs);
    const open = inputs.flatMap((_, i) => (baked.has(i) ? [] : [i]));
    const products = productsOf(graph, outputs, open, { fixed, isMatrix, overflowing });
    const given = graph.inputs.filter((value) => !products.weights.has(value));
    const bound: Map<Value, ConstantArray> = trained
      ? rewriteTraining(plugin, 'cpu', products, inputs, trained)
      : ((await plugin?.inMemory(ort, products)) ?? new Map());
    stableProducts(graph, outputs);
    const { nodes, used } = prune(outputs);
    if (plugin !== undefined) assertRewritten(precision, { nodes, used, inputs: graph.inputs, given, bound });
    refuseUnknown(nodes, name);
    // One name per output: two outputs may be the same value.
    const model = writeModel(graph, nodes, used, [...new Set(outputs)]);
    const fed = given.map((value) => (used.has(value) ? value : undefined));
    try {
      const session = await ort.InferenceSession.create(model, {
        ...options,
        enableMemPattern: plansMemory(nodes),
      });
      return new HostProgram(ort, session, { fed, bound }, outputs, clock);
    } catch (cause) {
      throw refusal(name, cause);
    }
  },
  codeProducts: async () => ({
    largestCode: await integerLimit(ort),
    async compile(sizes) {
      const { graph, outputs } = codeProductGraph(sizes);
      const { nodes, used } = prune(outputs);
      const session = await ort.InferenceSession.create(writeModel(graph, nodes, used, outputs), options);
      return new HostProgram(ort, session, { fed: graph.inputs, bound: new Map() }, outputs, clock);
    },
  }),
  variables: hostVariables,
  // In this process's memory a variable is its array, however often it is asked for.
  resident: (values) => new HostVariable(values),
  release() {},
  async dispose() {},
});

/** On a device: variables stay there, and no node of a program runs on the CPU unsaid. */
function onDevice(
  { ort, rewritings, largestArrayBytes, tryLargestArray, extra }: DeviceRuntime,
  options: InferenceSession.SessionOptions,
  clock: BusyClock,
  device: DeviceName,
): Place {
  const session = { ...(options.extra?.session as object), ...extra.session };
  const memory = new DeviceMemory(ort, { ...options, extra: { ...extra, session } }, device);
  const residents = new DeviceResidents(memory);
  return {
    largestArrayBytes,
    ...(tryLargestArray && { tryLargestArray }),
    async compile(
      build,
      inputs,
      {
        fixed = new Map(),
        name = 'program',
        precision = usualPrecision,
        overflowing = new Set<number>(),
        trained,
      } = {},
    ) {
      const plugin = await loadPrecision(precision);
      if (plugin !== undefined && plugin.onDevice === undefined)
        throw new TypeError(`no program computes in ${precision} on ${device}`);
      // Weights lie there once for all programs; what else is fixed is small, and part of the program.
      const baked = new Map([...fixed].filter(([, values]) => !(values instanceof Float32Array)));
      const bound = inputs.flatMap((_, i) =>
        baked.has(i) ? [] : [fixed.get(i) as Float32Array | undefined],
      );
      const { graph, outputs: recorded } = record(build, inputs, baked, true);
      const outputs = apart(graph, withoutIdleReshapes(recorded).map(beforeLastCast));
      fuseLayers(outputs);
      const isMatrix = (i: number) => fixed.has(i) && inputs[i]!.shape.length > 1;
      const open = inputs.flatMap((_, i) => (baked.has(i) ? [] : [i]));
      const products = productsOf(graph, outputs, open, { fixed, isMatrix, overflowing });
      const halves: Map<Value, Float32Array> = trained
        ? rewriteTraining(plugin, device, products, inputs, trained)
        : (plugin?.onDevice?.(products) ?? new Map());
      useDeviceOperators(graph, outputs, rewritings);
      const { nodes, used } = prune(outputs);
      return new DeviceProgram(memory, clock, {
        name,
        model: writeModel(graph, nodes, used, outputs),
        inputs: graph.inputs.map((value) => (used.has(value) ? value : undefined)),
        bound: [
          ...bound.map((values) => values && residents.variable(values)),
          ...[...halves.values()].map((values) => residents.halves(values)),
        ],
        outputs,
        async explain(cause) {
          const isMissing = /fallback to CPU EP/.test((cause as Error).message);
          const without = isMissing ? await nodesWithoutKernel(ort, nodes, memory.options) : [];
          if (without.length === 0) return refusal(name, cause);
          const what = `The program '${name}' cannot run on ${device}, which has no kernel for ${without.join('; ')}.`;
          return new Error(what, { cause });
        },
      });
    },
    variables: (sizes) => deviceVariables(memory, sizes),
    resident: (values) => residents.variable(values),
    release: (values) => residents.release(values),
    async dispose() {
      residents.dispose();
    },
  };
}

/** @param open inputs of the program that are inputs of the graph, in its order */
function productsOf(
  graph: Graph,
  outputs: readonly Value[],
  open: readonly number[],
  how: Required<Pick<CompileOptions, 'fixed' | 'overflowing'>> & {
    isMatrix: (i: number) => boolean;
  },
): ProductsOf {
  const inputs = open.map((i, at) => [i, graph.inputs[at]!] as const);
  return {
    ...{ graph, outputs },
    weights: new Map(
      inputs.flatMap(([i, value]) => (how.isMatrix(i) ? [[value, how.fixed.get(i) as Float32Array]] : [])),
    ),
    kept: new Set(inputs.flatMap(([i, value]) => (how.overflowing.has(i) ? [value] : []))),
  };
}

/** Each output a value of its own: what stays on the device belongs to one variable. */
function apart(graph: Graph, outputs: readonly Value[]): Value[] {
  const seen = new Set<Value>();
  return outputs.map((value) => {
    const own = seen.has(value) ? graph.node('Identity', [value], value.shape, value.dtype) : value;
    seen.add(own);
    return own;
  });
}

const refusal = (name: string, cause: unknown): Error =>
  new Error(`ONNX Runtime refused the recorded program '${name}': ${(cause as Error).message}`, { cause });
