/** A stand-in for ONNX Runtime on a device, which counts the tensors that lie there. For tests. */
import assert from 'node:assert/strict';
import { DeviceMemory } from '../harness/tensor/onnx/device-variables.js';
import type { Ort } from '../harness/tensor/onnx/runtime.js';

export class FakeTensor {
  static living = 0;
  #disposed = false;
  constructor(
    readonly type: string,
    readonly data: Float32Array | BigInt64Array,
    readonly dims: readonly number[],
  ) {}
  get size() {
    return this.data.length;
  }
  dispose() {
    assert.ok(!this.#disposed, 'disposed of twice');
    this.#disposed = true;
    FakeTensor.living--;
  }
}

interface Session {
  inputNames: string[];
  outputNames: string[];
  run(fed: Record<string, FakeTensor>): Promise<Record<string, FakeTensor>>;
  release(): Promise<void>;
}

/** Sessions that copy, or make as many zeros as they are told; or what a test gives, with what holds the device made before. */
export async function fakeOrt(made?: (options: unknown) => Session) {
  const opened: unknown[] = [];
  const copying = (): Session => ({
    inputNames: ['given'],
    outputNames: ['out'],
    async run({ given }) {
      FakeTensor.living++;
      const { data } = given!;
      assert.deepEqual(given!.dims, [data.length]);
      const values = data instanceof BigInt64Array ? new Float32Array(Number(data[0])) : data.slice();
      return { out: new FakeTensor('float32', values, [values.length]) };
    },
    async release() {},
  });
  let making: (options: unknown) => Session = copying;
  const ort = {
    Tensor: FakeTensor,
    InferenceSession: {
      async create(_: Uint8Array, options: unknown) {
        opened.push(options);
        return making(options);
      },
    },
  } as unknown as Ort;
  if (made !== undefined) {
    await new DeviceMemory(ort, {}).hold();
    opened.length = 0;
    making = made;
  }
  return { ort, opened };
}
