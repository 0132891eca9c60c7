/** What ONNX Runtime's C API is given and gives: arrays of this process, and what lies on a device. */
import { sizeOf } from '../engine.js';
import { elementType } from './model-file.js';
import type { NativeApi } from './native-api.js';

type ElementType = keyof typeof arrays;
const arrays = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  // As onnxruntime-node gives them: see holdHalvesAsBits.
  float16: Uint16Array,
};
type Values = InstanceType<(typeof arrays)[ElementType]>;

const typeOf = (number: number): ElementType =>
  (Object.keys(arrays) as ElementType[]).find((type) => elementType[type] === number)!;

/** Of what kind its numbers are, and its shape. */
interface Described {
  type: ElementType;
  dims: readonly number[];
}

/** An array of this process, or what lies on the device. */
export class NativeTensor {
  readonly data: Values;
  #described: Described | (() => Described);
  /** Undefined: in this process. */
  readonly there: bigint | undefined;
  readonly #free: () => void;
  #isDisposed = false;
  /** Runs that have it, or wait with it. */
  #runs = 0;

  constructor(type: ElementType, data: Values, dims: readonly number[]);
  /** @param described of what lies there, asked for when somebody wants to know: a step of training leaves hundreds */
  constructor(
    described: () => Described,
    data: Values,
    dims: undefined,
    there: { value: bigint; free(): void },
  );
  constructor(
    type: ElementType | (() => Described),
    data: Values,
    dims: readonly number[] | undefined,
    there?: { value: bigint; free(): void },
  ) {
    this.#described = typeof type === 'function' ? type : { type, dims: dims! };
    this.data = data;
    this.there = there?.value;
    this.#free = there?.free ?? (() => undefined);
  }

  get type(): ElementType {
    return this.#known().type;
  }

  get dims(): readonly number[] {
    return this.#known().dims;
  }

  /** @throws Error where it was freed before anybody asked */
  #known(): Described {
    if (typeof this.#described === 'function') {
      if (this.#isDisposed) throw new Error('A tensor was used after it was disposed of.');
      this.#described = this.#described();
    }
    return this.#described;
  }

  get size(): number {
    return sizeOf(this.dims);
  }

  /** What runs have of it stays until they end. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    if (this.#runs === 0) this.#free();
  }

  /** For a run, which gives it back by `letGo`. @throws Error where it is freed */
  hold(): void {
    if (this.#isDisposed) throw new Error('A tensor was used after it was disposed of.');
    this.#runs++;
  }

  letGo(): void {
    if (--this.#runs === 0 && this.#isDisposed) this.#free();
  }

  /** A value over the array, which must be kept as long. @param here this process's memory */
  lend(api: NativeApi, here: bigint): bigint {
    const { type, data, dims } = this;
    const shape = BigInt64Array.from(dims, BigInt);
    return api.made(
      'CreateTensorWithDataAsOrtValue',
      ...[here, data, data.byteLength, shape, dims.length, elementType[type]],
    );
  }

  /** What a run gave. @param stays whether it lies on the device, and is the tensor's to free; else the array is a copy */
  static take(api: NativeApi, value: bigint, stays: boolean): NativeTensor {
    if (stays) {
      const free = () => api.release('Value', value);
      return new NativeTensor(() => described(api, value), new Float32Array(0), undefined, { value, free });
    }
    const { type, dims } = described(api, value);
    const List = arrays[type];
    const bytes = sizeOf(dims) * List.BYTES_PER_ELEMENT;
    const data = new List(api.copy(api.made('GetTensorMutableData', value), bytes));
    return new NativeTensor(type, data as Values, dims);
  }
}

function described(api: NativeApi, value: bigint): Described {
  const information = api.made('GetTensorTypeAndShape', value);
  const type = typeOf(Number(api.made('GetTensorElementType', information)));
  const rank = Number(api.made('GetDimensionsCount', information));
  const shape = new BigInt64Array(rank);
  if (rank > 0) api.call('GetDimensions', information, shape, rank);
  api.release('TensorTypeAndShapeInfo', information);
  return { type, dims: [...shape].map(Number) };
}
