/** Runs an ONNX file that was written by token-model.ts, as anyone would. */
import type { InferenceSession } from 'onnxruntime-node';
import { loadOrt, type Ort } from './runtime.js';

export interface TokenModelOutput {
  /** [B, M, D] */
  vectors: Float32Array;
  /** M */
  vectorsPerText: number;
  /** [B, M], 1 where a vector exists; absent where all do. */
  present?: BigInt64Array;
}

export class StoredModel {
  private constructor(
    readonly ort: Ort,
    readonly session: InferenceSession,
  ) {}

  /** @throws BenchError UNAVAILABLE where there is no onnxruntime-node */
  static async open(file: string): Promise<StoredModel> {
    const ort = await loadOrt();
    return new StoredModel(ort, await ort.InferenceSession.create(file, { logSeverityLevel: 3 }));
  }

  /** @param shape [B, T] of both ids and mask */
  async run(
    ids: Int32Array,
    mask: Float32Array,
    shape: readonly [number, number],
  ): Promise<TokenModelOutput> {
    const integers = (values: Int32Array | Float32Array) =>
      new this.ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
    const { vectors, present } = await this.session.run({
      input_ids: integers(ids),
      attention_mask: integers(mask),
    });
    return {
      vectors: vectors!.data as Float32Array,
      vectorsPerText: vectors!.dims[1]!,
      ...(present !== undefined && { present: present.data as BigInt64Array }),
    };
  }

  dispose(): Promise<void> {
    return this.session.release();
  }
}
