/** A program over a batch of token ids, to be written as a model. */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { OnnxType } from './graph.js';

export interface TokenProgram {
  /** Baked into the model under their names. */
  weights: readonly { name: string; shape: readonly number[]; values: Float32Array }[];
  /**
   * A pure function, recorded for several shapes.
   * @param ids [B, T] int32
   * @param mask [B, T] float32
   */
  build(weights: Tensor[], ids: Tensor, mask: Tensor): readonly Tensor[];
  /** The outputs' names and types, in order; a program may have fewer. */
  outputs: readonly { name: string; dtype: OnnxType }[];
  /** The most tokens that a text can have. */
  longest: number;
  paddingId: number;
  /** What the file says of itself. */
  properties: Readonly<Record<string, string>>;
}
