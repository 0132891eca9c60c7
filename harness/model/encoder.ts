/** The one interface behind which all encoders stand, and what a plug-in says of one. */
import type { EncoderShape, EncoderStates } from '../contracts.js';
import type { RowSums } from '../tensor/look-up.js';
import type { Tensor, Tensor1D, Tensor2D } from '../tensor/operations.js';
import type { ModelConfig } from './fields.js';

/** A trained array of an encoder. */
export interface Parameter {
  /** As Hugging Face names it, without a `bert.` prefix: `encoder.layer.0.attention.self.query.weight`. */
  name: string;
  shape: readonly number[];
  /** Whether weight decay applies: not to biases and normalization weights. */
  decay: boolean;
  /**
   * Products with it go beyond what float16 holds in published models, so that they are float32 where `encode.precision` or
   * `train.precision` is f16: what transformers' `_keep_in_fp32_modules` names.
   */
  overflowsHalf?: boolean;
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
  /** [B, T] int32, the segment of each token, 0 for padding: see `Encoder.segments`. All are 0 where absent. */
  types?: Tensor2D;
  /** [P] int32, the `lookUpPlan` of the ids in the embedding table, or what stands for it; absent where nothing is trained. */
  plan?: Tensor1D | RowSums;
}

/** A pure function of weights and tokens. It holds no weights. */
export interface Encoder {
  readonly shape: EncoderShape;
  /** Of attention, in each layer. */
  readonly heads: number;
  /** F, of the feed-forward. */
  readonly intermediate: number;
  /** V, rows of the embedding table. */
  readonly vocabularySize: number;
  readonly paddingId: number;
  /** Segments that it tells apart, as BERT the two texts of a pair; absent where it has no table of them. */
  readonly segments?: number;
  /** Whether the embedding of padding is trained; not where PyTorch has a `padding_idx`. */
  readonly trainsPadding: boolean;
  readonly parameters: readonly Parameter[];
  /** The config.json it was made from, to be saved beside trained weights. */
  readonly config: ModelConfig;
  /** Where dropout applies to a batch of B texts of T tokens, when training; empty where all rates are 0. */
  dropoutSites(batch: number, tokens: number): readonly DropoutSite[];
  /**
   * @param weights one tensor per parameter, in the order of `parameters`
   * @param keep one mask per dropout site, as `dropout` takes it; absent outside training
   */
  states(weights: readonly Tensor[], input: EncoderInput, keep?: readonly Tensor[]): EncoderStates;
}

/** What a checkpoint has beside its encoder to say one number, or several, of a text or a pair of texts. */
export interface ClassificationHead {
  /** By the names in the checkpoint, with what stands before them there: `bert.pooler.dense.weight`. */
  readonly parameters: readonly Parameter[];
  /** @param weights one tensor per parameter of the head @returns [B, labels] */
  logits(weights: readonly Tensor[], states: EncoderStates): Tensor2D;
}

/** What a configuration of this program asks of an encoder beside its config.json. */
export interface EncoderOptions {
  /**
   * Of T5, which layers the final normalization applies to. `last`, as in transformers: layers 0 to L - 1 are the raw
   * residual stream, whose scale differs from layer L's. `all` puts every layer on one scale.
   */
  t5LayerNorm?: 'last' | 'all';
}

/**
 * What transformers' `*ForMaskedLM` puts behind an encoder: a dense layer, an activation and a normalization, then the product
 * with the vector of every word. SPLADE weighs tokens by its logits. It is no part of `Encoder.states`.
 */
export interface MaskedHead {
  /** Names without `.weight` and `.bias`, and whether there is the latter. */
  dense: { name: string; hasBias: boolean };
  norm: { name: string; hasBias: boolean };
  epsilon: number;
  activate(x: Tensor): Tensor;
  /** The matrix of the product, [V, D]. */
  decoder: string;
  /** The parameter of the encoder that `decoder` is, where config.json ties them. */
  tiedTo?: string;
  /** Names of what is added to the logits, [V], the usual one first and the decoder's own last; none where nothing is. */
  biases: readonly string[];
}

/** `harness/encoders/NAME.ts` exports one of these by default; NAME is the `kind` of the encoders that it makes. */
export interface EncoderPlugin {
  /** One line for people. */
  summary: string;
  /** Every `model_type` that it takes, and the class of transformers that loads what is saved of one. */
  modelTypes: Readonly<Record<string, string>>;
  /** How its weights are recognised: the end of a tensor's name that each encoder of a checkpoint has exactly once. */
  landmark: string;
  /** The names in config.json of the rates of dropout; training sets all of them. */
  dropoutRates: readonly string[];
  /** The peak of the schedule of training where the configuration leaves it open. */
  learningRate: number;
  /** Whether BERT's vocab.txt alone makes its tokenizer; else there must be a tokenizer.json. */
  takesVocabulary: boolean;
  /** The smallest config.json for each form it has, by a name of the form: what the conformance suite tries. */
  examples: Readonly<Record<string, ModelConfig>>;
  /** The names under which a parameter may be stored, the usual one first; its own alone where absent. */
  storedNames?(name: string): string[];
  /**
   * @param config a config.json of one of its types
   * @throws BenchError CHECKPOINT_INVALID that lists every value that cannot be used
   */
  make(config: ModelConfig, options?: EncoderOptions): Encoder;
  /**
   * The head of transformers' `ForSequenceClassification`; absent where none is known.
   * @param config of an encoder that `make` has taken
   * @throws BenchError CHECKPOINT_INVALID that lists every value that cannot be used
   */
  classification?(config: ModelConfig, labels: number): ClassificationHead;
  /** The head of its masked language model; absent where none is known. @param config that `make` takes */
  maskedHead?(config: ModelConfig): MaskedHead;
}
