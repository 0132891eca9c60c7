/** A program on a device: variables are fed and filled there, and only what is asked for travels. */
import type { Tensor as OrtTensor } from 'onnxruntime-node';
import { BenchError } from '../../errors.js';
import type { Feed, NumericArray, Program, Variable } from '../engine.js';
import type { BusyClock } from './busy-clock.js';
import { DeviceHalves } from './device-residents.js';
import { type DeviceMemory, DeviceVariable } from './device-variables.js';
import type { Value } from './graph.js';
import { HeldSession } from './held-session.js';
import { hostTensor } from './host-program.js';

export interface DeviceProgramParts {
  /** Shown in errors. */
  name: string;
  model: Uint8Array;
  /** Undefined where the program does not need one. Floats are [size]: see `record`. */
  inputs: readonly (Value | undefined)[];
  /** By input, what is always fed there; undefined where the caller feeds. */
  bound: readonly (DeviceVariable | DeviceHalves | undefined)[];
  /** No two are the same. Floats are [size]. */
  outputs: readonly Value[];
  /** Why it cannot be run, from what ONNX Runtime said. */
  explain(cause: unknown): Promise<Error>;
}

export class DeviceProgram implements Program {
  #disposed = false;
  readonly #fedInputs: number;
  /** By which outputs stay on the device, which is said when a session is opened: at the first run, then. */
  readonly #sessions = new Map<string, Promise<HeldSession>>();

  constructor(
    readonly memory: DeviceMemory,
    readonly clock: BusyClock,
    readonly parts: DeviceProgramParts,
  ) {
    this.#fedInputs = parts.bound.filter((variable) => variable === undefined).length;
  }

  async run(feeds: readonly Feed[], into: readonly (Variable | undefined)[] = []) {
    await this.memory.hold();
    // Behind the waiting: a session that is opened later is closed by nobody.
    if (this.#disposed) throw new Error('A program was run after it was disposed of.');
    const { outputs } = this.parts;
    if (feeds.length !== this.#fedInputs)
      throw new RangeError(`${feeds.length} feeds for ${this.#fedInputs} inputs`);
    const held = await this.#open(outputs.map((_, i) => into[i] !== undefined));
    held.hold();
    try {
      return await this.#run(held, feeds, into);
    } finally {
      held.letGo();
    }
  }

  async #run(held: HeldSession, feeds: readonly Feed[], into: readonly (Variable | undefined)[]) {
    const { inputs, bound, outputs } = this.parts;
    const fed: Record<string, OrtTensor> = {};
    let next = 0;
    for (const [i, value] of inputs.entries()) {
      const feed = bound[i] ?? feeds[next++]!;
      if (value !== undefined) fed[value.name] = await this.#tensor(feed, value);
    }
    this.clock.start();
    const results = await this.memory
      .computing(this.parts.name, held.session.run(fed))
      .finally(() => this.clock.stop());
    return outputs.map(({ name }, i) => {
      const target = into[i] as DeviceVariable | undefined;
      const result = results[name]!;
      if (target !== undefined) {
        target.take(result, held);
        return undefined;
      }
      const values = result.data as NumericArray | BigInt64Array;
      this.memory.counts.otherBytes += values.byteLength;
      return values instanceof BigInt64Array ? shortened(values) : values;
    });
  }

  async #tensor(feed: Feed | DeviceHalves, value: Value): Promise<OrtTensor> {
    if (feed instanceof DeviceHalves) return feed.tensor();
    if (!(feed instanceof DeviceVariable)) {
      const values = feed as NumericArray;
      this.memory.counts.otherBytes += values.byteLength;
      return hostTensor(this.memory.ort, values, value);
    }
    if (feed.size !== value.shape[0])
      throw new RangeError(`${feed.size} values for ${value.name} of shape [${value.shape}]`);
    return feed.tensor();
  }

  /** @param stays for each output, whether it stays on the device */
  #open(stays: readonly boolean[]): Promise<HeldSession> {
    const key = stays.map(Number).join('');
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const { ort, options } = this.memory;
    const places = this.parts.outputs.map(({ name }, i) => [name, stays[i] ? 'gpu-buffer' : 'cpu'] as const);
    const created = ort.InferenceSession.create(this.parts.model, {
      ...options,
      preferredOutputLocation: Object.fromEntries(places),
    });
    const session = this.memory.computing(this.parts.name, created).then(
      (opened) => new HeldSession(opened, () => this.memory.isLost),
      async (cause: unknown) => {
        throw cause instanceof BenchError ? cause : await this.parts.explain(cause);
      },
    );
    this.#sessions.set(key, session);
    return session;
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const opened of this.#sessions.values()) await (await opened.catch(() => undefined))?.close();
  }
}

/** Of integers that 32 bits hold, the lower half of each: numbers made of them one by one take twenty times as long. */
function shortened(values: BigInt64Array): Int32Array {
  const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const numbers = new Int32Array(values.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = halves[2 * i]!;
  return numbers;
}
