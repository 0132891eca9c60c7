/**
 * Variables that lie in a device's memory. ONNX Runtime makes such a buffer as the output of a session and no other way, so
 * values travel there, and back, through a session that copies. `getData()` of such a tensor would end the process.
 */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { DeviceName, Variable, VariableSet } from '../engine.js';
import { deviceFault, isLost } from './device-faults.js';
import { Graph, prune, type Value } from './graph.js';
import { halvesModel } from './half-weights.js';
import type { HeldSession } from './held-session.js';
import { writeModel } from './model-file.js';
import type { DeviceOrt } from './native-runtime.js';

type Place = 'gpu-buffer' | 'cpu';

/** Any number of elements, and the same out. */
function copyModel(): Uint8Array {
  const graph = new Graph();
  const input = graph.input([], 'float32');
  return modelOf(graph, graph.node('Identity', [input], [], 'float32'), input);
}

/** The number of elements in, so many zeros out. */
function zerosModel(): Uint8Array {
  const graph = new Graph();
  const input = graph.input([1], 'int64');
  return modelOf(graph, graph.node('Expand', [graph.scalar(0, 'float32'), input], [], 'float32'));
}

function modelOf(graph: Graph, output: Value, ...ofAnyLength: Value[]): Uint8Array {
  for (const value of [output, ...ofAnyLength]) value.dimensions = ['n'];
  const { nodes, used } = prune([output]);
  return writeModel(graph, nodes, used, [output]);
}

/**
 * One of each for all engines of the process on a device, and never released: with its last session ONNX Runtime gives WebGPU
 * up, and to free a buffer after that ends the process.
 */
const copiers = new WeakMap<DeviceOrt, Map<string, Promise<InferenceSession>>>();

/** A device's memory, as far as an engine uses it. */
export class DeviceMemory {
  /** Buffers that are held now and their bytes; bytes that have travelled there or back: of variables, and of what else is fed or asked for. */
  readonly counts = { buffers: 0, heldBytes: 0, variableBytes: 0, otherBytes: 0 };
  /** From then on sessions may fail to be closed. */
  isLost = false;

  constructor(
    readonly ort: DeviceOrt,
    readonly options: InferenceSession.SessionOptions,
    readonly device: DeviceName = 'webgpu',
  ) {}

  upload(values: Float32Array): Promise<OrtTensor> {
    this.counts.variableBytes += values.byteLength;
    return this.#run(copyModel, 'gpu-buffer', new this.ort.Tensor('float32', values, [values.length]));
  }

  /** Rounded to float16 there. */
  halves(values: Float32Array): Promise<OrtTensor> {
    this.counts.variableBytes += values.byteLength;
    return this.#run(halvesModel, 'gpu-buffer', new this.ort.Tensor('float32', values, [values.length]));
  }

  /** Zeros are made there. */
  zeros(size: number): Promise<OrtTensor> {
    return this.#run(
      zerosModel,
      'gpu-buffer',
      new this.ort.Tensor('int64', BigInt64Array.of(BigInt(size)), [1]),
    );
  }

  async download(tensor: OrtTensor): Promise<Float32Array> {
    this.counts.variableBytes += 4 * tensor.size;
    return (await this.#run(copyModel, 'cpu', tensor)).data as Float32Array;
  }

  async #run(model: () => Uint8Array, place: Place, input: OrtTensor): Promise<OrtTensor> {
    const key = `${model.name} ${place}`;
    const known = copiers.get(this.ort) ?? new Map<string, Promise<InferenceSession>>();
    copiers.set(this.ort, known);
    const opened =
      known.get(key) ??
      this.ort.InferenceSession.create(model(), { ...this.options, preferredOutputLocation: place });
    known.set(key, opened);
    // One that could not be opened is opened anew by whoever asks next, when there may be memory again.
    void opened.catch(() => known.delete(key));
    const session = await this.computing(model.name, opened);
    const results = await this.computing(model.name, session.run({ [session.inputNames[0]!]: input }));
    return results[session.outputNames[0]!]!;
  }

  /** Waits for what runs there, or is opened. @throws BenchError UNAVAILABLE where the device is lost, OUT_OF_MEMORY */
  async computing<T>(name: string, run: Promise<T>): Promise<T> {
    try {
      return await run;
    } catch (cause) {
      this.isLost ||= isLost(cause);
      throw deviceFault(cause, { device: this.device, name, heldBytes: this.counts.heldBytes });
    }
  }

  /** Before a program's first run: see `copiers`. */
  async hold(): Promise<void> {
    if (!copiers.get(this.ort)?.size) (await this.zeros(1)).dispose();
  }
}

/** Its values are here until a program needs them, and from then on there. */
export class DeviceVariable implements Variable {
  /** Undefined: zeros. */
  #here: Float32Array | undefined;
  #there: OrtTensor | undefined;
  /** Whose run gave it; undefined where a copier made it. */
  #maker: HeldSession | undefined;
  /** On its way there. */
  #sending: Promise<OrtTensor> | undefined;

  constructor(
    readonly memory: DeviceMemory,
    readonly size: number,
    values?: Float32Array,
  ) {
    this.#here = values;
  }

  async read(): Promise<Float32Array> {
    if (this.#there !== undefined) return this.memory.download(this.#there);
    return this.#here?.slice() ?? new Float32Array(this.size);
  }

  write(values: Float32Array): void {
    if (values.length !== this.size)
      throw new RangeError(`${values.length} values for ${this.size} elements`);
    this.free();
    this.#here = values.slice();
  }

  async upload(): Promise<void> {
    await this.tensor();
  }

  clear(): void {
    this.free();
  }

  /** On the device, [size]. Programs that begin together wait for one upload. */
  async tensor(): Promise<OrtTensor> {
    if (this.#there !== undefined) return this.#there;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #send(): Promise<OrtTensor> {
    const values = this.#here;
    const sent = await (values === undefined ? this.memory.zeros(this.size) : this.memory.upload(values));
    this.take(sent);
    return sent;
  }

  /** Takes a buffer on the device over. @param tensor [size] @param maker absent where it is never closed: see `copiers` */
  take(tensor: OrtTensor, maker?: HeldSession): void {
    this.free();
    this.#there = tensor;
    this.#maker = maker;
    maker?.hold();
    this.memory.counts.buffers++;
    this.memory.counts.heldBytes += 4 * this.size;
  }

  free(): void {
    this.#here = undefined;
    if (this.#there === undefined) return;
    this.#there.dispose();
    this.#there = undefined;
    this.#maker?.letGo();
    this.#maker = undefined;
    this.memory.counts.buffers--;
    this.memory.counts.heldBytes -= 4 * this.size;
  }
}

/** A device has no use for pieces: the larger an array, the better it is kept at work. */
export function deviceVariables(memory: DeviceMemory, sizes: readonly number[]): VariableSet {
  const variables = sizes.map((size) => new DeviceVariable(memory, size));
  return {
    variables,
    pieces: (first, end) => variables.slice(first, end),
    dispose() {
      for (const variable of variables) variable.free();
    },
  };
}
