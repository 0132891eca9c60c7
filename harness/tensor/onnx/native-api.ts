/**
 * The C API of the ONNX Runtime that onnxruntime-node brings, called beside that package's own binding, which keeps outputs on
 * a device for WebGPU alone. `OrtApi` of onnxruntime_c_api.h is a table of functions to which a version only ever adds at the end.
 */
import { createRequire } from 'node:module';
import { BenchError } from '../../errors.js';
import { loadPackage } from '../../program/optional-package.js';
import { loadOrt, ortFile } from './runtime.js';

/** What we use of koffi, which calls functions of C libraries. A pointer is a bigint, null where it points nowhere. */
interface Koffi {
  load(file: string): { func(name: string, result: string, taken: string[]): Native };
  proto(result: string, taken: readonly string[]): object;
  decode: {
    (pointer: bigint, type: object): Native;
    (pointer: bigint, offset: number, type: 'void *'): bigint;
    string(pointer: bigint): string;
  };
  /** Memory of the library, without a copy. */
  view(pointer: bigint, bytes: number): ArrayBuffer;
  /** Settings, which may be given until a library is loaded. */
  config(given?: { async_stack_size: number }): { async_stack_size: number };
}

type Argument = number | bigint | string | boolean | null | readonly string[] | ArrayBufferView;
interface Native {
  (...given: Argument[]): unknown;
  async(...given: unknown[]): void;
}

/** koffi gives a call of its own threads 128 KiB; ONNX Runtime goes deep where it rewrites a graph. */
const stackBytes = 8 * 2 ** 20;

const require = createRequire(import.meta.url);

/** @param name the package; a parameter so that the compiler does not look for an optional one @throws BenchError UNAVAILABLE */
export const loadKoffi = (name = 'koffi'): Promise<Koffi> =>
  loadPackage(
    () => {
      const koffi = require(name) as Koffi;
      if (koffi.config().async_stack_size !== stackBytes) koffi.config({ async_stack_size: stackBytes });
      return koffi;
    },
    {
      missing:
        "The device cuda needs the package koffi, by which ONNX Runtime's library is called, and it is not installed.",
      broken: 'The device cuda cannot load the package koffi',
      hint: 'npm install brings it, with its binaries for Linux and Windows; --omit=optional leaves it out. Or use --device webgpu.',
    },
  );

/** The version of the table that has all of these. */
const apiVersion = 17;

/** By name, the place in the table and what is taken; `out` is where a result is written. All give an `OrtStatus`. */
const functions = {
  CreateEnv: [3, 'int', 'str', 'out'],
  CreateSessionFromArray: [8, 'void *', 'void *', 'size_t', 'void *', 'out'],
  CreateSessionOptions: [10, 'out'],
  SetSessionLogSeverityLevel: [22, 'void *', 'int'],
  SetSessionGraphOptimizationLevel: [23, 'void *', 'int'],
  SetIntraOpNumThreads: [24, 'void *', 'int'],
  SessionGetInputCount: [30, 'void *', 'out'],
  SessionGetOutputCount: [31, 'void *', 'out'],
  SessionGetInputName: [36, 'void *', 'size_t', 'void *', 'out'],
  SessionGetOutputName: [37, 'void *', 'size_t', 'void *', 'out'],
  CreateTensorWithDataAsOrtValue: [49, 'void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'out'],
  GetTensorMutableData: [51, 'void *', 'out'],
  GetTensorElementType: [60, 'void *', 'out'],
  GetDimensionsCount: [61, 'void *', 'out'],
  GetDimensions: [62, 'void *', 'out', 'size_t'],
  GetTensorTypeAndShape: [65, 'void *', 'out'],
  CreateMemoryInfo: [68, 'str', 'int', 'int', 'int', 'out'],
  AllocatorFree: [76, 'void *', 'void *'],
  GetAllocatorWithDefaultOptions: [78, 'out'],
  AddSessionConfigEntry: [130, 'void *', 'str', 'str'],
  RunWithBinding: [133, 'void *', 'void *', 'void *'],
  CreateIoBinding: [134, 'void *', 'out'],
  BindInput: [136, 'void *', 'str', 'void *'],
  BindOutputToDevice: [138, 'void *', 'str', 'void *'],
  GetBoundOutputValues: [140, 'void *', 'void *', 'out', 'out'],
  CreateArenaCfg: [156, 'size_t', 'int', 'int', 'int', 'out'],
  SynchronizeBoundInputs: [202, 'void *'],
  SynchronizeBoundOutputs: [203, 'void *'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'void *', 'void *'],
  CreateCUDAProviderOptions: [205, 'out'],
  UpdateCUDAProviderOptions: [206, 'void *', 'str *', 'str *', 'size_t'],
  CreateAndRegisterAllocatorV2: [259, 'void *', 'str', 'void *', 'void *', 'str *', 'str *', 'size_t'],
  SetDeterministicCompute: [273, 'void *', 'bool'],
} as const satisfies Record<string, readonly [place: number, ...taken: string[]]>;

/** What frees what the others make; they give nothing. */
const releases = {
  Status: 93,
  Session: 95,
  Value: 96,
  TensorTypeAndShapeInfo: 99,
  SessionOptions: 100,
  IoBinding: 135,
  ArenaCfg: 157,
  CUDAProviderOptions: 208,
} as const;

type FunctionName = keyof typeof functions;

/** The library is loaded once in a process: a second one would be a second ONNX Runtime. */
let opened: Promise<NativeApi> | undefined;

export class NativeApi {
  /** By place. */
  readonly #functions = new Map<number, Native>();

  private constructor(
    readonly koffi: Koffi,
    readonly table: bigint,
  ) {}

  /** @throws BenchError UNAVAILABLE without koffi, or where the library is older than what is called of it */
  static open(): Promise<NativeApi> {
    opened ??= NativeApi.load();
    return opened;
  }

  /** As `open`, each time anew. */
  static async load(file = ortFile(libraryName()), version = apiVersion): Promise<NativeApi> {
    const koffi = await loadKoffi();
    // koffi unloads what it loaded as the process ends, before what CUDA's files leave to be done there, which is in this library.
    // What node loads stays.
    await loadOrt();
    const base = koffi.load(file).func('OrtGetApiBase', 'void *', [])() as bigint;
    const at = (place: number, result: string, taken: string[]) =>
      koffi.decode(koffi.decode(base, 8 * place, 'void *'), koffi.proto(result, taken));
    const table = at(0, 'void *', ['uint32_t'])(version) as bigint | null;
    if (table === null) {
      throw new BenchError(
        'UNAVAILABLE',
        `The device cuda needs version ${version} of ONNX Runtime's C API, and ${file} is ONNX Runtime ${at(1, 'str', [])()}, which has not got it.`,
        { hint: 'npm ci installs the onnxruntime-node that bench is made for.' },
      );
    }
    return new NativeApi(koffi, table);
  }

  #at(place: number, result: string, taken: readonly string[]): Native {
    const known = this.#functions.get(place);
    if (known !== undefined) return known;
    const { koffi, table } = this;
    const types = taken.map((type) => (type === 'out' ? 'void *' : type));
    const found = koffi.decode(koffi.decode(table, 8 * place, 'void *'), koffi.proto(result, types));
    this.#functions.set(place, found);
    return found;
  }

  #function(name: FunctionName): Native {
    const [place, ...taken] = functions[name];
    return this.#at(place, 'void *', taken);
  }

  /** @throws Error with what ONNX Runtime says */
  call(name: FunctionName, ...given: Argument[]): void {
    this.#check(this.#function(name)(...given));
  }

  /** The same in another thread. Whatever memory of this process is given must be kept till then. */
  async calling(name: FunctionName, ...given: Argument[]): Promise<void> {
    const status = await new Promise((resolve, reject) => {
      this.#function(name).async(...given, (error: unknown, result: unknown) =>
        error ? reject(error) : resolve(result),
      );
    });
    this.#check(status);
  }

  /** What a function writes to where its last argument points: a pointer, or a number. */
  made(name: FunctionName, ...given: Argument[]): bigint {
    const out = new BigUint64Array(1);
    this.call(name, ...given, out);
    return out[0]!;
  }

  /** The library's memory. @param most bytes of one view: Node 20 ends the process where one is above 4 GiB */
  copy(pointer: bigint, bytes: number, most = 2 ** 30): ArrayBuffer {
    const copied = new ArrayBuffer(bytes);
    for (let at = 0; at < bytes; at += most) {
      const piece = Math.min(most, bytes - at);
      new Uint8Array(copied, at, piece).set(new Uint8Array(this.koffi.view(pointer + BigInt(at), piece)));
    }
    return copied;
  }

  release(kind: keyof typeof releases, pointer: bigint): void {
    this.#at(releases[kind], 'void', ['void *'])(pointer);
  }

  #check(status: unknown): void {
    if (status === null) return;
    const message = this.#at(2, 'str', ['void *'])(status as bigint) as string;
    this.release('Status', status as bigint);
    throw new Error(message);
  }
}

const libraryName = () => (process.platform === 'win32' ? 'onnxruntime.dll' : 'libonnxruntime.so.1');
