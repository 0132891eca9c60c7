/** A published cross-encoder: an encoder of pairs of texts with a head that gives one number. A pure function of its weights. */
import type { PassageVectors, Tensor, Tensor2D, Tensor3D } from '../contracts.js';
import * as tf from '../tensor/operations.js';
import type { ClassificationHead, Encoder, EncoderInput, Parameter } from './encoder.js';
import type { VectorModel } from './vector-encoder.js';

/** What comes out for a pair is a vector of one number: its logit. */
export class CrossModel implements VectorModel {
  /** Of the encoder, then of the head. */
  readonly parameters: readonly Parameter[];
  readonly dimensions = 1;
  readonly tokenNumbers: number;
  readonly paddingId: number;
  readonly indexedVectors = 1;

  constructor(
    readonly encoder: Encoder,
    readonly head: ClassificationHead,
    readonly takesTypes: boolean,
  ) {
    this.tokenNumbers = encoder.shape.dimensions;
    this.paddingId = encoder.paddingId;
    this.parameters = [...encoder.parameters, ...head.parameters];
  }

  /** @param input pairs @returns their logits, [B, 1] */
  queries(weights: readonly Tensor[], input: EncoderInput): Tensor2D {
    const count = this.encoder.parameters.length;
    return this.head.logits(weights.slice(count), this.encoder.states(weights.slice(0, count), input));
  }

  searched(weights: readonly Tensor[], input: EncoderInput): PassageVectors {
    return { vectors: tf.expandDims(this.queries(weights, input), 1) as Tensor3D };
  }
}
