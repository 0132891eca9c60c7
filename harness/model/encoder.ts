/** The one interface behind which BERT and T5 stand. */
import type { EncoderShape, EncoderStates } from '../contracts.js';
import type { Tensor, Tensor1D, Tensor2D } from '../tensor/operations.js';

/** A trained array of an encoder. */
export interface Parameter {
  /** As Hugging Face names it, without a `bert.` prefix: `encoder.layer.0.attention.self.query.weight`. */
  name: string;
  shape: readonly number[];
  /** Whether weight decay applies: not to biases and normalization weights. */
  decay: boolean;
}

/** A place where dropout applies, in the order of use. The first axis of `shape` is B. */
export interface DropoutSite {
  shape: readonly number[];
  /** Share of values dropped. */
  rate: number;
}

export interface EncoderInput {
  /** [B, T] int32, padded with the model's padding id. */
  ids: Tensor2D;
  /** [B, T] float32, 1 for a token, 0 for padding. */
  mask: Tensor2D;
  /** [P] int32, the `lookUpPlan` of the ids in the embedding table; absent where nothing is trained. */
  plan?: Tensor1D;
}

/** A pure function of weights and tokens. It holds no weights. */
export interface Encoder {
  readonly shape: EncoderShape;
  /** V, rows of the embedding table. */
  readonly vocabularySize: number;
  readonly paddingId: number;
  /** Whether the embedding of padding is trained: not in BERT (PyTorch's `padding_idx`). */
  readonly trainsPadding: boolean;
  readonly parameters: readonly Parameter[];
  /** The config.json it was made from, to be saved beside trained weights. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Where dropout applies to a batch of B texts of T tokens, when training; empty where all rates are 0. */
  dropoutSites(batch: number, tokens: number): readonly DropoutSite[];
  /**
   * @param weights one tensor per parameter, in the order of `parameters`
   * @param keep one bool mask per dropout site; absent outside training
   */
  states(weights: readonly Tensor[], input: EncoderInput, keep?: readonly Tensor[]): EncoderStates;
}
