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

/** An array of this process, or what lies on the device. */
export class NativeTensor {
  readonly type: ElementType;
  readonly data: Values;
  readonly dims: readonly number[];
  /** Undefined: in this process. */
  readonly there: bigint | undefined;
  readonly #free: () => void;
  #isDisposed = false;
  /** Runs that have it, or wait with it. */
  #runs = 0;

  constructor(
    type: ElementType,
    data: Values,
    dims: readonly number[],
    there?: { value: bigint; free(): void },
  ) {
    this.type = type;
    this.data = data;
    this.dims = dims;
    this.there = there?.value;
    this.#free = there?.free ?? (() => undefined);
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
    if (this.#isDisposed) throw new Error('A tensor was fed after it was disposed of.');
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
    const information = api.made('GetTensorTypeAndShape', value);
    const type = typeOf(Number(api.made('GetTensorElementType', information)));
    const rank = Number(api.made('GetDimensionsCount', information));
    const shape = new BigInt64Array(rank);
    if (rank > 0) api.call('GetDimensions', information, shape, rank);
    api.release('TensorTypeAndShapeInfo', information);
    const dims = [...shape].map(Number);
    const List = arrays[type];
    if (stays) {
      const free = () => api.release('Value', value);
      return new NativeTensor(type, new List(0), dims, { value, free });
    }
    const bytes = sizeOf(dims) * List.BYTES_PER_ELEMENT;
    const data = new List(api.copy(api.made('GetTensorMutableData', value), bytes));
    return new NativeTensor(type, data as Values, dims);
  }
}
