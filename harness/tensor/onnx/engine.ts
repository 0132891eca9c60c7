/** The engine `onnx`: programs are recorded once, written as one ONNX model each and run by ONNX Runtime on all cores. */
import { createRequire } from 'node:module';
import type { InferenceSession, Tensor as OrtTensor, Tensor } from 'onnxruntime-node';
import { BenchError } from '../../errors.js';
import type {
  ArraySpec,
  CompileOptions,
  Engine,
  Feed,
  NumericArray,
  Program,
  Variable,
  VariableSet,
} from '../engine.js';
import { mostThreads, sizeOf } from '../engine.js';
import { prune, type Value } from './graph.js';
import { withoutIdleReshapes } from './idle-reshapes.js';
import { refuseUnknown } from './known-operators.js';
import { writeModel } from './model-file.js';
import { stableProducts } from './product-order.js';
import { record } from './recorder.js';
import './kernels.js';

type Ort = typeof import('onnxruntime-node');

/** Element-wise programs run over pieces of this many floats: few enough to stay in a core's cache. */
const pieceElements = 1 << 16;

class OnnxVariable implements Variable {
  constructor(readonly values: Float32Array) {}
  get size(): number {
    return this.values.length;
  }
  async read(): Promise<Float32Array> {
    return this.values.slice();
  }
  write(values: Float32Array): void {
    if (values.length !== this.size)
      throw new RangeError(`${values.length} values for ${this.size} elements`);
    this.values.set(values);
  }
}

/** All variables lie one after another in one array, so that pieces need not stop where a variable does. */
function variableSet(sizes: readonly number[]): VariableSet {
  const starts = [0];
  for (const size of sizes) starts.push(starts[starts.length - 1]! + size);
  const memory = new Float32Array(starts[starts.length - 1]!);
  return {
    memory,
    variables: sizes.map((_, i) => new OnnxVariable(memory.subarray(starts[i]!, starts[i + 1]!))),
    pieces(first, end) {
      const pieces: OnnxVariable[] = [];
      for (let at = starts[first]!; at < starts[end]!; at += pieceElements) {
        pieces.push(new OnnxVariable(memory.subarray(at, Math.min(at + pieceElements, starts[end]!))));
      }
      return pieces;
    },
    dispose() {},
  };
}

/** The time during which at least one program runs. */
class BusyClock {
  busyMs = 0;
  #running = 0;
  #since = 0;

  start(): void {
    if (this.#running++ === 0) this.#since = performance.now();
  }
  stop(): void {
    if (--this.#running === 0) this.busyMs += performance.now() - this.#since;
  }
}

class OnnxProgram implements Program {
  #disposed = false;

  constructor(
    readonly ort: Ort,
    readonly session: InferenceSession,
    /** The inputs that are fed, in order; undefined where the program does not need one. */
    readonly inputs: readonly (Value | undefined)[],
    readonly outputs: readonly Value[],
    readonly clock: BusyClock,
  ) {}

  async run(feeds: readonly Feed[], into: readonly (Variable | undefined)[] = []) {
    if (this.#disposed) throw new Error('A program was run after it was disposed of.');
    if (feeds.length !== this.inputs.length)
      throw new RangeError(`${feeds.length} feeds for ${this.inputs.length} inputs`);
    const fed: Record<string, OrtTensor> = {};
    for (const [i, value] of this.inputs.entries())
      if (value !== undefined) fed[value.name] = this.#tensor(feeds[i]!, value);
    const fetched: Record<string, OrtTensor | null> = {};
    for (const [i, value] of this.outputs.entries()) {
      const target = into[i];
      fetched[value.name] = target === undefined ? null : this.#tensor(target, value);
    }
    this.clock.start();
    const results = await this.session
      .run(fed, fetched as InferenceSession.OnnxValueMapType)
      .finally(() => this.clock.stop());
    return this.outputs.map((value, i) =>
      into[i] === undefined ? (results[value.name]!.data as NumericArray) : undefined,
    );
  }

  #tensor(feed: Feed, { shape, dtype, name }: Value): Tensor {
    const values = feed instanceof OnnxVariable ? feed.values : (feed as NumericArray);
    if (values.length !== sizeOf(shape)) {
      throw new RangeError(`${values.length} values for ${name} of shape [${shape}]`);
    }
    return new this.ort.Tensor(dtype as 'float32', values as Float32Array, shape);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.session.release();
  }
}

/** @throws BenchError UNAVAILABLE */
export async function loadOrt(): Promise<Ort> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BenchError('UNAVAILABLE', `The engine 'onnx' cannot load onnxruntime-node: ${reason}`, {
      hint: 'npm ci installs it, with its CPU library inside; on Linux it needs glibc 2.27 or newer. Otherwise: --engine tfjs-cpu (slow).',
      cause,
    });
  }
}

/**
 * @param threads for one operation; operations run one after another
 * @param providers execution providers in order of preference: cpu, cuda, webgpu ...
 * @throws BenchError CONFIG_INVALID for too many threads, UNAVAILABLE for a provider that is not there
 */
export async function openOnnx(threads: number, providers: readonly string[] = ['cpu']): Promise<Engine> {
  if (threads > mostThreads) {
    throw new BenchError(
      'CONFIG_INVALID',
      `threads: ${threads} is more than the ${mostThreads} for which the engine 'onnx' gives the same results.`,
      { hint: `Use --threads ${mostThreads} or fewer.` },
    );
  }
  const ort = await loadOrt();
  const known = ort.listSupportedBackends().map((backend) => backend.name);
  for (const provider of providers) {
    if (known.includes(provider)) continue;
    throw new BenchError(
      'UNAVAILABLE',
      `onnxruntime-node has no execution provider '${provider}' here; it has: ${known.join(', ')}.`,
      {
        hint: 'Its CUDA files come with: ONNXRUNTIME_NODE_INSTALL_CUDA=v12 npm rebuild onnxruntime-node.',
      },
    );
  }
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  const clock = new BusyClock();
  const residents = new Map<Float32Array, OnnxVariable>();
  const options: InferenceSession.SessionOptions = {
    executionProviders: [...providers],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // Between two runs the cores belong to others. Threads that go on spinning hold up a search that follows an encoding:
    // on two cores one query in twenty waited a tick of the scheduler, 4 ms beside a median of 0.3.
    extra: { session: { force_spinning_stop: '1' } },
  };

  async function compile(
    build: Parameters<Engine['compile']>[0],
    inputs: readonly ArraySpec[],
    { fixed = new Map(), name = 'program' }: CompileOptions = {},
  ): Promise<Program> {
    const { graph, outputs: recorded } = record(build, inputs, fixed);
    const outputs = withoutIdleReshapes(recorded);
    stableProducts(graph, outputs);
    const { nodes, used } = prune(outputs);
    refuseUnknown(nodes, name);
    // One name per output: two outputs may be the same value.
    const model = writeModel(graph, nodes, used, [...new Set(outputs)]);
    try {
      const session = await ort.InferenceSession.create(model, options);
      return new OnnxProgram(
        ort,
        session,
        graph.inputs.map((value) => (used.has(value) ? value : undefined)),
        outputs,
        clock,
      );
    } catch (cause) {
      throw new Error(`ONNX Runtime refused the recorded program '${name}': ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  return {
    name: 'onnx',
    device: providers[0] ?? 'cpu',
    threads,
    get busyMs() {
      return clock.busyMs;
    },
    versions: { 'onnxruntime-node': version },
    compile,
    variables: variableSet,
    // In this process's memory a variable is its array.
    resident(values) {
      const variable = residents.get(values) ?? new OnnxVariable(values);
      residents.set(values, variable);
      return variable;
    },
    release(values) {
      for (const each of values) residents.delete(each);
    },
    async dispose() {
      residents.clear();
    },
  };
}
