/**
 * Tensors and sessions of ONNX Runtime on a device, over its C API, in the form that onnxruntime-node gives them: outputs stay
 * on the device where a session is told so. One run at a time has the device, and its results are there when it ends.
 */
import { NativeApi } from './native-api.js';
import { NativeTensor } from './native-tensor.js';
import type { Ort } from './runtime.js';

/** What programs, variables and searches on a device use of onnxruntime-node. */
export type DeviceOrt = Pick<Ort, 'Tensor' | 'InferenceSession'>;

/** Who computes, in ONNX Runtime's words. */
export interface NativeProvider {
  name: string;
  /** What its memory is called. */
  memory: string;
  /** Gives a session's options to it. @throws Error where its files do not load */
  append(api: NativeApi, sessionOptions: bigint): void;
}

interface SessionSettings {
  intraOpNumThreads?: number;
  logSeverityLevel?: number;
  extra?: { session?: Readonly<Record<string, string>> };
  preferredOutputLocation?: Place | Readonly<Record<string, Place>>;
}
type Place = 'cpu' | 'gpu-buffer';

/** Sessions take memory of one pool, which is ONNX Runtime's own name for it; else each would keep what its largest run took. */
const sharedPool = { use_env_allocators: '1' };
const everyOptimization = 99;

class NativeRuntime {
  readonly #environment: bigint;
  readonly #here: bigint;
  readonly #there: bigint;
  readonly #allocator: bigint;
  /** The last run that was asked for. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly api: NativeApi,
    readonly provider: NativeProvider,
  ) {
    // Whoever made the process's one environment before decides what it logs; sessions have their own level.
    this.#environment = api.made('CreateEnv', 4, 'bench');
    // Where its files do not load this is an error, and the pool below would end the process.
    const tried = api.made('CreateSessionOptions');
    try {
      provider.append(api, tried);
    } finally {
      api.release('SessionOptions', tried);
    }
    this.#allocator = api.made('GetAllocatorWithDefaultOptions');
    const memory = (name: string) => api.made('CreateMemoryInfo', name, 0, 0, 0);
    this.#here = memory('Cpu');
    this.#there = memory(provider.memory);
    const pool = api.made('CreateArenaCfg', 0, sameAsRequested, -1, -1);
    api.call('CreateAndRegisterAllocatorV2', this.#environment, provider.name, this.#there, pool, [], [], 0);
    api.release('ArenaCfg', pool);
  }

  /** Runs in turn: what one frees within the pool, while its kernels may still be at work, no other takes meanwhile. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async session(model: Uint8Array, settings: SessionSettings): Promise<NativeSession> {
    const { api } = this;
    const options = api.made('CreateSessionOptions');
    try {
      api.call('SetSessionLogSeverityLevel', options, settings.logSeverityLevel ?? 3);
      api.call('SetSessionGraphOptimizationLevel', options, everyOptimization);
      api.call('SetIntraOpNumThreads', options, settings.intraOpNumThreads ?? 1);
      api.call('SetDeterministicCompute', options, true);
      for (const [key, value] of Object.entries({ ...settings.extra?.session, ...sharedPool }))
        api.call('AddSessionConfigEntry', options, `session.${key}`, value);
      this.provider.append(api, options);
      const out = new BigUint64Array(1);
      await this.inTurn(() =>
        api.calling('CreateSessionFromArray', ...[this.#environment, model, model.byteLength, options, out]),
      );
      return new NativeSession(this, out[0]!, settings.preferredOutputLocation ?? 'cpu');
    } finally {
      api.release('SessionOptions', options);
    }
  }

  /** @returns the inputs' names, or the outputs' */
  names(session: bigint, of: 'Input' | 'Output'): string[] {
    const { api } = this;
    return Array.from({ length: Number(api.made(`SessionGet${of}Count`, session)) }, (_, i) => {
      const name = api.made(`SessionGet${of}Name`, session, i, this.#allocator);
      const text = api.koffi.decode.string(name);
      api.call('AllocatorFree', this.#allocator, name);
      return text;
    });
  }

  /** @param stays which outputs stay on the device */
  async run(
    session: bigint,
    fed: Readonly<Record<string, NativeTensor>>,
    outputs: readonly string[],
    stays: (output: string) => boolean,
  ): Promise<NativeTensor[]> {
    const { api } = this;
    const binding = api.made('CreateIoBinding', session);
    /** Values that end with the run. */
    const passing = new Set<bigint>();
    try {
      for (const [name, tensor] of Object.entries(fed)) {
        const value = tensor.there ?? tensor.lend(api, this.#here);
        if (tensor.there === undefined) passing.add(value);
        api.call('BindInput', binding, name, value);
      }
      for (const name of outputs)
        api.call('BindOutputToDevice', binding, name, stays(name) ? this.#there : this.#here);
      api.call('SynchronizeBoundInputs', binding);
      await api.calling('RunWithBinding', session, null, binding);
      api.call('SynchronizeBoundOutputs', binding);
      const values = this.#outputs(binding);
      for (const value of values) passing.add(value);
      const results = values.map((value, i) => NativeTensor.take(api, value, stays(outputs[i]!)));
      for (const { there } of results) if (there !== undefined) passing.delete(there);
      return results;
    } finally {
      for (const value of passing) api.release('Value', value);
      api.release('IoBinding', binding);
    }
  }

  #outputs(binding: bigint): bigint[] {
    const { api } = this;
    const [list, count] = [new BigUint64Array(1), new BigUint64Array(1)];
    api.call('GetBoundOutputValues', binding, this.#allocator, list, count);
    const values = new BigUint64Array(api.copy(list[0]!, 8 * Number(count[0])));
    api.call('AllocatorFree', this.#allocator, list[0]!);
    return [...values];
  }
}

/** `ArenaExtendStrategy`: by what is asked for, not by powers of two, of which half may lie idle. */
const sameAsRequested = 1;

class NativeSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  #isReleased = false;

  constructor(
    readonly runtime: NativeRuntime,
    readonly pointer: bigint,
    readonly places: NonNullable<SessionSettings['preferredOutputLocation']>,
  ) {
    this.inputNames = runtime.names(pointer, 'Input');
    this.outputNames = runtime.names(pointer, 'Output');
  }

  /** What is fed may be disposed of, and the session be released, while the run waits for its turn. */
  async run(fed: Readonly<Record<string, NativeTensor>>): Promise<Record<string, NativeTensor>> {
    const { runtime, pointer, outputNames, places } = this;
    if (this.#isReleased) throw new Error('A session was run after it was released.');
    const stays = (name: string) => (typeof places === 'string' ? places : places[name]) === 'gpu-buffer';
    const held: NativeTensor[] = [];
    try {
      for (const tensor of Object.values(fed)) {
        tensor.hold();
        held.push(tensor);
      }
      const results = await runtime.inTurn(() => runtime.run(pointer, fed, outputNames, stays));
      return Object.fromEntries(outputNames.map((name, i) => [name, results[i]!]));
    } finally {
      for (const tensor of held) tensor.letGo();
    }
  }

  /** After the runs that were asked for before. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await this.runtime.inTurn(async () => this.runtime.api.release('Session', this.pointer));
  }
}

/** By provider: a pool is registered once in a process. */
const runtimes = new Map<string, Promise<DeviceOrt>>();

/** @throws BenchError UNAVAILABLE as NativeApi.open; Error where the provider's files do not load */
export function openNative(provider: NativeProvider): Promise<DeviceOrt> {
  const known = runtimes.get(provider.name) ?? opened(provider);
  runtimes.set(provider.name, known);
  return known;
}

async function opened(provider: NativeProvider): Promise<DeviceOrt> {
  const runtime = new NativeRuntime(await NativeApi.open(), provider);
  const create = (model: Uint8Array, settings: SessionSettings = {}) => runtime.session(model, settings);
  // The same names with less behind them.
  return { Tensor: NativeTensor, InferenceSession: { create } } as unknown as DeviceOrt;
}
